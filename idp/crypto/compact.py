"""The compact forms of JOSE (RFC 7515 and RFC 7516 section 7.1), taken apart strictly.

Every limit is checked before any cryptography runs.
"""

import base64
import binascii
import json
from typing import Any

LARGEST_TOKEN = 16 * 1024
"""Characters of a whole token."""
_LARGEST_HEADER = 2 * 1024


class BadToken(Exception):
    """It is not the token that was asked for. `reason` is for the audit log alone."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def split(token: str, parts: int = 3, largest: int = LARGEST_TOKEN) -> list[bytes]:
    """Return the parts of a token as they are written. Raises BadToken."""
    if len(token) > largest:
        raise BadToken("too long")
    try:
        found = token.encode("ascii").split(b".", parts)
    except UnicodeEncodeError as error:
        raise BadToken("not ASCII") from error
    if len(found) != parts:
        raise BadToken(f"not {'three' if parts == 3 else 'five'} parts")
    if len(found[0]) > _LARGEST_HEADER:
        raise BadToken("header too long")
    return found


def media_type(typ: str) -> str:
    """Return a `typ` as it is compared (RFC 7515 section 4.1.9)."""
    return typ.lower().removeprefix("application/")


def read_object(text: bytes, what: str) -> dict[str, Any]:
    """Return a JSON object. Raises BadToken, which names `what` it should be."""
    try:
        value = _DECODER.decode(text.decode("utf-8"))
        if b"\\u" in text:
            # Half a character can be escaped, and written nowhere again (RFC 8259 section 8.2).
            json.dumps(value, ensure_ascii=False).encode()
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


def encode(octets: bytes) -> bytes:
    """Return octets as base64url without padding."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=")


def decode(part: bytes) -> bytes:
    """Undo `encode` for exactly what it gives: no padding, foreign characters or spare bits.

    Raises BadToken.
    """
    try:
        octets = base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    except binascii.Error as error:
        raise BadToken("not base64url") from error
    if encode(octets) != part:
        raise BadToken("not base64url")
    return octets
