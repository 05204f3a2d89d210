"""prompt, max_age and hints (OpenID Connect Core section 3.1.2.1), with and without a person."""

import base64
import json
from typing import Any

import pytest

from idp.domain.services import Services
from tests.abuse_browser.asking import (
    AUTHORIZE,
    ask,
    at_password,
    redirected,
    shown,
    signed_in,
    try_password,
)
from tests.support.browserless import Browserless, Page
from tests.support.deployment import Deployment
from tests.support.held_clock import HeldClock
from tests.support.html_pages import Control
from tests.support.refusals import contents
from tests.support.seeds import ADA, GRACE
from tests.support.token_client import TokenClient


def claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    decoded = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    assert isinstance(decoded, dict)
    return decoded


def account_button(page: Page, place: int) -> Control:
    """Return a button of the chooser: the accounts in order, last "Use another account"."""
    buttons = [each for each in page.form.controls if each.name == "account"]
    return buttons[place]


def silent(browser: Browserless, client: TokenClient, scope: str = "openid", **more: str) -> str:
    """Ask with prompt=none; return the error, or "" when a code came."""
    values = client.authorization(scope, prompt="none", **more)
    answer = ask(browser.http, browser.origin + AUTHORIZE, values)
    assert answer.status_code == 303
    location = answer.headers["Location"]
    assert location.startswith(client.redirect_uri)
    if "code=" in location:
        return ""
    return redirected(answer, client.redirect_uri, browser.origin)["error"]


def test_prompt_none_without_anybody_signed_in(
    browserless: Browserless, webapp: TokenClient, services: Services
) -> None:
    before = contents(services.store)
    assert silent(browserless, webapp) == "login_required"
    assert contents(services.store) == before


def test_prompt_none_with_each_step_missing_and_then_with_none(
    deployment: Deployment, clock: HeldClock, services: Services
) -> None:
    browser, webapp = signed_in(deployment), deployment.client("webapp")
    before = contents(services.store)
    assert silent(browser, webapp) == "consent_required"
    tokens = webapp.sign_in(browser, "openid email")
    after = contents(services.store)
    assert before != after
    assert silent(browser, webapp, "openid email phone") == "consent_required"
    clock.advance(30)
    assert silent(browser, webapp, max_age="29") == "login_required"
    assert silent(browser, webapp, max_age="0") == "login_required"
    assert silent(browser, webapp, id_token_hint="nonsense") == "invalid_request"
    grace = webapp.sign_in(deployment.browserless(GRACE))
    assert silent(browser, webapp, id_token_hint=grace["id_token"]) == "login_required"
    assert not silent(browser, webapp, "openid email", id_token_hint=tokens["id_token"])
    assert not silent(browser, webapp, "email openid", max_age="30")
    assert not silent(browser, webapp, login_hint="nobody@example.test")


def test_prompt_none_never_shows_a_page_by_post_either(
    deployment: Deployment, webapp: TokenClient
) -> None:
    for browser, error in (
        (deployment.browserless(None), "login_required"),
        (signed_in(deployment), "consent_required"),
    ):
        values = webapp.authorization("openid phone", prompt="none")
        stored = ask(browser.http, browser.origin + AUTHORIZE, values, "POST")
        page = browser.get(stored.headers["Location"])
        assert page.callback["error"] == error
        assert page.callback["state"] == values["state"]


@pytest.mark.parametrize("client_id", ["spa", "native"])
def test_prompt_none_for_a_client_that_can_be_impersonated(
    client_id: str, deployment: Deployment
) -> None:
    """Nobody but the person can tell it from another program (RFC 8252 section 8.6)."""
    client, browser = deployment.client(client_id), deployment.browserless()
    client.sign_in(browser)
    assert silent(browser, client) == ("consent_required" if client_id == "native" else "")


@pytest.mark.parametrize("prompt", ["none login", "none consent", "login none", "often", "Login"])
def test_a_prompt_that_means_nothing_is_refused(
    prompt: str, browserless: Browserless, webapp: TokenClient
) -> None:
    answer = ask(
        browserless.http, browserless.origin + AUTHORIZE, webapp.authorization(prompt=prompt)
    )
    assert redirected(answer, webapp.redirect_uri, browserless.origin)["error"] == "invalid_request"


def test_prompt_login_asks_again_and_the_new_auth_time_tells(
    browserless: Browserless, webapp: TokenClient, clock: HeldClock
) -> None:
    first = claims(webapp.sign_in(browserless)["id_token"])
    clock.advance(100)
    page = browserless.start(webapp.authorization(prompt="login"))
    assert page.title.startswith("Confirm it’s you")
    assert page.form.named("username").value == ADA.email
    done = webapp.redeem(browserless.finish(page).callback).json()
    assert claims(done["id_token"])["auth_time"] == first["auth_time"] + 100
    assert claims(done["id_token"])["sub"] == first["sub"]


def test_prompt_login_is_not_satisfied_by_a_wrong_password_or_by_waiting(
    browserless: Browserless, webapp: TokenClient
) -> None:
    webapp.sign_in(browserless)
    page = browserless.start(webapp.authorization(prompt="login"))
    page = try_password(browserless, page, "not the password at all")
    assert page.status == 400
    again = browserless.get(page.url.removesuffix("/password"))
    assert again.title.startswith("Confirm it’s you")


def test_whoever_has_to_confirm_cannot_become_somebody_else(
    deployment: Deployment, webapp: TokenClient
) -> None:
    """The name that is typed meanwhile is not the one whose password is asked for."""
    browser = signed_in(deployment)
    page = browser.start(webapp.authorization(prompt="login"))
    name_page = page.url.replace("/password", "/sign-in")
    fields = {"identifier": GRACE.email, "csrf_token": page.form.named("csrf_token").value}
    moved = browser.post(name_page, fields, referer=page.url)
    assert moved.form.named("username").value == ADA.email
    assert try_password(browser, moved, GRACE.password).status == 400
    assert browser.get("/").text.count(ADA.email) == 1


def test_prompt_consent_asks_again_for_all_of_it(
    browserless: Browserless, webapp: TokenClient
) -> None:
    webapp.sign_in(browserless, "openid email")
    page = browserless.start(webapp.authorization("openid email", prompt="consent"))
    assert page.title.startswith("Allow access")
    assert "See your email address" in page.text
    page = browserless.start(webapp.authorization("openid email", prompt="login consent"))
    assert page.title.startswith("Confirm it’s you")
    assert browserless.answer(page).title.startswith("Allow access")


def test_select_account_asks_who_goes_on(deployment: Deployment, webapp: TokenClient) -> None:
    browser = signed_in(deployment)
    webapp.sign_in(browser)
    page = browser.start(webapp.authorization(prompt="select_account"))
    assert page.title.startswith("Choose an account")
    assert ADA.email in page.text
    assert "code" in browser.submit(page, account_button(page, 0)).callback
    page = browser.start(webapp.authorization(prompt="select_account"))
    page = browser.submit(page, account_button(page, -1))
    assert page.title.startswith("Sign in")
    browser.person = GRACE
    tokens = webapp.redeem(browser.finish(page).callback).json()
    assert webapp.userinfo(tokens["access_token"]).status_code == 200
    assert GRACE.email in browser.get("/").text


def test_select_account_for_who_signs_in_anyway_is_not_asked_twice(
    browserless: Browserless, webapp: TokenClient
) -> None:
    page = browserless.start(webapp.authorization(prompt="select_account"))
    assert page.title.startswith("Sign in")
    asked = try_password(browserless, at_password(browserless, page), ADA.password)
    assert asked.title.startswith("Allow access")


def test_max_age_asks_again_only_when_it_is_over(
    browserless: Browserless, webapp: TokenClient, clock: HeldClock
) -> None:
    webapp.sign_in(browserless)
    clock.advance(60)
    assert "code" in browserless.start(webapp.authorization(max_age="60")).callback
    clock.advance(1)
    page = browserless.start(webapp.authorization(max_age="60"))
    assert page.title.startswith("Confirm it’s you")
    clock.advance(30)
    tokens = webapp.redeem(browserless.finish(page).callback).json()
    assert claims(tokens["id_token"])["auth_time"] == int(clock())


def test_max_age_zero_is_prompt_login(browserless: Browserless, webapp: TokenClient) -> None:
    webapp.sign_in(browserless)
    page = browserless.start(webapp.authorization(max_age="0"))
    assert page.title.startswith("Confirm it’s you")
    assert "code" in browserless.finish(page).callback


@pytest.mark.parametrize("max_age", ["-1", "1.5", "1e3", "soon", "\u0661", " 1", "1" * 10])
def test_a_max_age_that_is_no_number_is_refused(
    max_age: str, browserless: Browserless, webapp: TokenClient
) -> None:
    values = webapp.authorization(max_age=max_age)
    answer = ask(browserless.http, browserless.origin + AUTHORIZE, values)
    assert redirected(answer, webapp.redirect_uri, browserless.origin)["error"] == "invalid_request"


@pytest.mark.parametrize("hint", ["ada@example.test", "Ada <x>", "a" * 4000, "\u202e\0\n", "éé"])
def test_a_login_hint_is_only_a_hint(
    hint: str, browserless: Browserless, webapp: TokenClient
) -> None:
    page = browserless.start(webapp.authorization(login_hint=hint))
    assert page.status == 200
    typed = page.form.named("identifier").value
    assert typed == (hint[:254] if hint.isprintable() else "")
    assert "code" in browserless.finish(page).callback


def test_a_login_hint_of_somebody_else_asks_who_it_is(
    deployment: Deployment, webapp: TokenClient
) -> None:
    browser = signed_in(deployment)
    webapp.sign_in(browser)
    page = browser.start(webapp.authorization(login_hint=GRACE.email))
    assert page.title.startswith("Choose an account")
    assert GRACE.email in page.text
    assert "code" in browser.start(webapp.authorization(login_hint="ADA@example.test")).callback
    going_on = browser.submit(page, account_button(page, 0))
    assert "code" in going_on.callback


def test_a_hint_of_another_subject_asks_for_that_one_until_it_is_there(
    deployment: Deployment, webapp: TokenClient
) -> None:
    hint = webapp.sign_in(deployment.browserless(GRACE))["id_token"]
    browser = signed_in(deployment)
    webapp.sign_in(browser)
    page = browser.start(webapp.authorization(id_token_hint=hint))
    assert page.title.startswith("Sign in")
    again = try_password(browser, at_password(browser, page), ADA.password)
    assert again.title.startswith("Sign in"), "Ada is still not who was meant"
    browser.person = GRACE
    tokens = webapp.redeem(browser.finish(again).callback).json()
    assert claims(tokens["id_token"])["sub"] == claims(hint)["sub"]


def test_an_expired_hint_is_a_hint_and_a_foreign_or_changed_one_is_none(
    browserless: Browserless, deployment: Deployment, webapp: TokenClient, clock: HeldClock
) -> None:
    token = webapp.sign_in(browserless)["id_token"]
    spa = deployment.client("spa").sign_in(browserless)["id_token"]
    access = webapp.sign_in(browserless, "openid notes:read")["access_token"]
    clock.advance(80_000)
    assert "code" in browserless.start(webapp.authorization(id_token_hint=token)).callback
    head, body, signature = token.split(".")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    for wrong in (
        f"{head}.{body}.{signature[:-4]}AAAA",
        f"{head}.{body}.",
        f"{unsigned}.{body}.",
        spa,
        access,
        "a.b.c",
        "é",
    ):
        answer = ask(
            browserless.http,
            browserless.origin + AUTHORIZE,
            webapp.authorization(id_token_hint=wrong),
        )
        told = redirected(answer, webapp.redirect_uri, browserless.origin)
        assert told["error"] == "invalid_request", wrong


@pytest.mark.parametrize(
    "more",
    [
        {"ui_locales": "de fr-CH xx", "claims_locales": "de"},
        {"display": "popup"},
        {"display": "nonsense"},
        {"acr_values": "urn:nobody:knows 7"},
        {"claims": "{}"},
        {"claims": '{"id_token": {"acr": null}, "userinfo": {"name": null}}'},
        {"nobody_knows": "this"},
        {"response_mode": "query"},
        {"nonce": ""},
        {"state": ""},
    ],
)
def test_what_is_unknown_does_no_harm(
    more: dict[str, str], browserless: Browserless, webapp: TokenClient
) -> None:
    values = webapp.authorization() | more
    assert "code" in browserless.authorize(values)


def test_a_redirect_uri_is_needed_for_openid_and_where_there_are_two(
    deployment: Deployment, webapp: TokenClient
) -> None:
    browser = signed_in(deployment)
    url = deployment.issuer + AUTHORIZE
    assert shown(ask(browser.http, url, webapp.authorization(redirect_uri=None))) == (
        "invalid_request"
    )
    native = deployment.client("native").authorization("notes:read", redirect_uri=None)
    assert shown(ask(browser.http, url, native)) == "invalid_request"
    callback = browser.authorize(webapp.authorization("notes:read", redirect_uri=None))
    assert webapp.redeem(callback, redirect_uri=None).status_code == 200
