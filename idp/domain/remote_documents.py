"""Documents of clients, fetched through the one guarded way out and kept for a while.

Whoever waits for a slow server holds a thread of ours: one thread asks for one document, few ask
at once, what failed is not asked for again at once, and what is only old serves on meanwhile.
"""

import re
import threading
from collections import Counter, OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Protocol

from idp.domain.clock import Clock
from idp.outbound.fetching import LARGEST, Fetched, FetchFailed

__all__ = ["LARGEST", "FetchFailed", "Fetched", "RemoteDocuments"]

USUAL_LIFETIME = 300
"""Seconds that a document is kept when its server says nothing."""
SHORTEST_LIFETIME = 60
LONGEST_LIFETIME = 3600
STANDS_IN = 3600
"""Seconds beyond its lifetime that a document serves on while its server does not answer."""
FAILURE_LIFETIME = 30
"""Seconds before what failed is asked for again."""
_MOST_DOCUMENTS = 2000
_MOST_BYTES = 32 * 1024 * 1024
_MOST_AT_ONCE = 8
_MOST_AT_ONE_HOST = 4
"""Threads that ask one server, or wait for who does: a slow one leaves places for the others."""
_PATIENCE = 6.0
"""Seconds to wait for another thread's fetch, which takes 5 at most."""
_END_OF_PLACE = re.compile("[/?#]")
_Key = tuple[str, tuple[str, ...], int]


class Fetches(Protocol):
    """What `outbound.fetching.Fetcher` offers here."""

    def get(self, url: str, *, accept: tuple[str, ...], largest: int = LARGEST) -> Fetched:
        """Return the document at `url`. Raises FetchFailed."""


@dataclass(frozen=True)
class _Kept:
    """A document, or why there is none; times in seconds since 1970."""

    at: float = float("-inf")
    document: Fetched | None = None
    lifetime: float = 0
    failure: str = ""
    failed_at: float = float("-inf")

    @property
    def size(self) -> int:
        return len(self.document.body) if self.document else 0

    def fresh(self, now: float, at_most: float | None) -> bool:
        """A clock that was set back must not make a document live on."""
        lifetime = self.lifetime if at_most is None else min(self.lifetime, at_most)
        return self.document is not None and 0 <= now - self.at < lifetime

    def stands_in(self, now: float) -> bool:
        """Whether it is better than nothing."""
        return self.document is not None and 0 <= now - self.at < self.lifetime + STANDS_IN

    def failed_lately(self, now: float) -> bool:
        return 0 <= now - self.failed_at < FAILURE_LIFETIME


class RemoteDocuments:
    """Fetches documents and keeps them, in this process, within bounds. Threads may share it."""

    def __init__(
        self,
        fetcher: Fetches,
        clock: Clock,
        *,
        most_bytes: int = _MOST_BYTES,
        most_at_once: int = _MOST_AT_ONCE,
        stand_in: bool = True,
    ) -> None:
        """`stand_in`: whether what is only old serves on while nothing new can be had."""
        self._fetcher = fetcher
        self._clock = clock
        self._most_bytes = most_bytes
        self._stand_in = stand_in
        self._lock = threading.Lock()
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()
        self._bytes = 0
        self._asked: dict[_Key, Future[Fetched]] = {}
        self.free_slots = most_at_once
        self._at_host: Counter[str] = Counter()

    def get(
        self,
        url: str,
        *,
        accept: tuple[str, ...],
        largest: int = LARGEST,
        at_most: float | None = None,
    ) -> Fetched:
        """Return the document at `url`, fetched now unless one is kept. Raises FetchFailed.

        `at_most`: one that is that many seconds old is asked for anew. The one before may stand
        in for an hour while its server fails or another thread asks.
        """
        key, now = (url, accept, largest), self._clock()
        with self._lock:
            kept = self._kept.get(key, _Kept())
            if kept.document and kept.fresh(now, at_most):
                self._kept.move_to_end(key)
                return kept.document
            asked = self._asked.get(key)
            if obstacle := self._obstacle(kept, now, asked, host := _host(url)):
                return self._instead(kept, now, FetchFailed(obstacle))
            self.free_slots -= 1
            self._at_host[host] += 1
            promise = self._asked[key] = asked or Future()
        try:
            return promise.result(_PATIENCE) if asked else self._fetch(key, promise)
        except TimeoutError as error:
            raise FetchFailed("it took too long") from error
        finally:
            with self._lock:
                self.free_slots += 1
                self._at_host[host] -= 1
                self._at_host += Counter()  # forgets hosts that nobody asks

    def _obstacle(self, kept: _Kept, now: float, asked: "Future[Fetched] | None", host: str) -> str:
        """Say why this thread should not ask, or not wait for the one that does."""
        if kept.failed_lately(now):
            return kept.failure
        if asked and self._stand_in and kept.stands_in(now):
            return "another thread asks"
        free = self.free_slots and self._at_host[host] < _MOST_AT_ONE_HOST
        return "" if free else "too many fetches at once"

    def _fetch(self, key: _Key, promise: "Future[Fetched]") -> Fetched:
        """Ask, keep what came of it, and tell those who wait for it."""
        url, accept, largest = key
        document, failure = None, FetchFailed("the fetch broke off")
        try:
            document = self._fetcher.get(url, accept=accept, largest=largest)
        except FetchFailed as error:
            failure = error
        finally:
            with self._lock:
                now = self._clock()
                kept = self._keep(key, _outcome(self._kept.get(key), document, failure, now))
                self._asked.pop(key, None)
            try:
                promise.set_result(document or self._instead(kept, now, failure))
            except FetchFailed as error:
                promise.set_exception(error)
        return promise.result()

    def _instead(self, kept: _Kept, now: float, failure: FetchFailed) -> Fetched:
        """Return what stands in. Raises `failure` where nothing does."""
        if kept.document is None or not self._stand_in or not kept.stands_in(now):
            raise failure
        return kept.document

    def _keep(self, key: _Key, kept: _Kept) -> _Kept:
        before = self._kept.pop(key, None)
        self._bytes += kept.size - (before.size if before else 0)
        self._kept[key] = kept
        while len(self._kept) > _MOST_DOCUMENTS or self._bytes > self._most_bytes:
            _, gone = self._kept.popitem(last=False)
            self._bytes -= gone.size
        return kept


def _outcome(
    before: _Kept | None, document: Fetched | None, failure: FetchFailed, now: float
) -> _Kept:
    if document is None:
        return replace(before or _Kept(), failure=failure.reason, failed_at=now)
    said = USUAL_LIFETIME if document.max_age is None else document.max_age
    lifetime = min(max(said, SHORTEST_LIFETIME), LONGEST_LIFETIME)
    return _Kept(now, document, lifetime)


def _host(url: str) -> str:
    """Return the host and port of an address in one spelling, "" for what is none."""
    place = _END_OF_PLACE.split(url.partition("://")[2], maxsplit=1)[0].lower()
    host, mark, port = place.removesuffix(":443").partition(":")
    return f"{host.removesuffix('.')}{mark}{port}"
