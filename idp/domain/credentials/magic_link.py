"""A mailed proof: a link of 256 random bits and six digits, good once for who reads the mail.

It belongs to one browser, in one interaction, for one purpose. It is dead when it was used, is too
old, was replaced by a newer one or disowned, after five typed codes, and as soon as the account is
disabled, its address changes or any of its credentials does (SECURITY cases 86 and 92).
"""

import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace

from idp.crypto.secrets import random_token, same
from idp.domain.accounts import email_key
from idp.domain.clock import Clock
from idp.domain.interactions import INTERACTION
from idp.domain.one_time import Found, OneTimeValues
from idp.store import accounts, credential_marks
from idp.store.database import Connection

TRIES = 5
"""Codes that may be typed for one mail."""
_KIND = "magic link"
_DIGITS = 6


@dataclass(frozen=True)
class Link:
    """What was mailed, for what, and who asked for it. Times are seconds since 1970.

    `account_id` is empty where the address has no account (yet); `works` is False when the mail
    said so, and had neither link nor code. `client` is the application's name, or empty.
    """

    purpose: str
    email: str
    account_id: str
    handle: str
    works: bool
    client: str
    address: str
    user_agent: str
    made_at: int
    marks: Sequence[str]
    code: str = field(repr=False)
    tries: int = 0


class Links:
    """Makes, finds and uses links inside the caller's transaction."""

    def __init__(self, one_time: OneTimeValues, clock: Clock, lifetime: int) -> None:
        self._one_time = one_time
        self._clock = clock
        self.lifetime = lifetime

    def make(self, connection: Connection, link: Link, binding: bytes) -> str:
        """Store a link for a browser and return its token."""
        token = random_token()
        self._one_time.put(connection, _KIND, token, asdict(link), self.lifetime, binding=binding)
        return token

    def find(self, connection: Connection, token: str) -> tuple[Link, Found] | None:
        """Return a link, alive or not; looking uses nothing."""
        found = self._one_time.find(connection, _KIND, token)
        return (Link(**found.payload), found) if found else None

    def latest(self, connection: Connection, handle: str, *, lock: bool = False) -> str:
        """Return the token that was mailed last in an interaction that goes on; else nothing."""
        found = self._one_time.find(connection, INTERACTION, handle, lock=lock)
        if found is None or found.used_at is not None or found.expires_at <= self._clock():
            return ""
        mailed: str = found.payload["mailed"]
        return mailed

    def alive(self, connection: Connection, token: str) -> Link | None:
        """Return a link if it works. For every account the same statements (SECURITY case 84)."""
        known = self.find(connection, token)
        if known is None:
            return None
        link, found = known
        fresh = found.used_at is None and found.expires_at > self._clock()
        latest = self.latest(connection, link.handle)
        unchanged = self._unchanged(connection, link)
        works = fresh and unchanged and same(latest.encode(), token.encode())
        return link if works and link.works else None

    def is_for(self, connection: Connection, token: str, binding: bytes) -> bool:
        """Whether a link belongs to this browser."""
        known = self.find(connection, token)
        return known is not None and known[1].is_for(binding)

    def _unchanged(self, connection: Connection, link: Link) -> bool:
        row = accounts.find(connection, link.account_id or email_key(link.email))
        marks = credential_marks.find(connection, link.account_id)
        if not link.account_id:
            return row is None
        if row is None or row["disabled_at"] is not None:
            return False
        return row["email_key"] == email_key(link.email) and list(link.marks) == marks

    def count(self, connection: Connection, token: str) -> Link | None:
        """Count a typed code before it is compared: return what to compare it with, None when five
        were typed or there is no such link.
        """
        found = self._one_time.find(connection, _KIND, token, lock=True)
        if found is None or found.payload["tries"] >= TRIES:
            return None
        link = Link(**found.payload)
        counted = replace(link, tries=link.tries + 1)
        self._one_time.rewrite(connection, _KIND, token, asdict(counted), unless_used=True)
        return counted

    def use(self, connection: Connection, token: str) -> bool:
        """Use up a link that is alive: of many at once one wins."""
        return self.alive(connection, token) is not None and self.end(connection, token)

    def end(self, connection: Connection, token: str) -> bool:
        """Use up a link, alive or not; tell whether it was unused."""
        return self._one_time.take(connection, _KIND, token) is not None


def marks(connection: Connection, account_id: str) -> list[str]:
    """Return what will be compared with the account's credentials as they are then."""
    return credential_marks.find(connection, account_id)


def new_code() -> str:
    """Return six random digits."""
    return f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"


def is_code(link: Link, typed: str) -> bool:
    """Compare in constant time. Spaces and dashes, and digits of other scripts, may be typed."""
    plain = "".join(unicodedata.normalize("NFKC", typed[:100]).split()).replace("-", "")
    return same(link.code.encode(), plain.encode(errors="replace"))
