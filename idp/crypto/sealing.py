"""Sealing of values that must be recovered: AES-256-GCM under the key-encryption key (NIST SP
800-38D).

A sealed value is one byte of format, four bytes that name the key, twelve of nonce, then ciphertext
and tag. The context (table, row and column) is associated data: a ciphertext moved to another row
does not open.
"""

import hashlib
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_FORMAT = b"\x01"
_NONCE_BYTES = 12
_HEADER_BYTES = 5
KEY_BYTES = 32


class SealBroken(Exception):
    """The value was not sealed here: other key, other row, or altered."""


def key_name(key: bytes) -> bytes:
    """Return the four bytes by which a sealed value names its key."""
    return hashlib.sha256(b"doorward:kek\0" + key).digest()[:4]


class Sealer:
    """Seals under the first key given and opens under any of them (two during a rewrap)."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError("A key-encryption key has 32 bytes.")
        self._current = key_name(keys[0])
        self._ciphers = {key_name(key): AESGCM(key) for key in keys}

    def seal(self, plaintext: bytes, context: str) -> bytes:
        """Seal `plaintext` for the one place that `context` names."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        ciphertext = self._ciphers[self._current].encrypt(nonce, plaintext, context.encode())
        return _FORMAT + self._current + nonce + ciphertext

    def unseal(self, sealed: bytes, context: str) -> bytes:
        """Open what `seal` made for the same `context`. Raises SealBroken."""
        cipher = self._ciphers.get(bytes(sealed[1:_HEADER_BYTES]))
        if sealed[:1] != _FORMAT or cipher is None:
            raise SealBroken("sealed under a key that is not open here")
        nonce = sealed[_HEADER_BYTES : _HEADER_BYTES + _NONCE_BYTES]
        try:
            return cipher.decrypt(nonce, sealed[_HEADER_BYTES + _NONCE_BYTES :], context.encode())
        except InvalidTag as error:
            raise SealBroken("sealed for another place, or altered") from error

    def is_current(self, sealed: bytes) -> bool:
        """Tell whether `sealed` is under the first key."""
        return bytes(sealed[1:_HEADER_BYTES]) == self._current
