"""SECURITY case 118 and OpenID Connect RP-Initiated Logout: nobody signs anybody else out."""

import base64
from collections.abc import Mapping

import pytest

from idp.domain.services import Services
from tests.abuse_browser.asking import LOGOUT, METHODS, ask, shown, signed_in
from tests.abuse_browser.clicking import click
from tests.support.browserless import Browserless, Page
from tests.support.deployment import Deployment
from tests.support.held_clock import HeldClock
from tests.support.refusals import Refused, contents, entries
from tests.support.seeds import GRACE, OPERATOR, ORIGIN
from tests.support.token_client import TokenClient

GOODBYE = "https://app.example.test/bye"


def here(browser: Browserless) -> bool:
    return browser.get("/").title.startswith("Your account")


def open_logout(browser: Browserless, asked: Mapping[str, str], method: str) -> Page:
    """Send a logout request as another site makes a browser do it."""
    if method == "GET":
        return browser.get(LOGOUT, asked)
    answer = browser.http.post(browser.origin + LOGOUT, data=asked, allow_redirects=False)
    assert answer.status_code == 303, answer.text
    return browser.get(answer.headers["Location"])


@pytest.fixture(params=METHODS)
def method(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_case_118_an_image_signs_nobody_out(deployment: Deployment, webapp: TokenClient) -> None:
    """A GET from another site's page has no cookie, one that has it only gets a question."""
    browser = signed_in(deployment)
    image = deployment.new_http().get(browser.origin + LOGOUT, headers={"Sec-Fetch-Dest": "image"})
    assert image.status_code == 200
    for asked in ({}, {"client_id": "webapp"}, {"state": "only"}):
        page = browser.get(LOGOUT, asked)
        assert page.title.startswith("Sign out")
        assert here(browser)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"state": "only"},
        {"client_id": "webapp"},
        {"client_id": "webapp", "post_logout_redirect_uri": GOODBYE},
        {"logout_hint": "ada@example.test"},
        {"ui_locales": "xx"},
    ],
)
def test_case_118_without_a_hint_the_person_is_asked(
    asked: Mapping[str, str], method: str, deployment: Deployment, services: Services
) -> None:
    browser = signed_in(deployment)
    page = open_logout(browser, asked, method)
    assert page.title.startswith("Sign out")
    assert here(browser)
    stays = browser.submit(page, page.form.button("decision", "stay"))
    assert stays.title.startswith("Your account")
    page = open_logout(browser, asked, method)
    gone = browser.submit(page, page.form.button("decision", "sign_out"))
    assert not here(browser)
    if "post_logout_redirect_uri" in asked:
        assert gone.left_for == GOODBYE
    else:
        assert gone.title.startswith("Signed out")
    told = [entry for entry in entries(services.store) if entry["event"] == "session.ended"]
    assert len(told) == 1


def test_case_118_a_forged_hint_is_refused(
    method: str, deployment: Deployment, refused: Refused
) -> None:
    browser, webapp = deployment.browserless(), deployment.client("webapp")
    tokens = webapp.sign_in(browser, "openid notes:read")
    head, body, signature = tokens["id_token"].split(".")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    other = base64.urlsafe_b64encode(b'{"sub":"ada","aud":"webapp"}').rstrip(b"=").decode()
    for hint in (
        f"{head}.{other}.{signature}",
        f"{head}.{body}.{signature[:-4]}AAAA",
        f"{unsigned}.{body}.",
        f"{head}.{body}.",
        tokens["access_token"],
        "nonsense",
        "\0",
    ):
        asked = {"id_token_hint": hint, "post_logout_redirect_uri": GOODBYE, "state": "s"}
        with refused("logout.refused", times=1) as told:
            answer = ask(browser.http, browser.origin + LOGOUT, asked, method)
            assert shown(answer) == "invalid_request", hint
        assert told[0]["detail"]["error"] == "invalid_request"
    assert here(browser)


def test_case_118_another_persons_hint_signs_nobody_out_unasked(
    method: str, deployment: Deployment, webapp: TokenClient
) -> None:
    hers = webapp.sign_in(deployment.browserless(GRACE))["id_token"]
    browser = signed_in(deployment)
    asked = {"id_token_hint": hers, "post_logout_redirect_uri": GOODBYE}
    page = open_logout(browser, asked, method)
    assert page.title.startswith("Sign out")
    assert "Ada Lovelace" in page.text
    assert here(browser)


def test_case_118_the_right_hint_signs_out_at_once(
    method: str, deployment: Deployment, webapp: TokenClient
) -> None:
    browser = deployment.browserless()
    tokens = webapp.sign_in(browser)
    asked = {
        "id_token_hint": tokens["id_token"],
        "post_logout_redirect_uri": GOODBYE,
        "state": "a b&c",
    }
    page = open_logout(browser, asked, method)
    assert page.left_for is not None
    assert page.left_for.startswith(f"{GOODBYE}?")
    assert page.callback == {"state": "a b&c"}
    assert not here(browser)
    assert webapp.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert not webapp.active(tokens["access_token"])


def test_case_118_an_expired_hint_is_accepted(
    method: str, deployment: Deployment, webapp: TokenClient, clock: HeldClock
) -> None:
    browser = deployment.browserless()
    token = webapp.sign_in(browser)["id_token"]
    clock.advance(80_000)
    page = open_logout(browser, {"id_token_hint": token}, method)
    assert page.title.startswith("Signed out")
    assert not here(browser)


@pytest.mark.parametrize(
    "address",
    [
        f"{GOODBYE}/",
        f"{GOODBYE}?more=1",
        f"{GOODBYE}#",
        f"{GOODBYE}%2f",
        "https://app.example.test.evil.test/bye",
        "https://app.example.test/callback",
        "https://evil.test/",
        "//evil.test/",
        "/\\evil.test",
        "javascript:alert(1)",
    ],
)
def test_case_118_only_a_registered_address_is_gone_to(
    address: str, method: str, deployment: Deployment, webapp: TokenClient, refused: Refused
) -> None:
    browser = deployment.browserless()
    token = webapp.sign_in(browser)["id_token"]
    for who in ({"id_token_hint": token}, {"client_id": "webapp"}):
        asked = {**who, "post_logout_redirect_uri": address, "state": "s"}
        with refused("logout.refused", times=1):
            answer = ask(browser.http, browser.origin + LOGOUT, asked, method)
            assert shown(answer) == "invalid_request"
    assert here(browser)


def test_case_118_an_address_needs_to_be_somebodys(
    method: str, deployment: Deployment, webapp: TokenClient, refused: Refused, services: Services
) -> None:
    browser = deployment.browserless()
    token = webapp.sign_in(browser)["id_token"]
    url = browser.origin + LOGOUT
    for asked, error in (
        ({"post_logout_redirect_uri": GOODBYE}, "invalid_request"),
        ({"post_logout_redirect_uri": GOODBYE, "client_id": "spa"}, "invalid_request"),
        ({"post_logout_redirect_uri": GOODBYE, "client_id": "nobody"}, "invalid_client"),
        ({"id_token_hint": token, "client_id": "spa"}, "invalid_request"),
        ({"client_id": "nobody"}, "invalid_client"),
    ):
        with refused("logout.refused", times=1):
            assert shown(ask(browser.http, url, asked, method)) == error, asked
    services.clients.disable("webapp", origin=ORIGIN, actor=OPERATOR)
    with refused("logout.refused", times=1):
        assert shown(ask(browser.http, url, {"id_token_hint": token}, method)) == "invalid_client"
    assert here(browser)


def test_case_118_a_repeated_parameter_is_refused(
    method: str, deployment: Deployment, webapp: TokenClient, refused: Refused
) -> None:
    browser = deployment.browserless()
    token = webapp.sign_in(browser)["id_token"]
    values = {
        "id_token_hint": token,
        "client_id": "webapp",
        "post_logout_redirect_uri": GOODBYE,
        "state": "s",
    }
    for name, value in values.items():
        with refused("logout.refused", times=1):
            pairs = [*values.items(), (name, value)]
            answer = ask(browser.http, browser.origin + LOGOUT, pairs, method)
            assert shown(answer) == "invalid_request", name
    assert here(browser)


def test_case_118_the_question_of_one_browser_is_not_answered_by_another(
    deployment: Deployment, services: Services
) -> None:
    browser, other = signed_in(deployment), deployment.browserless(GRACE)
    page = browser.get(LOGOUT, {"client_id": "webapp"})
    before = contents(services.store)
    assert other.get(page.url).status == 404
    fields = page.form.values(page.form.button("decision", "sign_out"))
    assert other.post(page.url, fields, page.url).status == 404
    assert contents(services.store) == before
    assert here(browser)


def test_case_118_our_own_sign_out_needs_its_form(deployment: Deployment) -> None:
    browser = signed_in(deployment)
    url = f"{browser.origin}/sign-out"
    assert browser.http.get(url, allow_redirects=False).status_code == 405
    home = browser.get("/")
    for fields, referer in (
        ([], home.url),
        ([("csrf_token", "x")], home.url),
        (home.form.values(), "https://evil.test/"),
    ):
        answer = browser.http.post(url, data=fields, headers={"Referer": referer})
        assert answer.status_code == 400
        assert "This page was open too long" in answer.text
        assert here(browser)
    assert click(browser, browser.get("/")).status_code == 303
    assert not here(browser)


def test_signing_out_when_nobody_is_signed_in_goes_on(deployment: Deployment) -> None:
    browser = deployment.browserless()
    page = browser.get(LOGOUT, {"client_id": "webapp", "post_logout_redirect_uri": GOODBYE})
    assert page.left_for == GOODBYE
    assert browser.get(LOGOUT, {}).title.startswith("Signed out")


def test_one_browsers_sign_out_leaves_the_other(
    deployment: Deployment, webapp: TokenClient
) -> None:
    """Sessions are a browser's own: what the other one holds lives on."""
    first, second = deployment.browserless(), deployment.browserless()
    mine, other = webapp.sign_in(first), webapp.sign_in(second)
    first.get(LOGOUT, {"id_token_hint": mine["id_token"]})
    assert not here(first)
    assert here(second)
    assert webapp.active(other["access_token"])
    assert not webapp.active(mine["access_token"])
