"""Random values and their digests (DESIGN: secrets at rest).

High-entropy values are stored as domain-separated SHA-256 digests: a digest made for one purpose
never equals one made for another, so a code can't be presented as a refresh token.
"""

import hashlib
import hmac
import re
import secrets
import time
import uuid

_RANDOM_BYTES = 32
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def random_token(prefix: str = "") -> str:
    """Return `prefix` and 256 random bits in unreserved characters (RFC 3986 section 2.3)."""
    return prefix + secrets.token_urlsafe(_RANDOM_BYTES)


def random_identifier(prefix: str = "") -> str:
    """Return `prefix` and 128 random bits: for identifiers that outsiders see.

    It does not begin with a hyphen: commands would take it for an option.
    """
    identifier = secrets.token_urlsafe(16)
    while identifier.startswith("-") and not prefix:
        identifier = secrets.token_urlsafe(16)
    return prefix + identifier


def digest(purpose: str, value: str) -> bytes:
    """Return the 32-byte SHA-256 of `value`, separated by `purpose`."""
    return hashlib.sha256(b"doorward:" + purpose.encode() + b"\0" + value.encode()).digest()


def keyed_digest(key: bytes, purpose: str, value: str) -> bytes:
    """Return the 32-byte HMAC-SHA-256 of `value` under `key`, separated by `purpose`."""
    return hmac.digest(key, b"doorward:" + purpose.encode() + b"\0" + value.encode(), "sha256")


def keyed_digest_of(key: bytes, purpose: bytes, value: bytes) -> bytes:
    """Return the same for bytes, which are not text."""
    return hmac.digest(key, b"doorward:" + purpose + b"\0" + value, "sha256")


def same(left: bytes, right: bytes) -> bool:
    """Compare two digests in constant time."""
    return hmac.compare_digest(left, right)


def uuid7() -> str:
    """Return a row id: UUID version 7 (RFC 9562 section 5.7) in its 36-character form."""
    milliseconds = time.time_ns() // 1_000_000
    value = milliseconds << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


def is_uuid(text: str) -> bool:
    """Whether outsiders' text may be a row id: PostgreSQL refuses some texts altogether."""
    return _UUID.fullmatch(text) is not None
