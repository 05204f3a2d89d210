"""The pictures that clients name (`logo_uri`), fetched by us and shown from here.

A thread of each process looks every minute for those that are wanted, and at once when a client
registers in the same process: the first page that people see should have its picture.

People's browsers ask nobody else for them, so whoever runs the other server does not learn who
signs in where, and can't show another picture to each. What is kept is a picture by its bytes,
small enough, or nothing.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from idp.domain import pictures
from idp.domain.background import Background
from idp.domain.clients import Clients
from idp.domain.clock import Clock
from idp.domain.remote_documents import Fetches
from idp.outbound.fetching import FetchFailed
from idp.store import client_logos as rows
from idp.store.database import Store
from idp.store.errors import StoreError

LARGEST = 128 * 1024
"""Bytes."""
AT_ONCE = 10
"""Pictures fetched in one turn: each may take 5 seconds."""
_INTERVAL = 60
"""Seconds between two looks."""
_CLAIM = 60
"""Seconds for which a picture is left to whoever fetches it: longer than a fetch takes."""
_WAITS = (60, 600, 3600, 6 * 3600, 86400)
"""Seconds until the next try; after the last one nobody looks there again."""


@dataclass(frozen=True)
class Logo:
    """A picture of one of the media types in `pictures.MEDIA_TYPES`."""

    media_type: str
    picture: bytes = field(repr=False)


class Logos:
    """Fetches what is wanted, and finds what was fetched."""

    def __init__(self, store: Store, clients: Clients, clock: Clock, fetcher: Fetches) -> None:
        self._store = store
        self._clients = clients
        self._clock = clock
        self._fetcher = fetcher
        self._background = Background(self.fetch_due, _INTERVAL, (StoreError,), _nothing)

    def ensure_started(self) -> None:
        """Start the thread unless this process has it; cheap enough for each request."""
        self._background.ensure_started()

    def stop(self) -> None:
        """End the thread."""
        self._background.stop()

    def look_soon(self) -> None:
        """Let the thread of this process look now."""
        self._background.wake()

    def find(self, client_id: str, digest: str) -> Logo | None:
        """Return a client's picture; None unless it is this one, by its digest."""
        with self._store.reading() as connection:
            row = rows.picture(connection, client_id, digest)
        return Logo(row["media_type"], row["picture"]) if row else None

    def fetch_due(self) -> None:
        """Fetch some of the pictures that are wanted, outside of any transaction."""
        with self._store.reading() as connection:
            due = rows.due(connection, int(self._clock()), AT_ONCE)
        for row in due:
            if not self._claimed(row["client_id"], row["due_at"]):
                continue
            values = self._looked(row["uri"], row["tries"])
            with self._store.writing() as connection:
                rows.keep(connection, row["client_id"], row["uri"], values)
        if due:
            self._clients.forget()

    def _claimed(self, client_id: str, due_at: int) -> bool:
        """Whether nobody else fetches it."""
        until = int(self._clock()) + _CLAIM
        with self._store.writing() as connection:
            return rows.claim(connection, client_id, due_at, until)

    def _looked(self, uri: str, tries: int) -> Mapping[str, Any]:
        """Look at `uri`, and say what to write down about it."""
        try:
            found = self._fetcher.get(uri, accept=pictures.MEDIA_TYPES, largest=LARGEST)
        except FetchFailed:
            return self._later(tries)
        media_type = pictures.media_type(found.body)
        if media_type is None:
            return self._later(tries)
        return {
            "media_type": media_type,
            "picture": found.body,
            "digest": hashlib.sha256(found.body).hexdigest()[:32],
            "tries": tries + 1,
            "due_at": None,
        }

    def _later(self, tries: int) -> Mapping[str, Any]:
        wait = _WAITS[tries] if tries < len(_WAITS) else None
        due_at = int(self._clock()) + wait if wait else None
        return {"tries": tries + 1, "due_at": due_at}


def _nothing() -> None:
    """Nothing is to be given back at the end."""
