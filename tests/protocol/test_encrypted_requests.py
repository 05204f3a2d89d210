"""Encrypted request objects, and hints: OpenID Connect Core sections 3.1.2.1, 6.1 and 10.2, RFC
9101 section 6.1; SECURITY groups E and I.
"""

import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest
import requests
from joserfc import jwe
from joserfc.jwk import JWKRegistry, Key

from idp.config import Settings
from idp.crypto.jwe import ENCODINGS, OURS
from idp.domain.services import Services
from idp.protocol import registration
from tests.abuse_browser.asking import ask, redirected
from tests.keys import forging
from tests.support.browserless import Browserless
from tests.support.held_clock import HeldClock
from tests.support.more_clients import Register
from tests.support.refusals import Refused
from tests.support.seeds import OPERATOR, ORIGIN
from tests.support.signed import new_key, public, sign
from tests.support.token_client import TokenClient

KEY = new_key()
ERROR = {
    "error": "invalid_request_object",
    "error_description": "The request object is not valid for this client.",
}


@pytest.fixture
def signer(register: Register) -> TokenClient:
    """A client that registered a key, and nothing of encryption."""
    return register("signer", jwks=public(KEY))


def ours(client: TokenClient, algorithm: str) -> dict[str, Any]:
    """Return the one key of an algorithm to encrypt to, as a library finds it."""
    keys = client.http.get(client.discovery["jwks_uri"]).json()["keys"]
    (found,) = [key for key in keys if key["use"] == "enc" and key["alg"] == algorithm]
    return dict(found)


def encrypted(
    content: str | bytes, key: dict[str, Any], encoding: str = "A256GCM", **header: Any
) -> str:
    """Encrypt with another library; a header of None is left out."""
    algorithm = str(header.get("alg") or key["alg"])
    used: Key = JWKRegistry.import_key({name: key[name] for name in key if name != "use"})
    named = {"alg": algorithm, "enc": encoding, "cty": "JWT", "kid": key["kid"], **header}
    kept = {name: value for name, value in named.items() if value is not None}
    registry = jwe.JWERegistry(algorithms=[algorithm, encoding], strict_check_header=False)
    return jwe.encrypt_compact(kept, content, used, registry=registry)


def both(client: TokenClient) -> tuple[dict[str, str], dict[str, Any]]:
    """Return what stands outside, and what goes inside."""
    asked = client.authorization("openid email")
    outside = {name: asked[name] for name in ("client_id", "response_type", "scope")}
    return {**outside, "redirect_uri": client.redirect_uri}, dict(asked)


def works(client: TokenClient, browser: Browserless, sent: dict[str, Any]) -> None:
    found = browser.authorize(sent)
    assert "code" in found, found
    assert client.redeem(found).status_code == 200


def test_what_discovery_names_opens(signer: TokenClient, browserless: Browserless) -> None:
    """Nobody has to register it (OpenID Connect Registration section 2)."""
    names = signer.discovery["request_object_encryption_alg_values_supported"]
    encodings = signer.discovery["request_object_encryption_enc_values_supported"]
    assert (names, encodings) == (list(OURS), list(ENCODINGS))
    for algorithm in names:
        key = ours(signer, algorithm)
        for encoding in encodings:
            outside, inside = both(signer)
            for kid in (key["kid"], None):
                token = encrypted(sign(inside, KEY), key, encoding, kid=kid)
                page = browserless.start({**outside, "request": token})
                assert page.left_for is None or "code" in page.callback, page
            works(signer, browserless, {**outside, "request": token})
            # RFC 9101 section 6.1: nothing beside it is needed, or read.
            bare = {"client_id": "signer", "request": token, "state": "evil"}
            assert browserless.authorize(bare)["state"] == inside["state"]


def test_what_was_registered_binds_nobody(register: Register, browserless: Browserless) -> None:
    client = register("chosen", jwks=public(KEY), request_object_encryption_alg="RSA-OAEP-256")
    outside, inside = both(client)
    for algorithm in OURS:
        token = encrypted(sign(inside, KEY), ours(client, algorithm))
        works(client, browserless, {**outside, "request": token})
    works(client, browserless, {**outside, "request": sign(inside, KEY)})
    known = {"redirect_uris": ["https://app.example.test/cb"]}
    found = registration.validate(
        {**known, "request_object_encryption_alg": "ECDH-ES"}, operator=False
    )
    assert found["request_object_encryption_enc"] == "A128CBC-HS256"


Refuse = Callable[[TokenClient, dict[str, Any], str], None]


@pytest.fixture
def refuse(http: requests.Session, refused: Refused, settings: Settings) -> Refuse:
    """`refuse(client, sent, reason)`: one word for the client, the reason for the log alone."""

    def check(client: TokenClient, sent: dict[str, Any], reason: str) -> None:
        with refused("authorization.refused", times=1) as told:
            answer = ask(http, client.discovery["authorization_endpoint"], sent)
            found = redirected(answer, client.redirect_uri, settings.issuer)
        assert found.items() >= ERROR.items()
        assert told[0]["detail"]["reason"] == reason

    return check


def test_group_i_whatever_does_not_open_is_refused_with_one_word(
    signer: TokenClient, refuse: Refuse
) -> None:
    """No oracle: a wrong tag, wrong padding and a key of nobody are one answer."""
    outside, inside = both(signer)
    token = sign(inside, KEY)
    closed = "it can't be decrypted"
    for algorithm in OURS:
        key = ours(signer, algorithm)
        for encoding in ENCODINGS:
            good = encrypted(token, key, encoding).split(".")
            for index in (1, 2, 3, 4) if algorithm == "RSA-OAEP-256" else (2, 3, 4):
                octets = bytearray(forging.decode(good[index]))
                octets[-1] ^= 1
                changed = [*good[:index], forging.encode(bytes(octets)), *good[index + 1 :]]
                refuse(signer, {**outside, "request": ".".join(changed)}, closed)
        for kid in ("nobody", "", ours(signer, "ECDH-ES")["kid"] + "x"):
            refuse(signer, {**outside, "request": encrypted(token, key, kid=kid)}, closed)
        stranger = JWKRegistry.generate_key(key["kty"], 2048 if key["kty"] == "RSA" else "P-256")
        other = {**stranger.as_dict(private=False), "alg": algorithm, "kid": key["kid"]}
        refuse(signer, {**outside, "request": encrypted(token, other)}, closed)


def test_case_054_what_costs_or_is_weak_is_refused_before_anything_is_opened(
    signer: TokenClient, refuse: Refuse
) -> None:
    outside, inside = both(signer)
    key = ours(signer, "RSA-OAEP-256")
    good = encrypted(sign(inside, KEY), key)
    rest = good.split(".", 1)[1]
    header = {"alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": key["kid"]}
    bomb = encrypted(zlib.compress(b"0" * 1_000_000), key).split(".", 1)[1]
    for changes, end, reason in (
        ({"zip": "DEF"}, bomb, "an extension that is not understood"),
        ({"crit": ["x"]}, rest, "an extension that is not understood"),
        ({"p2c": 10**9}, rest, "an extension that is not understood"),
        ({"alg": "RSA1_5"}, rest, "encryption not allowed"),
        ({"alg": "dir"}, rest, "encryption not allowed"),
        ({"alg": "ECDH-ES+A128KW"}, rest, "encryption not allowed"),
        ({"enc": "A192GCM"}, rest, "encryption not allowed"),
    ):
        text = f"{forging.part({**header, **changes})}.{end}"
        refuse(signer, {**outside, "request": text}, reason)
    refuse(signer, {**outside, "request": "a" * 33_000 + "...."}, "too long")


def test_case_049_case_053_encryption_proves_nobody(
    signer: TokenClient, register: Register, browserless: Browserless, refuse: Refuse, http: Any
) -> None:
    """Anybody can encrypt to a published key: what is inside is judged as ever."""
    key = ours(signer, "ECDH-ES")
    outside, inside = both(signer)
    other = encrypted(sign(inside, new_key()), key)
    refuse(signer, {**outside, "request": other}, "wrong signature of the request object")
    twice = encrypted(encrypted(sign(inside, KEY), key), key)
    refuse(signer, {**outside, "request": twice}, "not three parts")
    refuse(signer, {**outside, "request": encrypted("text", key)}, "not three parts")
    typed = encrypted(sign(inside, KEY, typ="logout+jwt"), key)
    refuse(signer, {**outside, "request": typed}, "another type of token")
    unsigned = forging.unsigned({"alg": "none"}, inside)
    for content in (unsigned, json.dumps(inside)):
        page = browserless.start({**outside, "request": encrypted(content, key)})
        assert page.callback["error"] == "request_not_supported"
    # Who registered that nothing is signed may encrypt alone (section 6.1).
    trusting = register("trusting", request_object_signing_alg="none")
    outside, inside = both(trusting)
    for content in (forging.unsigned({"alg": "none"}, inside), json.dumps(inside)):
        sent = {**outside, "request": encrypted(content, key, cty=None)}
        works(trusting, browserless, sent)
    refuse(trusting, {**outside, "request": encrypted("{}}", key)}, "claims: not JSON")


def test_a_retired_key_still_opens_and_a_withdrawn_one_does_not(
    signer: TokenClient,
    browserless: Browserless,
    services: Services,
    clock: HeldClock,
    refuse: Refuse,
) -> None:
    outside, inside = both(signer)
    sent = {**outside, "request": encrypted(sign(inside, KEY), ours(signer, "ECDH-ES"))}
    clock.advance(services.decryption_keys.schedule.publication)
    services.keyring.rotate(origin=ORIGIN, actor=OPERATOR)
    works(signer, browserless, sent)
    fresh = {**outside, "request": encrypted(sign(inside, KEY), ours(signer, "ECDH-ES"))}
    works(signer, browserless, fresh)
    services.keyring.rotate("ECDH-ES", emergency=True, origin=ORIGIN, actor=OPERATOR)
    refuse(signer, fresh, "it can't be decrypted")
    works(signer, browserless, sent)
    clock.advance(services.decryption_keys.schedule.longest_token + 60)
    services.housekeeping.run_once()
    refuse(signer, sent, "it can't be decrypted")


def test_a_hint_may_be_encrypted_to_us(
    signer: TokenClient, browserless: Browserless, refused: Refused
) -> None:
    """Section 3.1.2.1: the client decrypts it, and may encrypt it again."""
    token = signer.sign_in(browserless)["id_token"]
    key = ours(signer, "RSA-OAEP-256")
    asked = signer.authorization(id_token_hint=encrypted(token, key), prompt="none")
    assert "code" in browserless.authorize(asked)
    for wrong in (encrypted("text", key), encrypted(encrypted(token, key), key), "a.b.c.d.e"):
        with refused("logout.refused", times=1):
            assert browserless.get("/oauth2/logout", {"id_token_hint": wrong}).status == 400
    page = browserless.get("/oauth2/logout", {"id_token_hint": encrypted(token, key)})
    assert page.title.startswith("Signed out")
