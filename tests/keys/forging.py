"""Tokens that no honest signer makes."""

import base64
import hashlib
import hmac
import json
from typing import Any


def encode(value: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decode(part: str) -> bytes:
    """Undo `encode`."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def part(value: Any) -> str:
    """Return a JSON value as a part of a token."""
    return encode(json.dumps(value).encode())


def unsigned(header: Any, claims: Any) -> str:
    """Return a token with an empty signature."""
    return f"{part(header)}.{part(claims)}."


def by_hmac(header: Any, claims: Any, key: bytes) -> str:
    """Return a token signed by HMAC-SHA-256."""
    message = f"{part(header)}.{part(claims)}"
    return f"{message}.{encode(hmac.digest(key, message.encode(), hashlib.sha256))}"
