"""Two texts letter by letter: which parts of each the other one does not have."""

from dataclasses import dataclass
from difflib import SequenceMatcher

_ALIKE = 0.5
"""Below this share of common letters marks would tell nothing."""
_LONGEST = 500
"""Characters: the time that it takes grows with their square."""


@dataclass(frozen=True)
class Piece:
    """A part of a text; `differs`: the other one has not got it there."""

    text: str
    differs: bool = False


Pieces = tuple[Piece, ...]


def compared(one: str, other: str) -> tuple[Pieces, Pieces]:
    """Return both texts in pieces; whole where they have little in common, or are very long."""
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    if max(len(one), len(other)) > _LONGEST or matcher.ratio() < _ALIKE:
        return whole(one), whole(other)
    left, right = [], []
    for kind, begin, end, other_begin, other_end in matcher.get_opcodes():
        left.append(Piece(one[begin:end], kind != "equal"))
        right.append(Piece(other[other_begin:other_end], kind != "equal"))
    return _filled(left), _filled(right)


def whole(text: str) -> Pieces:
    """Return a text in one piece."""
    return _filled([Piece(text)])


def _filled(pieces: list[Piece]) -> Pieces:
    return tuple(piece for piece in pieces if piece.text)
