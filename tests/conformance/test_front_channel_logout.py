"""OpenID Connect Front-Channel Logout 1.0: a page that lets the browser tell the client."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.conformance.conftest import Add
from tests.support.browserless import Browserless
from tests.support.token_client import TokenClient
from tests.support.token_parts import claims_of

pytestmark = pytest.mark.usefixtures("asked")


def test_frontchannel_logout_discovery_endpoint_verification(webapp: TokenClient) -> None:
    assert webapp.discovery["frontchannel_logout_supported"] is True
    assert webapp.discovery["frontchannel_logout_session_supported"] is True


def test_frontchannel_rp_initiated_logout(browserless: Browserless, add: Add) -> None:
    at = "https://framed.example.test"
    client = add(
        redirect_uris=[f"{at}/callback"],
        post_logout_redirect_uris=[f"{at}/bye"],
        frontchannel_logout_uri=f"{at}/logged-out",
        frontchannel_logout_session_required=True,
    )
    hint = client.sign_in(browserless)["id_token"]
    asked = {"id_token_hint": hint, "post_logout_redirect_uri": f"{at}/bye", "state": "x"}
    page = browserless.get(client.discovery["end_session_endpoint"], asked)
    assert (page.status, page.left_for) == (200, None)
    (frame,) = (
        unescape(one) for one in re.findall(r'<iframe[^>]* src="([^"]+)"', page.response.text)
    )
    told = urlsplit(frame)
    assert f"{told.scheme}://{told.netloc}{told.path}" == f"{at}/logged-out"
    known = claims_of(hint)
    assert parse_qs(told.query) == {"iss": [known["iss"]], "sid": [known["sid"]]}
    assert f"frame-src {at}" in page.response.headers["Content-Security-Policy"]
    assert f'href="{at}/bye?state=x" data-onward' in page.response.text
