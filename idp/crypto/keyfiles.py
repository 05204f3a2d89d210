"""The key-encryption key: 32 random bytes, as base64url in a file or a setting."""

import base64
import binascii
import contextlib
import itertools
import os
import secrets
import stat
import tempfile
from pathlib import Path

from idp.crypto.sealing import KEY_BYTES

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_FEWEST_DIFFERENT_BYTES = 16  # 32 random bytes have about 30; fewer than 16 once in 10^10


class KeyUnusable(Exception):
    """The key is missing, badly kept or weak. The message is one sentence for the operator."""


def new_key_text() -> str:
    """Return a fresh key as it is written down: 43 characters."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).rstrip(b"=").decode()


def parse_key(text: str, source: str) -> bytes:
    """Return the 32 bytes that `text` holds; `source` is named in errors. Raises KeyUnusable."""
    try:
        bare = text.rstrip("=")
        key = base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise KeyUnusable(f"{source} does not hold 32 bytes in base64url.") from error
    if len(key) != KEY_BYTES:
        raise KeyUnusable(f"{source} holds a key of {len(key)} bytes; it must have 32.")
    if _weak(key):
        raise KeyUnusable(f"{source} holds a weak key; `idp keys generate` makes a good one.")
    return key


def read_key(path: Path) -> bytes:
    """Return the key in the file at `path`. Raises KeyUnusable, also when others may read it."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(1024)
    except OSError as error:
        raise KeyUnusable(f"{path} cannot be read: {error.strerror}.") from error
    if mode & _OTHERS:
        raise KeyUnusable(f"{path} can be read or changed by others; run: chmod 600 {path}")
    return parse_key(content.decode("ascii", "replace").strip(), str(path))


def find_key(path: Path) -> bytes | None:
    """Return the key in the file at `path`, None without a file. Raises KeyUnusable."""
    try:
        there = path.exists()
    except OSError as error:
        raise KeyUnusable(f"{path} cannot be written: {error.strerror}.") from error
    return read_key(path) if there else None


def create_key(path: Path) -> bytes:
    """Write a fresh key to `path`, unless another process was first, and return what is there.

    The file appears with its whole content or not at all. Raises KeyUnusable.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            _write_once(path, new_key_text() + "\n")
    except OSError as error:
        raise KeyUnusable(f"{path} cannot be written: {error.strerror}.") from error
    return read_key(path)


def _write_once(path: Path, text: str) -> None:
    """A finished file (mode 0600) gets its name by a hard link: one process alone can make it."""
    descriptor, unfinished = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(unfinished)
    finally:
        Path(unfinished).unlink()


def _weak(key: bytes) -> bool:
    """Tell whether somebody typed, counted or repeated it."""
    steps = {(after - before) % 256 for before, after in itertools.pairwise(key)}
    printable = all(0x20 <= byte < 0x7F for byte in key)
    return len(set(key)) < _FEWEST_DIFFERENT_BYTES or len(steps) == 1 or printable
