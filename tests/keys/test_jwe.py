"""Encrypted tokens: what opens, and what is refused before any cryptography runs."""

import json
import zlib
from typing import Any

import pytest
from joserfc import jwe as joserfc_jwe
from joserfc.jwk import ECKey, OctKey, RSAKey

from idp.crypto import jwe
from idp.crypto.compact import BadToken
from tests.keys.forging import decode, encode, part

KEYS = {algorithm: jwe.generate(algorithm) for algorithm in jwe.OURS}
OPENED = [jwe.load_private(key.kid, key.algorithm, key.private) for key in KEYS.values()]


def find(kid: str | None, algorithm: str) -> list[jwe.DecryptionKey]:
    return [key for key in OPENED if kid in {None, key.kid}]


def opened(token: str) -> bytes:
    return jwe.decrypt(token, find)


def refusal(token: str) -> str:
    with pytest.raises(BadToken) as refused:
        opened(token)
    return refused.value.reason


def with_header(token: str, **changed: Any) -> str:
    """Return a token with another header, which its tag does not know of."""
    first, rest = token.split(".", 1)
    return f"{part({**json.loads(decode(first)), **changed})}.{rest}"


@pytest.mark.parametrize("encoding", jwe.ENCODINGS)
@pytest.mark.parametrize("algorithm", jwe.OURS)
def test_what_is_encrypted_to_us_is_opened(algorithm: str, encoding: str) -> None:
    key = KEYS[algorithm]
    assert key.public_jwk["use"] == "enc"
    assert not {"d", "p", "q"} & key.public_jwk.keys()
    for kid in (key.kid, None):
        token = jwe.encrypt(b"\0 payload", key.public_jwk, algorithm, encoding, "JWT", kid)
        assert jwe.is_encrypted(token)
        assert opened(token) == b"\0 payload"
        header = json.loads(decode(token.partition(".")[0]))
        assert (header["alg"], header["enc"], header["cty"]) == (algorithm, encoding, "JWT")
        assert header.get("kid") == kid


@pytest.mark.parametrize("algorithm", jwe.KEY_TYPES)
def test_others_open_what_we_encrypt(algorithm: str) -> None:
    made = (
        [RSAKey.generate_key(2048)]
        if jwe.KEY_TYPES[algorithm] == "RSA"
        else [ECKey.generate_key(curve) for curve in ("P-256", "P-384", "P-521")]
    )
    for key in made:
        public = {**key.as_dict(private=False), "kid": "theirs", "use": "enc", "x5t": "any"}
        token = jwe.encrypt(b"{}", public, algorithm, "A256GCM", "", "theirs")
        allowed = [algorithm, "A256GCM"]
        assert joserfc_jwe.decrypt_compact(token, key, algorithms=allowed).plaintext == b"{}"


def test_nothing_is_encrypted_to_a_key_of_another_type() -> None:
    rsa, curve = KEYS["RSA-OAEP-256"].public_jwk, KEYS["ECDH-ES"].public_jwk
    wrong: list[tuple[dict[str, Any], str, str]] = [
        (rsa, "ECDH-ES", "A128GCM"),
        (curve, "RSA-OAEP-256", "A128GCM"),
        (rsa, "RSA1_5", "A128GCM"),
        (rsa, "RSA-OAEP", "A128GCM"),
        (rsa, "RSA-OAEP-256", "A192CBC-HS384"),
        ({"kty": "oct", "k": "AAAA"}, "dir", "A128GCM"),
        ({"kty": "RSA", "n": "AQAB", "e": "AQAB"}, "RSA-OAEP-256", "A128GCM"),
        ({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, "ECDH-ES", "A128GCM"),
        ({"kty": "EC"}, "ECDH-ES", "A128GCM"),
    ]
    for public, algorithm, encoding in wrong:
        with pytest.raises(jwe.BadEncryptionKey):
            jwe.encrypt(b"{}", public, algorithm, encoding, "", None)


@pytest.mark.parametrize("algorithm", jwe.OURS)
def test_a_changed_token_does_not_open(algorithm: str) -> None:
    key = KEYS[algorithm]
    token = jwe.encrypt(b"payload", key.public_jwk, algorithm, "A128GCM", "JWT", key.kid)
    parts = token.split(".")
    for index in range(1, 5):
        octets = decode(parts[index])
        for changed in (octets[:-1] + bytes([octets[-1] ^ 1]) if octets else b"x", octets[:-4]):
            if changed != octets:
                other = [*parts[:index], encode(changed), *parts[index + 1 :]]
                assert refusal(".".join(other)) == "it can't be decrypted"
    assert refusal(with_header(token, typ="JOSE")) == "it can't be decrypted"
    assert refusal(with_header(token, kid="other")) == "it can't be decrypted"
    assert refusal(with_header(token, kid=5)) == "kid is no short text"
    assert refusal(with_header(token, enc="A256GCM")) == "it can't be decrypted"
    assert refusal(with_header(token, enc="A128CBC-HS256")) == "it can't be decrypted"


def test_a_key_serves_its_own_algorithm_alone() -> None:
    key = KEYS["ECDH-ES"]
    token = jwe.encrypt(b"{}", key.public_jwk, "ECDH-ES+A128KW", "A128GCM", "", key.kid)
    assert refusal(token) == "encryption not allowed"
    with pytest.raises(BadToken, match="it can't be decrypted"):
        jwe.decrypt(token, find, algorithms=["ECDH-ES+A128KW"])
    token = jwe.encrypt(b"{}", key.public_jwk, "ECDH-ES", "A128GCM", "", key.kid)
    with pytest.raises(BadToken, match="encryption not allowed"):
        jwe.decrypt(token, find, encodings=["A256GCM"])


def test_case_054_bombs_and_slow_parameters_are_refused_before_cryptography() -> None:
    key = KEYS["RSA-OAEP-256"]
    bomb = zlib.compress(b"0" * 10_000_000)[2:-4]
    token = jwe.encrypt(bomb, key.public_jwk, "RSA-OAEP-256", "A128GCM", "JWT", key.kid)
    assert len(token) < jwe.LARGEST_TOKEN
    for extra in ({"zip": "DEF"}, {"crit": ["x"], "x": 1}, {"p2c": 10**9, "p2s": "AA"}):
        assert refusal(with_header(token, **extra)) == "an extension that is not understood"
    strange: list[Any] = ["PBES2-HS256+A128KW", "RSA1_5", "RSA-OAEP", "dir", "none", None, [], {}]
    for value in strange:
        assert refusal(with_header(token, alg=value)) == "encryption not allowed"
        assert refusal(with_header(token, enc=value)) == "encryption not allowed"
    assert refusal("a" * (jwe.LARGEST_TOKEN + 1)) == "too long"
    assert refusal(f"{'e' * 3000}.a.a.a.a") == "header too long"
    assert refusal("e30.a.a.a") == "not five parts"
    assert refusal("e30.a.a.a.a.a") == "not five parts"
    assert refusal(f"{part([])}.a.a.a.a") == "header: not an object"
    assert refusal(f"{encode(b'[' * 1000)}.a.a.a.a") == "header: not JSON"


def test_odd_ephemeral_keys_are_refused() -> None:
    key = KEYS["ECDH-ES"]
    token = jwe.encrypt(b"{}", key.public_jwk, "ECDH-ES", "A128GCM", "", key.kid)
    other_curve = ECKey.generate_key("P-384").as_dict(private=False)
    off_the_curve = {"kty": "EC", "crv": "P-256", "x": encode(b"\1" * 32), "y": encode(b"\1" * 32)}
    symmetric = OctKey.generate_key(256).as_dict()
    strange: list[Any] = [None, 5, [], {}, {"kty": "EC"}, "x", other_curve, off_the_curve]
    for epk in (*strange, symmetric):
        assert refusal(with_header(token, epk=epk)) == "it can't be decrypted", epk
    for name in ("apu", "apv"):
        for value in (5, "AA", "*", "ü"):
            assert refusal(with_header(token, **{name: value})) == "it can't be decrypted"
