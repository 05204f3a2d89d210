"""OpenID Connect Config OP: the discovery document."""

from urllib.parse import urlsplit

import pytest

from tests.support.exam import Exam
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


def test_discovery_endpoint_verification(webapp: TokenClient, exam: Exam) -> None:
    answer = webapp.http.get(f"{exam.issuer}/.well-known/openid-configuration")
    document = answer.json()
    assert answer.headers["Content-Type"] == "application/json"
    assert document.keys() >= REQUIRED
    assert document["issuer"] == exam.issuer
    assert "RS256" in document["id_token_signing_alg_values_supported"]
    assert "openid" in document["scopes_supported"]
    addresses = {name: value for name, value in document.items() if name.endswith("_endpoint")}
    for name, address in (addresses | {"jwks_uri": document["jwks_uri"]}).items():
        assert urlsplit(address).scheme == "https", name
        assert address.startswith(f"{exam.issuer}/"), name
    keys = webapp.http.get(document["jwks_uri"]).json()["keys"]
    assert all(key["use"] in {"sig", "enc"} and key["kid"] for key in keys)
