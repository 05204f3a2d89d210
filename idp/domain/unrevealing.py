"""What somebody sent, so that it may be kept: without what might be a secret or tell of a person.

A developer looks for a wrong letter in an address. Values in its query, names before an @ and long
random words are no part of that, unless they are registered so.
"""

import re
from collections.abc import Collection

LONGEST = 300
_LOOKED_AT = 1000
HIDDEN = "…"
_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_PIECE = re.compile(r"[^\s/?#&=,]+")
_PAIR = re.compile(r"(?<=[?&#;])([^?&#;=\s]*=)([^&#;\s]+)")
_LONG_WORD = re.compile(r"[A-Za-z0-9_-]{24,}")


def unrevealing(text: str, known: Collection[str] = ()) -> str:
    """Return at most LONGEST characters of `text`; what stands in one of `known` is no secret."""
    shown = _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text[:_LOOKED_AT])

    def pair(found: re.Match[str]) -> str:
        whole = found[0]
        return whole if any(whole in each for each in known) else found[1] + HIDDEN

    def word(found: re.Match[str]) -> str:
        looks_random = re.search(r"[0-9]", found[0]) and re.search(r"[A-Za-z]", found[0])
        is_known = any(found[0] in each for each in known)
        return HIDDEN if looks_random and not is_known else found[0]

    shown = _PIECE.sub(_without_name, _PAIR.sub(pair, shown))
    return shortened(_LONG_WORD.sub(word, shown))


def _without_name(found: re.Match[str]) -> str:
    """Hide what stands before the last @; a pattern that looks ahead would take quadratic time."""
    piece = found[0]
    last = max(piece.rfind("@"), piece.rfind("%40"))
    return f"{HIDDEN}{piece[last:]}" if last > 0 else piece


def shortened(text: str) -> str:
    """Return at most LONGEST characters, printable ones."""
    shown = _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + HIDDEN
