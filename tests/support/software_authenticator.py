"""An authenticator and its browser in one, which lies wherever a test tells it to.

authenticator = SoftwareAuthenticator()
answer = authenticator.create(options_json, "https://id.example.test")
answer = authenticator.get(options_json, "https://id.example.test", sign_count=7)
"""

import base64
import json
import secrets
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any
from uuid import UUID

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

UP, UV, BE, BS, AT, ED = 0x01, 0x04, 0x08, 0x10, 0x40, 0x80
"""The flags of authenticator data (W3C Web Authentication Level 3 section 6.1)."""


def encoded(octets: bytes) -> str:
    """Return base64url as browsers write it."""
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def decoded(text: str) -> bytes:
    """Undo `encoded`."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass(frozen=True)
class Said:
    """What a response says where the truth is not wanted. None: what the options ask for."""

    origin: str
    type: str
    flags: int = UP | UV | BE | BS
    sign_count: int | None = None
    challenge: str | None = None
    rp_id: str | None = None
    user_handle: bytes | None = None
    client_data: dict[str, Any] = field(default_factory=dict)
    statement: tuple[str, dict[str, Any]] = ("none", {})


class SoftwareAuthenticator:
    """Holds one ES256 passkey. `create` and `get` take the members of `Said` by name; `client_data`
    adds members to clientDataJSON. Another `key` signs wrongly.
    """

    def __init__(self, aaguid: str = "ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4") -> None:
        self.aaguid = UUID(aaguid).bytes
        self.credential_id = secrets.token_bytes(32)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.user_handle: bytes | None = None
        self.sign_count = 0

    def create(self, options_json: str, origin: str, **said: Any) -> str:
        """Answer creation options with a RegistrationResponseJSON."""
        options = json.loads(options_json)
        self.user_handle = decoded(options["user"]["id"])
        words = replace(Said(origin, "webauthn.create"), **said)
        flags = words.flags if "flags" in said else words.flags | AT
        data = self._data(words, words.rp_id or options["rp"]["id"], flags)
        if flags & AT:
            size = len(self.credential_id).to_bytes(2, "big")
            data += self.aaguid + size + self.credential_id + self.public_key()
        form, statement = words.statement
        attestation = cbor2.dumps({"fmt": form, "attStmt": statement, "authData": data})
        response = {
            "clientDataJSON": encoded(_client_data(words, options)),
            "attestationObject": encoded(attestation),
            "transports": ["internal", "hybrid"],
        }
        return self._credential(response)

    def get(self, options_json: str, origin: str, **said: Any) -> str:
        """Answer request options with an AuthenticationResponseJSON; `user_handle=b""` leaves it
        out.
        """
        options = json.loads(options_json)
        words = replace(Said(origin, "webauthn.get", user_handle=self.user_handle), **said)
        data = self._data(words, words.rp_id or options["rpId"], words.flags)
        client_data = _client_data(words, options)
        message = data + sha256(client_data).digest()
        response = {
            "clientDataJSON": encoded(client_data),
            "authenticatorData": encoded(data),
            "signature": encoded(self.sign(message)),
            "userHandle": encoded(words.user_handle) if words.user_handle else None,
        }
        return self._credential(response)

    def public_key(self) -> bytes:
        """Return the COSE key (RFC 9053 section 7.1.1)."""
        numbers = self.key.public_key().public_numbers()
        x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})

    def sign(self, message: bytes) -> bytes:
        """Sign what an assertion is about."""
        return self.key.sign(message, ec.ECDSA(SHA256()))

    def _data(self, words: Said, rp_id: str, flags: int) -> bytes:
        count = self.sign_count if words.sign_count is None else words.sign_count
        return sha256(rp_id.encode()).digest() + bytes([flags]) + count.to_bytes(4, "big")

    def _credential(self, response: dict[str, Any]) -> str:
        name = encoded(self.credential_id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})


def _client_data(words: Said, options: dict[str, Any]) -> bytes:
    members = {
        "type": words.type,
        "challenge": words.challenge or options["challenge"],
        "origin": words.origin,
        "crossOrigin": False,
    }
    return json.dumps({**members, **words.client_data}).encode()
