"""Signing out of one browser, and which applications this browser then has to tell.

Those that are told server to server have their notice already (store/session_clients.py); others
are told by the browser itself, on the page that `handle` opens (OpenID Connect Front-Channel Logout
1.0 section 3).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from idp.crypto.sealing import SealBroken
from idp.crypto.secrets import random_token
from idp.domain.audit import Origin
from idp.domain.clock import Clock
from idp.domain.one_time import OneTimeValues
from idp.domain.sessions import Sessions, binding_of
from idp.store import session_clients as rows
from idp.store.database import Store

MOST_FRAMES = 50
"""Applications told by one page."""
_FAREWELL = "farewell"
_LIFETIME = 600
"""Seconds for which the page can be loaded again."""


@dataclass(frozen=True)
class Farewell:
    """A sign-out that the browser tells applications of: client ids, each with what the client
    calls the session. `continue_uri` is where the client that asked wants the browser back.
    """

    told: tuple[tuple[str, str], ...]
    client_id: str | None
    continue_uri: str | None


class SignOut:
    """Ends sessions of a browser."""

    def __init__(
        self, store: Store, sessions: Sessions, one_time: OneTimeValues, clock: Clock
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._one_time = one_time
        self._clock = clock

    def end(
        self,
        cookie: str,
        account_ids: Sequence[str],
        client_id: str | None,
        continue_uri: str | None,
        origin: Origin,
    ) -> str:
        """End the sessions of these accounts in this browser; return the handle of a Farewell,
        empty if there is no application for the browser to tell.
        """
        if not account_ids:
            return ""
        handle, ended = random_token(), []
        with self._store.writing() as connection:
            for account_id in account_ids:
                ended += self._sessions.end_within(connection, cookie, account_id, origin)
            told = rows.by_browser(connection, ended, MOST_FRAMES)
            if not told:
                return ""
            farewell = {"told": told, "client_id": client_id, "continue_uri": continue_uri}
            binding = binding_of(cookie)
            self._one_time.put(
                connection, _FAREWELL, handle, farewell, _LIFETIME, binding=binding, tombstone=0
            )
        return handle

    def find(self, handle: str, cookie: str) -> Farewell | None:
        """Return a farewell of this browser, None when there is none, or none any more."""
        try:
            with self._store.reading() as connection:
                found = self._one_time.find(connection, _FAREWELL, handle)
        except SealBroken:
            return None
        if found is None or not found.is_for(binding_of(cookie)):
            return None
        if found.expires_at <= self._clock():
            return None
        told = tuple((client_id, sid) for client_id, sid in found.payload["told"])
        return Farewell(told, found.payload["client_id"], found.payload["continue_uri"])

    def session_of(self, sid: str, client_id: str) -> str | None:
        """Return the id of the session that a client calls `sid`, ended or not; None when there is
        none, or none any more.
        """
        with self._store.reading() as connection:
            return rows.session_of(connection, sid, client_id)
