"""Proofs as texts, and checking them without the log.

Inclusion is written as C2SP tlog-proof says, with the bytes of the entry as its extra data;
consistency in the same manner, under a name of our own.
"""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from idp.crypto import merkle
from idp.crypto.merkle import HASH_BYTES
from idp.crypto.notes import BadNote, NoteKey
from idp.domain.audit_log import checkpoints
from idp.domain.audit_log.checkpoints import Checkpoint

INCLUSION = "c2sp.org/tlog-proof@v1"
CONSISTENCY = "doorward-audit-consistency/v1"
_NUMBER = re.compile(r"(index|old) (0|[1-9][0-9]{0,17})")
Make = Callable[[merkle.Subtree], list[bytes]]


class BadProof(Exception):
    """It is not a proof, or proves nothing. The message is a sentence that says why."""


@dataclass(frozen=True)
class Inclusion:
    """The entry with these bytes (empty: it expired) is at this position of the log."""

    position: int
    hashes: tuple[bytes, ...]
    note: str
    content: bytes


@dataclass(frozen=True)
class Consistency:
    """The log goes on from what it was with `old` entries."""

    old: int
    hashes: tuple[bytes, ...]
    note: str


@dataclass(frozen=True)
class Proved:
    """What a proof shows: the checkpoint, and for an entry its position and bytes."""

    checkpoint: Checkpoint
    position: int | None = None
    content: bytes = b""
    old: int | None = None


def written(proof: Inclusion | Consistency) -> str:
    """Return the text of a proof."""
    if isinstance(proof, Inclusion):
        extra = [f"extra {_encoded(proof.content)}"] if proof.content else []
        lines = [INCLUSION, *extra, f"index {proof.position}"]
    else:
        lines = [CONSISTENCY, f"old {proof.old}"]
    lines += [_encoded(each) for each in proof.hashes]
    return "\n".join([*lines, "", proof.note])


def read(text: str) -> Inclusion | Consistency:
    """Return the proof of a text. Raises BadProof."""
    top, found, note = text.partition("\n\n")
    kind, *lines = top.split("\n")
    if kind not in {INCLUSION, CONSISTENCY} or not found:
        raise BadProof("It is not a proof.")
    content = b""
    if kind == INCLUSION and lines and lines[0].startswith("extra "):
        content = _decoded(lines.pop(0).removeprefix("extra "))
    number = _number(lines[0] if lines else "", "index" if kind == INCLUSION else "old")
    hashes = tuple(map(_hash, lines[1:]))
    if kind == INCLUSION:
        return Inclusion(number, hashes, note, content)
    return Consistency(number, hashes, note)


def _number(line: str, name: str) -> int:
    found = _NUMBER.fullmatch(line)
    if found is None or found[1] != name:
        raise BadProof("It does not say what it is about.")
    return int(found[2])


def _hash(line: str) -> bytes:
    decoded = _decoded(line)
    if len(decoded) != HASH_BYTES:
        raise BadProof("It holds something that is not a SHA-256 hash.")
    return decoded


def check(
    text: str, keys: Sequence[NoteKey], *, old: str | None = None, leaf: bytes | None = None
) -> Proved:
    """Return what a proof shows to those who trust `keys`. Raises BadProof.

    `old` is the checkpoint that a proof of consistency begins with; `leaf` is the leaf's hash where
    the entry itself is not in the proof.
    """
    proof = read(text)
    point = _checkpoint(proof.note, keys)
    if isinstance(proof, Inclusion):
        return _included(proof, point, leaf)
    if old is None:
        raise BadProof("The checkpoint is needed that it begins with.")
    former = _checkpoint(old, keys)
    if (former.origin, former.size) != (point.origin, proof.old):
        raise BadProof("It begins with another checkpoint.")
    if not merkle.is_consistent(former.size, former.root, point.size, point.root, proof.hashes):
        raise BadProof("The log does not go on from that checkpoint.")
    return Proved(point, old=former.size)


def _included(proof: Inclusion, point: Checkpoint, leaf: bytes | None) -> Proved:
    if proof.content:
        made = merkle.leaf_hash(proof.content)
        if leaf not in {None, made}:
            raise BadProof("It is about another entry.")
        leaf = made
    if leaf is None:
        raise BadProof("The entry is not in it, and has to be given.")
    if not merkle.is_included(leaf, proof.position, point.size, proof.hashes, point.root):
        raise BadProof("The entry is not at that position of the log.")
    return Proved(point, proof.position, proof.content)


def _checkpoint(note: str, keys: Sequence[NoteKey]) -> Checkpoint:
    try:
        return checkpoints.read(note, keys)
    except BadNote as error:
        raise BadProof(str(error)) from error


def _encoded(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadProof("It is not written in base64.") from error
