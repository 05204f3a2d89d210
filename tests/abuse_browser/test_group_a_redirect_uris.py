"""SECURITY group A: nothing is ever redirected to an address that is not registered."""

from collections.abc import Iterable, Mapping

import pytest
import requests

from idp.domain.services import Services
from tests.abuse_browser.asking import AUTHORIZE, METHODS, ask, shown
from tests.support.deployment import Deployment
from tests.support.refusals import Refused
from tests.support.seeds import OPERATOR, ORIGIN, add_client
from tests.support.token_client import TokenClient

pytestmark = pytest.mark.settings(network_limit=10_000)
CALLBACK = "https://app.example.test/callback"


class Asker:
    """Sends requests that must be refused on a page of ours, by GET and by POST."""

    def __init__(self, http: requests.Session, issuer: str, refused: Refused) -> None:
        self._http = http
        self._url = issuer + AUTHORIZE
        self._refused = refused

    def refused(
        self, values: Mapping[str, str], error: str = "invalid_request", *, known: bool = True
    ) -> str:
        """Check the refusal and return the page."""
        text = ""
        for method in METHODS:
            with self._refused("authorization.refused", times=1) as entries:
                answer = ask(self._http, self._url, values, method)
                assert shown(answer) == error, f"{method} {values}"
            assert entries[0]["detail"]["error"] == error
            assert entries[0]["client_id"] == (values["client_id"] if known else None)
            assert not answer.cookies
            text = answer.text
        return text

    def all_refused(self, values: Mapping[str, str], redirect_uris: Iterable[str]) -> None:
        """Check that none of these addresses is redirected to."""
        for sent in redirect_uris:
            self.refused({**values, "redirect_uri": sent})


@pytest.fixture
def asker(http: requests.Session, deployment: Deployment, refused: Refused) -> Asker:
    return Asker(http, deployment.issuer, refused)


NEARLY_REGISTERED = (
    f"{CALLBACK}/more",
    f"{CALLBACK}/",
    f"{CALLBACK}.",
    f"{CALLBACK}/../evil",
    f"{CALLBACK}/..;/evil",
    f"{CALLBACK}/%2e%2e/evil",
    f"{CALLBACK}%2f..%2fevil",
    "https://app.example.test/x/../callback",
    "https://app.example.test/./callback",
    "https://app.example.test//callback",
    "https://app.example.test/Callback",
    "https://app.example.test/call%62ack",
    "https://APP.example.test/callback",
    "HTTPS://app.example.test/callback",
    "https://app.example.test:443/callback",
    "https://app.example.test./callback",
    f" {CALLBACK}",
    f"{CALLBACK} ",
    f"{CALLBACK}\n",
    f"{CALLBACK}\0",
    f"{CALLBACK}%0d%0aSet-Cookie:%20a=b",
    f"\t{CALLBACK}",
    "http://app.example.test/callback",
    "//app.example.test/callback",
    "/callback",
    "javascript:alert(1)",
    "data:text/html,hello",
    "",
)


def test_case_001_a_redirect_uri_is_compared_byte_for_byte(
    asker: Asker, webapp: TokenClient
) -> None:
    asker.all_refused(webapp.authorization(), NEARLY_REGISTERED)


NEARLY_OUR_HOST = (
    "https://app.example.test.evil.test/callback",
    "https://app.example.test@evil.test/callback",
    "https://app.example.test:pass@evil.test/callback",
    "https://appXexample.test/callback",
    "https://evil.test/https://app.example.test/callback",
    "https://evil.test?https://app.example.test/callback",
    "https://evil.test\\@app.example.test/callback",
    "https://evil-app.example.test/callback",
    "https://sub.app.example.test/callback",
    "https://app.example.test\u2044.evil.test/callback",
    "https://app.example.test%00.evil.test/callback",
    "https://app%2eexample.test/callback",
)


def test_case_002_no_prefix_and_no_pattern_fits_another_host(
    asker: Asker, webapp: TokenClient
) -> None:
    asker.all_refused(webapp.authorization(), NEARLY_OUR_HOST)


NEARLY_OUR_QUERY = (
    "https://q.example.test/cb?b=2&a=1",
    "https://q.example.test/cb?a=1&b=2&a=1",
    "https://q.example.test/cb?a=1&b=2&evil=1",
    "https://q.example.test/cb?a=1&b=2&",
    "https://q.example.test/cb?a=1&b=2;evil=1",
    "https://q.example.test/cb;evil=1?a=1&b=2",
    "https://q.example.test/cb?a=1",
    "https://q.example.test/cb?",
    "https://q.example.test/cb",
)


def test_case_004_the_query_of_a_redirect_uri_is_compared_too(
    asker: Asker, services: Services, webapp: TokenClient
) -> None:
    details = {"redirect_uris": ["https://q.example.test/cb?a=1&b=2"], "scope": "openid"}
    add_client(services, details, "query")
    asker.all_refused({**webapp.authorization(), "client_id": "query"}, NEARLY_OUR_QUERY)


def test_case_005_a_redirect_uri_with_a_fragment_is_refused(
    asker: Asker, webapp: TokenClient
) -> None:
    fragments = ("#", "#here", "%23", "#?a=b")
    asker.all_refused(webapp.authorization(), (CALLBACK + fragment for fragment in fragments))


NEARLY_LOOPBACK = (
    "http://localhost.evil.test/callback",
    "http://127.0.0.1.evil/callback",
    "http://127.0.0.1@evil.test/callback",
    "http://127.0.0.1:80@evil.test/callback",
    "http://127.0.0.1:99999/callback",
    "http://127.0.0.1:0/callback",
    "http://127.0.0.1:/callback",
    "http://127.0.0.1:-1/callback",
    "http://127.0.0.1:\u0661\u0662/callback",
    "http://127.0.0.1:4000/callback/more",
    "http://127.0.0.1:4000/callback?x=1",
    "http://localhost:4000/callback",
    "http://127.1:4000/callback",
    "http://0x7f000001:4000/callback",
    "http://2130706433:4000/callback",
    "http://0.0.0.0:4000/callback",
    "http://[::1]:4000/callback",
    "http://[::ffff:127.0.0.1]:4000/callback",
    "https://127.0.0.1:4000/callback",
    "com.example.notes:/callback/more",
    "com.example.notes://callback",
    "COM.EXAMPLE.NOTES:/callback",
)


def test_case_006_only_the_port_of_a_loopback_address_may_differ(
    asker: Asker, deployment: Deployment
) -> None:
    asker.all_refused(deployment.client("native").authorization(), NEARLY_LOOPBACK)


@pytest.mark.parametrize("port", ["", ":1", ":65535"])
def test_case_006_another_port_is_where_the_code_goes(port: str, deployment: Deployment) -> None:
    native, browser = deployment.client("native"), deployment.browserless()
    native.redirect_uri = f"http://127.0.0.1{port}/callback"
    page = browser.finish(browser.start(native.authorization()))
    assert page.left_for is not None
    assert page.left_for.startswith(f"http://127.0.0.1{port}/callback?")
    assert native.redeem(page.callback).status_code == 200


def test_case_006_a_port_is_not_free_elsewhere(asker: Asker, webapp: TokenClient) -> None:
    asker.all_refused(webapp.authorization(), ["https://app.example.test:8443/callback"])


def test_case_008_a_client_without_redirect_uris_gets_no_answer(
    asker: Asker, service: TokenClient
) -> None:
    """There is no trust on first use, however often it is tried."""
    values = service.authorization("notes:read")
    asker.all_refused(values, [CALLBACK, CALLBACK, ""])
    values.pop("redirect_uri")
    asker.refused(values)


WRONG: dict[str, dict[str, str]] = {
    "nothing else": {},
    "response_type": {"response_type": "token"},
    "no response_type": {"response_type": ""},
    "response_mode": {"response_mode": "nonsense"},
    "jwt": {"response_mode": "jwt"},
    "query.jwt": {"response_mode": "query.jwt"},
    "form_post": {"response_mode": "form_post"},
    "scope": {"scope": 'bad"scope'},
    "prompt": {"prompt": "none"},
    "prompts": {"prompt": "none login"},
    "max_age": {"max_age": "-1"},
    "challenge": {"code_challenge": "short"},
    "plain": {"code_challenge_method": "plain"},
    "request": {"request": "eyJhbGciOiJub25lIn0.e30."},
    "request_uri": {"request_uri": "https://evil.test/request"},
    "hint": {"id_token_hint": "nonsense"},
    "resource": {"resource": "https://evil.test/"},
}


def test_case_009_nothing_else_that_is_wrong_leads_to_a_bad_redirect_uri(
    asker: Asker, webapp: TokenClient
) -> None:
    # What is wrong with a request object, in which all of it could stand, is told first, here too.
    told = {"request": "request_not_supported", "request_uri": "request_uri_not_supported"}
    for name, wrong in WRONG.items():
        values = webapp.authorization() | wrong | {"redirect_uri": "https://evil.test/callback"}
        page = asker.refused(values, told.get(name, "invalid_request"))
        assert "https://app.example.test" not in page, "a registered address is not public"


@pytest.mark.parametrize("client_id", ["nobody", "", "webapp ", "WEBAPP", "webapp\0", "\0", "é"])
def test_case_009_an_unknown_client_is_redirected_nowhere(
    client_id: str, asker: Asker, webapp: TokenClient
) -> None:
    for name in ("nothing else", "response_type", "prompt", "jwt", "request_uri"):
        values = {**webapp.authorization(), **WRONG[name], "client_id": client_id}
        asker.refused(values, "invalid_client", known=False)


def test_case_009_a_disabled_client_is_redirected_nowhere(
    asker: Asker, services: Services, webapp: TokenClient
) -> None:
    values = webapp.authorization()
    services.clients.disable("webapp", origin=ORIGIN, actor=OPERATOR)
    asker.refused(values, "invalid_client", known=False)


def test_what_a_page_shows_of_a_bad_request_is_text(asker: Asker, webapp: TokenClient) -> None:
    sent = '"><script>alert(1)</script>{{7*7}}'
    text = asker.refused({**webapp.authorization(), "redirect_uri": sent})
    assert "<script>alert" not in text
    assert "{{7*7}}" in text


@pytest.mark.settings(network_limit=5)
def test_what_outsiders_make_us_write_is_bounded(
    http: requests.Session, deployment: Deployment, services: Services, webapp: TokenClient
) -> None:
    values = {**webapp.authorization(), "redirect_uri": "https://evil.test/"}
    answers = [ask(http, deployment.issuer + AUTHORIZE, values) for _ in range(8)]
    assert [answer.status_code for answer in answers] == [400] * 5 + [429] * 3
    assert all("Location" not in answer.headers for answer in answers)
    written = [entry for entry in services.audit.latest() if entry["outcome"] == "refused"]
    assert len(written) == 5
