"""OpenID Connect Back-Channel Logout 1.0: a client with a server of its own, over https."""

import threading
from http.server import BaseHTTPRequestHandler

import pytest
from joserfc import jwk, jwt

from tests.conformance.conftest import Add
from tests.support.browserless import Browserless
from tests.support.exam import Exam
from tests.support.tls_site import say
from tests.support.token_client import TokenClient
from tests.support.token_parts import claims_of

pytestmark = pytest.mark.usefixtures("asked")
PATIENCE = 60  # seconds; the server looks every second


def test_backchannel_logout_discovery_endpoint_verification(webapp: TokenClient) -> None:
    assert webapp.discovery["backchannel_logout_supported"] is True
    assert webapp.discovery["backchannel_logout_session_supported"] is True


def test_backchannel_rp_initiated_logout(exam: Exam, browserless: Browserless, add: Add) -> None:
    came = threading.Event()

    def told(handler: BaseHTTPRequestHandler) -> None:
        say(handler, 200, {"Content-Length": "0", "Cache-Control": "no-store"})
        came.set()

    exam.site.answers["/logged-out"] = told
    exam.site.asked.clear()
    bye = "https://told.example.test/bye"
    client = add(
        redirect_uris=["https://told.example.test/callback"],
        post_logout_redirect_uris=[bye],
        backchannel_logout_uri=exam.site.url("/logged-out"),
        backchannel_logout_session_required=True,
    )
    hint = client.sign_in(browserless)["id_token"]
    asked = {"id_token_hint": hint, "post_logout_redirect_uri": bye, "state": "x"}
    page = browserless.get(client.discovery["end_session_endpoint"], asked)
    assert page.left_for == f"{bye}?state=x"
    assert came.wait(PATIENCE)
    (post,) = (asked for asked in exam.site.asked if asked.path == "/logged-out")
    name, _, text = post.body.decode().partition("=")
    keys = jwk.KeySet.import_key_set(client.http.get(client.discovery["jwks_uri"]).json())
    token = jwt.decode(text, keys, algorithms=["RS256"])
    assert (post.method, name, token.header["typ"]) == ("POST", "logout_token", "logout+jwt")
    known = claims_of(hint)
    assert {claim: token.claims[claim] for claim in ("iss", "sub", "aud", "sid")} == {
        claim: known[claim] for claim in ("iss", "sub", "aud", "sid")
    }
    assert token.claims["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert token.claims["jti"]
    assert "nonce" not in token.claims
    assert token.claims["iat"] < token.claims["exp"] <= token.claims["iat"] + 120
