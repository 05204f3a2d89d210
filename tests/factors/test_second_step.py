"""The pages of the second step, one after another, without any script."""

import json
import re

import pytest

from idp.domain.services import Services
from tests.abuse_browser.asking import at_password
from tests.support.application import ISSUER
from tests.support.browserless import Browserless, Page
from tests.support.deployment import Deployment
from tests.support.factors import (
    BY,
    Factors,
    factors,
    go,
    options,
    present,
    start_of,
    type_code,
    use_passkey,
)
from tests.support.held_clock import HeldClock
from tests.support.refusals import entries
from tests.support.seeds import ADA, GRACE, OPERATOR, ORIGIN
from tests.support.token_client import TokenClient
from tests.support.token_parts import claims_of

CONFIRM = "Confirm it’s you – Doorward"
TRUST = "Trust this device for 30 days"
both_databases = pytest.mark.every_database


@pytest.fixture
def ada(services: Services, clock: HeldClock) -> Factors:
    return factors(services, clock, ADA.email)


def at_second_step(browser: Browserless, client: TokenClient, **changes: str) -> Page:
    """Type address and password."""
    page = browser.start(client.authorization("openid email", **changes))
    return browser.answer(at_password(browser, page))


def claims(browser: Browserless, client: TokenClient, page: Page) -> dict[str, object]:
    """Allow, and return what the ID token says."""
    answer = client.redeem(browser.finish(page).callback)
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = claims_of(answer.json()["id_token"])
    return found


def mails(services: Services) -> list[str]:
    return [mail.kind for mail in services.outbox.latest(50)]


@both_databases
def test_password_and_code(browserless: Browserless, webapp: TokenClient, ada: Factors) -> None:
    ada.with_app()
    page = at_second_step(browserless, webapp)
    assert page.title == CONFIRM
    assert "Your account is protected by a second step" in page.text
    assert ADA.email in page.text
    field = page.form.editable("one-time-code")
    assert field is not None
    assert field.attributes["inputmode"] == "numeric"
    code = ada.next_code()
    page = type_code(browserless, page, f" {code[:3]} {code[3:]} ")
    said = claims(browserless, webapp, page)
    assert (said["acr"], said["amr"]) == (
        "urn:doorward:acr:two-factor",
        ["pwd", "otp", "mfa"],
    )


def test_a_wrong_code_says_so_and_the_next_one_works(
    browserless: Browserless, webapp: TokenClient, ada: Factors
) -> None:
    ada.with_app()
    page = at_second_step(browserless, webapp)
    wrong = type_code(browserless, page, ada.wrong_code())
    assert (wrong.status, wrong.title) == (400, f"Error: {CONFIRM}")
    assert type_code(browserless, wrong, "").status == 400
    assert "Allow access" in type_code(browserless, wrong, ada.next_code()).title


def test_the_passkey_comes_first_and_the_others_are_a_link_away(
    browserless: Browserless, webapp: TokenClient, ada: Factors
) -> None:
    ada.with_app().with_passkey()
    codes = ada.recovery_codes()
    page = at_second_step(browserless, webapp)
    assert page.url.endswith("/passkey")
    code = go(browserless, page, "Use a code from your authenticator app")
    recovery = go(browserless, code, "Use a recovery code")
    assert go(browserless, recovery, "Use a passkey").url == page.url
    typed = codes[0].upper().replace("-", " ")
    left = type_code(browserless, recovery, typed)
    assert left.title.startswith("Recovery codes")
    assert "9 recovery codes are left" in left.text
    assert "Allow access" in go(browserless, left, "Continue").title


def test_only_what_the_person_has_is_offered(
    browserless: Browserless, webapp: TokenClient, ada: Factors
) -> None:
    ada.with_app()
    page = at_second_step(browserless, webapp)
    assert not [link for link in page.document.links if link.startswith("Use")]
    for path in ("passkey", "second-factor/recovery", "enrol", "enrol/authenticator", "password"):
        assert browserless.get(f"{start_of(page)}/{path}").url == page.url, path
    doors = browserless.get(f"{start_of(page)}/other-ways")
    assert [link for link in doors.document.links if link.startswith("Use")] == [
        "Use a code from your authenticator app"
    ]


def test_at_two_recovery_codes_a_new_set_is_offered_and_a_mail_is_sent(
    browserless: Browserless, webapp: TokenClient, ada: Factors, services: Services
) -> None:
    ada.with_app()
    codes = list(ada.recovery_codes())
    with services.store.writing() as connection:
        for code in codes[:6]:
            stored = services.recovery_codes.stored(ada.account.id, code)
            assert services.recovery_codes.use(connection, ada.account.id, stored)
    page = at_second_step(browserless, webapp)
    page = browserless.get(f"{start_of(page)}/second-factor/recovery")
    left = type_code(browserless, page, codes[6])
    assert "3 recovery codes are left" in left.text
    assert "Make a new set" not in left.text
    assert "recovery_codes_low" not in mails(services)
    again = browserless.start(webapp.authorization("openid", prompt="login"))
    again = browserless.answer(again)
    again = browserless.get(f"{start_of(again)}/second-factor/recovery")
    left = type_code(browserless, again, codes[7])
    assert "2 recovery codes are left" in left.text
    assert mails(services).count("recovery_codes_low") == 1
    shown = browserless.submit(left)
    fresh = re.findall(r"\b[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}\b", shown.text)
    assert len(set(fresh)) == 10
    assert shown.response.headers["Cache-Control"] == "no-store"
    assert services.recovery_codes.left(ada.account.id) == 10
    stored = services.recovery_codes.stored(ada.account.id, fresh[0])
    assert services.recovery_codes.matches(stored, fresh[0])
    assert not services.recovery_codes.matches(
        services.recovery_codes.stored(ada.account.id, codes[8]), codes[8]
    )


@both_databases
def test_a_passkey_alone_signs_in(
    browserless: Browserless, webapp: TokenClient, ada: Factors
) -> None:
    ada.with_passkey()
    page = browserless.start(webapp.authorization("openid email"))
    asked = json.loads(options(browserless, page))
    assert asked["allowCredentials"] == []
    assert asked["userVerification"] == "required"
    said = claims(browserless, webapp, use_passkey(browserless, page, ada, keep="yes"))
    assert said["acr"] == "urn:doorward:acr:phishing-resistant"
    assert said["amr"] == ["swk", "user", "mfa"]
    (session,) = ada.services.sessions.of(ada.account.id)
    assert session.kept


def test_the_page_of_a_passkey_writes_nothing(
    browserless: Browserless, webapp: TokenClient, ada: Factors, services: Services
) -> None:
    ada.with_passkey()
    page = browserless.start(webapp.authorization("openid email"))
    for path in ("sign-in", "passkey"):
        browserless.get(f"{start_of(page)}/{path}")
    with services.store.reading() as connection:
        kinds = connection.exec_driver_sql("SELECT kind FROM one_time").scalars().all()
    assert "passkey use" not in kinds


def test_proving_it_again_with_a_passkey_takes_this_accounts_only(
    browserless: Browserless,
    webapp: TokenClient,
    ada: Factors,
    services: Services,
    clock: HeldClock,
) -> None:
    """`allowCredentials` names them, and another person's passkey is refused."""
    ada.with_passkey()
    grace = factors(ada.services, clock, GRACE.email).with_passkey()
    start = browserless.start(webapp.authorization("openid email"))
    browserless.finish(use_passkey(browserless, start, ada))
    page = browserless.start(webapp.authorization("openid email", prompt="login"))
    assert page.title == CONFIRM
    assert "asks whether you are still here" in page.text
    asked = options(browserless, page)
    assert len(json.loads(asked)["allowCredentials"]) == 1
    refused = present(browserless, page, grace.device.get(asked, ISSUER))
    assert (refused.status, refused.title) == (400, f"Error: {CONFIRM}")
    clock.advance(60)
    said = claims(browserless, webapp, use_passkey(browserless, page, ada))
    assert said["auth_time"] == int(clock())


def test_who_is_asked_for_signs_in_beside_who_is_here(
    deployment: Deployment, webapp: TokenClient, ada: Factors, clock: HeldClock
) -> None:
    """The application means Grace, and Ada is signed in: Grace's passkey is taken."""
    grace = factors(ada.services, clock, GRACE.email).with_passkey()
    elsewhere = deployment.browserless(GRACE)
    start = elsewhere.start(webapp.authorization("openid"))
    callback = elsewhere.finish(use_passkey(elsewhere, start, grace)).callback
    hint = webapp.redeem(callback).json()["id_token"]
    browser = deployment.browserless()
    webapp.sign_in(browser)
    page = browser.start(webapp.authorization("openid", id_token_hint=hint))
    assert page.title.startswith("Sign in")
    said = claims(browser, webapp, use_passkey(browser, page, grace))
    assert said["sub"] == grace.account.subject


def test_an_unknown_passkey_is_told_apart(
    browserless: Browserless, webapp: TokenClient, ada: Factors, services: Services
) -> None:
    ada.with_passkey()
    page = browserless.start(webapp.authorization("openid email"))
    (passkey,) = services.passkeys.of(ada.account.id)
    from_before = ada.device
    services.passkeys.remove(ada.account, passkey.id, BY)
    asked = options(browserless, page)
    refused = present(browserless, page, from_before.get(asked, ISSUER))
    assert refused.status == 400
    assert "We don’t know this passkey" in refused.text
    assert "data-signal-unknown" in refused.response.text
    odd = present(browserless, page, "nonsense")
    assert odd.status == 400
    assert "data-signal-unknown" not in odd.response.text
    assert "Use your email address" in odd.document.links


@pytest.mark.settings(smtp_url="smtp://127.0.0.1:9")
def test_other_ways_are_the_same_for_everybody_before_a_first_factor(
    deployment: Deployment, webapp: TokenClient, ada: Factors
) -> None:
    ada.with_app().with_passkey()
    words = []
    for email in (ADA.email, "nobody@example.test"):
        browser = deployment.browserless()
        page = browser.start(webapp.authorization("openid email"))
        page.form.fill("username", email)
        page = go(browser, browser.submit(page), "Other ways to sign in")
        ends = [url.rpartition("/")[2] for url in page.document.links.values()]
        assert ends[:4] == ["sign-in", "password", "mail", "passkey"]
        words.append(page.text.replace(email, "…"))
        assert browser.get(f"{start_of(page)}/second-factor").url.endswith("/sign-in")
    assert words[0] == words[1]
    assert "authenticator" not in words[0]


def test_a_browser_that_is_trusted_is_not_asked_again(
    browserless: Browserless, webapp: TokenClient, ada: Factors, services: Services
) -> None:
    ada.with_app()
    page = at_second_step(browserless, webapp)
    assert TRUST in page.text
    browserless.finish(type_code(browserless, page, ada.next_code(), trust=True))
    assert "device.trusted" in [entry["event"] for entry in entries(services.store)]
    browserless.submit(browserless.get("/"))
    said = claims(browserless, webapp, at_second_step(browserless, webapp))
    assert (said["acr"], said["amr"]) == ("urn:doorward:acr:one-factor", ["pwd"])


def test_where_trust_is_not_offered_it_is_not_taken(
    browserless: Browserless, webapp: TokenClient, ada: Factors, services: Services
) -> None:
    """Privileged people, and a step-up that the application asks for."""
    ada.with_app()
    page = at_second_step(browserless, webapp, acr_values="urn:doorward:acr:two-factor")
    assert TRUST not in page.text
    forged = {"csrf_token": page.form.named("csrf_token").value, "trust": "yes"}
    code = ada.next_code()
    browserless.post(page.url, {**forged, "code": code}, page.url)
    (device,) = services.devices.of(ada.account.id)
    assert device.trusted_until is None
    browserless.submit(browserless.get("/"))
    services.memberships.grant(ADA.email, roles=["auditor"], origin=ORIGIN, actor=OPERATOR)
    page = at_second_step(browserless, webapp)
    assert TRUST not in page.text
    assert page.title == CONFIRM


def test_no_dead_end_without_scripts(
    browserless: Browserless, webapp: TokenClient, ada: Factors
) -> None:
    """A page that needs scripts says so and leads to what does not."""
    ada.with_app().with_passkey()
    page = at_second_step(browserless, webapp)
    assert "Passkeys need JavaScript" in page.text
    assert "Use a code from your authenticator app" in page.document.links
    start = browserless.start(webapp.authorization("openid"))
    plain = browserless.get(f"{start_of(start)}/passkey")
    assert go(browserless, plain, "Use your email address").title.startswith("Sign in")


def test_cancel_at_the_second_step_tells_the_application(
    browserless: Browserless, webapp: TokenClient, ada: Factors
) -> None:
    ada.with_app()
    page = at_second_step(browserless, webapp)
    fields = {"csrf_token": page.form.named("csrf_token").value}
    ended = browserless.post(f"{start_of(page)}/cancel", fields, page.url)
    assert ended.callback["error"] == "access_denied"


def test_the_well_known_documents(deployment: Deployment) -> None:
    http = deployment.new_http()
    found = http.get(f"{ISSUER}/.well-known/passkey-endpoints").json()
    assert found == {
        "enroll": f"{ISSUER}/account/security",
        "manage": f"{ISSUER}/account/security",
    }
    assert http.get(f"{ISSUER}/.well-known/webauthn").status_code == 404


@pytest.mark.settings(related_origins=("https://shop.example.test",))
def test_related_origins_are_published(deployment: Deployment) -> None:
    found = deployment.new_http().get(f"{ISSUER}/.well-known/webauthn")
    assert found.json() == {"origins": [ISSUER, "https://shop.example.test"]}
    assert found.headers["Content-Type"] == "application/json"
