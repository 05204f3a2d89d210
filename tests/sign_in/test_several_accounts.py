"""Several accounts in one browser: who goes on, who is asked, who is never mixed up."""

import pytest

from idp.domain.services import Services
from idp.domain.sessions import MOST_ACCOUNTS
from tests.abuse_browser.asking import LOGOUT, at_password, signed_in, try_password
from tests.abuse_browser.test_prompts import account_button, claims, silent
from tests.support.browserless import Browserless, Page
from tests.support.deployment import Deployment
from tests.support.held_clock import HeldClock
from tests.support.seeds import ADA, GRACE, OPERATOR, ORIGIN
from tests.support.token_client import TokenClient

COOKIE = "__Host-doorward"


def both(deployment: Deployment) -> Browserless:
    """Return a browser in which Ada is signed in, and then Grace too."""
    browser = signed_in(deployment)
    browser.person = GRACE
    page = browser.get("/sign-in", {"another": "yes"})
    assert page.title.startswith("Sign in")
    page = try_password(browser, at_password(browser, page), GRACE.password)
    assert GRACE.email in page.text
    return browser


def sign_out(browser: Browserless) -> None:
    page = browser.get("/")
    form = next(form for form in page.document.forms if form.action == "/sign-out")
    browser.submit(page, None, form)


def subject(webapp: TokenClient, page: Page) -> str:
    tokens = webapp.redeem(page.callback).json()
    return str(claims(tokens["id_token"])["sub"])


def test_a_second_account_leaves_the_first_signed_in(
    deployment: Deployment, services: Services
) -> None:
    browser = both(deployment)
    found = services.sessions.all(browser.http.cookies[COOKIE])
    assert [session.account.email for session in found] == [GRACE.email, ADA.email]


@pytest.mark.parametrize(("place", "person"), [(0, GRACE), (1, ADA)])
def test_the_client_gets_whom_the_person_chose(
    place: int, person: object, deployment: Deployment, webapp: TokenClient, services: Services
) -> None:
    browser = both(deployment)
    page = browser.start(webapp.authorization("openid email"))
    assert page.title.startswith("Choose an account")
    page = browser.submit(page, account_button(page, place))
    assert getattr(person, "email", "") in page.text
    account = services.accounts.get(getattr(person, "email", ""))
    assert subject(webapp, browser.finish(page)) == account.subject


def test_a_choice_counts_for_its_own_sign_in_and_as_the_present_one(
    deployment: Deployment, webapp: TokenClient, services: Services
) -> None:
    """Two tabs: what one chose is not what the other gets."""
    browser = both(deployment)
    first = browser.start(webapp.authorization())
    second = browser.start(webapp.authorization())
    browser.submit(first, account_button(first, 1))
    assert ADA.email in browser.get("/").text
    page = browser.finish(browser.submit(second, account_button(second, 0)))
    assert subject(webapp, page) == services.accounts.get(GRACE.email).subject


def test_prompt_none_with_two_accounts_is_answered_only_when_one_is_meant(
    deployment: Deployment, webapp: TokenClient, services: Services
) -> None:
    browser = both(deployment)
    page = browser.start(webapp.authorization())
    page = browser.finish(browser.submit(page, account_button(page, 0)))
    tokens = webapp.redeem(page.callback).json()
    assert silent(browser, webapp) == "account_selection_required"
    assert not silent(browser, webapp, id_token_hint=tokens["id_token"])
    assert not silent(browser, webapp, login_hint=GRACE.email)
    assert silent(browser, webapp, login_hint=ADA.email) == "consent_required"


def test_case_117_signing_out_the_one_leaves_the_other_and_nothing_crosses(
    deployment: Deployment, webapp: TokenClient, services: Services
) -> None:
    browser = both(deployment)
    page = browser.start(webapp.authorization("openid offline_access"))
    ada = webapp.redeem(browser.finish(browser.submit(page, account_button(page, 1))).callback)
    sign_out(browser)
    found = services.sessions.all(browser.http.cookies[COOKIE])
    assert [session.account.email for session in found] == [GRACE.email]
    answer = browser.finish(browser.start(webapp.authorization()))
    assert subject(webapp, answer) == services.accounts.get(GRACE.email).subject
    assert webapp.userinfo(ada.json()["access_token"]).json()["sub"] != (
        services.accounts.get(GRACE.email).subject
    )


def test_case_114_every_sign_in_moves_all_sessions_to_a_new_cookie(
    deployment: Deployment, services: Services
) -> None:
    browser = signed_in(deployment)
    old = browser.http.cookies[COOKIE]
    browser.person = GRACE
    page = browser.get("/sign-in", {"another": "yes"})
    try_password(browser, at_password(browser, page), GRACE.password)
    assert browser.http.cookies[COOKIE] != old
    assert services.sessions.all(old) == []


def test_an_account_that_was_signed_in_here_is_offered_and_can_be_forgotten(
    deployment: Deployment, webapp: TokenClient
) -> None:
    browser = both(deployment)
    sign_out(browser)
    page = browser.start(webapp.authorization(prompt="select_account"))
    assert "Signed out" in page.text
    gone = page.form.named("forget")
    page = browser.submit(page, gone)
    assert "forget" not in {control.name for control in page.form.controls}


def test_another_browsers_choice_is_nobody(
    deployment: Deployment, webapp: TokenClient, services: Services
) -> None:
    browser = both(deployment)
    stranger = signed_in(deployment)
    page = stranger.start(webapp.authorization(prompt="select_account"))
    grace = services.accounts.get(GRACE.email).id
    fields = {"csrf_token": page.form.named("csrf_token").value, "account": grace}
    page = stranger.post(page.url, fields, referer=page.url)
    assert page.title.startswith("Choose an account")
    assert browser.http.cookies[COOKIE] != stranger.http.cookies[COOKIE]


def test_a_browser_holds_a_bounded_number_of_accounts(
    services: Services, deployment: Deployment
) -> None:
    browser = signed_in(deployment)
    password = "a long way round the house of cards"
    for number in range(MOST_ACCOUNTS):
        email = f"person{number}@example.test"
        services.accounts.add(email, password=password, origin=ORIGIN, actor=OPERATOR)
        page = browser.get("/sign-in", {"another": "yes"})
        page.form.fill("username", email)
        page = browser.submit(page)
        try_password(browser, page, password)
    found = services.sessions.all(browser.http.cookies[COOKIE])
    assert len(found) == MOST_ACCOUNTS
    assert ADA.email not in {session.account.email for session in found}


def test_a_hint_signs_out_whom_it_names_and_nobody_else(
    deployment: Deployment, webapp: TokenClient, services: Services
) -> None:
    browser = both(deployment)
    page = browser.start(webapp.authorization())
    page = browser.finish(browser.submit(page, account_button(page, 1)))
    hint = webapp.redeem(page.callback).json()["id_token"]
    page = browser.start(webapp.authorization(prompt="select_account"))
    browser.submit(page, account_button(page, 1))  # Grace is the present one again
    browser.get("/oauth2/logout", {"id_token_hint": hint})
    found = services.sessions.all(browser.http.cookies[COOKIE])
    assert [session.account.email for session in found] == [GRACE.email]


def test_the_front_page_lists_them_and_goes_on_as_any(
    deployment: Deployment, services: Services
) -> None:
    browser = both(deployment)
    page = browser.get("/")
    assert page.text.index(GRACE.email) < page.text.index(ADA.email)
    form = next(form for form in page.document.forms if form.action == "/account/switch")
    ada = services.accounts.get(ADA.email).id
    page = browser.submit(page, form.button("account", ada), form)
    assert page.url == f"{deployment.issuer}/"
    assert page.text.index(ADA.email) < page.text.index(GRACE.email)
    token = form.named("csrf_token").value
    fields = {"csrf_token": token, "account": "018f0000-0000-7000-8000-000000000000"}
    page = browser.post("/account/switch", {**fields, "return_to": "/"}, page.url)
    assert page.text.index(ADA.email) < page.text.index(GRACE.email)


def test_who_was_signed_out_is_told_and_who_stays(
    deployment: Deployment, services: Services, clock: HeldClock
) -> None:
    browser = both(deployment)
    page = browser.get(LOGOUT, {"client_id": "webapp"})
    stays = page.text.index("These stay signed in")
    assert page.text.index(GRACE.email) < stays < page.text.index(ADA.email)
    page = browser.submit(page, page.form.button("decision", "sign_out"))
    assert page.title == "Signed out – Doorward"
    stays = page.text.index("Still signed in in this browser")
    assert page.text.index(GRACE.email) < stays < page.text.index(ADA.email)
    assert GRACE.email not in deployment.browserless().get("/signed-out").text
    page = press_everybody(browser, page)
    assert page.title == "Signed out – Doorward"
    assert "Still signed in" not in page.text
    assert ADA.email in page.text
    assert services.sessions.all(browser.http.cookies[COOKIE]) == []
    clock.advance(61)
    page = browser.get("/signed-out")
    assert ADA.email not in page.text
    assert "no longer knows you" in page.text


def press_everybody(browser: Browserless, page: Page) -> Page:
    form = next(form for form in page.document.forms if form.button("everybody", "yes"))
    return browser.submit(page, form.button("everybody", "yes"), form)


def test_a_logout_hint_says_who_is_meant_and_the_person_is_asked(
    deployment: Deployment, webapp: TokenClient, services: Services
) -> None:
    """OpenID Connect RP-Initiated Logout section 2."""
    browser = both(deployment)
    known = {
        "ADA@example.test": ADA,
        GRACE.email: GRACE,
        services.accounts.get(ADA.email).subject: ADA,
        "nobody@example.test": GRACE,
    }
    for hint, person in known.items():
        page = browser.get("/oauth2/logout", {"logout_hint": hint, "client_id": "webapp"})
        assert page.form.button("decision", "sign_out"), hint
        assert person.name in page.text, hint
    page = browser.get("/oauth2/logout", {"logout_hint": ADA.email})
    browser.submit(page, page.form.button("decision", "sign_out"))
    found = services.sessions.all(browser.http.cookies[COOKIE])
    assert [session.account.email for session in found] == [GRACE.email]
