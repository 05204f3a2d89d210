"""Signed JSON Web Tokens in compact form (RFC 7515, RFC 7519), made and verified as RFC 8725 asks.

What the claims mean is not decided here. Every limit is checked before any cryptography runs.
"""

import functools
import hashlib
import hmac
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from idp.crypto.algorithms import Algorithm
from idp.crypto.compact import (
    LARGEST_TOKEN,
    BadToken,
    decode,
    encode,
    media_type,
    read_object,
    split,
)

__all__ = ["LARGEST_TOKEN", "BadToken", "PrivateKey", "PublicKey", "verify"]

_LONGEST_KID = 256
_SHORTEST_SECRET = 32
"""Bytes: a key is no shorter than the MAC (RFC 7518 section 3.2)."""
_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True)
class PublicKey:
    """The half that verifies, parsed. It serves one algorithm (RFC 8725 section 3.1)."""

    kid: str
    algorithm: str
    _scheme: Algorithm = field(repr=False)
    _key: Any = field(repr=False)

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Tell whether `signature` over `message` is this key's."""
        return self._scheme.verify(self._key, signature, message)


@dataclass(frozen=True)
class PrivateKey:
    """The half that signs, parsed. Its text form does not show the key."""

    kid: str
    algorithm: str
    _scheme: Algorithm = field(repr=False)
    _key: Any = field(repr=False)
    _headers: dict[str, bytes] = field(default_factory=dict, repr=False)

    def sign(self, claims: Mapping[str, Any], typ: str) -> str:
        """Return `claims` as a signed token of type `typ`, for example `at+jwt` or `JWT`."""
        header = self._headers.get(typ)
        if header is None:
            named = {"alg": self.algorithm, "kid": self.kid, "typ": typ}
            header = self._headers[typ] = encode(_ENCODER.encode(named).encode())
        message = header + b"." + encode(_ENCODER.encode(claims).encode())
        signature = encode(self._scheme.sign(self._key, message))
        return (message + b"." + signature).decode("ascii")


def as_json(claims: Mapping[str, Any]) -> str:
    """Return claims as they are written inside of a token."""
    return _ENCODER.encode(claims)


def unsigned(claims: Mapping[str, Any], typ: str) -> str:
    """Return `claims` as a token that nobody vouches for (RFC 7518 section 3.6)."""
    parts = (_ENCODER.encode({"alg": "none", "typ": typ}), _ENCODER.encode(claims))
    return b".".join([*(encode(part.encode()) for part in parts), b""]).decode("ascii")


def signed_with(secret: str, claims: Mapping[str, Any], typ: str) -> str:
    """Return `claims` as a token under HMAC-SHA-256 with the UTF-8 octets of a client secret.

    Raises ValueError when the secret is shorter than 32 bytes.
    """
    key = secret.encode()
    if len(key) < _SHORTEST_SECRET:
        raise ValueError("a secret that is too short for HS256")
    parts = (_ENCODER.encode({"alg": "HS256", "typ": typ}), _ENCODER.encode(claims))
    message = b".".join(encode(part.encode()) for part in parts)
    signature = encode(hmac.digest(key, message, hashlib.sha256))
    return (message + b"." + signature).decode("ascii")


@dataclass(frozen=True)
class _Header:
    algorithm: str
    kid: str
    typ: str


def verify(
    token: str,
    find_key: Callable[[str], PublicKey | None],
    *,
    algorithms: Collection[str],
    typ: str,
) -> dict[str, Any]:
    """Return the claims of a token of type `typ` whose `kid` `find_key` knows.

    `algorithms` are the `alg` values allowed here; beyond that each key serves its own algorithm
    alone, so `none` and an HMAC under a public key can't pass. `typ` is compared without regard to
    case and `application/` (RFC 7515 section 4.1.9). Raises BadToken.
    """
    header_part, claims_part, signature_part = split(token)
    header = _read_header(header_part)
    if header.algorithm not in algorithms:
        raise BadToken("algorithm not allowed")
    if header.typ != media_type(typ):
        raise BadToken("another type of token")
    key = find_key(header.kid)
    if key is None:
        raise BadToken("unknown key")
    if key.algorithm != header.algorithm:
        raise BadToken("algorithm of another key")
    if not key.verify(decode(signature_part), header_part + b"." + claims_part):
        raise BadToken("wrong signature")
    return read_object(decode(claims_part), "claims")


@functools.lru_cache(maxsize=64)
def _read_header(part: bytes) -> _Header:
    """Each of our keys writes one header for each type, so the same few come again and again."""
    header = read_object(decode(part), "header")
    if "crit" in header or "b64" in header:
        raise BadToken("an extension that is not understood")  # RFC 7515 section 4.1.11, RFC 7797
    algorithm, kid, typ = header.get("alg"), header.get("kid"), header.get("typ")
    if not (isinstance(algorithm, str) and isinstance(kid, str) and isinstance(typ, str)):
        raise BadToken("alg, kid and typ are needed")
    if not 0 < len(kid) <= _LONGEST_KID:
        raise BadToken("kid too long")
    return _Header(algorithm, kid, media_type(typ))
