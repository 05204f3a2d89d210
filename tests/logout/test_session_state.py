"""OpenID Connect Session Management 1.0: `session_state`, the cookie behind it, and the frame."""

from hashlib import sha256
from http.cookies import SimpleCookie

import pytest

from tests.abuse_browser.asking import signed_in
from tests.support.browserless import Browserless
from tests.support.deployment import Deployment
from tests.support.more_clients import Register
from tests.support.seeds import GRACE
from tests.support.token_client import TokenClient

COOKIE = "__Host-doorward-state"


def state_of(browser: Browserless) -> str:
    """Return what a script in the frame reads."""
    return browser.http.cookies.get(COOKIE) or ""


def stands(callback: dict[str, str], client_id: str, origin: str, browser: Browserless) -> bool:
    """Judge as the frame does (section 3.2)."""
    known, _, salt = callback["session_state"].partition(".")
    text = f"{client_id} {origin} {state_of(browser)} {salt}"
    return sha256(text.encode()).hexdigest() == known


def test_it_stands_while_the_sign_in_does(
    browserless: Browserless, webapp: TokenClient, spa: TokenClient
) -> None:
    webapp_at, spa_at = "https://app.example.test", "https://spa.example.test"
    first = browserless.authorize(webapp.authorization())
    second = browserless.authorize(spa.authorization())
    silent = browserless.authorize(webapp.authorization(prompt="none"))
    for callback, client_id, at in (
        (first, "webapp", webapp_at),
        (second, "spa", spa_at),
        (silent, "webapp", webapp_at),
    ):
        assert stands(callback, client_id, at, browserless)
        assert not stands(callback, client_id, "https://evil.example.test", browserless)
        assert not stands(callback, "own", at, browserless)
    assert first["session_state"] != silent["session_state"], "salted"
    again = browserless.authorize(webapp.authorization(prompt="login"))
    for callback in (first, silent, again):
        assert stands(callback, "webapp", webapp_at, browserless), "it is the same session still"
    browserless.submit(browserless.get("/"))
    assert state_of(browserless) == ""
    assert not stands(first, "webapp", webapp_at, browserless)
    refused = browserless.start(webapp.authorization(prompt="none")).callback
    assert refused["error"] == "login_required"
    browserless.person = GRACE
    hers = browserless.authorize(webapp.authorization())
    assert stands(hers, "webapp", webapp_at, browserless)
    assert not stands(first, "webapp", webapp_at, browserless)
    hint = webapp.redeem(hers).json()["id_token"]
    answer = browserless.http.get(
        browserless.discovery["end_session_endpoint"],
        params={"id_token_hint": hint},
        allow_redirects=False,
    )
    assert answer.status_code == 303
    assert state_of(browserless) == "", "with the sign-out itself, not with the next page"


def test_only_openid_requests_of_web_pages_are_answered_with_it(
    browserless: Browserless, webapp: TokenClient, deployment: Deployment, register: Register
) -> None:
    assert "session_state" not in browserless.authorize(webapp.authorization("notes:read"))
    native = deployment.client("native")
    private = native.authorization(redirect_uri="com.example.notes:/callback")
    assert "session_state" not in browserless.authorize(private)
    port = register("port", redirect_uris=["https://port.example.test:443/cb"], first_party=True)
    callback = browserless.authorize(port.authorization())
    assert stands(callback, "port", "https://port.example.test", browserless), (
        "browsers leave out the usual port"
    )


def test_the_cookie_is_worth_nothing(deployment: Deployment) -> None:
    browser = signed_in(deployment)
    thief = deployment.browserless(GRACE)
    thief.http.cookies.set(COOKIE, state_of(browser))
    assert thief.get("/").title.startswith("Welcome")
    session = browser.http.cookies["__Host-doorward"]
    elsewhere = deployment.new_http()
    elsewhere.cookies.set("__Host-doorward", session)
    answer = elsewhere.get(f"{deployment.issuer}/", allow_redirects=False)
    cookie = SimpleCookie(answer.headers["Set-Cookie"])[COOKIE]
    assert cookie.value == state_of(browser)
    assert session not in cookie.value
    assert (cookie["samesite"], cookie["secure"], cookie["httponly"]) == ("None", True, "")
    assert (cookie["path"], cookie["domain"]) == ("/", "")


def test_the_frame_alone_may_be_framed(deployment: Deployment) -> None:
    http = deployment.new_http()
    answer = http.get(deployment.browserless().discovery["check_session_iframe"])
    assert answer.status_code == 200
    assert f'data-cookie="{COOKIE}"' in answer.text
    assert "X-Frame-Options" not in answer.headers
    policy = answer.headers["Content-Security-Policy"]
    assert policy == (
        "default-src 'none'; script-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors *"
    )
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    for path in ("/", "/sign-in", "/signed-out"):
        other = http.get(f"{deployment.issuer}{path}")
        assert other.headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in other.headers["Content-Security-Policy"]


@pytest.mark.settings(issuer="http://localhost:8000")
def test_on_loopback_without_tls_it_needs_no_secure_cookie(browserless: Browserless) -> None:
    page = browserless.get("/sign-in")
    while page.document.forms and page.form.action != "/sign-out":
        page = browserless.answer(page)
    name = next(name for name in browserless.http.cookies.get_dict() if name.endswith("-state"))
    assert name.startswith("doorward-")
