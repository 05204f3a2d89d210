"""Telling clients that a session has ended: OpenID Connect Back-Channel Logout 1.0 section 2.5.

The notices were written in the transaction that ended the session (store/session_clients.py), so
whoever signs out never waits for a client. `mint` comes from protocol, `post` from outbound; a
token is made when it is sent, since it lives shortly.
"""

from collections.abc import Callable, Mapping

from idp.domain.audit import Audit, Entry, Origin
from idp.domain.client_keys import NoKeys
from idp.domain.clients import Client, Clients
from idp.domain.clock import Clock
from idp.domain.dispatch import Dispatch, Manner, Problem
from idp.domain.signing_keys import NoSigningKey
from idp.outbound.fetching import FetchFailed
from idp.store.database import Connection, RowMapping, Store
from idp.store.session_clients import NOTICES

PAUSES = (20, 100, 480, 3000)
"""Seconds between the tries: five, within an hour."""
TOGETHER = 8
"""Clients told at the same time, so that a dead one holds up few."""
RESTS = 15
"""Seconds for which a client that can't be reached is not asked again: less than the first pause.
Else whoever signs out often at a dead address would hold up everybody's notices."""
_SUCCEEDED = frozenset({200, 204})
_FINAL = frozenset({400})
_OURSELVES = Origin()

MintLogoutToken = Callable[[Client, str, str], str]
"""Takes the client, what it calls the person, and `sid`."""
Post = Callable[[str, Mapping[str, str]], int]
"""Sends a form and returns the answer's status. Raises FetchFailed."""


class LogoutDelivery:
    """Tells clients, in a thread of its own once `ensure_started` was called."""

    def __init__(
        self,
        store: Store,
        clients: Clients,
        audit: Audit,
        clock: Clock,
        mint: MintLogoutToken,
        post: Post,
    ) -> None:
        self._clients = clients
        self._audit = audit
        self._mint = mint
        self._post = post
        self._clock = clock
        self._resting: dict[str, float] = {}
        manner = Manner("logout notice", self._attempt, _pause, self._note, TOGETHER)
        self._dispatch = Dispatch(store, clock, NOTICES, manner)

    def ensure_started(self) -> None:
        """Start the thread unless this process has it; cheap enough for each request."""
        self._dispatch.ensure_started()

    def stop(self) -> None:
        """End the thread after the notices at hand, for which it waits at most 5 s."""
        self._dispatch.stop()

    def run_once(self) -> int:
        """Try notices that are due, a bounded number; return how many. Raises StoreUnavailable."""
        return self._dispatch.run_once()

    def _attempt(self, row: RowMapping) -> Problem | None:
        client = self._clients.find(row["client_id"])
        address = client and not client.disabled and client.details.get("backchannel_logout_uri")
        if not client or not address:
            return Problem("it does not want to be told any more", permanent=True)
        if 0 <= self._clock() - self._resting.get(client.client_id, float("-inf")) < RESTS:
            return Problem("it could not be reached a moment ago")
        try:
            token = self._mint(client, row["subject"], row["sid"])
            status = self._post(address, {"logout_token": token})
        except NoSigningKey:
            return Problem("there is no key for the algorithm that it registered")
        except NoKeys as missing:
            return Problem(missing.reason)
        except FetchFailed as failure:
            self._rest(client.client_id)
            return Problem(failure.reason)
        if status in _SUCCEEDED:
            return None
        return Problem(f"status {status}", permanent=status in _FINAL)

    def _rest(self, client_id: str) -> None:
        """Leave a client alone for a while, and forget those that were left alone long enough."""
        now = self._clock()
        resting = {**self._resting, client_id: now}
        self._resting = {each: at for each, at in resting.items() if 0 <= now - at < RESTS}

    def _note(self, connection: Connection, row: RowMapping, problem: Problem | None) -> None:
        detail = {"sid": row["sid"], "tries": row["tries"]}
        outcome = "done" if problem is None else "refused"
        if problem is not None:
            detail["problem"] = problem.said
        person, client_id = row["account_id"], row["client_id"]
        entry = Entry("logout.told", "server", person, client_id, outcome, detail)
        self._audit.record(connection, _OURSELVES, entry)


def _pause(tries: int) -> int | None:
    return PAUSES[tries - 1] if tries <= len(PAUSES) else None
