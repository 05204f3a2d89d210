"""A browser's login: opaque cookie, server-side record, new identifier at each sign-in."""

from dataclasses import dataclass

from idp.config import Settings
from idp.crypto.secrets import digest, random_token, uuid7
from idp.domain.accounts import Account, from_row
from idp.domain.audit import Audit, Entry, Origin
from idp.domain.clock import Clock
from idp.store import sessions as rows
from idp.store.database import Connection, Store

_TOUCH_SECONDS = 60


@dataclass(frozen=True)
class Session:
    """A live login. `auth_time` is when the person last proved who they are, seconds since 1970."""

    id: str
    account: Account
    auth_time: int
    amr: tuple[str, ...]
    acr: str


def binding_of(cookie: str) -> bytes:
    """Return what ties a record to the browser that holds `cookie`."""
    return digest("browser", cookie)


class Sessions:
    """Opens, finds and ends sessions."""

    def __init__(self, store: Store, audit: Audit, clock: Clock, settings: Settings) -> None:
        self._store = store
        self._audit = audit
        self._clock = clock
        self._idle = settings.session_idle_lifetime
        self._absolute = settings.session_absolute_lifetime

    def find(self, cookie: str) -> Session | None:
        """Return the live session of a cookie: never cached, so that an end counts at the next
        request.
        """
        now = int(self._clock())
        with self._store.reading() as connection:
            row = rows.find(connection, binding_of(cookie), now)
        if row is None:
            return None
        if now - row["seen_at"] >= _TOUCH_SECONDS:
            self._touch(row["session_id"], now)
        return Session(
            row["session_id"], from_row(row), row["auth_time"], tuple(row["amr"]), row["acr"]
        )

    def _touch(self, session_id: str, now: int) -> None:
        with self._store.writing() as connection:
            rows.touch(connection, session_id, now, now + self._idle)

    def knows(self, cookie: str, account_id: str) -> bool:
        """Whether this browser signed in to the account before, and the login is remembered."""
        with self._store.reading() as connection:
            return rows.belongs(connection, binding_of(cookie), account_id)

    def start(
        self,
        connection: Connection,
        account_id: str,
        amr: tuple[str, ...],
        acr: str,
        old_cookie: str,
        earlier: str,
        origin: Origin,
    ) -> tuple[str, str]:
        """Open a session in the caller's transaction; return its id and its new cookie.

        Somebody who proves again who they are goes on with the session they had, so that nobody is
        signed out of other applications by it: the one of this browser, or `earlier`, begun by a
        first click. Another person's ends. What was bound to the old cookie is bound to the new
        one, so that a fixed or stolen identifier is worth nothing (SECURITY case 114).
        """
        now = int(self._clock())
        cookie = random_token()
        proof = {
            "cookie_digest": binding_of(cookie),
            "auth_time": now,
            "amr": list(amr),
            "acr": acr,
            "proofs": {"password": now},
            "kept": False,
            "chosen_at": now,
            "seen_at": now,
            "idle_expires_at": now + self._idle,
            "expires_at": now + self._absolute,
            "address": origin.address,
            "user_agent": origin.user_agent[:300],
        }
        current = rows.find(connection, binding_of(old_cookie), now)
        session_id = earlier or (current["session_id"] if current else "")
        if not (session_id and rows.renew(connection, session_id, account_id, now, proof)):
            self._end(connection, old_cookie, current["id"] if current else None, origin)
            session_id = uuid7()
            fresh = {"id": session_id, "account_id": account_id, "created_at": now}
            rows.add(connection, {**fresh, **proof, "ended_at": None})
        rows.move_bindings(connection, binding_of(old_cookie), binding_of(cookie))
        return session_id, cookie

    def end(self, cookie: str, account_id: str, origin: Origin) -> None:
        """End a browser's session: what is bound to it ends with it, at once and on every node."""
        with self._store.writing() as connection:
            self._end(connection, cookie, account_id, origin)

    def _end(
        self, connection: Connection, cookie: str, account_id: str | None, origin: Origin
    ) -> None:
        if rows.end(connection, binding_of(cookie), int(self._clock())):
            entry = Entry("session.ended", f"account:{account_id}", account_id)
            self._audit.record(connection, origin, entry)
