"""SECURITY cases 158 and 160: keys that change under way, and a stolen dump."""

import pytest
from flask import Flask
from pydantic import SecretStr

from idp.app import services_of
from idp.config import Settings
from idp.crypto.keyfiles import new_key_text
from idp.domain.rewrap import Rewrap
from idp.domain.services import Services
from tests.abuse_browser.asking import at_password, signed_in, try_password
from tests.abuse_browser.clicking import click
from tests.support import in_process
from tests.support.application import ISSUER, KEY_ENCRYPTION_KEY, Seeded, running
from tests.support.browserless import Browserless
from tests.support.deployment import Deployment
from tests.support.held_clock import HeldClock
from tests.support.secrets_seen import SecretsSeen
from tests.support.seeds import ADA, OPERATOR, ORIGIN
from tests.support.token_client import TokenClient


def before(app: Flask, browser: Browserless) -> Browserless:
    """Return the same browser before another application of the same issuer."""
    http = in_process.session(app, ISSUER)
    http.cookies = browser.http.cookies.copy()
    return Browserless(http, browser.discovery, browser.person)


@pytest.mark.every_database
def test_case_158_everybody_goes_on_while_the_key_encryption_key_changes(
    deployment: Deployment, settings: Settings, clock: HeldClock, seeded: Seeded
) -> None:
    """Sessions, forms that are open, codes and refresh tokens outlive it."""
    webapp, browser = deployment.client("webapp"), deployment.browserless()
    tokens = webapp.sign_in(browser, "openid email offline_access")
    callback = browser.authorize(webapp.authorization("openid"))
    consent = browser.start(webapp.authorization("openid phone"))
    typing = deployment.browserless()
    password = at_password(typing, typing.start(webapp.authorization()))
    new = SecretStr(new_key_text())
    both = {
        "key_encryption_key": new,
        "previous_key_encryption_key": SecretStr(KEY_ENCRYPTION_KEY),
    }
    with running(settings.model_copy(update=both), clock) as app:
        parts = services_of(app)
        assert before(app, browser).get("/").title.startswith("Your account")
        moved = Rewrap(parts.store, parts.sealer, parts.audit).run(ORIGIN, OPERATOR)
        assert moved["one_time"] >= 3
        assert before(app, browser).get(consent.url).title.startswith("Allow access")
    with running(settings.model_copy(update={"key_encryption_key": new}), clock) as app:
        here = before(app, browser)
        assert here.get("/").title.startswith("Your account")
        after = Deployment(ISSUER, seeded.seeds, lambda: in_process.session(app, ISSUER))
        again = after.client("webapp")
        again.verifiers = webapp.verifiers
        assert again.redeem(callback).status_code == 200
        assert again.refresh(tokens["refresh_token"]).status_code == 200
        assert again.active(tokens["access_token"])
        done = here.submit(consent, consent.form.button("decision", "allow"))
        assert again.redeem(done.callback).status_code == 200
        person = before(app, typing)
        asked = try_password(person, password, ADA.password)
        assert "code" in person.finish(asked).callback


def test_case_158_signing_keys_change_under_people_who_are_signed_in(
    deployment: Deployment, services: Services, clock: HeldClock, settings: Settings
) -> None:
    webapp, browser = deployment.client("webapp"), deployment.browserless()
    tokens = webapp.sign_in(browser, "openid offline_access")
    clock.advance(settings.jwks_max_age + settings.key_publication_margin + 60)
    signing = {key.kid for key in services.signing_keys.list() if key.state == "active"}
    services.signing_keys.rotate(origin=ORIGIN, actor=OPERATOR)
    assert not signing & {key.kid for key in services.signing_keys.list() if key.state == "active"}
    assert webapp.refresh(tokens["refresh_token"]).status_code == 200
    page = browser.start(webapp.authorization(id_token_hint=tokens["id_token"], prompt="none"))
    assert "code" in page.callback


@pytest.mark.every_database
def test_case_160_a_dump_of_the_database_opens_nothing(
    deployment: Deployment, services: Services, seeded: Seeded
) -> None:
    """Nothing that was ever sent or shown stands in it, used or unused, in any usual form."""
    seen = SecretsSeen()
    for client_id, secret in deployment.seeds.client_secrets.items():
        seen.note(f"client secret of {client_id}", secret)
    for _, secret in deployment.seeds.credentials.values():
        seen.note("credential", secret)
    seen.note("password", ADA.password)
    seen.note("key-encryption key", KEY_ENCRYPTION_KEY)
    link = services.administrators.issue_link(ORIGIN, OPERATOR)
    seen.note("administrator link", link.rpartition("/")[2])
    browser, webapp = deployment.browserless(), deployment.client("webapp")
    for http in (browser.http, webapp.http):
        seen.watch(http)
    tokens = webapp.sign_in(browser, "openid email offline_access notes:read")
    for _ in range(2):
        webapp.refresh(tokens["refresh_token"])
    browser.authorize(webapp.authorization("openid"))
    pending = browser.start(webapp.authorization("openid phone"))
    seen.note("handle", pending.url.split("/interaction/")[1].split("/")[0])
    other = signed_in(deployment)
    seen.note("cookie", next(iter(other.http.cookies.values())))
    dump = seeded.database.dump()
    assert ADA.email in dump, "the dump is of this database"
    assert "$argon2id$v=19$m=19456,t=2,p=1$" in dump
    assert {"code", "refresh token", "access token", "cookie", "handle"} <= seen.known.keys()
    assert seen.leaks({"the dump": dump.encode()}) == []


def test_case_160_what_stands_in_the_database_is_no_credential(
    deployment: Deployment, services: Services, webapp: TokenClient
) -> None:
    """Digests and hashes, presented as what they stand for."""
    browser = deployment.browserless()
    webapp.sign_in(browser, "openid offline_access")
    browser.start(webapp.authorization("openid phone"))
    queries = (
        "SELECT cookie_digest FROM sessions",
        "SELECT digest FROM refresh_tokens",
        "SELECT digest FROM one_time",
    )
    with services.store.reading() as connection:
        run = connection.exec_driver_sql
        stored = [bytes(row[0]).hex() for query in queries for row in run(query)]
        secrets = [bytes(row[0]).hex() for row in run("SELECT digest FROM client_secrets")]
        hashes = [str(row[0]) for row in run("SELECT hash FROM passwords")]
    assert len(stored) >= 4
    for text in stored:
        assert webapp.refresh(text).json()["error"] == "invalid_grant"
        assert webapp.redeem({"code": text}).json()["error"] == "invalid_grant"
        answer = deployment.new_http().get(
            f"{ISSUER}/", headers={"Cookie": f"__Host-doorward={text[:43]}"}
        )
        assert "Welcome" in answer.text
        assert browser.get(f"/interaction/{text}").status == 404
    for text in secrets:
        webapp.client_secret = text
        assert webapp.credentials().json()["error"] == "invalid_client"
    typing = deployment.browserless()
    page = at_password(typing, typing.start(deployment.client("webapp").authorization()))
    page.form.fill("current-password", hashes[0])
    assert click(typing, page).status_code == 400
