"""What browsers answer to the options for passkeys, parsed (W3C Web Authentication Level 3 section
5.1.8). Nothing of it is proven yet.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any

LARGEST_RESPONSE = 64 * 1024
"""Characters of a response in JSON."""
LONGEST_CREDENTIAL_ID = 1023
"""Bytes (section 4, Credential ID)."""
LONGEST_USER_HANDLE = 64
"""Bytes (section 4, User Handle)."""
_CHALLENGE_BYTES = 32
TRANSPORTS = ("usb", "nfc", "ble", "smart-card", "internal", "cable", "hybrid")
"""Ways to an authenticator that are known (section 5.8.4); browsers may name others."""


class BadPasskey(Exception):
    """It is not the answer that was asked for. `reason` is for the audit log alone."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Creation:
    """A browser's answer to creation options: parsed, and nothing of it proven."""

    credential_id: bytes
    challenge: str
    transports: tuple[str, ...]
    client_data: bytes
    attestation: bytes


@dataclass(frozen=True)
class Assertion:
    """A browser's answer to request options: parsed, and nothing of it proven."""

    credential_id: bytes
    challenge: str
    user_handle: bytes | None
    client_data: bytes
    authenticator_data: bytes
    signature: bytes


def read_creation(text: str) -> Creation:
    """Parse a RegistrationResponseJSON (section 5.1.8.2). Raises BadPasskey."""
    credential_id, response, client_data = _read(text)
    named = response.get("transports")
    transports = named if isinstance(named, list) else []
    return Creation(
        credential_id,
        _challenge(client_data),
        tuple(name for name in TRANSPORTS if name in transports),
        client_data,
        _octets(response, "attestationObject", LARGEST_RESPONSE),
    )


def read_assertion(text: str) -> Assertion:
    """Parse an AuthenticationResponseJSON (section 5.1.8.3). Raises BadPasskey."""
    credential_id, response, client_data = _read(text)
    handle = None
    if response.get("userHandle") not in (None, ""):
        handle = _octets(response, "userHandle", LONGEST_USER_HANDLE)
    return Assertion(
        credential_id,
        _challenge(client_data),
        handle,
        client_data,
        _octets(response, "authenticatorData", LARGEST_RESPONSE),
        _octets(response, "signature", LARGEST_RESPONSE),
    )


def _read(text: str) -> tuple[bytes, dict[str, Any], bytes]:
    """Return credential id, `response` and clientDataJSON of an answer."""
    if len(text) > LARGEST_RESPONSE:
        raise BadPasskey("too long")
    answer = members_of(text, "response")
    response = answer.get("response")
    if answer.get("type") != "public-key" or not isinstance(response, dict):
        raise BadPasskey("not a public-key credential")
    credential_id = _octets(answer, "rawId", LONGEST_CREDENTIAL_ID)
    if answer.get("id") != answer["rawId"]:
        raise BadPasskey("id and rawId differ")
    return credential_id, response, _octets(response, "clientDataJSON", LARGEST_RESPONSE)


def members_of(text: str | bytes, what: str) -> dict[str, Any]:
    """Return the members of a JSON object. Raises BadPasskey, which says `what` it should be."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadPasskey(f"{what}: not JSON") from error
    if not isinstance(value, dict):
        raise BadPasskey(f"{what}: not an object")
    return value


def _octets(members: dict[str, Any], name: str, most: int) -> bytes:
    """Decode a base64url member strictly: foreign characters and spare bits are refused."""
    value = members.get(name)
    if not isinstance(value, str) or not value:
        raise BadPasskey(f"{name}: missing")
    try:
        octets = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except ValueError as error:
        raise BadPasskey(f"{name}: not base64url") from error
    if base64.urlsafe_b64encode(octets).decode().rstrip("=") != value:
        raise BadPasskey(f"{name}: not base64url")
    if len(octets) > most:
        raise BadPasskey(f"{name}: too long")
    return octets


def _challenge(client_data: bytes) -> str:
    members = members_of(client_data, "clientDataJSON")
    if len(_octets(members, "challenge", _CHALLENGE_BYTES)) != _CHALLENGE_BYTES:
        raise BadPasskey("challenge: not one of ours")
    return str(members["challenge"])
