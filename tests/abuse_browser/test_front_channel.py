"""SECURITY groups A and I where requests and answers go through the browser: nothing that strangers
write into a request becomes another parameter, another place or a script.
"""

import itertools
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from tests.abuse_browser.asking import signed_in
from tests.keys import forging
from tests.support.application import ISSUER
from tests.support.browserless import Browserless
from tests.support.deployment import Deployment
from tests.support.html_pages import parse
from tests.support.more_clients import Register
from tests.support.token_client import TokenClient

pytestmark = pytest.mark.settings(front_channel_tokens=True, network_limit=10_000_000)
HOSTILE = (
    "&code=evil&iss=https://evil.example.test",
    "#access_token=evil",
    "?error=x#",
    '"><script src=//evil.example.test></script>',
    "'><img src=x onerror=alert(1)>",
    "</form><form action=https://evil.example.test>",
    "&quot;&gt;&lt;script&gt;",
    "{{7*7}}{% raw %}",
    "javascript:alert(1)",
    "\r\nLocation: https://evil.example.test",
    "\r\n\r\n<script>",
    "%0d%0a%26code=evil",
    "a+b c%20d",
    "\N{RIGHT-TO-LEFT OVERRIDE}\N{SNOWMAN}\N{PILE OF POO}",
    ";state=other",
)
TYPES = ("code", "id_token", "code id_token token")
MODES = ("query", "fragment", "form_post")
QUERY = "https://front.example.test/callback?kept=1"


@pytest.fixture
def front(register: Register) -> TokenClient:
    """A client of ours that may have everything, whom nobody has to be asked about."""
    return register(
        "front",
        redirect_uris=["https://front.example.test/callback", QUERY],
        grant_types=["authorization_code", "implicit", "refresh_token"],
        response_types=["code", "id_token", "code id_token token"],
        request_object_signing_alg="none",
        first_party=True,
    )


def told(answer: requests.Response, redirect_uri: str) -> list[tuple[str, str]]:
    """Return every parameter that a client is sent, wherever it stands; the place is proven."""
    if answer.status_code == 303:
        parts = urlsplit(answer.headers["Location"])
        assert parts._replace(query="", fragment="").geturl() == redirect_uri.partition("?")[0]
        assert bool(parts.fragment) != bool(parts.query.removeprefix("kept=1"))
        pairs = parts.query.removeprefix("kept=1").removeprefix("&") or parts.fragment
        return parse_qsl(pairs, keep_blank_values=True, strict_parsing=True)
    assert answer.status_code == 200, answer.text
    document = parse(answer.text)
    (form,) = (each for each in document.forms if each.action == redirect_uri)
    scripts = answer.text.count("<script")
    assert scripts == answer.text.count('<script type="module" src="') > 0
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    return form.values()


def test_case_013_hostile_texts_stay_one_parameter_in_every_mode(
    front: TokenClient, deployment: Deployment
) -> None:
    browser, endpoint = signed_in(deployment), front.discovery["authorization_endpoint"]
    changes = itertools.cycle(({}, {"redirect_uri": QUERY}, {"scope": "nothing"}))
    ways = [(kind, mode) for kind in TYPES for mode in MODES if mode != "query" or kind == "code"]
    for (response_type, mode), state in itertools.product(ways, HOSTILE):
        sent = front.authorization("openid email", response_type=response_type)
        sent |= {"response_mode": mode, "state": state, **next(changes)}
        answer = browser.http.get(endpoint, params=sent, allow_redirects=False)
        found = told(answer, sent["redirect_uri"])
        values = dict(found)
        assert len(values) == len(found), found
        assert (values["state"], values["iss"]) == (state, ISSUER)
        if sent["scope"] == "nothing":
            assert values.keys() == {"error", "error_description", "state", "iss"}
        else:
            words = set(response_type.split())
            assert "error" not in values
            assert words & {"code", "id_token"} == values.keys() & {"code", "id_token"}
            assert values.get("code") != "evil"


def test_case_009_modes_that_are_not_there_are_no_modes(
    front: TokenClient, deployment: Deployment
) -> None:
    browser = signed_in(deployment)
    endpoint = front.discovery["authorization_endpoint"]
    for mode in ("jwt", "query.jwt", "form_post.jwt", "web_message", "okta_post_message", "Query"):
        sent = front.authorization("openid", response_mode=mode)
        answer = browser.http.get(endpoint, params=sent, allow_redirects=False)
        values = dict(told(answer, front.redirect_uri))
        assert (values["error"], values["state"]) == ("invalid_request", sent["state"])
        bad = sent | {"redirect_uri": "https://evil.example.test/"}
        answer = browser.http.get(endpoint, params=bad, allow_redirects=False)
        assert (answer.status_code, "Location" in answer.headers) == (400, False)


scalars = some.one_of(
    some.none(),
    some.booleans(),
    some.integers(),
    some.floats(allow_nan=False, allow_infinity=False),
    some.text(max_size=20),
    some.sampled_from((*HOSTILE, "openid email", "none", "login", "code", "form_post", "fragment")),
)
values = some.recursive(
    scalars,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = (
    *("scope", "state", "nonce", "prompt", "max_age", "login_hint", "redirect_uri", "claims"),
    *("response_type", "response_mode", "acr_values", "ui_locales", "claims_locales", "display"),
    *("code_challenge", "code_challenge_method", "resource", "id_token_hint", "registration"),
    *("client_id", "iss", "aud", "exp", "nbf", "iat", "jti", "request", "request_uri"),
)
objects = some.dictionaries(some.sampled_from(NAMES) | some.text(max_size=8), values, max_size=4)


class Asking:
    """A signed-in browser, and the client's usual request."""

    def __init__(self, front: TokenClient, browser: Browserless) -> None:
        self.http = browser.http
        self.front = front
        self.endpoint = front.discovery["authorization_endpoint"]

    def follow(self, url: str, **more: Any) -> None:
        """Go where a request leads, as far as it stays here; nothing of it is our failure."""
        for _ in range(4):
            answer = self.http.get(url, allow_redirects=False, **more)
            assert answer.status_code < 500, answer.text
            target = answer.headers.get("Location", "")
            assert target.startswith(("/", "https://front.example.test/callback")) or not target
            if not target.startswith("/"):
                return
            url, more = f"{ISSUER}{target}", {}


@pytest.fixture
def asking(front: TokenClient, deployment: Deployment) -> Asking:
    return Asking(front, signed_in(deployment))


@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(changes=objects, response_type=some.sampled_from(TYPES), mode=some.sampled_from(MODES))
def test_whatever_a_request_object_holds_is_no_failure(
    asking: Asking, changes: dict[str, Any], response_type: str, mode: str
) -> None:
    usual = {"response_type": response_type, "response_mode": mode}
    inside = asking.front.authorization("openid email", **usual)
    token = forging.unsigned({"alg": "none"}, {**inside, **changes})
    asking.follow(asking.endpoint, params={"client_id": "front", "request": token})
