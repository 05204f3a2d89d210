"""OpenID Connect Config OP: the discovery document."""

from urllib.parse import urlsplit

import pytest

from idp.config import Settings
from tests.support.token_client import TokenClient

pytestmark = pytest.mark.usefixtures("asked")
REQUIRED = {
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "userinfo_endpoint",
    "jwks_uri",
    "scopes_supported",
    "response_types_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
    "claims_supported",
}


def test_discovery_endpoint_verification(webapp: TokenClient, settings: Settings) -> None:
    answer = webapp.http.get(f"{settings.issuer}/.well-known/openid-configuration")
    document = answer.json()
    assert answer.headers["Content-Type"] == "application/json"
    assert document.keys() >= REQUIRED
    assert document["issuer"] == settings.issuer
    assert "RS256" in document["id_token_signing_alg_values_supported"]
    assert "openid" in document["scopes_supported"]
    addresses = {name: value for name, value in document.items() if name.endswith("_endpoint")}
    for name, address in (addresses | {"jwks_uri": document["jwks_uri"]}).items():
        assert urlsplit(address).scheme == "https", name
        assert address.startswith(f"{settings.issuer}/"), name
    keys = webapp.http.get(document["jwks_uri"]).json()["keys"]
    assert all(key["use"] == "sig" and key["kid"] for key in keys)
