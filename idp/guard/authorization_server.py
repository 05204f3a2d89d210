"""What the authorization server publishes: its endpoints (RFC 8414) and its keys (RFC 7517)."""

from collections.abc import Mapping
from typing import Any

from idp.guard.documents import Clock, Kept, json_object, lifetime
from idp.guard.errors import InvalidToken, Unavailable
from idp.guard.http_client import Http
from idp.guard.jwk import Key, key_set
from idp.guard.settings import Settings, is_safe, well_known

UNKNOWN_SECONDS = 60
_MOST_UNKNOWN = 1000


class AuthorizationServer:
    """The issuer of the settings. Nothing is fetched before it is needed."""

    def __init__(self, settings: Settings, http: Http, clock: Clock) -> None:
        self.http = http
        self._settings = settings
        self._clock = clock
        self._metadata = Kept(self._fetch_metadata, clock, settings.pause, settings.stale)
        self._keys = Kept(self._fetch_keys, clock, settings.pause, settings.stale)
        self._unknown: dict[str, float] = {}

    def endpoint(self, name: str) -> str:
        """Return an address of the metadata. Raises Unavailable."""
        found = self._metadata.get().get(name)
        if not isinstance(found, str) or not is_safe(found):
            raise Unavailable(f"{self._settings.issuer} has no {name} that can be used")
        return found

    def keys(self, kid: str) -> list[Key]:
        """Return the published keys of that name, usually one. Raises Unavailable.

        A new key is published before it signs, so an unknown one is a reason to look again: once
        a minute for each name, and with a pause between any two.
        """
        known = self._keys.get()
        found = _named(known, kid)
        now = self._clock()
        if found or now < self._unknown.get(kid, now):
            return found
        looked = self._keys.look_again(known)
        found = _named(looked, kid)
        if not found and looked is not known:
            self._remember_unknown(kid, now)
        return found

    def _remember_unknown(self, kid: str, now: float) -> None:
        if len(self._unknown) >= _MOST_UNKNOWN:
            self._unknown = {}
        self._unknown[kid] = now + UNKNOWN_SECONDS

    def _fetch_metadata(self) -> tuple[dict[str, Any], int]:
        issuer = self._settings.issuer
        found, seconds = self._fetch(well_known(issuer.rstrip("/"), "oauth-authorization-server"))
        if found.get("issuer") != issuer:  # RFC 8414 section 3.3
            raise Unavailable(f"{issuer} calls itself {found.get('issuer')!r}")
        return found, seconds

    def _fetch_keys(self) -> tuple[tuple[Key, ...], int]:
        document, seconds = self._fetch(self.endpoint("jwks_uri"))
        try:
            return key_set(document), seconds
        except InvalidToken as error:
            raise Unavailable("the key set cannot be read") from error

    def _fetch(self, url: str) -> tuple[dict[str, Any], int]:
        headers: Mapping[str, str] = {"Accept": "application/json"}
        answer = self.http.send("GET", url, headers, None, self._settings.timeout)
        return json_object(answer, url), lifetime(answer.headers)


def _named(keys: tuple[Key, ...], kid: str) -> list[Key]:
    return [key for key in keys if key.kid == kid]
