"""What a checkpoint says of the log (C2SP tlog-checkpoint): origin, size and root, signed."""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

from idp.crypto.merkle import HASH_BYTES
from idp.crypto.notes import BadNote, NoteKey, NoteSigner, opened, sign

_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")
_LINES = 3


@dataclass(frozen=True)
class Checkpoint:
    """The log `origin` when it had `size` entries."""

    origin: str
    size: int
    root: bytes

    def signed(self, signers: Sequence[NoteSigner]) -> str:
        """Return it as a signed note."""
        encoded = base64.b64encode(self.root).decode()
        return sign(f"{self.origin}\n{self.size}\n{encoded}\n", signers)


def read(note: str, keys: Sequence[NoteKey]) -> Checkpoint:
    """Return what a note says that one of `keys` signed. Raises BadNote."""
    return _read(opened(note, keys))


def unverified(note: str) -> Checkpoint:
    """Return what a note says, whoever signed it. Raises BadNote."""
    return _read(note.rpartition("\n\n")[0] + "\n")


def _read(text: str) -> Checkpoint:
    """Lines behind the third are somebody's extensions, and mean nothing here."""
    lines = text.split("\n")
    if len(lines) <= _LINES or not lines[0] or not _SIZE.fullmatch(lines[1]):
        raise BadNote("It is not a checkpoint: origin, size and root.")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadNote("The root of the checkpoint is not written in base64.") from error
    if len(root) != HASH_BYTES:
        raise BadNote("The root of the checkpoint is not a SHA-256 hash.")
    return Checkpoint(lines[0], int(lines[1]), root)


def apart(text: str) -> list[str]:
    """Return the notes that stand one behind the other in a file, each with its signatures."""
    notes, lines, signed = [], [""][:0], False
    for line in text.splitlines():
        if signed and not line.startswith("\u2014 "):
            notes.append("\n".join(lines).strip("\n") + "\n")
            lines, signed = [], False
        lines.append(line)
        signed = signed or line.startswith("\u2014 ")
    if any(lines):
        notes.append("\n".join(lines).strip("\n") + "\n")
    return notes
