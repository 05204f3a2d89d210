"""Encrypted tokens in compact form (RFC 7516, RFC 7518 sections 4 and 5). Wraps joserfc.

Compressed ones are refused, since a small token may become any size, and so is everything with a
password or RSAES-PKCS1-v1_5. Every limit is checked before any cryptography runs.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, RSAKey

from idp.crypto.compact import BadToken, decode, read_object, split

KEY_TYPES: Mapping[str, str] = {
    "RSA-OAEP-256": "RSA",
    "ECDH-ES": "EC",
    "ECDH-ES+A128KW": "EC",
    "ECDH-ES+A256KW": "EC",
}
"""The `alg` values, each with the `kty` that it needs."""
ENCODINGS = ("A128GCM", "A256GCM", "A128CBC-HS256")
"""The `enc` values."""
OURS = ("RSA-OAEP-256", "ECDH-ES")
"""What is decrypted here: one kind of key for each."""
LARGEST_TOKEN = 32 * 1024
"""Characters of a token that is decrypted: one that is signed inside has to fit."""
_PARTS = 5
_LONGEST_KID = 256
_NOT_UNDERSTOOD = ("crit", "zip", "p2c", "p2s", "b64")
_RSA_BITS = 2048
_RSA_EXPONENT = 65537
_BROKEN = (
    JoseError,
    ValueError,
    TypeError,
    KeyError,
    AssertionError,
    InvalidTag,
    UnsupportedAlgorithm,
)


class BadEncryptionKey(Exception):
    """Nothing can be encrypted to this key."""


@dataclass(frozen=True)
class NewEncryptionKey:
    """A fresh key: the JWK to publish, and the private half (PKCS #8 in DER) to seal."""

    kid: str
    algorithm: str
    public_jwk: dict[str, Any]
    private: bytes = field(repr=False)


@dataclass(frozen=True)
class DecryptionKey:
    """A private half of ours, parsed. It serves one algorithm."""

    kid: str
    algorithm: str
    _key: RSAKey | ECKey = field(repr=False)

    def open(self, token: str, encoding: str) -> bytes:
        """Return what is in a token whose header was checked. Raises BadToken."""
        allowed = jwe.JWERegistry(algorithms=(self.algorithm, encoding), strict_check_header=False)
        try:
            plain = jwe.decrypt_compact(token, self._key, registry=allowed).plaintext
        except _BROKEN as error:
            raise BadToken("it can't be decrypted") from error
        if plain is None:
            raise BadToken("it can't be decrypted")
        return plain


FindKeys = Callable[[str | None, str], Sequence[DecryptionKey]]
"""`kid`, where the token names one, and `alg` → the keys to try."""


def generate(algorithm: str) -> NewEncryptionKey:
    """Make a key for `algorithm`; its thumbprint is its `kid`. An RSA key takes about 100 ms."""
    private_key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    if KEY_TYPES[algorithm] == "RSA":
        private_key = rsa.generate_private_key(_RSA_EXPONENT, _RSA_BITS)
    else:
        private_key = ec.generate_private_key(ec.SECP256R1())
    private = private_key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    pem = private_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    jwk = JWKRegistry.import_key(pem, KEY_TYPES[algorithm])
    kid = jwk.thumbprint()
    named = {"kid": kid, "alg": algorithm, "use": "enc"}
    return NewEncryptionKey(kid, algorithm, {**jwk.as_dict(private=False), **named}, private)


def load_private(kid: str, algorithm: str, private: bytes) -> DecryptionKey:
    """Parse the private half that `generate` made.

    The arithmetic check of RSA keys (40 ms) is left out: the seal has proved the bytes ours.
    """
    key = serialization.load_der_private_key(
        private, password=None, unsafe_skip_rsa_key_validation=True
    )
    if isinstance(key, rsa.RSAPrivateKey):
        return DecryptionKey(kid, algorithm, RSAKey(key, key))
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return DecryptionKey(kid, algorithm, ECKey(key, key))
    raise BadEncryptionKey("neither RSA nor EC")


def encrypt(
    payload: bytes,
    public_jwk: Mapping[str, Any],
    alg: str,
    enc: str,
    cty: str,
    kid: str | None,
    issuer: str | None = None,
) -> str:
    """Return `payload` encrypted to a public key; `cty` is "JWT" for a signed token inside, and
    `issuer` is told outside as well (RFC 7519 section 5.3).

    Raises BadEncryptionKey when the key is not one for `alg`.
    """
    if public_jwk.get("kty") != KEY_TYPES.get(alg) or enc not in ENCODINGS:
        raise BadEncryptionKey("not a key of the algorithm's type")
    header = {"alg": alg, "enc": enc}
    header.update({"cty": cty} if cty else {})
    header.update({"kid": kid} if kid else {})
    header.update({"iss": issuer} if issuer else {})
    # What else the key says was checked when it was chosen.
    plain = {name: value for name, value in public_jwk.items() if name in _KEY_MEMBERS}
    try:
        key = JWKRegistry.import_key(plain, KEY_TYPES[alg])
        allowed = jwe.JWERegistry(algorithms=(alg, enc), strict_check_header=False)
        return jwe.encrypt_compact(header, payload, key, registry=allowed)
    except _BROKEN as error:
        raise BadEncryptionKey("it can't be encrypted to") from error


_KEY_MEMBERS = frozenset({"kty", "n", "e", "crv", "x", "y"})


def decrypt(
    token: str,
    find_keys: FindKeys,
    *,
    algorithms: Collection[str] = OURS,
    encodings: Collection[str] = ENCODINGS,
) -> bytes:
    """Return what is in a token that was encrypted to one of our keys. Raises BadToken."""
    header = _read_header(token)
    if header.algorithm not in algorithms or header.encoding not in encodings:
        raise BadToken("encryption not allowed")
    for key in find_keys(header.kid, header.algorithm):
        if key.algorithm == header.algorithm and header.kid in {None, key.kid}:
            try:
                return key.open(token, header.encoding)
            except BadToken:
                continue
    raise BadToken("it can't be decrypted")


@dataclass(frozen=True)
class _Header:
    algorithm: str
    encoding: str
    kid: str | None


def _read_header(token: str) -> _Header:
    header = read_object(decode(split(token, _PARTS, LARGEST_TOKEN)[0]), "header")
    if not header.keys().isdisjoint(_NOT_UNDERSTOOD):
        raise BadToken("an extension that is not understood")
    kid = header.get("kid")
    if kid is not None and not (isinstance(kid, str) and len(kid) <= _LONGEST_KID):
        raise BadToken("kid is no short text")
    return _Header(str(header.get("alg")), str(header.get("enc")), kid)


def is_encrypted(token: str) -> bool:
    """Whether a token has the five parts of an encrypted one (RFC 7516 section 9)."""
    return token.count(".") == _PARTS - 1
