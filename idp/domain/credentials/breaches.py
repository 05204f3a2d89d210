"""Passwords known from breaches, in range files that the operator supplies.

A file is named by the first five hexadecimal digits of the passwords' SHA-1, with or without
`.txt`; its lines are `SUFFIX:COUNT`, as the downloaders of the public collections write them.
Nothing is asked over the network.
"""

import hashlib
import logging
import os
import re
from pathlib import Path

from idp.domain.errors import Busy
from idp.domain.texts import marked

LISTED = marked("It’s known from a data breach, so it will be tried. Choose another one.")
LARGEST_FILE = 2 * 1024 * 1024
"""Bytes; the public collections' are about 40,000."""
_UNREADABLE = marked("New passwords can’t be checked right now. Try again in a few minutes.")
_RETRY_SECONDS = 60
_PREFIX = 5
_NAME = re.compile(r"[0-9A-Fa-f]{5}(\.txt)?")
_log = logging.getLogger("idp.breaches")


class Unchecked(Busy):
    """Nobody can say whether a password is listed, so it is not accepted."""

    def __init__(self) -> None:
        super().__init__(_RETRY_SECONDS)
        self.args = (_UNREADABLE,)


class Breaches:
    """Looks passwords up. Without a folder none is listed."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def problem(self, password: str) -> str | None:
        """Return why a password may not be used, None when it is not listed. One file is read.

        Raises Unchecked when its file, or the folder, can't be read. A file that is missing lists
        nothing: a collection may be a part.
        """
        if self._folder is None:
            return None
        digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
        try:
            lines = _lines(self._folder, digest[:_PREFIX])
        except OSError as error:
            _log.error("The range file of a new password can't be read: %s", error)
            raise Unchecked from error
        wanted = digest[_PREFIX:].encode()
        return LISTED if any(_lists(line, wanted) for line in lines) else None


def folder_problem(folder: Path) -> str | None:
    """Return why a folder can't be used, in words that follow its name; None when it can."""
    try:
        with os.scandir(folder) as entries:
            if any(_NAME.fullmatch(entry.name) for entry in entries):
                return None
    except OSError as error:
        return f"can't be read ({error.strerror})"
    return "holds no range file, such as 00000.txt"


def _lines(folder: Path, prefix: str) -> list[bytes]:
    for name in (f"{prefix}.txt", prefix, f"{prefix.lower()}.txt", prefix.lower()):
        try:
            return _read(folder / name).splitlines()
        except FileNotFoundError:
            continue
    folder.stat()  # raises where the folder itself is gone
    return []


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise OSError(f"{path} is larger than {LARGEST_FILE} bytes")
    return content


def _lists(line: bytes, wanted: bytes) -> bool:
    """Whether a line is the wanted one; those that only pad the file have the count 0."""
    suffix, _, count = line.strip().upper().partition(b":")
    return suffix == wanted and count.strip() != b"0"
