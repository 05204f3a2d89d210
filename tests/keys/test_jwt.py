"""Signed tokens: what verifies, and every way in which something else must not."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import JWKRegistry

from idp.crypto import jwk, jwt
from idp.crypto.algorithms import ALGORITHMS
from idp.crypto.jwt import BadToken, PrivateKey, PublicKey
from tests.keys import forging

CLAIMS = {"iss": "https://id.example.com", "sub": "ada", "name": "Ada ✓", "exp": 1_800_000_000}
NEW = {algorithm: jwk.generate(algorithm) for algorithm in ALGORITHMS}
PRIVATE = {name: jwk.load_private(new.kid, name, new.private) for name, new in NEW.items()}
PUBLIC = {new.kid: jwk.load_public(new.public_jwk) for new in NEW.values()}
EC: PrivateKey = PRIVATE["ES256"]
EVERY_ALGORITHM = pytest.mark.parametrize("algorithm", ALGORITHMS)


def check(token: str, typ: str = "at+jwt", algorithms: tuple[str, ...] = ("ES256", "RS256")) -> Any:
    return jwt.verify(token, PUBLIC.get, algorithms=algorithms, typ=typ)


def refused(token: str, typ: str = "at+jwt", algorithms: tuple[str, ...] = ("ES256",)) -> str:
    with pytest.raises(BadToken) as caught:
        check(token, typ, algorithms)
    return caught.value.reason


def signed(header: dict[str, Any], claims: bytes = b"{}") -> str:
    """A token whose signature is right, whatever the header and the claims say."""
    message = f"{forging.part(header)}.{forging.encode(claims)}"
    signature = ALGORITHMS["ES256"].sign(EC._key, message.encode())
    return f"{message}.{forging.encode(signature)}"


def header(**changes: Any) -> dict[str, Any]:
    return {"alg": "ES256", "kid": EC.kid, "typ": "at+jwt", **changes}


@EVERY_ALGORITHM
def test_what_is_signed_verifies(algorithm: str) -> None:
    token = PRIVATE[algorithm].sign(CLAIMS, "at+jwt")
    assert check(token, algorithms=(algorithm,)) == CLAIMS


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@EVERY_ALGORITHM
def test_another_library_agrees(algorithm: str) -> None:
    new = NEW[algorithm]
    public = JWKRegistry.import_key(new.public_jwk)
    token = PRIVATE[algorithm].sign(CLAIMS, "at+jwt")
    decoded = joserfc_jwt.decode(token, public, algorithms=[algorithm])
    assert decoded.claims == CLAIMS
    assert decoded.header == {"alg": algorithm, "kid": new.kid, "typ": "at+jwt"}
    private = JWKRegistry.import_key(new.private, ALGORITHMS[algorithm].key_type)
    theirs = joserfc_jwt.encode(header(alg=algorithm, kid=new.kid), CLAIMS, private, [algorithm])
    assert check(theirs, algorithms=(algorithm,)) == CLAIMS


@EVERY_ALGORITHM
def test_a_kid_is_the_thumbprint_and_nothing_private_is_published(algorithm: str) -> None:
    published = NEW[algorithm].public_jwk
    key = JWKRegistry.import_key(published)
    assert published["kid"] == NEW[algorithm].kid == key.thumbprint()
    assert {"d", "p", "q", "dp", "dq", "qi", "k"}.isdisjoint(published)
    assert (published["alg"], published["use"]) == (algorithm, "sig")


@EVERY_ALGORITHM
def test_no_text_form_shows_a_private_key(algorithm: str) -> None:
    new = NEW[algorithm]
    assert "private" not in repr(new)
    assert repr(new.private)[2:20] not in repr(new) + repr(PRIVATE[algorithm])


@EVERY_ALGORITHM
def test_a_changed_bit_is_noticed(algorithm: str) -> None:
    token = PRIVATE[algorithm].sign(CLAIMS, "at+jwt")
    parts = token.split(".")
    for index in range(3):
        octets = bytearray(forging.decode(parts[index]))
        octets[len(octets) // 2] ^= 1
        changed = [*parts]
        changed[index] = forging.encode(bytes(octets))
        refused(".".join(changed), algorithms=(algorithm,))


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", ""])
def test_case_049_no_signature_is_refused(name: str) -> None:
    for typ in ("JWT", "at+jwt", "oauth-authz-req+jwt", "logout+jwt"):
        token = forging.unsigned(header(alg=name, typ=typ), CLAIMS)
        assert refused(token, typ, ("ES256", name)) == "algorithm of another key"
        assert refused(token, typ) == "algorithm not allowed"
    with_kid_of_none = forging.unsigned(header(alg=name, kid="none"), CLAIMS)
    assert refused(with_kid_of_none, algorithms=(name,)) == "unknown key"


def test_case_049_an_empty_signature_under_a_right_header_is_refused() -> None:
    assert refused(forging.unsigned(header(), CLAIMS)) == "wrong signature"


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_case_050_an_hmac_under_our_public_key_is_refused(algorithm: str) -> None:
    public: Any = JWKRegistry.import_key(NEW[algorithm].public_jwk).public_key
    secrets = [
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(NEW[algorithm].public_jwk).encode(),
    ]
    for secret in secrets:
        for name in ("HS256", algorithm):
            token = forging.by_hmac(header(alg=name, kid=NEW[algorithm].kid), CLAIMS, secret)
            refused(token, algorithms=("ES256", "RS256"))
            refused(token, algorithms=("ES256", "RS256", "HS256"))


def test_case_050_a_key_serves_its_own_algorithm_alone() -> None:
    message = f"{forging.part(header(alg='PS256', kid=NEW['RS256'].kid))}.{forging.part(CLAIMS)}"
    signature = ALGORITHMS["PS256"].sign(PRIVATE["RS256"]._key, message.encode())
    token = f"{message}.{forging.encode(signature)}"
    assert refused(token, algorithms=("RS256", "PS256")) == "algorithm of another key"


@pytest.mark.parametrize(
    "extension",
    [
        {"crit": ["exp"]},
        {"crit": []},
        {"crit": ["b64"], "b64": False},
        {"b64": False},
        {"b64": True},
        {"crit": None},
        {"crit": ["unknown"], "unknown": 1},
    ],
    ids=str,
)
def test_case_052_extensions_are_refused_even_when_signed(extension: dict[str, Any]) -> None:
    assert refused(signed(header(**extension))) == "an extension that is not understood"


def test_case_052_an_unprotected_header_has_no_place() -> None:
    token = EC.sign(CLAIMS, "at+jwt")
    protected, payload, signature = token.split(".")
    flattened = {"protected": protected, "payload": payload, "signature": signature}
    assert refused(json.dumps({**flattened, "header": {"crit": ["x"]}})) == "not three parts"


@pytest.mark.parametrize("typ", ["JWT", "at+jwt", "logout+jwt", "oauth-authz-req+jwt"])
def test_case_053_a_token_of_another_type_is_refused(typ: str) -> None:
    token = EC.sign(CLAIMS, typ)
    for asked in {"JWT", "at+jwt", "logout+jwt", "oauth-authz-req+jwt"} - {typ}:
        assert refused(token, asked) == "another type of token"


def test_case_053_a_token_without_type_is_refused() -> None:
    without = header()
    del without["typ"]
    for bare in (without, header(typ=None), header(typ=7), header(typ=["at+jwt"])):
        assert refused(signed(bare)) == "alg, kid and typ are needed"


@pytest.mark.parametrize(
    "written", ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"]
)
def test_a_type_is_compared_as_a_media_type(written: str) -> None:
    assert check(signed(header(typ=written)), "at+jwt") == {}
    assert check(EC.sign({}, "at+jwt"), written) == {}


@pytest.mark.parametrize("kid", [None, 7, "", "k" * 257, ["a"]])
def test_a_kid_is_needed(kid: object) -> None:
    assert refused(signed(header(kid=kid))) in {"alg, kid and typ are needed", "kid too long"}


def test_an_unknown_key_is_refused() -> None:
    assert refused(signed(header(kid="someone else's"))) == "unknown key"


HUGE = "A" * (2 * 1024 * 1024)
DEEP = b"[" * 100_000


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (f"{forging.part(header())}.{HUGE}.AAAA", "too long"),
        (f"{forging.part(header(x='y' * 3000))}.e30.AAAA", "header too long"),
        (f"{forging.encode(DEEP[:1500])}.e30.AAAA", "header: not JSON"),
        ("a.b.c.d.e", "not three parts"),
        ("a.b", "not three parts"),
        ("", "not three parts"),
        ("é.b.c", "not ASCII"),
        (
            f"{forging.part({'alg': 'dir', 'enc': 'A256GCM', 'zip': 'DEF'})}..a.b.c",
            "not three parts",
        ),
        (
            f"{forging.part(header(alg='PBES2-HS256+A128KW', p2c=10**9))}.e30.AAAA",
            "algorithm not allowed",
        ),
    ],
    ids=lambda value: value[:30],
)
def test_case_054_limits_come_before_cryptography(
    token: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_arguments: object) -> bool:
        raise AssertionError("cryptography was reached")

    monkeypatch.setattr(PublicKey, "verify", never)
    assert refused(token) == reason


def test_case_054_deep_claims_of_a_signed_token_are_an_error_and_no_crash() -> None:
    assert refused(signed(header(), DEEP[:10_000])) == "claims: not JSON"


@pytest.mark.parametrize(
    "claims",
    [b"[]", b'"text"', b"7", b"null", b"", b"{", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"\xff{}"],
    ids=repr,
)
def test_claims_are_one_json_object(claims: bytes) -> None:
    assert refused(signed(header(), claims)).startswith("claims: not")


def test_a_header_that_says_a_thing_twice_is_refused() -> None:
    text = f'{{"alg":"ES256","kid":"{EC.kid}","typ":"at+jwt","typ":"JWT"}}'
    message = f"{forging.encode(text.encode())}.e30"
    signature = ALGORITHMS["ES256"].sign(EC._key, message.encode())
    assert refused(f"{message}.{forging.encode(signature)}") == "header: not JSON"


@pytest.mark.parametrize("change", [lambda t: t + "=", lambda t: t + "A", lambda t: t + "\n"])
def test_a_token_has_one_spelling(change: Callable[[str], str]) -> None:
    refused(change(EC.sign(CLAIMS, "at+jwt")))


def test_spare_bits_of_the_last_letter_are_no_second_spelling() -> None:
    token = PRIVATE["RS256"].sign(CLAIMS, "at+jwt")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    neighbour = letters[letters.index(token[-1]) ^ 1]
    assert refused(token[:-1] + neighbour, algorithms=("RS256",)) == "not base64url"


@given(st.text(max_size=200))
def test_no_text_crashes(token: str) -> None:
    refused(token)


@given(st.lists(st.binary(max_size=60), min_size=3, max_size=3))
def test_no_three_parts_crash(parts: list[bytes]) -> None:
    refused(".".join(forging.encode(part) for part in parts))


@pytest.mark.parametrize(
    "change",
    [
        {"alg": "RS256"},
        {"alg": "none"},
        {"alg": None},
        {"kid": None},
        {"kty": "RSA"},
        {"crv": "P-384"},
        {"x": "AAAA"},
    ],
    ids=str,
)
def test_a_jwk_must_be_what_it_says(change: dict[str, Any]) -> None:
    with pytest.raises(jwk.BadKey):
        jwk.load_public({**NEW["ES256"].public_jwk, **change})
