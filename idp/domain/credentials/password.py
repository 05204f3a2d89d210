"""Passwords: argon2id (RFC 9106), a bounded number at once, compared in one normal form of Unicode.

Long ones instead of composed ones, as NIST SP 800-63B-4 section 3.1.1 has it.
"""

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from idp.crypto.passwords import hash_password, is_password, needs_rehash, nobodys_hash
from idp.domain.credentials import strength
from idp.domain.credentials.breaches import Breaches
from idp.domain.errors import Busy, Invalid
from idp.domain.texts import counted, marked

LONGEST = 256
"""Characters of the longest password."""
SHORTEST_WITH_SECOND_FACTOR = 8
_LONGEST_RAW = LONGEST * 16
"""Characters as they are typed, of which normal form never makes as few as `LONGEST`."""
_RETRY_SECONDS = 2
_NOBODY = Breaches(None)


class Passwords:
    """Hashes and checks passwords: at most `slots` at once in this process, `queue`
    more may wait.

    New ones have `min_length` characters, and `with_second_factor` where a second factor is always
    asked for too. `product` is what people would think of first.
    """

    def __init__(
        self,
        slots: int,
        queue: int,
        min_length: int,
        *,
        with_second_factor: int = SHORTEST_WITH_SECOND_FACTOR,
        product: str = "",
        breaches: Breaches = _NOBODY,
    ) -> None:
        self._slots = threading.Semaphore(slots)
        self._places = threading.Semaphore(slots + queue)
        self.min_length = min_length
        self.min_length_with_second_factor = min(min_length, with_second_factor)
        self._product = product
        self._breaches = breaches
        self._nobody = nobodys_hash()

    def accept(
        self, password: str, email: str = "", name: str = "", *, second_factor: bool = False
    ) -> str:
        """Return the argon2id string of a new password, of whom `email` and `name` tell.

        `second_factor`: it never signs in alone. Raises Invalid when it is unfit, Busy.
        """
        text = _normalised(password)
        self._check_length(text, second_factor=second_factor)
        known = (email, email.partition("@")[0], name, self._product)
        with self.turn():
            weakness = strength.problem(text, known, second_factor=second_factor)
            if said := weakness or self._breaches.problem(text):
                raise Invalid("password", said)
            return hash_password(text)

    def _check_length(self, text: str, *, second_factor: bool) -> None:
        shortest = self.min_length_with_second_factor if second_factor else self.min_length
        if len(text) < shortest:
            said = counted(
                "Use at least %(count)s character.", "Use at least %(count)s characters.", shortest
            )
            raise Invalid("password", said)
        if len(text) > LONGEST:
            raise Invalid("password", marked("Use at most %(most)s characters.", most=LONGEST))
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            raise Invalid("password", marked("Some of it is not text. Type it again."))

    def matches(self, stored: str | None, presented: str) -> bool:
        """Check a password within a `turn`; without a stored one the same work is done
        for nobody.
        """
        text = _normalised(presented)
        right = is_password(stored or self._nobody, text[: LONGEST + 1])
        return right and stored is not None and len(text) <= LONGEST

    def rehashed(self, stored: str, presented: str) -> str | None:
        """Return a new hash of a password that just matched, None while the stored one's parameters
        are today's. Within the same `turn`.
        """
        return hash_password(_normalised(presented)) if needs_rehash(stored) else None

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
    """Return the normal form; of a password that is too long anyway only a part, which is too long
    still: the whole could take seconds (SECURITY case 153).
    """
    return unicodedata.normalize("NFKC", password[: _LONGEST_RAW + 1])
