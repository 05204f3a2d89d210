"""Setting up a second factor in the middle of a sign-in, without any script, and silently."""

import json
import re

import pyotp
import pytest

from idp.domain.services import Services
from tests.abuse_browser.asking import at_password, signed_in
from tests.support.application import ISSUER
from tests.support.browserless import Browserless, Page, Person
from tests.support.deployment import Deployment
from tests.support.factors import (
    Factors,
    factors,
    go,
    options,
    present,
    start_of,
    token_of,
    type_code,
    use_passkey,
)
from tests.support.held_clock import HeldClock
from tests.support.refusals import contents, entries
from tests.support.seeds import ADA, GRACE, OPERATOR, ORIGIN
from tests.support.software_authenticator import SoftwareAuthenticator
from tests.support.token_client import TokenClient
from tests.support.token_parts import claims_of

SET_UP = "Set up a second step – Doorward"
TWO = "urn:doorward:acr:two-factor"
STRONG = "urn:doorward:acr:phishing-resistant"
ESSENTIAL = json.dumps({"id_token": {"acr": {"essential": True, "values": [TWO]}}})
STRONGLY = json.dumps({"id_token": {"acr": {"essential": True, "values": [STRONG]}}})
BOSS = Person("boss@example.test", "an engine that weaves algebra patterns")
both_databases = pytest.mark.every_database


@pytest.fixture
def ada(services: Services, clock: HeldClock) -> Factors:
    return factors(services, clock, ADA.email)


def choose_app(browser: Browserless, page: Page) -> Page:
    button = page.form.button("decision", "authenticator")
    assert button is not None
    return browser.submit(page, button)


def key_on(page: Page) -> str:
    """Read the key that can be typed."""
    found = re.search(r"(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}", page.text)
    assert found, page.text
    return found[0].replace(" ", "")


def code_for(page: Page, clock: HeldClock) -> str:
    return pyotp.TOTP(key_on(page)).at(int(clock()))


@both_databases
def test_an_administrator_of_the_one_time_link_enrols_before_anything_else(
    deployment: Deployment, services: Services, clock: HeldClock, webapp: TokenClient
) -> None:
    """Issue 3, item 5: the password alone opens nothing, nowhere."""
    link = services.administrators.issue_link(ORIGIN, OPERATOR)
    browser = deployment.browserless(BOSS)
    page = browser.get(link)
    page.form.named("email").value = BOSS.email
    page.form.named("password").value = BOSS.password
    page = browser.submit(page)
    page = browser.answer(at_password(browser, page))
    assert page.title == SET_UP
    assert "Your role needs" in page.text
    boss = services.accounts.get(BOSS.email)
    assert services.sessions.of(boss.id) == []
    assert browser.get("/").title.startswith("Welcome")
    for path in ("/admin", "/account"):
        assert not browser.get(path).url.endswith(path) or browser.get(path).status == 404
    other = browser.start(webapp.authorization("openid", prompt="none"))
    assert other.callback["error"] == "login_required"
    enrolling = choose_app(browser, page)
    assert "<svg" in enrolling.response.text
    done = type_code(browser, enrolling, code_for(enrolling, clock))
    assert done.title.startswith("Recovery codes")
    (session,) = services.sessions.of(boss.id)
    assert (session.acr, session.amr) == (TWO, ("pwd", "otp", "mfa"))
    shown = browser.submit(done)
    codes = set(re.findall(r"\b[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}\b", shown.text))
    assert len(codes) == 10
    home = go(browser, shown, "I saved them")
    assert home.title.startswith("Your account")
    events = [entry["event"] for entry in entries(services.store) if entry["account_id"] == boss.id]
    assert events.count("authenticator.added") == 1
    assert events.count("recovery_codes.added") == 1
    text = "".join(repr(entry) for entry in entries(services.store))
    assert not any(code in text for code in codes)


@both_databases
def test_an_application_that_needs_two_factors_gets_them_from_who_has_one(
    browserless: Browserless, webapp: TokenClient, ada: Factors
) -> None:
    page = browserless.start(webapp.authorization("openid", claims=ESSENTIAL))
    page = browserless.answer(at_password(browserless, page))
    assert page.title == SET_UP
    assert "Field Notes asks for a stronger sign-in" in page.text
    asked = options(browserless, page, "enrol/passkey/options")
    assert json.loads(asked)["authenticatorSelection"]["userVerification"] == "required"
    answer = ada.device.create(asked, ISSUER)
    page = present(browserless, page, answer, "enrol/passkey")
    assert page.title.startswith("Recovery codes")
    assert len(ada.services.passkeys.of(ada.account.id)) == 1
    page = go(browserless, page, "Not now")
    said = claims_of(webapp.redeem(browserless.finish(page).callback).json()["id_token"])
    assert said["acr"] == TWO
    assert set(said["amr"]) >= {"swk", "mfa"}
    assert ada.services.recovery_codes.left(ada.account.id) == 0
    kinds = [mail.kind for mail in ada.services.outbox.latest(9)]
    assert kinds.count("credential_added") == 1


def test_a_wrong_first_code_enrols_nothing(
    browserless: Browserless, webapp: TokenClient, ada: Factors, clock: HeldClock
) -> None:
    page = browserless.start(webapp.authorization("openid", claims=ESSENTIAL))
    page = choose_app(browserless, browserless.answer(at_password(browserless, page)))
    again = type_code(browserless, page, "000000")
    assert again.status == 400
    assert key_on(again) == key_on(page)
    assert ada.services.authenticators.of(ada.account.id) == []
    clock.advance(30)
    assert type_code(browserless, again, code_for(page, clock)).title.startswith("Recovery codes")
    late = browserless.get(f"{start_of(page)}/enrol/authenticator")
    assert "enrol" not in late.url


def test_a_seed_that_waited_too_long_begins_anew(
    browserless: Browserless, webapp: TokenClient, clock: HeldClock
) -> None:
    page = browserless.start(webapp.authorization("openid", claims=ESSENTIAL))
    page = choose_app(browserless, browserless.answer(at_password(browserless, page)))
    clock.advance(601)
    over = type_code(browserless, page, code_for(page, clock))
    assert over.title.startswith("Sign in"), "what was proven is older than ten minutes, too"


def test_an_old_session_confirms_first_and_comes_back(
    deployment: Deployment, services: Services, clock: HeldClock, webapp: TokenClient, ada: Factors
) -> None:
    browser = signed_in(deployment)
    clock.advance(601)
    page = browser.start(webapp.authorization("openid", claims=ESSENTIAL))
    assert page.title.startswith("Confirm it’s you")
    page = browser.answer(page)
    assert page.title == SET_UP
    page = choose_app(browser, page)
    page = go(browser, type_code(browser, page, code_for(page, clock)), "Not now")
    assert claims_of(webapp.redeem(browser.finish(page).callback).json()["id_token"])["acr"] == TWO


def test_a_session_of_before_the_second_factor_looks_but_goes_nowhere_without_it(
    deployment: Deployment, webapp: TokenClient, ada: Factors
) -> None:
    """It sees the account, so nobody is shut out of the page on which they just added a factor; it
    signs in to nothing, and how to sign in stays as it is.
    """
    browser = signed_in(deployment)
    ada.with_app()
    assert browser.get("/account/security").url.endswith("/account/security")
    confirm = "Confirm it’s you – Doorward"
    for page in ("security/password", "security/recovery-codes", "data/delete"):
        assert browser.get(f"/account/{page}").title == confirm, page
    assert browser.start(webapp.authorization("openid email")).title == confirm


def test_a_passkey_that_is_needed_is_made_only_after_the_code_that_there_is(
    browserless: Browserless, webapp: TokenClient, ada: Factors
) -> None:
    """SECURITY case 106: a first factor alone makes none."""
    ada.with_app()
    page = browserless.start(webapp.authorization("openid", claims=STRONGLY))
    page = browserless.answer(at_password(browserless, page))
    assert page.url.endswith("/second-factor/code")
    page = type_code(browserless, page, ada.next_code())
    assert page.title == "Set up a passkey – Doorward"
    assert page.form.button("decision", "authenticator") is None
    asked = options(browserless, page, "enrol/passkey/options")
    answer = ada.device.create(asked, ISSUER)
    page = go(browserless, present(browserless, page, answer, "enrol/passkey"), "Not now")
    said = claims_of(webapp.redeem(browserless.finish(page).callback).json()["id_token"])
    assert said["acr"] == STRONG


def test_cancel_is_an_unmet_requirement_where_it_is_essential(
    browserless: Browserless, webapp: TokenClient
) -> None:
    page = browserless.start(webapp.authorization("openid", claims=ESSENTIAL))
    page = browserless.answer(at_password(browserless, page))
    ended = browserless.post(f"{start_of(page)}/cancel", {"csrf_token": token_of(page)}, page.url)
    assert ended.callback["error"] == "unmet_authentication_requirements"


def test_codes_are_offered_only_after_a_factor_was_made_or_used(
    browserless: Browserless, webapp: TokenClient, ada: Factors
) -> None:
    page = browserless.start(webapp.authorization("openid email"))
    page = browserless.answer(at_password(browserless, page))
    before = contents(ada.services.store)
    url = f"{start_of(page)}/recovery-codes"
    assert browserless.get(url).url == page.url
    assert browserless.post(url, {"csrf_token": token_of(page)}, page.url).url == page.url
    assert contents(ada.services.store) == before


def test_what_is_begun_in_time_is_not_finished_late(
    browserless: Browserless, webapp: TokenClient, ada: Factors, clock: HeldClock
) -> None:
    """What was proven is judged again when the factor is there: ten minutes, and no more."""
    page = browserless.start(webapp.authorization("openid", claims=ESSENTIAL))
    page = browserless.answer(at_password(browserless, page))
    clock.advance(400)
    made = ada.device.create(options(browserless, page, "enrol/passkey/options"), ISSUER)
    app = choose_app(browserless, page)
    clock.advance(201)
    assert present(browserless, page, made, "enrol/passkey").status == 400
    late = type_code(browserless, app, code_for(app, clock))
    assert late.status == 400
    assert ada.services.passkeys.of(ada.account.id) == []
    assert ada.services.authenticators.of(ada.account.id) == []
    assert ada.services.sessions.of(ada.account.id) == []


def test_codes_are_offered_to_nobody_else(
    browserless: Browserless, webapp: TokenClient, ada: Factors, clock: HeldClock
) -> None:
    """Somebody else takes over at the consent page of the same interaction."""
    page = browserless.start(webapp.authorization("openid email", claims=ESSENTIAL))
    page = choose_app(browserless, browserless.answer(at_password(browserless, page)))
    offer = type_code(browserless, page, code_for(page, clock))
    consent = go(browserless, offer, "Not now")
    assert browserless.get(offer.url).title == offer.title
    switch = go(browserless, consent, "Not you?")
    asked = browserless.submit(switch, switch.form.button("decision", "switch"))
    browserless.person = GRACE
    step = browserless.answer(at_password(browserless, asked))
    assert step.title == SET_UP
    assert browserless.get(offer.url).url == step.url
    assert browserless.post(offer.url, {"csrf_token": token_of(step)}, step.url).url == step.url


def upgrade(browser: Browserless, page: Page, path: str, **fields: str) -> int:
    headers = {"Referer": page.url, "X-CSRFToken": token_of(page)}
    answer = browser.http.post(
        f"{ISSUER}/passkey/{path}", data=fields, headers=headers, allow_redirects=False
    )
    page.__dict__["answer"] = answer.text
    return answer.status_code


def try_password(browser: Browserless, webapp: TokenClient) -> Page:
    """Sign in by the password alone, and return where that leads."""
    page = browser.start(webapp.authorization("openid email"))
    return browser.answer(at_password(browser, page))


@both_databases
def test_a_passkey_is_made_silently_after_a_password(
    deployment: Deployment, services: Services, ada: Factors, webapp: TokenClient
) -> None:
    browser = signed_in(deployment)
    page = browser.get("/")
    assert "data-upgrade" in page.response.text
    assert upgrade(browser, page, "upgrade/options") == 200
    made = ada.device.create(page.__dict__["answer"], ISSUER, flags=0x40 | 0x08 | 0x10)
    assert upgrade(browser, page, "upgrade", response=made) == 204
    assert len(ada.services.passkeys.of(ada.account.id)) == 1
    assert [mail.kind for mail in services.outbox.latest(9)].count("credential_added") == 1
    page = browser.get("/")
    assert "data-upgrade" not in page.response.text
    assert upgrade(browser, page, "upgrade/options") == 403
    browser.submit(page)
    allow = try_password(browser, webapp)
    assert "Allow access" in allow.title, "nobody is asked for what they may not know of"
    other = deployment.browserless()
    start = other.start(webapp.authorization("openid"))
    assert "Allow access" in use_passkey(other, start, ada).title
    assert "Confirm it’s you" in try_password(deployment.browserless(), webapp).title


def test_case_106_no_silent_passkey_where_more_is_needed(
    deployment: Deployment, services: Services, ada: Factors, clock: HeldClock
) -> None:
    """Not for strangers, not long after, not by a password where there is a second factor."""
    stranger = deployment.browserless()
    page = stranger.get("/sign-in")
    assert upgrade(stranger, page, "upgrade/options") == 403
    browser = signed_in(deployment)
    page = browser.get("/")
    assert upgrade(browser, page, "upgrade/options") == 200
    made = ada.device.create(page.__dict__["answer"], ISSUER)
    ada.with_app()
    assert upgrade(browser, page, "upgrade", response=made) == 403
    assert upgrade(browser, page, "upgrade/options") == 403
    assert "data-upgrade" not in browser.get("/").response.text
    assert services.passkeys.of(ada.account.id) == []
    other = signed_in(deployment) if not ada.secret else browser
    clock.advance(301)
    assert upgrade(other, page, "upgrade/options") == 403


def test_a_silent_passkey_is_offered_beside_consent(
    browserless: Browserless, webapp: TokenClient
) -> None:
    page = browserless.start(webapp.authorization("openid email"))
    page = browserless.answer(at_password(browserless, page))
    assert "data-upgrade" in page.response.text
    assert upgrade(browserless, page, "upgrade/options") == 200
    made = SoftwareAuthenticator().create(page.__dict__["answer"], ISSUER, flags=0x58)
    assert upgrade(browserless, page, "upgrade", response=made) == 204
    assert "code" in browserless.finish(page).callback, "it is not asked for on the way"


def test_no_silent_passkey_is_offered_long_after_the_password(
    browserless: Browserless, webapp: TokenClient, clock: HeldClock
) -> None:
    page = browserless.start(webapp.authorization("openid email"))
    page = browserless.answer(at_password(browserless, page))
    assert "data-upgrade" in page.response.text
    clock.advance(301)
    assert "data-upgrade" not in browserless.get(page.url).response.text
