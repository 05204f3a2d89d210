"""Browsers from which a person signed in: known ones, and trusted ones.

A browser is known by a cookie of its own, which outlives sign-outs. Strangers' guesses don't slow
it down; and if its person trusted it, it stands in for the second factor where policies allow that.
"""

from dataclasses import dataclass

from idp.config import Settings
from idp.crypto.secrets import digest, is_uuid, random_token, uuid7
from idp.domain.accounts import Account, from_row
from idp.domain.audit import Audit, By, Entry, Origin
from idp.domain.clock import Clock
from idp.domain.errors import NotFound
from idp.domain.texts import marked
from idp.store import devices as rows
from idp.store.database import Connection, RowMapping, Store

_GONE = marked("There is no such device.")


@dataclass(frozen=True)
class Device:
    """A browser of one account. Times are seconds since 1970; `trusted_until` None: not trusted."""

    id: str
    created_at: int
    seen_at: int
    trusted_until: int | None
    last_factor: str
    address: str
    user_agent: str


@dataclass(frozen=True)
class KnownAccount:
    """An account that signed in from this browser, and the method of its last sign-in."""

    account: Account
    device_id: str
    last_factor: str


@dataclass(frozen=True)
class Noted:
    """What a sign-in left: the cookie (to be set if it is another one) and whether it was new."""

    cookie: str
    new: bool


class Devices:
    """Knows browsers."""

    def __init__(self, store: Store, audit: Audit, clock: Clock, settings: Settings) -> None:
        self._store = store
        self._audit = audit
        self._clock = clock
        self._lifetime = settings.device_lifetime
        self._trusted_for = settings.trusted_device_lifetime

    def find(self, connection: Connection, cookie: str, account_id: str) -> Device | None:
        """Return what is known of this browser and account."""
        if not cookie:
            return None
        now = int(self._clock())
        row = rows.find(connection, _digest(cookie), account_id, now)
        return _device(row, now) if row else None

    def any(self, connection: Connection, account_id: str) -> bool:
        """Whether the account ever signed in from a browser that is known still."""
        return rows.is_any(connection, account_id, int(self._clock()))

    def accounts_of(self, cookie: str) -> list[KnownAccount]:
        """Return who signed in from this browser, the latest first."""
        if not cookie:
            return []
        with self._store.reading() as connection:
            found = rows.of_browser(connection, _digest(cookie), int(self._clock()))
        return [KnownAccount(from_row(row), row["device_id"], row["last_factor"]) for row in found]

    def of(self, account_id: str) -> list[Device]:
        """Return the browsers of an account, the latest first."""
        now = int(self._clock())
        with self._store.reading() as connection:
            return [_device(row, now) for row in rows.of_account(connection, account_id, now)]

    def note(
        self, connection: Connection, cookie: str, account_id: str, factor: str, trust: bool, by: By
    ) -> Noted:
        """Note a completed sign-in in the caller's transaction.

        A browser that becomes known or trusted gets a new cookie, so that a copy made before is
        worth nothing.
        """
        now = int(self._clock())
        known = self.find(connection, cookie, account_id)
        seen = {
            "seen_at": now,
            "expires_at": now + self._lifetime,
            "last_factor": factor,
            "address": by.origin.address,
            "user_agent": by.origin.user_agent[:300],
        }
        if trust:
            seen["trusted_until"] = now + self._trusted_for
            self._record(connection, "device.trusted", account_id, by)
        if known is None or trust:
            fresh = random_token()
            if cookie:
                rows.move(connection, _digest(cookie), _digest(fresh))
            cookie = fresh
        if known is not None:
            rows.change(connection, known.id, seen)
            return Noted(cookie, new=False)
        first = {"id": uuid7(), "account_id": account_id, "created_at": now, "trusted_until": None}
        rows.add(connection, {**first, **seen, "cookie_digest": _digest(cookie)})
        return Noted(cookie, new=True)

    def forget(self, account_id: str, device_id: str, by: By) -> None:
        """Forget a browser of this account. Raises NotFound."""
        _check_id(device_id)
        with self._store.writing() as connection:
            if not rows.remove(connection, device_id, account_id):
                raise NotFound(_GONE)
            self._record(connection, "device.forgotten", account_id, by)

    def forget_here(self, account_id: str, device_id: str, origin: Origin) -> None:
        """Forget, in this very browser and with nobody signed in, who signed in from it."""
        self.forget(account_id, device_id, By("anyone", origin))

    def distrust(self, account_id: str, device_id: str, by: By) -> None:
        """Take back the trust in a browser of this account. Raises NotFound."""
        _check_id(device_id)
        with self._store.writing() as connection:
            if not rows.distrust(connection, account_id, device_id):
                raise NotFound(_GONE)
            self._record(connection, "device.distrusted", account_id, by)

    def distrust_all(self, connection: Connection, account_id: str) -> None:
        """Take back all trust in the caller's transaction: a factor was removed or reset."""
        rows.distrust(connection, account_id)

    def _record(self, connection: Connection, event: str, account_id: str, by: By) -> None:
        self._audit.record(connection, by.origin, Entry(event, by.actor, account_id))


def _check_id(device_id: str) -> None:
    if not is_uuid(device_id):
        raise NotFound(_GONE)


def _digest(cookie: str) -> bytes:
    return digest("device", cookie)


def _device(row: RowMapping, now: int) -> Device:
    trusted_until = row["trusted_until"]
    return Device(
        row["id"],
        row["created_at"],
        row["seen_at"],
        trusted_until if trusted_until and trusted_until > now else None,
        row["last_factor"],
        row["address"],
        row["user_agent"],
    )
