"""A browser's logins: opaque cookie, server-side records, a new identifier at each sign-in.

One browser may hold a session for each of several accounts under the same cookie; one of them is
the present one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from idp.config import Settings
from idp.crypto.secrets import digest, is_uuid, random_token, uuid7
from idp.domain.accounts import Account, from_row
from idp.domain.assurance import Assurance
from idp.domain.audit import Audit, Entry, Origin
from idp.domain.clock import Clock
from idp.domain.errors import NotFound
from idp.domain.texts import marked
from idp.store import sessions as rows
from idp.store.database import Connection, RowMapping, Store

MOST_ACCOUNTS = 10
"""Accounts that one browser may be signed in to."""
_TOUCH_SECONDS = 60
_JUST_SECONDS = 60


@dataclass(frozen=True)
class Session:
    """A live login. Times are seconds since 1970.

    `auth_time` is when the person last proved who they are; `proofs` says which factor was proven
    when; `kept` whether they asked to stay signed in.
    """

    id: str
    account: Account
    auth_time: int
    amr: tuple[str, ...]
    acr: str
    proofs: Mapping[str, int]
    kept: bool
    created_at: int
    seen_at: int
    address: str
    user_agent: str


@dataclass(frozen=True)
class Login:
    """What a sign-in makes a session of: who, by which proofs, how strong, and whether to keep it.

    `kept` None: as it was.
    """

    account_id: str
    proofs: Mapping[str, int]
    assurance: Assurance
    kept: bool | None = None


def binding_of(cookie: str) -> bytes:
    """Return what ties a record to the browser that holds `cookie`."""
    return digest("browser", cookie)


class Sessions:
    """Opens, finds and ends sessions."""

    def __init__(self, store: Store, audit: Audit, clock: Clock, settings: Settings) -> None:
        self._store = store
        self._audit = audit
        self._clock = clock
        self._lifetimes = {
            False: (settings.session_idle_lifetime, settings.session_absolute_lifetime),
            True: (settings.session_kept_idle_lifetime, settings.session_kept_absolute_lifetime),
        }

    def find(self, cookie: str) -> Session | None:
        """Return the present session of a cookie: never cached, so that an end counts at the next
        request.
        """
        found = self.all(cookie)
        return found[0] if found else None

    def all(self, cookie: str) -> list[Session]:
        """Return the live sessions of a cookie, the present one first."""
        now = int(self._clock())
        with self._store.reading() as connection:
            found = rows.of_browser(connection, binding_of(cookie), now)
        if found and now - found[0]["seen_at"] >= _TOUCH_SECONDS:
            self._touch(found[0], now)
        return [_session(row) for row in found]

    def of(self, account_id: str) -> list[Session]:
        """Return the live sessions of an account in all browsers, the one used last first."""
        with self._store.reading() as connection:
            found = rows.of_account(connection, account_id, int(self._clock()))
        return [_session(row) for row in found]

    def just_ended(self, cookie: str) -> list[Account]:
        """Return who was signed in under a cookie until a minute ago, and is not any more."""
        now = int(self._clock())
        with self._store.reading() as connection:
            binding = binding_of(cookie)
            ended = rows.ended_of_browser(connection, binding, now - _JUST_SECONDS)
            here = {row["id"] for row in rows.of_browser(connection, binding, now)}
        found = {row["id"]: from_row(row) for row in ended if row["id"] not in here}
        return list(found.values())

    def _touch(self, row: RowMapping, now: int) -> None:
        idle, _ = self._lifetimes[row["kept"]]
        with self._store.writing() as connection:
            rows.touch(connection, row["session_id"], now, now + idle)

    def choose(self, cookie: str, session_id: str) -> None:
        """Make a session of this browser the present one. Raises NotFound."""
        now = int(self._clock())
        with self._store.writing() as connection:
            found = rows.of_browser(connection, binding_of(cookie), now)
            if session_id not in {row["session_id"] for row in found}:
                raise NotFound(marked("That account is not signed in here any more."))
            rows.choose(connection, session_id, _latest(found, now))

    def start(
        self, connection: Connection, login: Login, old_cookie: str, earlier: str, origin: Origin
    ) -> tuple[str, str]:
        """Open a session in the caller's transaction; return its id and its new cookie.

        Somebody who proves again who they are goes on with the session they had, so that nobody is
        signed out of other applications by it: the one of this browser, or `earlier`, begun by a
        first click. All sessions of the browser, and what is bound to it, get the new cookie, so
        that a fixed or stolen identifier is worth nothing (SECURITY case 114).
        """
        now = int(self._clock())
        cookie = random_token()
        self._take_over(connection, old_cookie, earlier, cookie)
        here = rows.of_browser(connection, binding_of(cookie), now)
        own = next((row for row in here if row["id"] == login.account_id), None)
        values = self._values(login, own, _latest(here, now), cookie, origin)
        session_id = own["session_id"] if own else ""
        if not (own and rows.renew(connection, session_id, login.account_id, now, values)):
            session_id = uuid7()
            first = {"id": session_id, "account_id": login.account_id, "created_at": now}
            rows.add(connection, {**first, **values, "ended_at": None})
        for row in here[MOST_ACCOUNTS - 1 :]:
            if row is not own:
                self._end(connection, row["session_id"], row["id"], origin, "server")
        return session_id, cookie

    def _take_over(
        self, connection: Connection, old_cookie: str, earlier: str, cookie: str
    ) -> None:
        """Move to the new cookie what the browser has: under the cookie it sent, and under the one
        that a first click got.
        """
        rows.move(connection, binding_of(old_cookie), binding_of(cookie))
        former = rows.cookie_of(connection, earlier) if earlier else None
        if former and former != binding_of(cookie):
            rows.move(connection, former, binding_of(cookie))

    def _values(
        self, login: Login, own: RowMapping | None, chosen_at: int, cookie: str, origin: Origin
    ) -> dict[str, object]:
        now = int(self._clock())
        kept = login.kept if login.kept is not None else bool(own and own["kept"])
        idle, absolute = self._lifetimes[kept]
        return {
            "cookie_digest": binding_of(cookie),
            "auth_time": login.assurance.since,
            "amr": list(login.assurance.amr),
            "acr": login.assurance.acr,
            "proofs": dict(login.proofs),
            "kept": kept,
            "chosen_at": chosen_at,
            "seen_at": now,
            "idle_expires_at": now + idle,
            "expires_at": now + absolute,
            "address": origin.address,
            "user_agent": origin.user_agent[:300],
        }

    def end(self, cookie: str, account_id: str, origin: Origin) -> None:
        """End an account's session in this browser: what is bound to it ends with it, at once and
        on every node.
        """
        with self._store.writing() as connection:
            self.end_within(connection, cookie, account_id, origin)

    def end_within(
        self, connection: Connection, cookie: str, account_id: str, origin: Origin
    ) -> list[str]:
        """End an account's session in this browser in the caller's transaction; return which."""
        here = rows.of_browser(connection, binding_of(cookie), int(self._clock()))
        own = [row["session_id"] for row in here if row["id"] == account_id]
        actor = f"account:{account_id}"
        return [one for one in own if self._end(connection, one, account_id, origin, actor)]

    def end_one(self, session_id: str, account_id: str, origin: Origin, actor: str) -> None:
        """End one session of an account, in whatever browser. Raises NotFound."""
        if not is_uuid(session_id):
            raise NotFound(marked("There is no such session."))
        with self._store.writing() as connection:
            if not self._end(connection, session_id, account_id, origin, actor):
                raise NotFound(marked("There is no such session."))

    def end_others(self, account_id: str, keep: str, origin: Origin, actor: str) -> int:
        """End every session of an account but `keep` (empty: every one); return how many."""
        with self._store.writing() as connection:
            ended = rows.end_all(connection, account_id, int(self._clock()), but=keep)
            for session_id in ended:
                self._record(connection, session_id, account_id, origin, actor)
        return len(ended)

    def _end(
        self, connection: Connection, session_id: str, account_id: str, origin: Origin, actor: str
    ) -> bool:
        ended = rows.end(connection, session_id, account_id, int(self._clock()))
        if ended:
            self._record(connection, session_id, account_id, origin, actor)
        return ended

    def _record(
        self, connection: Connection, session_id: str, account_id: str, origin: Origin, actor: str
    ) -> None:
        entry = Entry("session.ended", actor, account_id, detail={"session": session_id})
        self._audit.record(connection, origin, entry)


def _latest(found: Sequence[RowMapping], now: int) -> int:
    """Return a `chosen_at` after all that a browser's sessions have."""
    return max([now, *(int(row["chosen_at"]) + 1 for row in found)])


def _session(row: RowMapping) -> Session:
    return Session(
        row["session_id"],
        from_row(row),
        row["auth_time"],
        tuple(row["amr"]),
        row["acr"],
        row["proofs"],
        row["kept"],
        row["session_created_at"],
        row["seen_at"],
        row["address"],
        row["user_agent"],
    )
