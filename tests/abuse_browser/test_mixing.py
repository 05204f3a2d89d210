"""What one account proved never counts for another, nor a console's deed for a sign-in (SECURITY
cases 89, 109, 110 and 117).
"""

import pytest

from idp.domain.interactions import Progress
from idp.domain.services import Services
from tests.abuse_browser.asking import at_password, signed_in, try_password
from tests.abuse_browser.test_group_n_step_up import TWO, essential, half
from tests.abuse_browser.test_prompts import account_button
from tests.support.browserless import Browserless, Page, Person
from tests.support.deployment import Deployment
from tests.support.factors import Factors, factors, start_of, token_of, type_code
from tests.support.held_clock import HeldClock
from tests.support.seeds import ADA, GRACE, OPERATOR, ORIGIN
from tests.support.token_client import TokenClient

COOKIE = "__Host-doorward"


@pytest.fixture
def grace(services: Services, clock: HeldClock) -> Factors:
    return factors(services, clock, GRACE.email).with_app()


def as_grace_too(browser: Browserless, webapp: TokenClient, grace: Factors, **changes: str) -> Page:
    """Ask for more than Ada proved, and prove it as Grace, up to the page that asks for consent."""
    asked = webapp.authorization("openid email", prompt="select_account login", **changes)
    page = browser.start(asked)
    page = browser.submit(page, account_button(page, 1))
    browser.person = GRACE
    page = try_password(browser, at_password(browser, page), GRACE.password)
    page = type_code(browser, page, grace.next_code())
    assert GRACE.email in page.text
    return page


@pytest.mark.parametrize("claims", [essential(TWO), None])
def test_case_110_what_another_account_proved_is_no_step_up(
    deployment: Deployment, webapp: TokenClient, grace: Factors, claims: str | None
) -> None:
    """Who proved more leaves, and the sign-in goes on with who is still there."""
    ada_id = grace.services.accounts.get(ADA.email).id
    browser = signed_in(deployment)
    changes = {"claims": claims} if claims else {}
    page = as_grace_too(browser, webapp, grace, **changes)
    away = next(form for form in browser.get("/").document.forms if form.action == "/sign-out")
    browser.submit(browser.get("/"), None, away)
    assert ADA.email in browser.get("/").text
    page = browser.get(start_of(page))
    assert page.title.startswith("Choose an account")
    cards = page.document.forms[0]
    page = browser.submit(page, cards.button("account", ada_id), cards)
    assert page.left_for is None
    assert not page.url.endswith("/consent"), page
    fields = {"csrf_token": token_of(page), "decision": "allow"}
    answer = browser.post(f"{start_of(page)}/consent", fields, page.url)
    assert answer.left_for is None
    assert answer.url == page.url


DEEDS = ("account/use_account", "account/enrol_credentials", "admin/view_people")


@pytest.mark.parametrize("action", DEEDS)
def test_case_109_a_visit_for_a_deed_signs_nobody_in_by_less_than_a_sign_in(
    deployment: Deployment, services: Services, grace: Factors, action: str
) -> None:
    """Ada's visit asks for what the deed needs; once she is away, it is a sign-in like others."""
    browser = signed_in(deployment)
    ada = services.accounts.get(ADA.email)
    progress = Progress(return_to="/account", action=action, chosen=ada.id)
    handle = services.interactions.open(progress, browser.http.cookies[COOKIE], ORIGIN)
    browser.submit(browser.get("/"))
    browser.person = GRACE
    page = browser.get(f"/interaction/{handle}")
    page = try_password(browser, at_password(browser, page), GRACE.password)
    assert services.sessions.of(grace.account.id) == []
    assert page.url.endswith("/second-factor/code"), page
    type_code(browser, page, grace.next_code())
    (session,) = services.sessions.of(grace.account.id)
    assert session.acr == TWO


def test_case_109_no_privileged_session_comes_of_a_visit_to_enrol(
    deployment: Deployment, services: Services
) -> None:
    services.memberships.grant(GRACE.email, roles=["auditor"], origin=ORIGIN, actor=OPERATOR)
    browser = signed_in(deployment)
    ada = services.accounts.get(ADA.email)
    progress = Progress(return_to="/account", action="account/enrol_credentials", chosen=ada.id)
    handle = services.interactions.open(progress, browser.http.cookies[COOKIE], ORIGIN)
    browser.submit(browser.get("/"))
    browser.person = GRACE
    page = browser.get(f"/interaction/{handle}")
    page = try_password(browser, at_password(browser, page), GRACE.password)
    assert services.sessions.of(services.accounts.get(GRACE.email).id) == []
    assert page.url.endswith("/enrol"), page


def test_case_114_the_cookie_of_before_gets_nothing_of_what_was_proven(
    deployment: Deployment, webapp: TokenClient, services: Services, grace: Factors
) -> None:
    """Somebody copied the cookie before Grace signed in, and knows the address of her sign-in."""
    codes = grace.recovery_codes()
    browser = deployment.browserless()
    browser.person = GRACE
    page = half(browser, webapp)
    thief = deployment.browserless()
    thief.http.cookies.update(dict(browser.http.cookies))
    typed = browser.get(f"{start_of(page)}/second-factor/recovery")
    before = thief.get(start_of(page))
    page = type_code(browser, typed, codes[0])
    assert page.url.endswith("/recovery-codes")
    assert thief.http.cookies[COOKIE] != browser.http.cookies[COOKIE]
    fields = {"csrf_token": token_of(before), "decision": "new"}
    for path in ("recovery-codes", "enrol", "consent", "second-factor/code", "account"):
        answer = thief.post(f"{start_of(page)}/{path}", fields, before.url)
        assert answer.left_for is None, path
        assert GRACE.email not in answer.text or answer.url.endswith("/sign-in"), path
        assert not answer.url.endswith("/recovery-codes"), path
    assert services.recovery_codes.left(grace.account.id) == len(codes) - 1


NEW_PASSWORD = "another one, quite unlike the first"


def test_case_097_a_new_password_voids_what_the_old_one_had_begun(
    deployment: Deployment, webapp: TokenClient, services: Services, grace: Factors
) -> None:
    """Somebody who knows the password waits before the second step, and then has a code."""
    browser = deployment.browserless()
    browser.person = GRACE
    page = half(browser, webapp)
    assert page.url.endswith("/second-factor/code")
    grace.clock.advance(5)
    services.accounts.set_password(GRACE.email, NEW_PASSWORD, ORIGIN, OPERATOR)
    answer = type_code(browser, page, grace.next_code())
    assert services.sessions.of(grace.account.id) == []
    assert answer.url.endswith("/sign-in"), answer


def test_case_097_nor_is_a_factor_made_with_the_old_one(
    deployment: Deployment, services: Services, clock: HeldClock
) -> None:
    """The privileged have to make a second factor: whoever was about to may not any more."""
    services.memberships.grant(GRACE.email, roles=["auditor"], origin=ORIGIN, actor=OPERATOR)
    browser = deployment.browserless(GRACE)
    page = try_password(browser, at_password(browser, browser.get("/sign-in")), GRACE.password)
    assert page.url.endswith("/enrol"), page
    form = next(form for form in page.document.forms if form.button("decision", "authenticator"))
    scanned = browser.submit(page, form.button("decision", "authenticator"), form)
    assert scanned.url.endswith("/enrol/authenticator")
    clock.advance(5)
    services.accounts.set_password(GRACE.email, NEW_PASSWORD, ORIGIN, OPERATOR)
    for begun in (page, scanned):
        fields = {"csrf_token": token_of(begun), "decision": "authenticator", "code": "000000"}
        assert browser.post(begun.url, fields, begun.url).url.endswith("/sign-in")
    browser.person = Person(GRACE.email, NEW_PASSWORD)
    page = try_password(browser, at_password(browser, browser.get(start_of(page))), NEW_PASSWORD)
    assert page.url.endswith("/enrol"), page
