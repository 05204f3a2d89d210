"""OpenID Connect Session Management 1.0: a page that frames the server's, in Chromium."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Page

from tests.conformance.conftest import Add
from tests.support.exam import Exam
from tests.support.seeds import ADA
from tests.support.token_client import TokenClient
from tests.support.token_parts import claims_of

pytestmark = pytest.mark.usefixtures("asked")
PAGE = """<!doctype html><html lang="en"><title>A page of somebody else</title><body><script>
const ask = (address, message) => new Promise((resolve) => {
  const frame = document.createElement("iframe");
  addEventListener("message", (event) => resolve(`${event.origin} ${event.data}`), { once: true });
  frame.onload = () => frame.contentWindow.postMessage(message, new URL(address).origin);
  frame.src = address;
  document.body.append(frame);
});
</script></body></html>"""


@pytest.fixture
def party(exam: Exam) -> str:
    """The origin of a relying party. Browsers keep cookies from frames of other sites by now, so
    it is of the server's site, as ports make no difference to that.
    """
    for path in ("/callback", "/bye", "/logged-out", "/favicon.ico"):
        exam.site.put(path, PAGE, "text/html")
    return exam.site.origin("localhost")


def test_session_management_discovery_endpoint_verification(webapp: TokenClient) -> None:
    frame = webapp.discovery["check_session_iframe"]
    assert frame.startswith("https://")
    assert webapp.http.get(frame).status_code == 200


@pytest.mark.only_on("sqlite")
@pytest.mark.browser_options(ignore_https_errors=True)
def test_session_management_rp_initiated_logout(
    exam: Exam, party: str, page: Page, add: Add
) -> None:
    """On the way out the server's page tells the client in a frame too, and goes on by itself."""
    client = add(
        redirect_uris=[f"{party}/callback"],
        post_logout_redirect_uris=[f"{party}/bye"],
        frontchannel_logout_uri=f"{party}/logged-out",
    )
    frame = client.discovery["check_session_iframe"]

    def answer(message: str) -> str:
        said: str = page.evaluate("([frame, message]) => ask(frame, message)", [frame, message])
        return said

    page.goto(f"{client.discovery['authorization_endpoint']}?{urlencode(client.authorization())}")
    page.get_by_label("Email").fill(ADA.email)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Password", exact=True).fill(ADA.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url(f"{party}/callback?*")
    callback = {name: one for name, (one,) in parse_qs(urlsplit(page.url).query).items()}
    known = f"{client.client_id} {callback['session_state']}"
    assert answer(known) == f"{exam.issuer} unchanged"
    assert answer(known.replace(client.client_id, "webapp")) == f"{exam.issuer} changed"
    assert answer("nonsense") == f"{exam.issuer} error"
    hint = client.redeem(callback).json()["id_token"]
    leaving = {"id_token_hint": hint, "post_logout_redirect_uri": f"{party}/bye"}
    page.goto(f"{client.discovery['end_session_endpoint']}?{urlencode(leaving)}")
    page.wait_for_url(f"{party}/bye")
    told = [asked.path for asked in exam.site.asked if asked.path.startswith("/logged-out?")]
    sid = claims_of(hint)["sid"]
    assert told == [f"/logged-out?{urlencode({'iss': exam.issuer, 'sid': sid})}"]
    assert answer(known) == f"{exam.issuer} changed"
