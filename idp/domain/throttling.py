"""Slowing down guesses: a failure counter for each account, limits for each network and for
everybody.

Tries are counted before the check and in the database, so that parallel tries, other processes and
other nodes all count. A wait only delays; nobody is locked out. Networks and accounts are stored as
keyed digests.
"""

import ipaddress

from idp.crypto.secrets import keyed_digest
from idp.domain.clock import Clock
from idp.domain.errors import Throttled
from idp.store import counters
from idp.store.database import Connection, Store

FREE_TRIES = 5
_FAILURES = {"free": FREE_TRIES, "first": 2, "longest": 900, "forget": 86400}
_NETWORKS_IN_ALL = 50
"""How many networks at their limit make everybody wait."""
_WINDOW_SECONDS = 60


class Throttle:
    """Counts tries. `key` is 32 secret bytes, `network_limit` counts a minute for each kind."""

    def __init__(self, store: Store, key: bytes, clock: Clock, network_limit: int) -> None:
        self._store = store
        self._key = key
        self._clock = clock
        self._most = network_limit

    def count(self, kind: str, address: str) -> None:
        """Count one of a kind of thing that outsiders can make us write down. Raises Throttled."""
        with self._store.writing() as connection:
            now = int(self._clock())
            self._limit(connection, kind, network_of(address), self._most, now)

    def count_try(self, identity: str, address: str) -> None:
        """Count one try to prove `identity` (an account's id, or an address nobody has). Raises
        Throttled.
        """
        now = int(self._clock())
        name = self._name("account", identity)
        with self._store.writing() as connection:
            self._limit(connection, "password", network_of(address), self._most, now)
            self._limit(connection, "password", "everybody", self._most * _NETWORKS_IN_ALL, now)
            counted = counters.fail(connection, name, now, _FAILURES)
            waiting = None if counted else counters.look(connection, name)
        if waiting:
            raise Throttled(max(1, waiting[1] - now))

    def _limit(self, connection: Connection, kind: str, value: str, most: int, now: int) -> None:
        hits, ends = counters.hit(connection, self._name(kind, value), 1, now, _WINDOW_SECONDS)
        if hits > most:
            raise Throttled(max(1, ends - now))

    def forget(self, connection: Connection, identity: str) -> None:
        """A completed sign-in forgets the failures before it."""
        counters.clear(connection, self._name("account", identity))

    def _name(self, kind: str, value: str) -> str:
        return f"{kind}:{keyed_digest(self._key, kind, value).hex()[:40]}"


def network_of(address: str) -> str:
    """Return who shares a limit: an IPv4 address by itself, an IPv6 address with its /64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if parsed.version == 4:
        return str(parsed)
    mapped = parsed.ipv4_mapped
    return str(mapped) if mapped else str(ipaddress.ip_network(f"{parsed}/64", strict=False))
