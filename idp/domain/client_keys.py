"""Public keys of clients: registered (`jwks`), or published by the client (`jwks_uri`).

A client may change what it publishes at any time (OpenID Connect Core section 10.1.1): a key that
is not known is looked for anew, but nobody can make us ask a client's server again and again.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import Protocol

from idp.crypto import key_sets
from idp.crypto.compact import BadToken, read_object
from idp.crypto.foreign_jwt import ForeignToken
from idp.crypto.jwk import BadKey
from idp.crypto.key_sets import ForeignKey
from idp.domain.clients import Client
from idp.domain.clock import Clock
from idp.domain.remote_documents import Fetched, FetchFailed

LARGEST = 64 * 1024
"""Bytes of a key set."""
MEDIA_TYPES = ("application/json", "application/jwk-set+json")
MOST_REFRESHES = 5
REFRESH_PERIOD = 60
"""Seconds in which at most that many unknown keys make us ask again."""
_MOST_CLIENTS = 2000


class NoKeys(Exception):
    """A client's keys, or its secrets where they are keys, can't be had.

    `reason` is for the audit log alone, `description` for the client's developer.
    """

    def __init__(self, reason: str, description: str = "The client's keys can't be had.") -> None:
        super().__init__(description)
        self.reason = reason
        self.description = description


class Documents(Protocol):
    """What `RemoteDocuments` offers here."""

    def get(
        self, url: str, *, accept: tuple[str, ...], largest: int, at_most: float | None = None
    ) -> Fetched:
        """Return the document at `url`. Raises FetchFailed."""


class ClientKeys:
    """Finds keys of clients. Threads may share it."""

    def __init__(self, documents: Documents, clock: Clock) -> None:
        self._documents = documents
        self._refreshes = _Refreshes(clock)

    def find(
        self, client: Client, kid: str | None, algorithm: str, use: str
    ) -> Sequence[ForeignKey]:
        """Return the keys of a client that may serve; none where none fits. Raises NoKeys.

        `use` is "sig" or "enc". Where no `kid` is given, one to encrypt to is the first.
        """
        found = key_sets.choose(self._keys(client), kid, algorithm, use)
        if not found and self._may_refresh(client):
            found = key_sets.choose(self._keys(client, at_most=0), kid, algorithm, use)
        return found

    def verify(self, client: Client, token: ForeignToken) -> bool:
        """Whether a key of the client signed a token. Raises NoKeys.

        A key that was replaced without a new name is looked for anew as well.
        """
        if _is_signed(token, key_sets.choose(self._keys(client), *_wanted(token))):
            return True
        if not self._may_refresh(client):
            return False
        return _is_signed(token, key_sets.choose(self._keys(client, at_most=0), *_wanted(token)))

    def _may_refresh(self, client: Client) -> bool:
        return "jwks_uri" in client.details and self._refreshes.may(client.client_id)

    def _keys(self, client: Client, at_most: float | None = None) -> list[ForeignKey]:
        address = client.details.get("jwks_uri")
        try:
            if address is None:
                return key_sets.read(client.details.get("jwks", {"keys": []}))
            fetched = self._documents.get(
                address, accept=MEDIA_TYPES, largest=LARGEST, at_most=at_most
            )
            return key_sets.read(read_object(fetched.body, "jwks_uri"))
        except (BadKey, BadToken) as error:
            raise NoKeys(f"keys: {error}") from error
        except FetchFailed as error:
            raise NoKeys(f"jwks_uri: {error.reason}") from error


def _wanted(token: ForeignToken) -> tuple[str | None, str, str]:
    return token.kid, token.algorithm, "sig"


def _is_signed(token: ForeignToken, keys: Sequence[ForeignKey]) -> bool:
    for key in keys:
        try:
            if token.signed_by(key.verifier(token.algorithm)):
                return True
        except BadKey:
            continue
    return False


class _Refreshes:
    """Counts for each client how often it was asked again lately."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._asked: OrderedDict[str, deque[float]] = OrderedDict()

    def may(self, client_id: str) -> bool:
        """Whether a client may be asked again now, which counts."""
        now = self._clock()
        with self._lock:
            times = self._asked.setdefault(client_id, deque(maxlen=MOST_REFRESHES))
            self._asked.move_to_end(client_id)
            while len(self._asked) > _MOST_CLIENTS:
                self._asked.popitem(last=False)
            if len(times) == MOST_REFRESHES and 0 <= now - times[0] < REFRESH_PERIOD:
                return False
            times.append(now)
            return True
