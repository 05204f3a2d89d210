"""How easily a new password is guessed: by zxcvbn, whose 30,000 common passwords are the bundled
list.

The whole password is looked up (NIST SP 800-63B-4 section 3.1.1.2); which kinds of characters it is
made of is nobody's business.
"""

import re
import threading
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from zxcvbn import zxcvbn
from zxcvbn.matching import L33T_TABLE, RANKED_DICTIONARIES

from idp.domain.texts import marked

LEAST_GUESSES = 10**10
"""Of a password that is all there is: argon2id makes so many cost months for one account."""
LEAST_GUESSES_WITH_SECOND_FACTOR = 10**6
"""Of a password beside a second factor: more than anybody can try here."""
COMMON = marked("It’s on a list of common passwords. Choose another one.")
PERSONAL = marked("It’s your name, your address or ours. Choose something unrelated.")
REPEATED = marked("Too easy to guess: it repeats itself. Add a few unrelated words.")
IN_ORDER = marked("Too easy to guess: it counts or spells in order. Add a few unrelated words.")
ON_KEYBOARD = marked(
    "Too easy to guess: it follows the keys of a keyboard. Add a few unrelated words."
)
MOSTLY_COMMON = marked(
    "Too easy to guess: much of it is a common password. Add a few unrelated words."
)
MOSTLY_PERSONAL = marked(
    "Too easy to guess: much of it is your name or address. Add a few unrelated words."
)
GUESSABLE = marked("Too easy to guess: add a few unrelated words.")
_BY_PATTERN = {"repeat": REPEATED, "sequence": IN_ORDER, "spatial": ON_KEYBOARD}
_BY_DICTIONARY = {"passwords": MOSTLY_COMMON, "user_inputs": MOSTLY_PERSONAL}
_COMMON = RANKED_DICTIONARIES["passwords"]
_LONGEST = 72
"""Characters that zxcvbn takes."""
_PARTS = re.compile(r"[\s@._+-]+")
_SHORTEST_PART = 3
# zxcvbn tries every way to read look-alikes such as 1, ! and |: 20 of them took it 3 seconds.
_LOOKALIKES = {ord(sign): letter for letter, signs in sorted(L33T_TABLE.items()) for sign in signs}
_MOST_LOOKALIKES = 8
# zxcvbn keeps the words about a person in a table of the process.
_ONE_AT_A_TIME = threading.Lock()


def problem(password: str, inputs: Iterable[str], *, second_factor: bool = False) -> str | None:
    """Return why a password is too weak and what helps, None when it is not.

    `inputs` are what others know of its person and of us: addresses, names. Takes milliseconds, at
    worst a tenth of a second.
    """
    folded = _folded(password)
    words = _words(inputs)
    if folded in _COMMON:
        return COMMON
    if folded in words:
        return PERSONAL
    with _ONE_AT_A_TIME:
        found = zxcvbn(_bounded(password), words)
    least = LEAST_GUESSES_WITH_SECOND_FACTOR if second_factor else LEAST_GUESSES
    return None if found["guesses"] >= least else _reason(found["sequence"])


def _reason(sequence: Iterable[Mapping[str, Any]]) -> str:
    """Return what the longest part that zxcvbn recognised says of the whole."""
    longest = max(sequence, key=lambda part: len(part["token"]))
    by_dictionary = _BY_DICTIONARY.get(longest.get("dictionary_name", ""), GUESSABLE)
    return _BY_PATTERN.get(longest["pattern"], by_dictionary)


def _words(inputs: Iterable[str]) -> list[str]:
    """Return the inputs and their parts as they are compared, each once."""
    whole = [_folded(text).strip() for text in inputs]
    parts = [part for text in whole for part in _PARTS.split(text) if len(part) >= _SHORTEST_PART]
    return [word for word in dict.fromkeys([*whole, *parts]) if word]


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _bounded(text: str) -> str:
    """Return what zxcvbn can judge in a short time."""
    text = text[:_LONGEST]
    if sum(ord(sign) in _LOOKALIKES for sign in set(text)) <= _MOST_LOOKALIKES:
        return text
    return text.translate(_LOOKALIKES)
