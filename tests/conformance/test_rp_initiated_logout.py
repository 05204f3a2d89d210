"""OpenID Connect RP-Initiated Logout: what each module of the suite asks for."""

from typing import Any

import pytest

from tests.keys import forging
from tests.support.browserless import Browserless, Page
from tests.support.token_client import TokenClient

pytestmark = pytest.mark.usefixtures("asked")
BYE = "https://app.example.test/bye"


@pytest.fixture
def id_token(webapp: TokenClient, browserless: Browserless) -> str:
    """What the client has of Ada, who is signed in."""
    issued: dict[str, Any] = webapp.sign_in(browserless)
    return str(issued["id_token"])


def ask(browser: Browserless, **parameters: str) -> Page:
    """Send the browser to the server to sign out."""
    return browser.get(browser.discovery["end_session_endpoint"], parameters)


def confirm(browser: Browserless, page: Page) -> Page:
    """Press the button that signs out."""
    button = page.form.button("decision", "sign_out")
    assert button is not None, page
    return browser.submit(page, button)


def signed_in(webapp: TokenClient, browser: Browserless) -> bool:
    """Whether somebody is signed in still, as a client finds out."""
    found = browser.start(webapp.authorization(prompt="none")).callback
    assert found.get("error", "login_required") == "login_required", found
    return "code" in found


def test_rp_initiated_logout_discovery_endpoint_verification(webapp: TokenClient) -> None:
    endpoint = webapp.discovery["end_session_endpoint"]
    assert endpoint.startswith("https://")
    assert webapp.http.get(endpoint, allow_redirects=False).status_code == 303


def test_rp_initiated_logout(webapp: TokenClient, browserless: Browserless, id_token: str) -> None:
    assert signed_in(webapp, browserless)
    page = ask(
        browserless, id_token_hint=id_token, post_logout_redirect_uri=BYE, state="after & all"
    )
    assert page.left_for == f"{BYE}?state=after+%26+all"
    assert not signed_in(webapp, browserless)


def test_rp_initiated_logout_bad_post_logout_redirect_uri(
    webapp: TokenClient, browserless: Browserless, id_token: str
) -> None:
    bad = "https://evil.example.test/bye"
    page = ask(browserless, id_token_hint=id_token, post_logout_redirect_uri=bad, state="x")
    assert (page.status, page.left_for) == (400, None)
    assert signed_in(webapp, browserless)


def test_rp_initiated_logout_modified_id_token_hint(
    webapp: TokenClient, browserless: Browserless, id_token: str
) -> None:
    header, claims, signature = id_token.split(".")
    changed = forging.decode(claims).replace(b'"aud":"webapp"', b'"aud":"native"')
    modified = f"{header}.{forging.encode(changed)}.{signature}"
    page = ask(browserless, id_token_hint=modified, post_logout_redirect_uri=BYE, state="x")
    assert (page.status, page.left_for) == (400, None)
    assert signed_in(webapp, browserless)


def test_rp_initiated_logout_no_id_token_hint(
    webapp: TokenClient, browserless: Browserless, id_token: str
) -> None:
    """With nothing that names the client nobody is redirected; with its id the person decides."""
    page = ask(browserless, post_logout_redirect_uri=BYE, state="x")
    assert (page.status, page.left_for) == (400, None)
    page = ask(browserless, post_logout_redirect_uri=BYE, state="x", client_id="webapp")
    assert (page.status, page.left_for) == (200, None)
    assert signed_in(webapp, browserless)
    assert confirm(browserless, page).left_for == f"{BYE}?state=x"
    assert not signed_in(webapp, browserless)


def test_rp_initiated_logout_no_params(
    webapp: TokenClient, browserless: Browserless, id_token: str
) -> None:
    page = ask(browserless)
    assert page.status == 200
    assert signed_in(webapp, browserless)
    page = confirm(browserless, page)
    assert (page.status, page.left_for) == (200, None)
    assert not signed_in(webapp, browserless)


def test_rp_initiated_logout_no_post_logout_redirect_uri(
    webapp: TokenClient, browserless: Browserless, id_token: str
) -> None:
    page = ask(browserless, id_token_hint=id_token, state="x")
    assert (page.status, page.left_for) == (200, None)
    assert not signed_in(webapp, browserless)


def test_rp_initiated_logout_no_state(
    webapp: TokenClient, browserless: Browserless, id_token: str
) -> None:
    page = ask(browserless, id_token_hint=id_token, post_logout_redirect_uri=BYE)
    assert page.left_for == BYE
    assert not signed_in(webapp, browserless)


def test_rp_initiated_logout_only_state(
    webapp: TokenClient, browserless: Browserless, id_token: str
) -> None:
    page = ask(browserless, state="x")
    assert (page.status, page.left_for) == (200, None)
    assert signed_in(webapp, browserless)
    page = confirm(browserless, page)
    assert (page.status, page.left_for) == (200, None)
    assert not signed_in(webapp, browserless)


def test_rp_initiated_logout_query_added_to_post_logout_redirect_uri(
    webapp: TokenClient, browserless: Browserless, id_token: str
) -> None:
    added = f"{BYE}?foo=bar"
    page = ask(browserless, id_token_hint=id_token, post_logout_redirect_uri=added, state="x")
    assert (page.status, page.left_for) == (400, None)
    assert signed_in(webapp, browserless)


def test_rp_initiated_logout_bad_id_token_hint(
    webapp: TokenClient, browserless: Browserless, id_token: str
) -> None:
    page = ask(browserless, id_token_hint="bad", post_logout_redirect_uri=BYE, state="x")
    assert (page.status, page.left_for) == (400, None)
    assert signed_in(webapp, browserless)
