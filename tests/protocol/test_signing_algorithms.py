"""How ID tokens are signed: OpenID Connect Core sections 2 and 3.1.3.6, RFC 7518, RFC 9864."""

import hashlib
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from idp.config import ConfigurationError, load
from idp.domain.services import Services
from idp.protocol import registration
from idp.protocol.metadata_values import RegistrationError
from tests.keys import forging
from tests.support.browserless import Browserless
from tests.support.held_clock import HeldClock
from tests.support.more_clients import Register
from tests.support.refusals import Refused
from tests.support.token_client import TokenClient
from tests.support.token_parts import claims_of, header_of

HASHES = {
    "RS256": hashlib.sha256,
    "PS256": hashlib.sha256,
    "ES256": hashlib.sha256,
    "ES384": hashlib.sha384,
    "EdDSA": hashlib.sha512,
    "Ed25519": hashlib.sha512,
}
EVERY = "RS256, ES256, PS256, ES384, EdDSA, Ed25519"


def half(value: str, algorithm: str) -> str:
    whole = HASHES[algorithm](value.encode()).digest()
    return forging.encode(whole[: len(whole) // 2])


def checked(client: TokenClient, issued: dict[str, Any], algorithm: str) -> dict[str, Any]:
    """Verify with another library, under the key that the header names, and return the claims."""
    document = client.http.get(client.discovery["jwks_uri"]).json()
    named = [key for key in document["keys"] if key["kid"] == header_of(issued["id_token"])["kid"]]
    assert [key["alg"] for key in named] == [algorithm]  # RFC 8725 section 3.1
    keys = KeySet.import_key_set({"keys": named})
    token = jwt.decode(issued["id_token"], keys, algorithms=[algorithm])
    assert token.header["alg"] == algorithm
    assert token.claims["at_hash"] == half(issued["access_token"], algorithm)
    return dict(token.claims)


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated via RFC 9864")
def test_each_algorithm_that_discovery_names_signs_for_who_registered_it(
    register: Register, browserless: Browserless
) -> None:
    usual = register("usual")
    offered = usual.discovery["id_token_signing_alg_values_supported"]
    assert offered == ["RS256", "ES256", "PS256", "ES384", "EdDSA", "HS256"]
    offered.remove("HS256")  # test_client_tokens.py
    checked(usual, usual.sign_in(browserless), "RS256")
    for algorithm in offered:
        client = register(algorithm, id_token_signed_response_alg=algorithm)
        issued = client.sign_in(browserless)
        claims = checked(client, issued, algorithm)
        hinted = client.authorization(id_token_hint=issued["id_token"], prompt="none")
        assert "code" in browserless.authorize(hinted), algorithm
        assert header_of(issued["access_token"])["alg"] == "ES256"
        assert claims["aud"] == client.client_id


@pytest.mark.settings(signing_algorithms=EVERY)
def test_a_further_algorithm_is_named_and_signs_once_verifiers_can_know_its_key(
    register: Register, browserless: Browserless, clock: HeldClock, services: Services
) -> None:
    client = register("newer", id_token_signed_response_alg="Ed25519")
    name = "id_token_signing_alg_values_supported"

    def told() -> list[str]:
        document = client.http.get(f"{client.discovery.issuer}/.well-known/openid-configuration")
        found: list[str] = document.json()[name]
        return found

    assert "Ed25519" not in told()
    found = browserless.authorize(client.authorization())
    assert client.redeem(found).status_code == 503
    clock.advance(services.signing_keys.schedule.publication)
    services.signing_keys.advance()
    assert told() == EVERY.split(", ")
    checked(client, client.sign_in(browserless), "Ed25519")


@pytest.mark.settings(signing_algorithms="RS256,ES256,none")
def test_unsigned_where_operator_and_client_want_it(
    register: Register, browserless: Browserless, refused: Refused
) -> None:
    client = register("trusting", id_token_signed_response_alg="none")
    assert client.discovery["id_token_signing_alg_values_supported"] == ["RS256", "ES256", "none"]
    sent = client.authorization()
    found = browserless.authorize(sent)
    token = client.redeem(found).json()["id_token"]
    assert header_of(token) == {"alg": "none", "typ": "JWT"}
    assert token.split(".")[2] == ""
    claims = claims_of(token)
    assert claims["nonce"] == sent["nonce"]
    # There is no algorithm that could say how to hash (section 3.1.3.6).
    assert "at_hash" not in claims
    # Anybody could have written it (SECURITY case 49).
    with refused("authorization.refused", times=1):
        page = browserless.start(client.authorization(id_token_hint=token))
    assert page.callback["error"] == "invalid_request"


@pytest.mark.parametrize("algorithm", ["none", "Ed25519", "HS512", "RS512", "ES256K"])
def test_what_is_not_offered_can_not_be_registered(algorithm: str) -> None:
    wanted = {
        "redirect_uris": ["https://app.example.test/callback"],
        "id_token_signed_response_alg": algorithm,
    }
    with pytest.raises(RegistrationError, match="not supported"):
        registration.validate(wanted, operator=True)


@pytest.mark.parametrize("value", ["RS256", "ES256", "RS256,ES256,HS384", ""])
def test_a_server_without_the_algorithms_that_everybody_needs_does_not_start(value: str) -> None:
    with pytest.raises(ConfigurationError, match="IDP_SIGNING_ALGORITHMS"):
        load({"issuer": "https://id.example.test", "signing_algorithms": value})
