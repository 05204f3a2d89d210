"""Signed JSON Web Tokens in compact form (RFC 7515, RFC 7519), made and verified as RFC 8725 asks.

What the claims mean is not decided here. Every limit is checked before any cryptography runs.
"""

import base64
import binascii
import functools
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from idp.crypto.algorithms import Algorithm

LARGEST_TOKEN = 16 * 1024
"""Characters of a whole token."""
_LARGEST_HEADER = 2 * 1024
_LONGEST_KID = 256
_PARTS = 3
_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


class BadToken(Exception):
    """It is not the token that was asked for. `reason` is for the audit log alone."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


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
            header = self._headers[typ] = _encode(_ENCODER.encode(named).encode())
        message = header + b"." + _encode(_ENCODER.encode(claims).encode())
        signature = _encode(self._scheme.sign(self._key, message))
        return (message + b"." + signature).decode("ascii")


def unsigned(claims: Mapping[str, Any], typ: str) -> str:
    """Return `claims` as a token that nobody vouches for (RFC 7518 section 3.6)."""
    parts = (_ENCODER.encode({"alg": "none", "typ": typ}), _ENCODER.encode(claims))
    return b".".join([*(_encode(part.encode()) for part in parts), b""]).decode("ascii")


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
    header_part, claims_part, signature_part = _split(token)
    header = _read_header(header_part)
    if header.algorithm not in algorithms:
        raise BadToken("algorithm not allowed")
    if header.typ != _media_type(typ):
        raise BadToken("another type of token")
    key = find_key(header.kid)
    if key is None:
        raise BadToken("unknown key")
    if key.algorithm != header.algorithm:
        raise BadToken("algorithm of another key")
    if not key.verify(_decode(signature_part), header_part + b"." + claims_part):
        raise BadToken("wrong signature")
    return _read_object(_decode(claims_part), "claims")


def _split(token: str) -> list[bytes]:
    if len(token) > LARGEST_TOKEN:
        raise BadToken("too long")
    try:
        parts = token.encode("ascii").split(b".", _PARTS)
    except UnicodeEncodeError as error:
        raise BadToken("not ASCII") from error
    if len(parts) != _PARTS:
        raise BadToken("not three parts")
    if len(parts[0]) > _LARGEST_HEADER:
        raise BadToken("header too long")
    return parts


@functools.lru_cache(maxsize=64)
def _read_header(part: bytes) -> _Header:
    """Each of our keys writes one header for each type, so the same few come again and again."""
    header = _read_object(_decode(part), "header")
    if "crit" in header or "b64" in header:
        raise BadToken("an extension that is not understood")  # RFC 7515 section 4.1.11, RFC 7797
    algorithm, kid, typ = header.get("alg"), header.get("kid"), header.get("typ")
    if not (isinstance(algorithm, str) and isinstance(kid, str) and isinstance(typ, str)):
        raise BadToken("alg, kid and typ are needed")
    if not 0 < len(kid) <= _LONGEST_KID:
        raise BadToken("kid too long")
    return _Header(algorithm, kid, _media_type(typ))


def _media_type(typ: str) -> str:
    return typ.lower().removeprefix("application/")


def _read_object(text: bytes, what: str) -> dict[str, Any]:
    try:
        value = _DECODER.decode(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadToken(f"{what}: not JSON") from error
    if not isinstance(value, dict):
        raise BadToken(f"{what}: not an object")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of a name that comes twice, two readers could see different values (RFC 7519 section 4)."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name comes twice")
    return members


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse)


def _encode(octets: bytes) -> bytes:
    return base64.urlsafe_b64encode(octets).rstrip(b"=")


def _decode(part: bytes) -> bytes:
    """Undo `_encode` for exactly what it gives: no padding, foreign characters or spare bits."""
    try:
        octets = base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    except binascii.Error as error:
        raise BadToken("not base64url") from error
    if _encode(octets) != part:
        raise BadToken("not base64url")
    return octets
