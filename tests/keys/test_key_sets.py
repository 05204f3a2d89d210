"""JWK Sets of others: what can be used, what is left out, what spoils the whole set."""

from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from idp.crypto import foreign_jwt, key_sets
from idp.crypto.compact import BadToken
from idp.crypto.jwk import BadKey
from tests.keys import forging
from tests.support.signed import new_key, public, sign

RSA = RSAKey.generate_key(2048, {"kid": "rsa"}).as_dict(private=False)
EC = ECKey.generate_key("P-256", {"kid": "ec"}).as_dict(private=False)
OKP = OKPKey.generate_key("Ed25519", {"kid": "okp"}).as_dict(private=False)
TOO_SHORT = {"kty": "RSA", "kid": "short", "e": "AQAB", "n": forging.encode(b"\xff" * 128)}
TOO_LONG = {"kty": "RSA", "kid": "long", "e": "AQAB", "n": forging.encode(b"\xff" * 1025)}
SLOW = {**RSA, "kid": "slow", "e": forging.encode(b"\x01" * 250)}
UNUSABLE: list[Any] = [
    None,
    "text",
    [],
    {},
    {"kty": ["RSA"]},
    {"kty": "future", "x": "AA"},
    {"kty": "RSA", "e": "AQAB"},
    {**RSA, "n": 5},
    {**RSA, "n": "ü"},
    {**RSA, "n": "A" * 1501},
    {**RSA, "kid": 5},
    {**RSA, "kid": "k" * 257},
    {**RSA, "use": []},
    {**RSA, "key_ops": "verify"},
    {**EC, "crv": "secp256k1"},
    {**OKP, "crv": "X25519"},
    TOO_SHORT,
    TOO_LONG,
    SLOW,
]


def test_what_cant_be_used_is_left_out_of_what_a_client_publishes() -> None:
    """RFC 7517 section 5; but at registration the client is told."""
    assert [key.kid for key in key_sets.read({"keys": [RSA, EC, OKP], "more": 1})] == [
        "rsa",
        "ec",
        "okp",
    ]
    for odd in UNUSABLE:
        assert [key.kid for key in key_sets.read({"keys": [odd, EC]})] == ["ec"], odd
        with pytest.raises(BadKey):
            key_sets.check({"keys": [odd]})
    key_sets.check({"keys": [RSA, EC, OKP]})
    key_sets.check({"keys": [{name: value for name, value in EC.items() if name != "kid"}]})


def test_what_is_no_set_is_refused() -> None:
    none: list[Any] = [None, [], "keys", {}, {"keys": {}}, {"keys": "x"}, {"keys": [EC] * 21}]
    for document in none:
        with pytest.raises(BadKey):
            key_sets.read(document)
        with pytest.raises(BadKey):
            key_sets.check(document)
    off_the_curve = {**EC, "y": EC["x"]}
    nameless = {name: value for name, value in RSA.items() if name != "kid"}
    for keys in ([], [EC, EC], [EC, nameless], [off_the_curve], [EC, {**OKP, "kid": "ec"}]):
        with pytest.raises(BadKey):
            key_sets.check({"keys": keys})


def test_a_private_key_spoils_the_set() -> None:
    """Everybody can read it: nothing that it signs proves anything."""
    for made in (RSAKey.generate_key(2048), ECKey.generate_key("P-256"), OctKey.generate_key(256)):
        for act in (key_sets.read, key_sets.check):
            with pytest.raises(BadKey, match="private or symmetric"):
                act({"keys": [EC, made.as_dict(private=True)]})
    for name in ("d", "p", "q", "dp", "dq", "qi", "oth", "k"):
        with pytest.raises(BadKey, match="private or symmetric"):
            key_sets.read({"keys": [{**RSA, name: "AA"}]})


def kids(
    keys: list[dict[str, Any]], kid: str | None, algorithm: str, use: str = "sig"
) -> list[Any]:
    found = key_sets.choose(key_sets.read({"keys": keys}), kid, algorithm, use)
    return [key.kid for key in found]


def test_case_050_a_key_serves_what_it_is_for() -> None:
    everything = [RSA, EC, OKP]
    for algorithm, kid in (("RS256", "rsa"), ("PS256", "rsa"), ("ES256", "ec"), ("EdDSA", "okp")):
        assert kids(everything, kid, algorithm) == [kid]
        assert kids(everything, None, algorithm) == [kid]
        assert kids(everything, "other", algorithm) == []
    for algorithm in ("HS256", "none", "RS512", "ECDH-ES", ""):
        assert kids(everything, "rsa", algorithm) == []
    assert kids([{**RSA, "alg": "PS256"}], "rsa", "RS256") == []
    assert kids([{**RSA, "use": "enc"}], "rsa", "RS256") == []
    assert kids([{**RSA, "key_ops": ["encrypt"]}], "rsa", "RS256") == []
    assert kids([{**RSA, "key_ops": ["verify"]}], "rsa", "RS256") == ["rsa"]
    assert kids([RSA, {**RSA, "kid": "two"}], None, "RS256") == []
    assert kids([RSA, {**RSA, "kid": "two"}], None, "RSA-OAEP-256", "enc") == ["rsa", "two"]
    assert kids([{**RSA, "use": "sig"}], None, "RSA-OAEP-256", "enc") == []
    assert kids([{**EC, "alg": "ECDH-ES"}], None, "ECDH-ES+A128KW", "enc") == ["ec"]
    assert kids([{**EC, "alg": "ES256"}], None, "ECDH-ES", "enc") == []
    with pytest.raises(BadKey):
        key_sets.read({"keys": [EC]})[0].verifier("ES384")


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519"])
def test_what_others_signed_is_verified(algorithm: str) -> None:
    key, other = new_key(algorithm), new_key(algorithm)
    token = foreign_jwt.read(sign({"a": 1}, key, algorithm))
    assert (token.claims, token.kid, token.typ) == ({"a": 1}, "first", "jwt")
    assert token.signed_by(key_sets.read(public(key))[0].verifier(algorithm))
    assert not token.signed_by(key_sets.read(public(other))[0].verifier(algorithm))
    assert not token.signed_with("secret")
    assert not token.unsigned


def test_a_mac_needs_its_secret() -> None:
    token = foreign_jwt.read(sign({}, "s" * 32, "HS256", kid=None, typ=None))
    assert (token.kid, token.typ) == (None, "")
    assert token.signed_with("s" * 32)
    assert not token.signed_with("s" * 33)
    assert not foreign_jwt.read(forging.unsigned({"alg": "HS256"}, {})).signed_with("")
    unsigned = foreign_jwt.read(forging.unsigned({"alg": "none"}, {}))
    assert unsigned.unsigned
    assert not unsigned.signed_with("")
    assert not foreign_jwt.read(forging.by_hmac({"alg": "none"}, {}, b"x")).unsigned


def test_case_052_case_054_odd_tokens_are_not_read() -> None:
    good = forging.unsigned({"alg": "ES256"}, {})
    assert foreign_jwt.read(good).algorithm == "ES256"
    odd: list[Any] = [
        "",
        "a.b",
        "a.b.c.d",
        good + ".",
        good + "=",
        "é" + good,
        "A" * 16_385,
        f"{forging.encode(b'[' * 2000)}.e30.",
        f"{'e' * 2049}.e30.",
        forging.unsigned([], {}),
        forging.unsigned({}, {}),
        forging.unsigned({"alg": None}, {}),
        forging.unsigned({"alg": ["ES256"]}, {}),
        forging.unsigned({"alg": "ES256", "crit": ["exp"]}, {}),
        forging.unsigned({"alg": "ES256", "b64": False}, {}),
        forging.unsigned({"alg": "ES256", "kid": ""}, {}),
        forging.unsigned({"alg": "ES256", "kid": "k" * 257}, {}),
        forging.unsigned({"alg": "ES256", "typ": 1}, {}),
        forging.unsigned({"alg": "ES256"}, []),
    ]
    header = forging.part({"alg": "ES256"})
    for claims in (b'{"a":1,"a":2}', b'{"a":NaN}', b"\xff", b"[]", b""):
        odd.append(f"{header}.{forging.encode(claims)}.")
    for token in odd:
        with pytest.raises(BadToken):
            foreign_jwt.read(token)
