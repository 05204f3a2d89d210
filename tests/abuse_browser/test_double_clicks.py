"""Double submit and the back button: the second click gets what the first one got (UX.md)."""

from collections import Counter

import pytest

from idp.domain.services import Services
from tests.abuse_browser.asking import LOGOUT, at_password, signed_in
from tests.abuse_browser.clicking import click, click_elsewhere, click_twice, follow
from tests.support.browserless import Browserless, Page
from tests.support.deployment import Deployment
from tests.support.held_clock import HeldClock
from tests.support.refusals import entries
from tests.support.seeds import ADA, OPERATOR, ORIGIN
from tests.support.token_client import TokenClient


def events(services: Services) -> Counter[str]:
    return Counter(entry["event"] for entry in entries(services.store))


def at_consent(browser: Browserless, page: Page) -> Page:
    while page.form.button("decision", "allow") is None:
        page = browser.answer(page)
    return page


def test_the_identifier_twice(browserless: Browserless, webapp: TokenClient) -> None:
    page = browserless.start(webapp.authorization())
    page.form.fill("username", ADA.email)
    first, second = click_twice(browserless, page)
    assert first.headers["Location"] == second.headers["Location"]
    assert "code" in browserless.finish(follow(browserless, second)).callback


@pytest.mark.parametrize("client_id", ["webapp", "own"])
def test_the_password_twice(
    client_id: str, deployment: Deployment, browserless: Browserless, services: Services
) -> None:
    """The first answer's cookie never arrived: the second proved it again, and goes on."""
    client = deployment.client(client_id)
    page = at_password(browserless, browserless.start(client.authorization()))
    page.form.fill("current-password", ADA.password)
    first, second = click_twice(browserless, page)
    assert first.headers["Location"] == second.headers["Location"]
    callback = browserless.finish(follow(browserless, second)).callback
    assert client.redeem(callback).status_code == 200
    assert events(services)["authorization.opened"] == 1


def test_the_password_twice_when_the_first_cookie_arrived(
    browserless: Browserless, webapp: TokenClient
) -> None:
    """The form is of the old cookie, so it is not taken; the person goes on where it stands."""
    page = at_password(browserless, browserless.start(webapp.authorization()))
    page.form.fill("current-password", ADA.password)
    first, second = click(browserless, page), click(browserless, page)
    assert first.headers["Location"] == second.headers["Location"]
    assert "Set-Cookie" not in second.headers
    assert "code" in browserless.finish(follow(browserless, second)).callback


@pytest.mark.parametrize(("decision", "outcome"), [("allow", "code"), ("cancel", "error")])
def test_the_consent_twice(
    decision: str,
    outcome: str,
    browserless: Browserless,
    webapp: TokenClient,
    services: Services,
) -> None:
    page = at_consent(browserless, browserless.start(webapp.authorization("openid email")))
    pressed = page.form.button("decision", decision)
    first, second = click_twice(browserless, page, pressed)
    ends = [follow(browserless, answer) for answer in (first, second)]
    assert ends[0].left_for == ends[1].left_for
    assert outcome in ends[0].callback
    counted = events(services)
    assert counted["authorization.opened"] + counted["authorization.refused"] == 1
    assert counted["consent.given"] == (1 if decision == "allow" else 0)


def test_allow_and_then_cancel_gets_the_first_answer(
    browserless: Browserless, webapp: TokenClient, services: Services
) -> None:
    page = at_consent(browserless, browserless.start(webapp.authorization("openid email")))
    allowed = browserless.submit(page, page.form.button("decision", "allow"))
    again = browserless.submit(page, page.form.button("decision", "cancel"))
    assert again.left_for == allowed.left_for
    assert "code" in again.callback
    cancelled = click_elsewhere(browserless, page, page.url.replace("/consent", "/cancel"))
    assert cancelled.headers["Location"] == allowed.left_for
    assert events(services)["authorization.refused"] == 0


@pytest.mark.parametrize("where", ["sign-in", "password"])
def test_cancel_twice(
    where: str, browserless: Browserless, webapp: TokenClient, services: Services
) -> None:
    page = browserless.start(webapp.authorization())
    if where == "password":
        page = at_password(browserless, page)
    button = next(each for each in page.form.controls if "formaction" in each.attributes)
    answers = [click_elsewhere(browserless, page, button.attributes["formaction"]) for _ in "12"]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    assert "error=access_denied" in answers[0].headers["Location"]
    assert events(services)["authorization.refused"] == 1


@pytest.mark.parametrize("place", [0, -1])
def test_the_account_choice_twice(
    place: int, deployment: Deployment, webapp: TokenClient, services: Services
) -> None:
    browser = signed_in(deployment)
    page = browser.start(webapp.authorization(prompt="select_account"))
    buttons = [each for each in page.form.controls if each.name == "account"]
    first, second = click_twice(browser, page, buttons[place])
    assert first.headers["Location"] == second.headers["Location"]
    assert "code" in browser.finish(follow(browser, second)).callback
    assert events(services)["session.ended"] == 0


@pytest.mark.parametrize("decision", ["switch", "cancel"])
def test_not_you_twice(
    decision: str, deployment: Deployment, webapp: TokenClient, services: Services
) -> None:
    browser = signed_in(deployment)
    page = browser.start(webapp.authorization("openid email"))
    page = browser.get(page.document.links["Not you?"])
    first, second = click_twice(browser, page, page.form.button("decision", decision))
    assert first.headers["Location"] == second.headers["Location"]
    page = follow(browser, second)
    assert ("Sign in" in page.title) == (decision == "switch")
    assert "code" in browser.finish(page).callback
    assert events(services)["session.ended"] == 0


@pytest.mark.parametrize("decision", ["sign_out", "stay"])
def test_the_sign_out_that_a_client_asked_for_twice(
    decision: str, deployment: Deployment, services: Services
) -> None:
    browser = signed_in(deployment)
    goodbye = "https://app.example.test/bye"
    asked = {"client_id": "webapp", "post_logout_redirect_uri": goodbye, "state": "s"}
    page = browser.get(LOGOUT, asked)
    first, second = click_twice(browser, page, page.form.button("decision", decision))
    wanted = f"{goodbye}?state=s" if decision == "sign_out" else "/"
    assert [first.headers["Location"], second.headers["Location"]] == [wanted] * 2
    assert events(services)["session.ended"] == (1 if decision == "sign_out" else 0)


def test_our_own_sign_out_twice(deployment: Deployment, services: Services) -> None:
    browser = signed_in(deployment)
    first, second = click_twice(browser, browser.get("/"))
    assert first.headers["Location"] == second.headers["Location"] == "/signed-out"
    assert events(services)["session.ended"] == 1


def test_a_sign_out_is_over_once_it_was_answered(deployment: Deployment) -> None:
    """Its page, opened again after the next sign-in, signs nobody out."""
    browser, client = deployment.browserless(), deployment.client("webapp")
    tokens = client.sign_in(browser)
    posted = deployment.new_http().post(
        deployment.issuer + LOGOUT,
        data={"id_token_hint": tokens["id_token"]},
        allow_redirects=False,
    )
    page = browser.get(posted.headers["Location"])
    assert page.title.startswith("Signed out")
    browser.finish(browser.start(client.authorization()))
    browser.get(posted.headers["Location"])
    assert browser.get("/").title.startswith("Your account")


def test_the_administrator_form_twice(deployment: Deployment, services: Services) -> None:
    browser = deployment.browserless()
    page = browser.get(services.administrators.issue_link(ORIGIN, OPERATOR))
    page.form.fill("username", "root@example.test")
    page.form.fill("new-password", "a long enough password of nobody")
    first, second = click_twice(browser, page)
    assert first.headers["Location"] == second.headers["Location"] == "/sign-in"
    assert events(services)["account.added"] == 3


@pytest.mark.parametrize("seconds", [0, 60, 61])
def test_the_back_button_for_a_minute(
    seconds: int, browserless: Browserless, webapp: TokenClient, clock: HeldClock
) -> None:
    """The same browser gets the same redirect, and later is told to start again."""
    page = at_consent(browserless, browserless.start(webapp.authorization("openid email")))
    done = browserless.submit(page, page.form.button("decision", "allow"))
    clock.advance(seconds)
    start = page.url.removesuffix("/consent")
    for path in ("", "/sign-in", "/password", "/account", "/switch", "/consent"):
        again = browserless.get(start + path)
        if seconds <= 60:
            assert again.left_for == done.left_for, path
        else:
            assert again.status == 404
            assert "took too long" in again.title
            assert "Start again at Field Notes" in again.text


def test_an_interaction_ends_with_its_time(
    browserless: Browserless, webapp: TokenClient, clock: HeldClock, services: Services
) -> None:
    page = at_password(browserless, browserless.start(webapp.authorization()))
    clock.advance(1801)
    page.form.fill("current-password", ADA.password)
    late = browserless.submit(page)
    assert late.status == 404
    assert events(services)["sign_in"] == 0
