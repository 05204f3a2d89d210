"""JSON from servers, and how long it may be kept (RFC 9111 section 5.2.2)."""

import logging
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from idp.guard.compact import read_object
from idp.guard.errors import InvalidToken, Unavailable
from idp.guard.http_client import Answer

Clock = Callable[[], float]
Document = TypeVar("Document")
USUAL_SECONDS = 300
LONGEST_SECONDS = 3600
_RETRY_SECONDS = 1.0
_OK = 200
_MAX_AGE = re.compile(r'(?:^|,)\s*max-age\s*=\s*"?(\d{1,9})"?\s*(?:,|$)', re.IGNORECASE)
_NOT_KEPT = re.compile(r"(?:^|,)\s*no-(?:store|cache)\s*(?:[,=]|$)", re.IGNORECASE)
_log = logging.getLogger("idp.guard")


def json_object(answer: Answer, source: str) -> dict[str, Any]:
    """Return the JSON object of a good answer. Raises Unavailable, which names the `source`."""
    if answer.status != _OK:
        raise Unavailable(f"{source} answered {answer.status}")
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise Unavailable(f"{source} answered no JSON")
    try:
        return read_object(answer.body)
    except InvalidToken as error:
        raise Unavailable(f"{source} answered no JSON object") from error


def lifetime(headers: Mapping[str, str]) -> int:
    """Return the seconds for which an answer may be kept."""
    said = headers.get("cache-control", "")
    if _NOT_KEPT.search(said):
        return 0
    found = _MAX_AGE.search(said)
    return min(int(found[1]), LONGEST_SECONDS) if found else USUAL_SECONDS


@dataclass(frozen=True)
class _Copy(Generic[Document]):
    document: Document
    since: float
    fresh_until: float
    usable_until: float


class Kept(Generic[Document]):
    """A document that is fetched when it is needed and kept while it may be.

    While its source is away it is believed for `stale` seconds more. Between two fetches are
    `pause` seconds, whatever the document says. `fetch` gives it with its lifetime. Threads may
    share it: one fetches, and the others go on with what there is.
    """

    def __init__(
        self, fetch: Callable[[], tuple[Document, int]], clock: Clock, pause: int, stale: int
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._pause = pause
        self._stale = stale
        self._lock = threading.Lock()
        self._copy: _Copy[Document] | None = None
        self._tried_at = float("-inf")
        self._failure = ""

    def get(self) -> Document:
        """Return the document. Raises Unavailable."""
        copy, now = self._copy, self._clock()
        if copy and copy.since <= now < copy.fresh_until:
            return copy.document
        usable = copy if copy and copy.since <= now < copy.usable_until else None
        # Who can do without waits for nobody.
        if not self._lock.acquire(blocking=usable is None) and usable:
            return usable.document
        try:
            return self._fetched(usable)
        finally:
            self._lock.release()

    def look_again(self, seen: Document) -> Document:
        """Return a newer one than `seen`, or `seen` again while the pause lasts.

        Raises Unavailable when it could not be had.
        """
        with self._lock:
            if self._copy and self._copy.document is not seen:
                return self._copy.document
            if self._is_paused(self._pause):
                if self._failure:
                    raise Unavailable(self._failure)
                return seen
            return self._try()

    def _fetched(self, usable: _Copy[Document] | None) -> Document:
        """Fetch it, unless another thread just did or tried in vain."""
        copy, now = self._copy, self._clock()
        if copy and copy.since <= now < copy.fresh_until:
            return copy.document
        if usable and self._is_paused(self._pause):
            return usable.document
        if self._failure and self._is_paused(_RETRY_SECONDS):
            raise Unavailable(self._failure)
        try:
            return self._try()
        except Unavailable as error:
            if usable is None:
                raise
            _log.warning("An older copy is used: %s", error)
            return usable.document

    def _try(self) -> Document:
        self._tried_at = now = self._clock()
        try:
            document, seconds = self._fetch()
        except Unavailable as error:
            self._failure = str(error)
            raise
        self._failure = ""
        fresh_until = now + max(seconds, self._pause)
        self._copy = _Copy(document, now, fresh_until, fresh_until + self._stale)
        return document

    def _is_paused(self, seconds: float) -> bool:
        return self._tried_at <= self._clock() < self._tried_at + seconds
