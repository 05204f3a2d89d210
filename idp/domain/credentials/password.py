"""Passwords: argon2id (RFC 9106), a bounded number at once, compared in one normal form of Unicode.

Long ones instead of composed ones, as NIST SP 800-63B-4 section 3.1.1 has it.
"""

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from idp.crypto.passwords import hash_password, is_password
from idp.domain.errors import Busy, Invalid

LONGEST = 256
"""Characters of the longest password."""
_RETRY_SECONDS = 2


class Passwords:
    """Hashes and checks passwords: at most `slots` at once in this process, `queue`
    more may wait.
    """

    def __init__(self, slots: int, queue: int, min_length: int) -> None:
        self._slots = threading.Semaphore(slots)
        self._places = threading.Semaphore(slots + queue)
        self.min_length = min_length
        self._nobody = hash_password("nobody has this password")

    def accept(self, password: str, email: str = "") -> str:
        """Return the argon2id string of a new password. Raises Invalid when it is unfit, Busy."""
        text = _normalised(password)
        if len(text) < self.min_length:
            raise Invalid("password", f"Use at least {self.min_length} characters.")
        if len(text) > LONGEST:
            raise Invalid("password", f"Use at most {LONGEST} characters.")
        if text.casefold() == email.casefold() or len(set(text)) == 1:
            raise Invalid("password", "That is too easy to guess.")
        with self.turn():
            return hash_password(text)

    def matches(self, stored: str | None, presented: str) -> bool:
        """Check a password within a `turn`; without a stored one the same work is done
        for nobody.
        """
        text = _normalised(presented)
        right = is_password(stored or self._nobody, text[: LONGEST + 1])
        return right and stored is not None and len(text) <= LONGEST

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a place to hash. Raises Busy.

        Hashing costs 19 MiB and tens of milliseconds: bounded, so that a flood can't take the
        server down.
        """
        if not self._places.acquire(blocking=False):
            raise Busy(_RETRY_SECONDS)
        try:
            with self._slots:
                yield
        finally:
            self._places.release()


def _normalised(password: str) -> str:
    return unicodedata.normalize("NFKC", password)
