"""Recovery codes: ten, each good for one sign-in, for who lost every other second factor.

A code is two characters in clear, by which it is found, and ten that are kept as argon2id: 50
random bits, more than can be tried.
"""

import secrets
import unicodedata
from dataclasses import dataclass, field

from idp.crypto.passwords import hash_password, is_password, nobodys_hash
from idp.domain.accounts import Account
from idp.domain.audit import By
from idp.domain.clock import Clock
from idp.domain.credentials.changes import CredentialChanges
from idp.domain.credentials.password import Passwords
from idp.store import accounts
from idp.store import recovery_codes as rows
from idp.store.database import Connection, Store

FACTOR = "recovery_codes"
NUMBER = 10
FEW = 2
"""So many left, or fewer: time for a new set."""
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base32: none of i, l, o and u, which are misread."""
_CHARACTERS = 12
_SELECTOR = 2
_GROUP = 4
_LONGEST_TYPED = 100
_MISREAD = str.maketrans("oil", "011")


@dataclass(frozen=True)
class Prepared:
    """A set that may replace another: `codes` to show once, and selector and hash of each."""

    codes: tuple[str, ...] = field(repr=False)
    hashes: tuple[tuple[str, str], ...] = field(repr=False)


@dataclass(frozen=True)
class Stored:
    """What a typed code is compared with. `selector` is empty where nothing fits it."""

    selector: str
    hash: str = field(repr=False)


class RecoveryCodes:
    """Makes, compares and uses codes."""

    def __init__(
        self, store: Store, passwords: Passwords, changes: CredentialChanges, clock: Clock
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._changes = changes
        self._clock = clock
        self._nobody = Stored("", nobodys_hash())

    def left(self, account_id: str) -> int:
        """Return how many codes a person has not used."""
        with self._store.reading() as connection:
            return self.left_within(connection, account_id)

    def left_within(self, connection: Connection, account_id: str) -> int:
        """Return the same in the caller's transaction."""
        return int(rows.summary(connection, account_id)["left"])

    def made_at(self, account_id: str) -> int | None:
        """Return when a person's codes were made, in seconds since 1970; None without any."""
        with self._store.reading() as connection:
            made_at: int | None = rows.summary(connection, account_id)["made_at"]
        return made_at

    def prepare(self) -> Prepared:
        """Make a set and hash it, outside any transaction. Raises Busy."""
        codes = _new_codes()
        with self._passwords.turn():
            hashes = tuple((code[:_SELECTOR], hash_password(code[_SELECTOR:])) for code in codes)
        return Prepared(tuple(_shown(code) for code in codes), hashes)

    def replace(self, connection: Connection, account: Account, prepared: Prepared, by: By) -> None:
        """Give a person a set in the caller's transaction; the one before works no more."""
        now = int(self._clock())
        fresh = [
            {
                "account_id": account.id,
                "selector": selector,
                "hash": hashed,
                "created_at": now,
                "used_at": None,
            }
            for selector, hashed in prepared.hashes
        ]
        accounts.lock(connection, account.id)
        rows.remove(connection, account.id)
        rows.add(connection, fresh)
        self._changes.added(connection, account, FACTOR, "", by)

    def remove_all(self, connection: Connection, account: Account, by: By) -> None:
        """Leave a person without codes, in the caller's transaction; nothing without any."""
        accounts.lock(connection, account.id)
        if rows.remove(connection, account.id):
            self._changes.removed(connection, account, FACTOR, "", by)

    def stored(self, account_id: str, typed: str) -> Stored:
        """Return what `typed` is to be compared with: for every input one statement, and a hash."""
        selector = _plain(typed)[:_SELECTOR]
        with self._store.reading() as connection:
            hashed = rows.unused_hash(connection, account_id, selector)
        return self._nobody if hashed is None else Stored(selector, hashed)

    def matches(self, stored: Stored, typed: str) -> bool:
        """Check a code within a turn of `Passwords`: always one argon2 run."""
        right = is_password(stored.hash, _plain(typed)[_SELECTOR:])
        return right and stored.selector != ""

    def use(self, connection: Connection, account_id: str, stored: Stored) -> bool:
        """Use a code that matched, in the caller's transaction: of many at once one wins."""
        now = int(self._clock())
        return rows.use(connection, account_id, stored.selector, stored.hash, now)


def _new_codes() -> list[str]:
    """Return codes of which no two share a selector."""
    codes: dict[str, str] = {}
    while len(codes) < NUMBER:
        code = "".join(secrets.choice(ALPHABET) for _ in range(_CHARACTERS))
        codes.setdefault(code[:_SELECTOR], code)
    return list(codes.values())


def _shown(code: str) -> str:
    return "-".join(code[at : at + _GROUP] for at in range(0, _CHARACTERS, _GROUP))


def _plain(typed: str) -> str:
    """Return the twelve characters of a code however it was typed; empty when it can't be one."""
    if len(typed) > _LONGEST_TYPED:
        return ""
    folded = unicodedata.normalize("NFKC", typed).lower().translate(_MISREAD)
    plain = "".join(letter for letter in folded if letter.isalnum())
    fits = len(plain) == _CHARACTERS and set(plain) <= set(ALPHABET)
    return plain if fits else ""
