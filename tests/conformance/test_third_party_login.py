"""Third-party-initiated login (OpenID Connect Core 1.0 section 4)."""

from urllib.parse import parse_qs, urlsplit

import pytest

from idp.protocol.metadata_values import RegistrationError
from tests.conformance.conftest import Add
from tests.support.browserless import Browserless

pytestmark = pytest.mark.usefixtures("asked")
AT = "https://starts.example.test"


def test_3rd_party_init_login(browserless: Browserless, add: Add) -> None:
    """The server sends the browser to the client, which begins as it always does."""
    client = add(redirect_uris=[f"{AT}/callback"], initiate_login_uri=f"{AT}/start")
    page = browserless.get(f"/account/applications/{client.client_id}/open")
    while page.left_for is None:
        page = browserless.answer(page)
    assert page.left_for.partition("?")[0] == f"{AT}/start"
    told = parse_qs(urlsplit(page.left_for).query)
    assert told["iss"] == [client.discovery.issuer]
    assert client.redeem(browserless.authorize(client.authorization())).status_code == 200


def test_3rd_party_init_login_nohttps(browserless: Browserless, add: Add) -> None:
    for address in ("http://starts.example.test/start", "http://localhost/start"):
        with pytest.raises(RegistrationError, match="initiate_login_uri") as refused:
            add(redirect_uris=[f"{AT}/callback"], initiate_login_uri=address)
        assert refused.value.code == "invalid_client_metadata"
    assert browserless.get("/sign-in").status == 200
