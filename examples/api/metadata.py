"""What the authorization server publishes: its endpoints, and the keys that sign tokens."""

import re
import threading
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit

import requests
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet, KeySetSerialization

WELL_KNOWN = "/.well-known/oauth-authorization-server"
TIMEOUT_SECONDS = 5
LONGEST_CACHE_SECONDS = 3600
# An unknown key is a reason to look again, but not for everybody who makes up a key id.
PAUSE_SECONDS = 10
_MAX_AGE = re.compile(r"max-age=(\d+)")

Clock = Callable[[], float]


class ServerUnreachable(Exception):
    """The authorization server does not answer, or not with what was asked for."""


class AuthorizationServer:
    """One issuer. What it publishes is fetched when needed and kept while it may be."""

    def __init__(self, issuer: str, http: requests.Session, clock: Clock) -> None:
        self.issuer = issuer
        self.http = http
        self._clock = clock
        self._metadata: dict[str, Any] = {}
        self._keys = KeySet([])
        self._fetched_at = self._fresh_until = float("-inf")
        self._lock = threading.Lock()

    def endpoint(self, name: str) -> str:
        """Return an address of the metadata (RFC 8414). Raises ServerUnreachable."""
        if not self._metadata:
            metadata, _ = self._fetch(self.issuer + WELL_KNOWN)
            if metadata.get("issuer") != self.issuer:  # RFC 8414 section 3.3
                raise ServerUnreachable(f"{self.issuer} calls itself {metadata.get('issuer')!r}.")
            self._metadata = metadata
        found = self._metadata.get(name)
        if not isinstance(found, str) or not urlsplit(found).hostname:
            raise ServerUnreachable(f"{self.issuer} has no {name}.")
        return found

    def key(self, kid: str) -> Key | None:
        """Return the published key with this id. Raises ServerUnreachable.

        A new key is published before it signs, so an unknown one is worth one look, not two.
        """
        with self._lock:
            now = self._clock()
            if now >= self._fresh_until:
                self._refresh(now)
            found = self._find(kid)
            if found is None and now >= self._fetched_at + PAUSE_SECONDS:
                self._refresh(now)
                found = self._find(kid)
            return found

    def _find(self, kid: str) -> Key | None:
        return next((key for key in self._keys.keys if key.kid == kid), None)

    def _refresh(self, now: float) -> None:
        document, max_age = self._fetch(self.endpoint("jwks_uri"))
        try:
            self._keys = KeySet.import_key_set(cast(KeySetSerialization, document))
        except (JoseError, KeyError, TypeError, ValueError) as error:
            raise ServerUnreachable("The key set cannot be read.") from error
        self._fetched_at, self._fresh_until = now, now + max_age

    def _fetch(self, url: str) -> tuple[dict[str, Any], int]:
        """Return a JSON object and for how many seconds it may be kept."""
        try:
            answer = self.http.get(url, timeout=TIMEOUT_SECONDS, allow_redirects=False)
            answer.raise_for_status()
            document = answer.json()
        except requests.RequestException as error:
            raise ServerUnreachable(f"{url} cannot be fetched.") from error
        if not isinstance(document, dict):
            raise ServerUnreachable(f"{url} is no JSON object.")
        found = _MAX_AGE.search(answer.headers.get("Cache-Control", ""))
        return document, min(int(found[1]) if found else 0, LONGEST_CACHE_SECONDS)
