"""What anybody may send as an answer of an authenticator: never more than a refusal."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import example, given, settings
from hypothesis import strategies as st

from idp.crypto import webauthn
from idp.crypto.secrets import random_token
from idp.crypto.webauthn_answers import (
    LARGEST_RESPONSE,
    TRANSPORTS,
    Assertion,
    BadPasskey,
    Creation,
    read_assertion,
    read_creation,
)
from tests.support.application import ISSUER
from tests.support.software_authenticator import AT, UP, UV, SoftwareAuthenticator, decoded, encoded

PARTY = webauthn.RelyingParty("id.example.test", "Doorward", (ISSUER,))
CHALLENGE = random_token()
PERSON = webauthn.Person(b"handle", "ada@example.test", "Ada")
TO_CREATE = webauthn.creation_options(PARTY, PERSON, CHALLENGE, [], 300)
TO_GET = webauthn.request_options(PARTY, CHALLENGE, [], 300)
DEVICE = SoftwareAuthenticator()
CREATED = DEVICE.create(TO_CREATE, ISSUER)
ASSERTED = DEVICE.get(TO_GET, ISSUER)

unhurried = settings(deadline=None)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
"""What JSON may hold, and a little that it may not."""
octets = st.binary(max_size=200)
some_base64 = octets.map(encoded)
cbor = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | octets | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.integers(-4, 4) | st.text(max_size=9), inner, max_size=5)
    ),
    max_leaves=8,
)


def verified_creation(text: str) -> webauthn.Created:
    return webauthn.verify_creation(PARTY, read_creation(text), CHALLENGE)


def verified_assertion(text: str) -> webauthn.Asserted:
    return webauthn.verify_assertion(PARTY, read_assertion(text), CHALLENGE, DEVICE.public_key())


def with_member(text: str, place: str, value: Any) -> str:
    """Return an answer of which one member, of `response` or beside it, is another."""
    answer = json.loads(text)
    (answer if place in answer else answer["response"])[place] = value
    return json.dumps(answer)


def with_attestation(attestation: bytes) -> str:
    return with_member(CREATED, "attestationObject", encoded(attestation))


def with_data(data: object, form: object = "none", statement: object = None) -> str:
    members = {"fmt": form, "attStmt": statement or {}, "authData": data}
    return with_attestation(cbor2.dumps(members))


def data_with(public_key: bytes, *, extensions: bytes = b"", flags: int = UP | UV | AT) -> bytes:
    start = cbor2.loads(decoded(json.loads(CREATED)["response"]["attestationObject"]))["authData"]
    size = len(DEVICE.credential_id).to_bytes(2, "big")
    named = DEVICE.aaguid + size + DEVICE.credential_id
    assert isinstance(start, bytes)
    return start[:32] + bytes([flags]) + start[33:37] + named + public_key + extensions


def test_an_honest_answer_passes() -> None:
    created = verified_creation(CREATED)
    assert created.public_key == DEVICE.public_key()
    assert created.credential_id == DEVICE.credential_id
    assert verified_assertion(ASSERTED) == webauthn.Asserted(0, True, True)
    assert verified_creation(with_data(data_with(DEVICE.public_key()))).synced is False


@unhurried
@given(st.text() | anything.map(json.dumps))
@example("[" * 60_000)
@example('{"a":' * 10_000)
@example("1" * 5000)
@example("NaN")
@example("\ud800")
def test_any_text(text: str) -> None:
    for read in (read_creation, read_assertion):
        with pytest.raises(BadPasskey):
            read(text)


PLACES = ["id", "rawId", "type", "response", "clientDataJSON"]
CREATION_PLACES = [*PLACES, "attestationObject", "transports"]
ASSERTION_PLACES = [*PLACES, "authenticatorData", "signature", "userHandle"]


@unhurried
@given(st.sampled_from(CREATION_PLACES), anything | some_base64)
def test_any_member_of_a_creation(place: str, value: Any) -> None:
    with suppress(BadPasskey):
        created = verified_creation(with_member(CREATED, place, value))
        assert created.public_key == DEVICE.public_key()
        assert set(created.transports) <= set(TRANSPORTS)


@unhurried
@given(st.sampled_from(ASSERTION_PLACES), anything | some_base64)
def test_any_member_of_an_assertion(place: str, value: Any) -> None:
    if place == "userHandle":  # whose it is decides the domain
        with suppress(BadPasskey):
            verified_assertion(with_member(ASSERTED, place, value))
    elif value != json.loads(ASSERTED).get(place):
        with pytest.raises(BadPasskey):
            verified_assertion(with_member(ASSERTED, place, value))


CLIENT_DATA = ["type", "challenge", "origin", "crossOrigin", "topOrigin", "tokenBinding"]


@unhurried
@given(st.sampled_from(CLIENT_DATA), anything)
@example("type", "\ud800")
@example("challenge", "\ud800")
@example("tokenBinding", {"status": []})
def test_any_client_data(name: str, value: Any) -> None:
    lie = DEVICE.create(TO_CREATE, ISSUER, client_data={name: value})
    try:
        verified_creation(lie)
    except BadPasskey as error:
        error.reason.encode("ascii")
    else:
        assert name == "tokenBinding" or (name, value) == ("crossOrigin", False)


@unhurried
@given(octets)
@example(b"")
@example(b"\xef\xbb\xbf{}")
@example(b"\xff\xfe{\x00}\x00")
@example(b'{"challenge":"\xed\xa0\x80"}')
def test_any_bytes_as_client_data(client_data: bytes) -> None:
    with pytest.raises(BadPasskey):
        read_assertion(with_member(ASSERTED, "clientDataJSON", encoded(client_data)))


@unhurried
@given(octets | cbor.map(cbor2.dumps))
@example(b"\x81" * 40_000)
@example(b"\xbb" + b"\xff" * 8)
@example(b"\x5b\x00\x00\x00\xff\xff\xff\xff\xff")
@example(b"\xc4\x82\x1b" + b"\xff" * 8 + b"\x01")
@example(b"\xc5\x82\x1b" + b"\xff" * 8 + b"\x01")
@example(b"\xd8\x1c\x81\xd8\x1d\x00")
@example(b"\xd8\x23\x78\x08((((((((")
def test_any_attestation(attestation: bytes) -> None:
    with pytest.raises(BadPasskey):
        verified_creation(with_attestation(attestation))


@unhurried
@given(cbor, cbor, cbor)
def test_any_attestation_object(data: object, form: object, statement: object) -> None:
    with pytest.raises(BadPasskey):
        verified_creation(with_data(data, form, statement))


@unhurried
@given(st.sampled_from(["none", "packed", "tpm", "apple", "fido-u2f", "android-key", "x"]), cbor)
def test_a_statement_is_neither_asked_for_nor_trusted(form: str, statement: object) -> None:
    text = with_data(data_with(DEVICE.public_key()), form, statement)
    assert verified_creation(text).public_key == DEVICE.public_key()


@unhurried
@given(octets, st.integers(0, 255))
def test_any_authenticator_data(rest: bytes, flags: int) -> None:
    with suppress(BadPasskey):
        created = verified_creation(with_data(data_with(rest, flags=flags)))
        pytest.fail(f"{created} from {rest!r}")


@unhurried
@given(
    st.dictionaries(
        st.integers(-4, 4),
        st.sampled_from([1, 2, 3, 6, 8, -7, -8, -257, 2**5000]) | octets | cbor,
        max_size=6,
    )
)
@example({1: 3, 3: -257, -1: b"\xff" * 48_000, -2: b"\x01\x00\x01"})
@example({1: 2, 3: -7, -1: 1, -2: b"", -3: b""})
@example({1: 2, 3: -7, -1: 1, -2: bytes(32), -3: bytes(32)})
@example({1: 2, 3: -7, -1: 1, -2: 1, -3: "x"})
@example({1: 2**20000, 3: -7})
@example({1: 1, 3: -8, -1: 6, -2: b"short"})
def test_any_public_key(members: dict[int, Any]) -> None:
    with pytest.raises(BadPasskey):
        verified_creation(with_data(data_with(cbor2.dumps(members))))


def test_a_key_in_the_old_form_of_u2f_is_refused() -> None:
    with pytest.raises(BadPasskey):
        verified_creation(with_data(data_with(b"\x04")))


@unhurried
@given(st.integers(0, 10_000), st.integers(0, 7))
def test_any_flipped_bit_of_an_assertion(place: int, bit: int) -> None:
    """Each is under the signature, or is the signature."""
    for name in ("clientDataJSON", "authenticatorData", "signature"):
        value = bytearray(decoded(json.loads(ASSERTED)["response"][name]))
        value[place % len(value)] ^= 1 << bit
        with pytest.raises(BadPasskey):
            verified_assertion(with_member(ASSERTED, name, encoded(bytes(value))))


@pytest.mark.parametrize("text", [CREATED, ASSERTED])
def test_sizes_are_bounded(text: str) -> None:
    read: Callable[[str], Creation | Assertion]
    read = read_creation if text is CREATED else read_assertion
    read(text + " " * (LARGEST_RESPONSE - len(text)))
    with pytest.raises(BadPasskey, match="too long"):
        read(text + " " * (LARGEST_RESPONSE - len(text) + 1))
    for size, fits in ((1, True), (1023, True), (1024, False)):
        answer = {**json.loads(text), "id": encoded(bytes(size)), "rawId": encoded(bytes(size))}
        if fits:
            assert len(read(json.dumps(answer)).credential_id) == size
        else:
            with pytest.raises(BadPasskey, match="rawId: too long"):
                read(json.dumps(answer))


@pytest.mark.parametrize(
    "handle", ["", None, encoded(bytes(64)), encoded(bytes(65)), "+", "A", "AB", 1]
)
def test_user_handles_are_bounded(handle: Any) -> None:
    text = with_member(ASSERTED, "userHandle", handle)
    if handle in ("", None):
        assert read_assertion(text).user_handle is None
    elif handle == encoded(bytes(64)):
        assert read_assertion(text).user_handle == bytes(64)
    else:
        with pytest.raises(BadPasskey, match="userHandle"):
            read_assertion(text)


@pytest.mark.parametrize("change", ["{}=", "{}!", "\n{}", "{}==", " {}"])
def test_base64url_has_one_spelling(change: str) -> None:
    for name in ("signature", "clientDataJSON", "rawId"):
        answer = json.loads(ASSERTED)
        place = answer if name in answer else answer["response"]
        place[name] = change.format(place[name])
        if name == "rawId":
            answer["id"] = place[name]
        with pytest.raises(BadPasskey, match=f"{name}: not base64url"):
            read_assertion(json.dumps(answer))


def test_the_credential_is_the_one_the_authenticator_made() -> None:
    other = encoded(b"another")
    text = json.dumps({**json.loads(CREATED), "id": other, "rawId": other})
    with pytest.raises(BadPasskey, match="another credential"):
        verified_creation(text)


class Ed25519(SoftwareAuthenticator):
    """Signs with EdDSA."""

    pair = ed25519.Ed25519PrivateKey.generate()

    def public_key(self) -> bytes:
        return cbor2.dumps({1: 1, 3: -8, -1: 6, -2: self.pair.public_key().public_bytes_raw()})

    def sign(self, message: bytes) -> bytes:
        return self.pair.sign(message)


class Rsa(SoftwareAuthenticator):
    """Signs with RS256."""

    def __init__(self, bits: int = 2048, exponent: int = 65537) -> None:
        super().__init__()
        self.pair = rsa.generate_private_key(exponent, bits)

    def public_key(self) -> bytes:
        numbers = self.pair.public_key().public_numbers()
        modulus = numbers.n.to_bytes(self.pair.key_size // 8, "big")
        return cbor2.dumps({1: 3, 3: -257, -1: modulus, -2: numbers.e.to_bytes(3, "big")})

    def sign(self, message: bytes) -> bytes:
        return self.pair.sign(message, padding.PKCS1v15(), SHA256())


@pytest.mark.parametrize("kind", [SoftwareAuthenticator, Ed25519, Rsa])
def test_the_algorithms_that_were_offered_work(kind: Callable[[], SoftwareAuthenticator]) -> None:
    device = kind()
    created = verified_creation(device.create(TO_CREATE, ISSUER))
    assertion = read_assertion(device.get(TO_GET, ISSUER))
    webauthn.verify_assertion(PARTY, assertion, CHALLENGE, created.public_key)
    with pytest.raises(BadPasskey):
        webauthn.verify_assertion(PARTY, assertion, CHALLENGE, DEVICE.public_key())


@pytest.mark.parametrize(("bits", "exponent"), [(1024, 65537), (2048, 3), (4224, 65537)])
def test_rsa_keys_are_neither_weak_nor_costly(bits: int, exponent: int) -> None:
    with pytest.raises(BadPasskey, match="public key"):
        verified_creation(Rsa(bits, exponent).create(TO_CREATE, ISSUER))


@pytest.mark.parametrize(("algorithm", "curve"), [(-7, 2), (-7, 8), (-35, 2), (-8, 1), (-36, 3)])
def test_other_curves_are_refused(algorithm: int, curve: int) -> None:
    numbers = ec.generate_private_key(ec.SECP384R1()).public_key().public_numbers()
    x, y = numbers.x.to_bytes(48, "big"), numbers.y.to_bytes(48, "big")
    key = cbor2.dumps({1: 2, 3: algorithm, -1: curve, -2: x, -3: y})
    with pytest.raises(BadPasskey):
        verified_creation(with_data(data_with(key)))


def test_a_key_with_much_beside_it_is_refused() -> None:
    members = {**cbor2.loads(DEVICE.public_key()), 99: bytes(3000)}
    with pytest.raises(BadPasskey, match="too long"):
        verified_creation(with_data(data_with(cbor2.dumps(members))))
