"""Requests by hand: one at a time, nothing followed, everything looked at."""

from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, urlsplit

import requests

from tests.support.browserless import Browserless, Page
from tests.support.deployment import Deployment
from tests.support.html_pages import parse

AUTHORIZE = "/oauth2/authorize"
LOGOUT = "/oauth2/logout"
METHODS = ("GET", "POST")
Pairs = Iterable[tuple[str, str]]


def ask(
    http: requests.Session, url: str, values: Mapping[str, str] | Pairs, method: str = "GET"
) -> requests.Response:
    """Send parameters in the query of a GET or the body of a POST; redirects are not followed."""
    pairs = list(values.items() if isinstance(values, Mapping) else values)
    if method == "GET":
        return http.get(url, params=pairs, allow_redirects=False)
    return http.post(url, data=pairs, allow_redirects=False)


def shown(answer: requests.Response) -> str:
    """Return the error that a page of ours shows; nothing was redirected."""
    assert answer.status_code == 400, f"{answer.status_code} {answer.headers}"
    assert "Location" not in answer.headers
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    text = parse(answer.text).text
    return text.partition("Error ")[2].split()[0]


def redirected(answer: requests.Response, redirect_uri: str, issuer: str) -> dict[str, str]:
    """Return the error that a client is sent, with whose it is (RFC 9207)."""
    assert answer.status_code == 303, f"{answer.status_code} {answer.text[:500]}"
    before, _, query = answer.headers["Location"].partition("?")
    assert before == redirect_uri
    values = dict(parse_qsl(query, keep_blank_values=True))
    assert values["iss"] == issuer
    assert "code" not in values
    return values


def path_of(url: str) -> str:
    """Return an address without its origin."""
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def signed_in(deployment: Deployment) -> Browserless:
    """Return a browser in which Ada is signed in, without any client."""
    browser = deployment.browserless()
    browser.titles.clear()
    page = browser.get("/sign-in")
    while page.document.forms and page.form.action != "/sign-out":
        page = browser.answer(page)
    assert page.title.startswith("Your account"), page
    return browser


def at_password(browser: Browserless, page: Page) -> Page:
    """Type who it is and return the page that asks for the password."""
    assert browser.person is not None
    page.form.fill("username", browser.person.email)
    page = browser.submit(page)
    assert page.form.editable("current-password"), page
    return page


def try_password(browser: Browserless, page: Page, password: str) -> Page:
    """Send a password from its page."""
    page.form.fill("current-password", password)
    return browser.submit(page)
