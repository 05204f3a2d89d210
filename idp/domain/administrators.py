"""The first administrator: made through a link that works once, for which only operators can ask.

There is no default account and no open set-up page. Once an administrator was made, the database
remembers it for ever, so that nothing re-opens when that account goes (SECURITY case 156).
"""

from idp.crypto import secrets
from idp.domain.accounts import Account, Accounts
from idp.domain.audit import Audit, Entry, Origin
from idp.domain.clock import Clock
from idp.domain.errors import Refused
from idp.domain.one_time import OneTimeValues
from idp.domain.roles import ADMINISTRATOR
from idp.domain.throttling import Throttle
from idp.store import administrators as rows
from idp.store import installation as facts
from idp.store.database import Connection, Store

ROLE = ADMINISTRATOR
LINK_LIFETIME = 3600
_REPEAT_SECONDS = 60
_KIND = "administrator_link"
_MADE = "administrator-made"
_LATEST = "administrator-link"


class Administrators:
    """Knows whether there ever was an administrator, and makes one for who holds the link."""

    def __init__(
        self,
        store: Store,
        one_time: OneTimeValues,
        accounts: Accounts,
        audit: Audit,
        throttle: Throttle,
        clock: Clock,
    ) -> None:
        self._store = store
        self._one_time = one_time
        self._accounts = accounts
        self._throttle = throttle
        self._audit = audit
        self._clock = clock

    def exists(self) -> bool:
        """Whether an administrator was ever made, by a link or by a command."""
        with self._store.reading() as connection:
            if facts.find(connection, _MADE) is not None:
                return True
            found = rows.any_holder(connection, ROLE)
        if found:
            self.remember()
        return found

    def remember(self) -> None:
        """Write down that an administrator was made."""
        with self._store.writing() as connection:
            self._remember(connection)

    def _remember(self, connection: Connection) -> None:
        if facts.find(connection, _MADE) is None:
            facts.add(connection, _MADE, str(int(self._clock())).encode())

    def issue_link(self, origin: Origin, actor: str, lifetime: int = LINK_LIFETIME) -> str:
        """Return the path of a link that works once for `lifetime` seconds; links before it end."""
        token = secrets.random_token()
        with self._store.writing() as connection:
            self._one_time.put(connection, _KIND, token, {}, lifetime)
            self._keep_latest(connection, token)
            self._audit.record(connection, origin, Entry("administrator.link_issued", actor))
        return f"/setup/administrator/{token}"

    def _keep_latest(self, connection: Connection, token: str) -> None:
        digest = secrets.digest(_KIND, token)
        if facts.find(connection, _LATEST) is None:
            facts.add(connection, _LATEST, digest)
        else:
            facts.change(connection, _LATEST, digest)

    def check(self, token: str) -> bool:
        """Whether a link still works; looking does not use it."""
        with self._store.reading() as connection:
            found = self._one_time.find(connection, _KIND, token)
            latest = self._is_latest(connection, token)
        return bool(found and latest and not found.used_at and found.expires_at > self._clock())

    def used_just_now(self, token: str) -> bool:
        """Whether a link was used within a minute: a second click is no guess."""
        with self._store.reading() as connection:
            found = self._one_time.find(connection, _KIND, token)
        return bool(found and found.used_at and self._clock() - found.used_at <= _REPEAT_SECONDS)

    def _is_latest(self, connection: Connection, token: str) -> bool:
        latest = facts.find(connection, _LATEST) or b""
        return secrets.same(latest, secrets.digest(_KIND, token))

    def complete(self, token: str, email: str, name: str, password: str, origin: Origin) -> Account:
        """Use the link and make the account, both or neither.

        Raises Refused or Throttled for a link that does not work, and Invalid, AlreadyExists, Busy,
        which leave the link as it was.
        """
        if not self.check(token):
            raise self.refused(origin)
        new = self._accounts.prepare(email, name, password, roles=(ROLE,))
        with self._store.writing() as connection:
            usable = self._is_latest(connection, token)
            won = usable and self._one_time.take(connection, _KIND, token) is not None
            if won:
                self._accounts.insert(connection, new, origin, f"account:{new.id}")
                self._remember(connection)
        if not won:
            raise self.refused(origin)
        return self._accounts.get(new.id)

    def refused(self, origin: Origin) -> Refused:
        """Record that a link does not work, and return the refusal. Raises Throttled."""
        self._throttle.count("administrator link", origin.address)
        self._audit.refuse(origin, Entry("administrator.added", "anyone"))
        return Refused("administrator link")
