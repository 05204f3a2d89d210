"""ID tokens and userinfo encrypted to their client: OpenID Connect Core sections 2, 5.3.2, 10.2."""

import json
from typing import Any

import pytest
from joserfc import jwe, jwt
from joserfc.jwk import ECKey, Key, KeySet, OctKey, RSAKey

from idp.crypto.jwe import ENCODINGS, KEY_TYPES
from idp.domain.services import Services
from idp.outbound.fetching import Fetcher
from idp.protocol import registration
from tests.protocol.conftest import Compare, without
from tests.support.browserless import Browserless
from tests.support.held_clock import HeldClock
from tests.support.more_clients import Register, change
from tests.support.refusals import Refused
from tests.support.signed import new_key, public
from tests.support.tls_site import Site
from tests.support.token_client import TokenClient

RSA = RSAKey.generate_key(2048, {"kid": "for-encryption", "use": "enc"})
EC = ECKey.generate_key("P-384", {"kid": "curve"})
SIGNING = new_key("ES256", kid="for-signatures")
RANDOM = ("sub", "sid", "nonce", "at_hash", "kid", "epk")


def key_for(algorithm: str) -> Key:
    return RSA if KEY_TYPES[algorithm] == "RSA" else EC


def opened(token: str, key: Key, *used: str) -> tuple[dict[str, Any], bytes]:
    """Decrypt with another library; return header and content."""
    registry = jwe.JWERegistry(algorithms=list(used), strict_check_header=False)
    found = jwe.decrypt_compact(token, key, registry=registry)
    assert found.plaintext is not None
    return dict(found.headers()), found.plaintext


def verified(token: bytes, client: TokenClient) -> dict[str, Any]:
    keys = KeySet.import_key_set(client.http.get(client.discovery["jwks_uri"]).json())
    return dict(jwt.decode(token.decode(), keys, algorithms=["RS256"]).claims)


def test_every_algorithm_that_discovery_names_encrypts_for_who_registered_it(
    register: Register, browserless: Browserless, golden: Compare
) -> None:
    keys = public(RSA, EC, SIGNING)
    for number, (algorithm, encoding) in enumerate(
        (algorithm, encoding) for algorithm in KEY_TYPES for encoding in ENCODINGS
    ):
        name, key = f"client-{number}", key_for(algorithm)
        client = register(
            name,
            jwks=keys,
            id_token_encrypted_response_alg=algorithm,
            id_token_encrypted_response_enc=encoding,
            userinfo_signed_response_alg="RS256",
            userinfo_encrypted_response_alg=algorithm,
            userinfo_encrypted_response_enc=encoding,
        )
        for answer in ("id_token", "userinfo"):
            names = client.discovery[f"{answer}_encryption_alg_values_supported"]
            assert names == list(KEY_TYPES)
            names = client.discovery[f"{answer}_encryption_enc_values_supported"]
            assert names == list(ENCODINGS)
        issued = client.sign_in(browserless, "openid email")
        header, token = opened(issued["id_token"], key, algorithm, encoding)
        assert (header["cty"], header["kid"]) == ("JWT", key.kid)
        about = verified(token, client)
        assert about["aud"] == name
        # What comes back is what was inside (section 3.1.2.1).
        asked = client.authorization(id_token_hint=token.decode(), prompt="none")
        assert "code" in browserless.authorize(asked)
        told = client.userinfo(issued["access_token"])
        assert told.headers["Content-Type"] == "application/jwt"
        header, inside = opened(told.text, key, algorithm, encoding)
        assert (header["alg"], header["enc"], header["cty"]) == (algorithm, encoding, "JWT")
        assert verified(inside, client).items() >= {"aud": name, "sub": about["sub"]}.items()
        if number == 0:
            golden(
                "encrypted",
                {
                    "outside": without(header, *RANDOM),
                    "ID token": without(about, *RANDOM),
                    "userinfo": without(verified(inside, client), *RANDOM),
                },
            )


def test_an_algorithm_alone_means_the_encoding_of_the_specification() -> None:
    """Registration section 2: A128CBC-HS256."""
    wanted: dict[str, Any] = {
        "redirect_uris": ["https://app.example.test/cb"],
        "jwks": public(EC),
        "id_token_encrypted_response_alg": "ECDH-ES",
        "userinfo_encrypted_response_alg": "ECDH-ES+A128KW",
    }
    found = registration.validate(wanted, operator=False)
    assert found["id_token_encrypted_response_enc"] == "A128CBC-HS256"
    assert found["userinfo_encrypted_response_enc"] == "A128CBC-HS256"
    wanted |= dict.fromkeys([name for name in wanted if "encrypted" in name])
    assert not [name for name in registration.validate(wanted, operator=False) if "encr" in name]


def test_userinfo_may_be_encrypted_alone_and_secrets_sign_inside(
    register: Register, browserless: Browserless
) -> None:
    client = register(
        "quiet",
        jwks=public(EC),
        id_token_signed_response_alg="HS256",
        id_token_encrypted_response_alg="ECDH-ES",
        userinfo_encrypted_response_alg="ECDH-ES",
    )
    issued = client.sign_in(browserless, "openid email")
    _, token = opened(issued["id_token"], EC, "ECDH-ES", "A128CBC-HS256")
    secret = OctKey.import_key(client.client_secret)
    about = jwt.decode(token.decode(), secret, algorithms=["HS256"]).claims
    answer = client.userinfo(issued["access_token"])
    assert answer.headers["Content-Type"] == "application/jwt"
    header, content = opened(answer.text, EC, "ECDH-ES", "A128CBC-HS256")
    assert "cty" not in header
    claims = json.loads(content)
    assert (claims["sub"], claims["aud"]) == (about["sub"], "quiet")
    assert claims["email"] == "ada@example.test"


def test_the_key_that_says_what_it_is_for_goes_first(
    register: Register, browserless: Browserless
) -> None:
    silent, clear = (RSAKey.generate_key(2048, {"kid": kid}) for kid in ("silent", "clear"))
    jwks = public(silent, clear)
    jwks["keys"][1]["use"] = "enc"
    jwks["keys"].insert(0, {**public(RSA)["keys"][0], "use": "sig"})
    client = register("clear", jwks=jwks, id_token_encrypted_response_alg="RSA-OAEP-256")
    header, _ = opened(
        client.sign_in(browserless)["id_token"], clear, "RSA-OAEP-256", "A128CBC-HS256"
    )
    assert header["kid"] == "clear"


@pytest.mark.settings(front_channel_tokens=True)
def test_without_a_key_nothing_goes_out_unencrypted(
    register: Register, browserless: Browserless, services: Services, refused: Refused
) -> None:
    client = register(
        "keyless",
        jwks=public(SIGNING),
        grant_types=["authorization_code", "implicit"],
        response_types=["code", "code id_token"],
    )
    issued = client.sign_in(browserless)
    change(
        services,
        "keyless",
        id_token_encrypted_response_alg="RSA-OAEP-256",
        userinfo_encrypted_response_alg="RSA-OAEP-256",
    )
    services.clients.forget()
    text = "Among the client's keys is none to encrypt to by RSA-OAEP-256."
    error = {"error": "invalid_client_metadata", "error_description": text}
    callback = browserless.authorize(client.authorization())
    with refused("token.refused", times=1):
        answer = client.redeem(callback)
    assert (answer.status_code, answer.json()) == (400, error)
    with refused("userinfo.refused", times=1):
        answer = client.userinfo(issued["access_token"])
    assert (answer.status_code, answer.json()) == (400, error)
    with refused("authorization.refused", times=1):
        found = browserless.authorize(client.authorization(response_type="code id_token"))
    assert found.items() >= error.items()
    assert not {"code", "id_token"} & found.keys()
    # Once there is one, the code that was not used works.
    change(services, "keyless", jwks=public(RSA))
    services.clients.forget()
    assert len(client.redeem(callback).json()["id_token"].split(".")) == 5


def test_published_keys_are_asked_for_guardedly_and_their_faults_told_to_the_log_alone(
    register: Register,
    browserless: Browserless,
    services: Services,
    tls_site: Site,
    clock: HeldClock,
    refused: Refused,
) -> None:
    trusting = services.settings.model_copy(
        update={
            "outbound_origins": (tls_site.origin(),),
            "outbound_ca_file": str(tls_site.authority),
        }
    )
    services.fetcher.__dict__.update(Fetcher(trusting).__dict__)
    client = register(
        "publishing",
        jwks_uri=tls_site.url("/jwks.json"),
        id_token_encrypted_response_alg="RSA-OAEP-256",
        id_token_encrypted_response_enc="A256GCM",
    )
    callback = browserless.authorize(client.authorization())
    with refused("token.refused", times=1) as entries:
        answer = client.redeem(callback)
    assert answer.json() == {
        "error": "invalid_client_metadata",
        "error_description": "The client's keys can't be had.",
    }
    assert entries[0]["detail"]["reason"] == "jwks_uri: status 404"
    tls_site.put("/jwks.json", public(SIGNING, RSA))
    clock.advance(60)
    token = client.sign_in(browserless)["id_token"]
    header, _ = opened(token, RSA, "RSA-OAEP-256", "A256GCM")
    assert header["kid"] == RSA.kid
