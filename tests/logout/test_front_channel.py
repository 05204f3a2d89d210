"""OpenID Connect Front-Channel Logout 1.0: the page on which the browser tells applications."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from idp.domain.services import Services
from tests.abuse_browser.test_prompts import account_button
from tests.sign_in.test_several_accounts import both
from tests.support.browserless import Browserless, Page
from tests.support.deployment import Deployment
from tests.support.held_clock import HeldClock
from tests.support.more_clients import Register
from tests.support.seeds import GRACE, OPERATOR, ORIGIN
from tests.support.token_client import TokenClient
from tests.support.token_parts import claims_of

BYE = "https://framed.example.test/bye"
FRAME = re.compile(r'<iframe hidden src="([^"]+)" title="[^"]+" sandbox="([^"]+)"></iframe>')


@pytest.fixture
def framed(register: Register) -> TokenClient:
    """A client that the browser tells."""
    return register(
        "framed",
        frontchannel_logout_uri="https://framed.example.test:443/out?by=browser",
        post_logout_redirect_uris=[BYE],
        first_party=True,
    )


@pytest.fixture
def other(register: Register) -> TokenClient:
    """Another one."""
    return register(
        "other",
        redirect_uris=["http://127.0.0.1:8123/callback"],
        frontchannel_logout_uri="http://127.0.0.1:8123/out",
        first_party=True,
    )


def frames(page: Page) -> list[str]:
    """Return the addresses that the page loads."""
    found = FRAME.findall(page.response.text)
    assert all("allow-top-navigation" not in sandbox for _, sandbox in found)
    assert page.response.text.count("<iframe") == len(found)
    return [address.replace("&amp;", "&") for address, _ in found]


def policy(page: Page) -> str:
    """Return whom the page may frame."""
    (named,) = [
        value.removeprefix("frame-src ")
        for value in page.response.headers["Content-Security-Policy"].split("; ")
        if value.startswith("frame-src")
    ]
    return named


def onward(page: Page) -> str | None:
    """Return where the page goes on to by itself, and a person without scripts by a link."""
    found = re.search(r'href="([^"]+)" data-onward', page.response.text)
    assert bool(found) == ("front-channel.js" in page.response.text)
    return found[1].replace("&amp;", "&") if found else None


def test_a_client_that_asks_is_gone_on_to_after_all_were_told(
    deployment: Deployment, framed: TokenClient, other: TokenClient
) -> None:
    browser = deployment.browserless()
    hint = framed.sign_in(browser)["id_token"]
    second = other.sign_in(browser)["id_token"]
    deployment.client("own").sign_in(browser)
    asked = {"id_token_hint": hint, "post_logout_redirect_uri": BYE, "state": "a&b"}
    page = browser.get("/oauth2/logout", asked)
    assert (page.status, page.left_for) == (200, None)
    assert onward(page) == f"{BYE}?state=a%26b"
    assert policy(page) == "http://127.0.0.1:8123 https://framed.example.test"
    assert "frame-ancestors 'none'" in page.response.headers["Content-Security-Policy"]
    first, last = (urlsplit(address) for address in frames(page))
    assert first.netloc == "framed.example.test:443"
    issuer, sid = deployment.issuer, claims_of(hint)["sid"]
    assert parse_qs(first.query) == {"by": ["browser"], "iss": [issuer], "sid": [sid]}
    assert (last.netloc, last.path) == ("127.0.0.1:8123", "/out")
    assert parse_qs(last.query) == {"iss": [issuer], "sid": [claims_of(second)["sid"]]}
    assert browser.get("/").title.startswith("Welcome")
    again = browser.get(page.url)
    assert frames(again) == frames(page), "it may be loaded again"


def test_our_own_sign_out_tells_them_too_and_stays(
    deployment: Deployment, framed: TokenClient, services: Services, clock: HeldClock
) -> None:
    browser = deployment.browserless()
    framed.sign_in(browser)
    page = browser.submit(browser.get("/"))
    assert page.title.startswith("Signed out")
    assert (len(frames(page)), onward(page)) == (1, None)
    stranger = deployment.browserless(GRACE)
    seen = stranger.get(page.url)
    assert (frames(seen), seen.url.endswith("/signed-out")) == ([], True), "another browser's page"
    clock.advance(600)
    assert frames(browser.get(page.url)) == []
    framed.sign_in(browser)
    services.clients.disable("framed", origin=ORIGIN, actor=OPERATOR)
    assert frames(browser.submit(browser.get("/"))) == [], "it is nobody's any more"


def test_who_took_no_part_is_not_told(
    deployment: Deployment, framed: TokenClient, other: TokenClient
) -> None:
    """Not of another's session, nor of the next one; and nothing holds up who tells nobody."""
    elsewhere = deployment.browserless(GRACE)
    other.sign_in(elsewhere)
    browser = deployment.browserless()
    framed.sign_in(browser)
    asked = {"client_id": "framed", "post_logout_redirect_uri": BYE}
    page = browser.get("/oauth2/logout", asked)
    page = browser.submit(page, page.form.button("decision", "sign_out"))
    assert [urlsplit(address).netloc for address in frames(page)] == ["framed.example.test:443"]
    hint = deployment.client("own").sign_in(browser)["id_token"]
    assert "frame-src" not in browser.get("/").response.headers["Content-Security-Policy"]
    page = browser.get("/oauth2/logout", {"id_token_hint": hint})
    assert (page.title.startswith("Signed out"), frames(page)) == (True, [])
    assert browser.get("/oauth2/logout", asked).left_for == BYE


def test_a_page_that_is_not_ours_is_not_found(browserless: Browserless) -> None:
    page = browserless.get("/signed-out/nothing")
    assert (page.title.startswith("Signed out"), frames(page)) == (True, [])


def test_who_signs_everybody_out_tells_of_each_session(
    deployment: Deployment, framed: TokenClient
) -> None:
    browser = both(deployment)
    sids = set()
    for place in (0, 1):
        page = browser.start(framed.authorization(prompt="select_account"))
        page = browser.finish(browser.submit(page, account_button(page, place)))
        sids.add(claims_of(framed.redeem(page.callback).json()["id_token"])["sid"])
    page = browser.post("/sign-out", form_fields(browser), f"{browser.origin}/")
    told = {parse_qs(urlsplit(address).query)["sid"][0] for address in frames(page)}
    assert told == sids
    assert len(sids) == 2


def form_fields(browser: Browserless) -> list[tuple[str, str]]:
    """Return what the button sends that signs everybody out."""
    page = browser.get("/")
    form = next(form for form in page.document.forms if form.action == "/sign-out")
    return [*form.values(), ("everybody", "yes")]
