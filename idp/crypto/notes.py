"""Signed notes (C2SP signed-note) with Ed25519 keys (RFC 8032): text that anyone can check.

A key is told to others as the note tools of the Go project write it: `name+id+key`.
"""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519

_ED25519 = b"\x01"
_ID_BYTES = 4
_MARK = "\u2014 "
_MOST_SIGNATURES = 16
LARGEST_NOTE = 64 * 1024
"""Bytes."""


class BadNote(Exception):
    """It is not a note, or no key that is trusted here signed it. The message says which."""


@dataclass(frozen=True)
class NoteKey:
    """A public key with the name under which it signs."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """The four bytes by which a signature names its key."""
        named = self.name.encode() + b"\n" + _ED25519 + self.public
        return hashlib.sha256(named).digest()[:_ID_BYTES]

    @property
    def text(self) -> str:
        """The key as it is given to who verifies."""
        encoded = base64.b64encode(_ED25519 + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{encoded}"

    @classmethod
    def parse(cls, text: str) -> "NoteKey":
        """Read what `text` wrote. Raises BadNote."""
        parts = text.strip().split("+", 2)
        if len(parts) != len(("name", "id", "key")):
            raise BadNote("It is not a key for notes: name+id+key.")
        name, key_id, encoded = parts
        decoded = _decoded(encoded)
        key = cls(name, decoded[1:])
        if decoded[:1] != _ED25519 or not name or key.id.hex() != key_id:
            raise BadNote("It is not an Ed25519 key for notes, or its id is not its own.")
        return key

    def made(self, signature: bytes, message: bytes) -> bool:
        """Tell whether this key made `signature` over `message`."""
        try:
            ed25519.Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class NoteSigner:
    """A key that signs."""

    key: NoteKey
    _private: Any = field(repr=False)

    @classmethod
    def load(cls, name: str, private: bytes) -> "NoteSigner":
        """Return the signer with these 32 secret bytes."""
        loaded = ed25519.Ed25519PrivateKey.from_private_bytes(private)
        return cls(NoteKey(name, loaded.public_key().public_bytes_raw()), loaded)

    def signature(self, text: str) -> str:
        """Return the line that signs `text`, which ends with a newline."""
        signed = self.key.id + self._private.sign(text.encode())
        return f"{_MARK}{self.key.name} {base64.b64encode(signed).decode()}\n"


def new_private() -> bytes:
    """Return the 32 secret bytes of a new key."""
    return ed25519.Ed25519PrivateKey.generate().private_bytes_raw()


def sign(text: str, signers: Sequence[NoteSigner]) -> str:
    """Return `text`, which ends with a newline, as a note."""
    return f"{text}\n{''.join(signer.signature(text) for signer in signers)}"


def opened(note: str, keys: Sequence[NoteKey]) -> str:
    """Return the text of a note that one of `keys` signed.

    Raises BadNote, also when a signature by one of them is wrong, whatever others there are.
    """
    if len(note.encode()) > LARGEST_NOTE:
        raise BadNote("It is too long for a note.")
    text, found, signatures = note.rpartition("\n\n")
    lines = signatures.splitlines()
    if not found or not note.endswith("\n") or not 0 < len(lines) <= _MOST_SIGNATURES:
        raise BadNote("It is not a signed note.")
    text += "\n"
    good = [_is_by(key, line, text) for line in lines for key in keys if _names(line, key)]
    if not good:
        raise BadNote("No key that is known here signed it.")
    if not all(good):
        raise BadNote("Its signature is wrong.")
    return text


def _names(line: str, key: NoteKey) -> bool:
    name, signed = _parts(line)
    return (name, signed[:_ID_BYTES]) == (key.name, key.id)


def _is_by(key: NoteKey, line: str, text: str) -> bool:
    return key.made(_parts(line)[1][_ID_BYTES:], text.encode())


def _parts(line: str) -> tuple[str, bytes]:
    name, between, encoded = line.removeprefix(_MARK).partition(" ")
    if not line.startswith(_MARK) or not name or not between:
        raise BadNote("It has a line that is not a signature.")
    return name, _decoded(encoded)


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadNote("It is not written in base64.") from error
