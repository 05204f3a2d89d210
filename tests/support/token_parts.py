"""What a token says, read without trust."""

import base64
import json
from typing import Any


def header_of(token: str) -> dict[str, Any]:
    """Return what a token's header says."""
    return _read(token, 0)


def claims_of(token: str) -> dict[str, Any]:
    """Return what a token says."""
    return _read(token, 1)


def _read(token: str, part: int) -> dict[str, Any]:
    encoded = token.split(".")[part]
    value: dict[str, Any] = json.loads(base64.urlsafe_b64decode(encoded + "=="))
    return value
