"""Signed tokens in compact form (RFC 7515 section 7.1), taken apart strictly.

Every limit is checked before any cryptography runs.
"""

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import Any

from idp.guard.errors import InvalidToken

LONGEST_TOKEN = 16 * 1024
"""Characters of a whole token."""
_LONGEST_HEADER = 2 * 1024
_LONGEST_KID = 256


@dataclass(frozen=True)
class Compact:
    """A token as it is written. Nothing in `claims` may be believed before the signature is."""

    algorithm: str
    kid: str
    typ: str
    claims: dict[str, Any] = field(repr=False)
    message: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def read(token: str) -> Compact:
    """Take a token apart. `typ` is returned as it is compared. Raises InvalidToken."""
    header_part, claims_part, signature_part = _split(token)
    header = read_object(decode(header_part))
    if "crit" in header or "b64" in header:
        raise InvalidToken("an extension that is not understood")  # RFC 7515 section 4.1.11
    algorithm, kid, typ = (header.get(name) for name in ("alg", "kid", "typ"))
    if not (isinstance(algorithm, str) and isinstance(kid, str) and isinstance(typ, str)):
        raise InvalidToken("alg, kid and typ are needed")
    if not 0 < len(kid) <= _LONGEST_KID:
        raise InvalidToken("kid is empty or too long")
    return Compact(
        algorithm,
        kid,
        typ.lower().removeprefix("application/"),  # RFC 7515 section 4.1.9
        read_object(decode(claims_part)),
        header_part + b"." + claims_part,
        decode(signature_part),
    )


def _split(token: str) -> list[bytes]:
    if len(token) > LONGEST_TOKEN:
        raise InvalidToken("too long")
    try:
        parts = token.encode("ascii").split(b".")
    except UnicodeEncodeError as error:
        raise InvalidToken("not ASCII") from error
    if len(parts) != 3 or len(parts[0]) > _LONGEST_HEADER:
        raise InvalidToken("not three parts, or a long header")
    return parts


def decode(part: bytes) -> bytes:
    """Read base64url without padding, foreign characters or spare bits. Raises InvalidToken."""
    try:
        octets = base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    except binascii.Error as error:
        raise InvalidToken("not base64url") from error
    if base64.urlsafe_b64encode(octets).rstrip(b"=") != part:
        raise InvalidToken("not base64url")
    return octets


def read_object(octets: bytes) -> dict[str, Any]:
    """Read a JSON object in which no name comes twice. Raises InvalidToken."""
    try:
        value = _DECODER.decode(octets.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InvalidToken("not JSON") from error
    if not isinstance(value, dict):
        raise InvalidToken("no JSON object")
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
