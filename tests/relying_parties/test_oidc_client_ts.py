"""oidc-client-ts from npm, in Chromium: code with PKCE, renewal by refresh token, logout."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from playwright.sync_api import Page, expect

from tests.developer.conftest import Developer
from tests.support.in_threads import serving_at
from tests.support.ports import free_port
from tests.support.seeds import ADA

pytestmark = pytest.mark.xdist_group("relying parties")
HERE = Path(__file__).parent
FILES = {
    "/party.js": (HERE / "page/party.js", "text/javascript"),
    "/oidc-client-ts.min.js": (
        HERE.parent / "vendor/oidc-client-ts.min.js",
        "text/javascript",
    ),
}


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Serve the relying party's page at every path but those of its scripts."""
    file, kind = FILES.get(environ["PATH_INFO"], (HERE / "page/index.html", "text/html"))
    start_response("200 OK", [("Content-Type", f"{kind}; charset=utf-8")])
    return [file.read_bytes()]


@pytest.fixture
def party() -> Iterator[str]:
    """The origin of a relying party that is nothing but a page."""
    port = free_port()
    with serving_at(port, application):
        yield f"http://localhost:{port}"


def user_of(page: Page, state: str) -> dict[str, Any]:
    """Wait until the relying party says `state`, and return whom it knows."""
    expect(page.locator("#state")).to_have_text(state)
    found: dict[str, Any] = json.loads(page.locator("#user").text_content() or "{}")
    return found


@pytest.mark.only_on("sqlite")
@pytest.mark.browser_options(ignore_https_errors=True)
def test_oidc_client_ts_signs_in_renews_and_signs_out(
    developer: Developer, party: str, page: Page
) -> None:
    """It is registered on the developer pages, and configured by what they offer to copy."""
    found = developer.register("single-page", f"{party}/callback")
    developer.send(f"{found.path}/edit", post_logout_redirect_uris=f"{party}/bye")
    text = found.configuration("oidc-client-ts")
    settings = page.evaluate(f"() => ({text.partition('UserManager(')[2].partition(');')[0]})")
    assert settings["redirect_uri"] == f"{party}/callback"
    page.goto(f"{party}/?settings={quote(json.dumps(settings))}")

    page.click("#sign-in")
    page.get_by_label("Email").fill(ADA.email)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Password", exact=True).fill(ADA.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Allow").click()
    first = user_of(page, "signed in")
    assert first["profile"]["email"] == ADA.email
    assert first["refresh_token"]

    page.click("#renew")
    second = user_of(page, "renewed")
    assert second["access_token"] != first["access_token"]
    assert second["refresh_token"] != first["refresh_token"]
    assert second["profile"]["sub"] == first["profile"]["sub"]

    page.click("#sign-out")
    expect(page.locator("#state")).to_have_text("signed out")
    page.goto(f"{party}/")
    page.click("#sign-in")
    expect(page.get_by_label("Email")).to_be_visible()
