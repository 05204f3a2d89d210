"""Security: password, passkeys, apps, recovery codes. Each deed is audited, and told by mail."""

import json
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pyotp
import pytest
from sqlalchemy import text

from idp.domain.audit import By
from idp.domain.credentials.last_way import LastWay
from idp.domain.credentials.passkeys import Passkey
from idp.domain.credentials.totp import Authenticator
from idp.domain.services import Services
from idp.store import accounts
from tests.abuse_browser.asking import signed_in
from tests.account.console import events, forge, mails, opened, send
from tests.support.browserless import Browserless, Page, Person
from tests.support.deployment import Deployment
from tests.support.factors import Factors, factors
from tests.support.held_clock import HeldClock
from tests.support.refusals import Refused, contents
from tests.support.seeds import ADA, GRACE, ORIGIN
from tests.support.software_authenticator import SoftwareAuthenticator

SECURITY = "/account/security"
PASSWORD = f"{SECURITY}/password"
ADD_APP = f"{SECURITY}/authenticators/add"
ADD_PASSKEY = f"{SECURITY}/passkeys/add"
CODES = f"{SECURITY}/recovery-codes"
ANOTHER = "a difference engine for every parlour"
PATIENCE_SECONDS = 30
both_databases = pytest.mark.every_database


@pytest.fixture
def ada(services: Services, clock: HeldClock) -> Factors:
    return factors(services, clock, ADA.email)


def own(services: Services) -> By:
    return By(f"account:{services.accounts.get(ADA.email).id}", ORIGIN)


def told(services: Services) -> list[str]:
    return [kind for kind, to in mails(services) if to == ADA.email]


@both_databases
def test_a_new_password_signs_out_everywhere_else(
    deployment: Deployment, services: Services
) -> None:
    """SECURITY case 116, on the browsers' side."""
    elsewhere = signed_in(deployment)
    tokens = deployment.client("own").sign_in(signed_in(deployment), "openid offline_access")
    browser, page = opened(deployment, PASSWORD)
    field = page.document.forms[-1].editable("new-password")
    assert field is not None
    assert 'autocomplete="username"' in page.response.text
    page = send(browser, page, PASSWORD, password=ANOTHER)
    assert "Your password was changed" in page.text
    assert browser.get(SECURITY).url.endswith(SECURITY)
    assert "/interaction/" in elsewhere.get(SECURITY).url
    refreshed = deployment.client("own").refresh(tokens["refresh_token"])
    assert refreshed.json()["error"] == "invalid_grant"
    assert told(services)[0] == "password_changed"
    assert events(services).count("password.changed") == 1
    newcomer = deployment.browserless(Person(ADA.email, ANOTHER))
    page = newcomer.answer(newcomer.answer(newcomer.get("/sign-in")))
    assert page.title.startswith("Your account")


@pytest.mark.parametrize("unfit", ["", "too short", "passwordpassword", ADA.email, "x" * 300])
def test_an_unfit_password_is_said_and_changes_nothing(
    unfit: str, deployment: Deployment, services: Services
) -> None:
    browser, page = opened(deployment, PASSWORD)
    before = contents(services.store)
    page = send(browser, page, PASSWORD, password=unfit)
    assert page.status == 400
    assert "password-error" in page.response.text
    assert contents(services.store) == before


def test_with_a_second_factor_eight_characters_do(services: Services, ada: Factors) -> None:
    assert services.own.password.shortest(ada.account.id) == 15
    ada.with_app()
    assert services.own.password.shortest(ada.account.id) == 8
    services.own.password.change(ada.account, "k7 Wq!vz", own(services))


@both_databases
def test_the_last_way_in_stays(services: Services, ada: Factors) -> None:
    ada.with_app()
    before = contents(services.store)
    with pytest.raises(LastWay):
        services.own.password.remove(ada.account, own(services))
    assert contents(services.store) == before, "an app alone signs nobody in"
    ada.with_passkey()
    services.own.password.remove(ada.account, own(services))
    (key,) = services.passkeys.of(ada.account.id)
    with pytest.raises(LastWay):
        services.passkeys.remove(ada.account, key.id, own(services))
    services.own.password.change(ada.account, ANOTHER, own(services))
    services.passkeys.remove(ada.account, key.id, own(services))
    assert told(services)[:3] == ["credential_removed", "credential_added", "credential_removed"]


@both_databases
def test_two_removals_at_once_leave_one(services: Services, ada: Factors) -> None:
    ada.with_passkey()
    (key,) = services.passkeys.of(ada.account.id)
    by = own(services)

    both = Barrier(2)

    def tried(remove: Callable[[], None]) -> str:
        both.wait()
        try:
            remove()
        except LastWay:
            return "kept"
        return "removed"

    deeds = (
        partial(services.own.password.remove, ada.account, by),
        partial(services.passkeys.remove, ada.account, key.id, by),
    )
    with ThreadPoolExecutor(2) as pool:
        ended = sorted(pool.map(tried, deeds))
    assert ended == ["kept", "removed"]


@pytest.mark.only_on("postgresql")
@pytest.mark.every_database
def test_a_removal_waits_for_the_one_before_it(services: Services, ada: Factors) -> None:
    """Each sees what the other did, whichever is first."""
    ada.with_passkey()
    (key,) = services.passkeys.of(ada.account.id)
    with ThreadPoolExecutor(1) as pool:
        with services.store.writing() as connection:
            accounts.lock(connection, ada.account.id)
            accounts.remove_password(connection, ada.account.id)
            remove = services.passkeys.remove
            second = pool.submit(remove, ada.account, key.id, own(services))
            until_somebody_waits(services)
        with pytest.raises(LastWay):
            second.result()
    assert services.passkeys.of(ada.account.id) == [key]


def until_somebody_waits(services: Services) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with services.store.reading() as connection:
            if connection.execute(waiting).scalar_one():
                return
    raise AssertionError("nobody waits")


def test_removing_the_password_is_offered_only_beside_another_way(
    deployment: Deployment, services: Services, ada: Factors
) -> None:
    browser, page = opened(deployment, SECURITY)
    assert "Remove password" not in page.text
    page = browser.get(f"{PASSWORD}/remove")
    page = send(browser, page, f"{PASSWORD}/remove")
    assert page.status == 400
    assert "only way to sign in" in page.text
    ada.with_passkey()
    assert "Remove password" in browser.get(SECURITY).text


def begun(browser: Browserless) -> tuple[Page, str]:
    """Open the page that adds an app; return it with the seed."""
    page = browser.get(ADD_APP)
    found = re.search(r"authenticator-key[^>]*>([A-Z2-7 ]+)<", page.response.text)
    assert found, page
    return page, found[1].replace(" ", "")


@both_databases
def test_an_app_is_added_with_its_first_code_and_codes_come_with_it(
    deployment: Deployment, services: Services, clock: HeldClock
) -> None:
    browser = signed_in(deployment)
    page, seed = begun(browser)
    wrong = send(browser, page, ADD_APP, code="000000", name="Phone")
    assert wrong.status == 400
    assert services.authenticators.of(services.accounts.get(ADA.email).id) == []
    page = send(browser, wrong, ADD_APP, code=pyotp.TOTP(seed).at(int(clock())), name="Phone")
    assert "Save your recovery codes" in page.title
    assert len(re.findall(r"[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}", page.text)) == 10
    account = services.accounts.get(ADA.email)
    assert [one.name for one in services.authenticators.of(account.id)] == ["Phone"]
    assert services.recovery_codes.left(account.id) == 10
    assert sorted(told(services)) == ["credential_added", "credential_added"]
    assert {"authenticator.added", "recovery_codes.added"} <= set(events(services))


def test_an_enrolment_is_for_its_browser_and_person(
    deployment: Deployment, services: Services, clock: HeldClock
) -> None:
    browser = signed_in(deployment)
    page, seed = begun(browser)
    handle = page.document.forms[-1].named("handle").value
    other, there = opened(deployment, SECURITY)
    code = pyotp.TOTP(seed).at(int(clock()))
    forge(other, there, ADD_APP, {"handle": handle, "code": code})
    assert services.authenticators.of(services.accounts.get(ADA.email).id) == []


def options(browser: Browserless, page: Page) -> str:
    token = page.document.forms[-1].named("csrf_token").value
    answer = browser.http.post(
        f"{browser.origin}{SECURITY}/passkeys/options",
        headers={"X-CSRFToken": token, "Referer": page.url},
    )
    assert answer.status_code == 200, answer.text
    return answer.text


@both_databases
def test_a_passkey_is_added_and_asked_for_its_name(
    deployment: Deployment, services: Services
) -> None:
    browser, page = opened(deployment, ADD_PASSKEY)
    device = SoftwareAuthenticator()
    made = device.create(options(browser, page), browser.origin)
    page = forge(browser, page, ADD_PASSKEY, {"response": made})
    assert "The passkey was added" in page.text
    suggested = page.document.forms[-1].named("name").value
    assert suggested
    action = page.document.forms[-1].action
    page = send(browser, page, action, name="Key ring")
    account = services.accounts.get(ADA.email)
    (key,) = services.passkeys.of(account.id)
    assert key.name == "Key ring"
    page = browser.get(SECURITY)
    assert "Key ring" in page.text
    signal = re.search(r'data-signal-accepted="([^"]+)"', page.response.text)
    assert signal
    accepted = json.loads(signal[1].replace("&#34;", '"').replace("&quot;", '"'))
    assert len(accepted["allAcceptedCredentialIds"]) == 1
    assert told(services) == ["credential_added"]
    assert events(services)[-2:] == ["passkey.added", "passkey.renamed"]


def test_a_passkey_that_answers_wrongly_is_not_added(
    deployment: Deployment, services: Services
) -> None:
    browser, page = opened(deployment, ADD_PASSKEY)
    made = SoftwareAuthenticator().create(options(browser, page), "https://evil.example")
    for response in (made, "", "{}", "x" * 100_000):
        answer = forge(browser, page, ADD_PASSKEY, {"response": response})
        assert answer.status == 400, response[:20]
    assert services.passkeys.of(services.accounts.get(ADA.email).id) == []


def owned(services: Services, kind: str, account_id: str) -> Passkey | Authenticator:
    if kind == "passkeys":
        (key,) = services.passkeys.of(account_id)
        return key
    (app,) = services.authenticators.of(account_id)
    return app


@pytest.mark.parametrize("kind", ["passkeys", "authenticators"])
def test_case_105_nobody_names_or_removes_what_is_somebody_elses(
    kind: str, deployment: Deployment, services: Services, clock: HeldClock, refused: Refused
) -> None:
    grace = factors(services, clock, GRACE.email).with_app().with_passkey()
    hers = owned(services, kind, grace.account.id)
    browser, page = opened(deployment, "/account/profile")
    for wanted in (hers.id, "018f0000-0000-7000-8000-000000000000", "x", "%00"):
        for deed in ("rename", "remove"):
            path = f"{SECURITY}/{kind}/{wanted}/{deed}"
            with refused("access.refused", times=2):
                assert browser.get(path).status == 404
                assert forge(browser, page, path, {"name": "Mine"}).status == 404
    assert owned(services, kind, grace.account.id) == hers


def test_there_are_no_other_kinds(deployment: Deployment, refused: Refused) -> None:
    browser, _ = opened(deployment, SECURITY)
    with refused("access.refused"):
        assert browser.get(f"{SECURITY}/sessions/x/remove").status == 404


@both_databases
def test_an_app_is_renamed_and_removed_and_a_mail_tells(
    deployment: Deployment, services: Services, ada: Factors
) -> None:
    elsewhere = signed_in(deployment)
    browser = signed_in(deployment)
    ada.with_app()
    (app,) = services.authenticators.of(ada.account.id)
    path = f"{SECURITY}/authenticators/{app.id}"
    page = send(browser, browser.get(f"{path}/rename"), f"{path}/rename", name="Old phone")
    assert "Old phone" in page.text
    page = send(browser, browser.get(f"{path}/rename"), f"{path}/rename", name=" ")
    assert page.status == 400
    step = browser.get(f"{path}/remove")
    form = step.document.forms[0]
    form.named("code").value = ada.next_code()
    page = send(browser, browser.submit(step, form=form), f"{path}/remove")
    assert "It was removed" in page.text
    assert services.authenticators.of(ada.account.id) == []
    assert told(services)[0] == "credential_removed"
    assert "/interaction/" in elsewhere.get(SECURITY).url
    assert {"authenticator.renamed", "authenticator.removed"} <= set(events(services))


def test_a_new_set_of_codes_is_shown_once_and_ends_the_one_before(
    deployment: Deployment, services: Services
) -> None:
    browser, page = opened(deployment, CODES)
    page = send(browser, page, CODES)
    codes = re.findall(r"[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}", page.text)
    assert len(set(codes)) == 10
    assert page.response.headers["Cache-Control"] == "no-store"
    again = browser.get(CODES)
    assert not set(codes) & set(again.text.split())
    assert "10 codes left" in again.text
    account = services.accounts.get(ADA.email)
    send(browser, again, CODES)
    stored = services.recovery_codes.stored(account.id, codes[0])
    assert not services.recovery_codes.matches(stored, codes[0])
