"""Slowing down guesses: a failure counter for each account, limits for networks and for everybody.

Tries are counted before the check and in the database, so that parallel tries, other processes and
other nodes all count. A wait only delays. A browser that signed in to the account before has a
counter of its own, so that strangers who guess can't shut its owner out. Networks and accounts are
stored as keyed digests.
"""

import ipaddress
from collections.abc import Iterable

from idp.crypto.secrets import keyed_digest
from idp.domain.clock import Clock
from idp.domain.errors import Throttled
from idp.store import counters
from idp.store.database import Connection, Store

FREE_TRIES = 5
_FAILURES = {"free": FREE_TRIES, "first": 2, "longest": 900, "forget": 86400}
_SITES_LIMIT = 10
"""How many networks at their limit make their site (an IPv6 /48) wait."""
_EVERYBODYS_LIMIT = 50
"""How many networks at their limit make all browsers wait that no account knows."""
_WINDOW_SECONDS = 60
MAILS = 5
"""Mails that one person may be sent within `_MAIL_SECONDS` because somebody asked for them."""
_MAIL_SECONDS = 600
_HOUR = 3600


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
            wait = self.count_within(connection, kind, address)
        if wait:
            raise Throttled(wait)

    def count_within(self, connection: Connection, kind: str, address: str) -> int:
        """Count one in the caller's transaction, and return the seconds to wait if there are too
        many: nothing else is written then.
        """
        now = int(self._clock())
        return self._over(connection, kind, network_of(address), self._most, now)

    def count_try(self, identity: str, address: str, known_browser: str = "") -> None:
        """Count one try to prove `identity` (an account's id, or an address nobody has).

        `known_browser` names a browser that signed in to the account before. Raises Throttled.
        """
        now = int(self._clock())
        name = self._failures(identity, known_browser)
        with self._store.writing() as connection:
            # Else whoever waits could go on to fill the table with names that nobody has.
            if not known_browser and (wait := self._waiting(connection, address, now)):
                raise Throttled(wait)
            counted = counters.fail(connection, name, now, _FAILURES)
            if not counted:
                waiting = counters.look(connection, name)
                wait = max(1, waiting[1] - now) if waiting else 1
            else:
                wait = 0 if known_browser else self._crowd(connection, address, now)
        if wait:
            raise Throttled(wait)

    def count_mail(self, identities: Iterable[str], address: str, known_browser: str = "") -> None:
        """Count a mail that somebody asks for: for the network, and for each name of its reader.

        `known_browser` as in `count_try`, with counters of its own. Raises Throttled.
        """
        self.count("mail", address)
        now = int(self._clock())
        with self._store.writing() as connection:
            waits = [
                self._over(
                    connection, "mail to", f"{name} {known_browser}", MAILS, now, _MAIL_SECONDS
                )
                for name in identities
            ]
        if wait := max(waits):
            raise Throttled(wait)

    def count_registration(self, address: str, most: int) -> None:
        """Count a client that registers itself, of `most` an hour from one network. Raises
        Throttled.
        """
        now, network = int(self._clock()), network_of(address)
        with self._store.writing() as connection:
            wait = self._over(connection, "registered", network, most, now, _HOUR)
        if wait:
            raise Throttled(wait)

    def _waiting(self, connection: Connection, address: str, now: int) -> int:
        """Return the seconds that a network has to wait, without counting."""
        found = counters.look(connection, self._name("password", network_of(address)))
        return max(0, found[2] - now) if found and found[0] > self._most else 0

    def _crowd(self, connection: Connection, address: str, now: int) -> int:
        """Count a try that reaches the check; return the seconds to wait if there are too many."""
        most = self._most
        return (
            self._over(connection, "password", network_of(address), most, now)
            or self._over(connection, "password", site_of(address), most * _SITES_LIMIT, now)
            or self._over(connection, "password", "everybody", most * _EVERYBODYS_LIMIT, now)
        )

    def _over(
        self,
        connection: Connection,
        kind: str,
        value: str,
        most: int,
        now: int,
        window: int = _WINDOW_SECONDS,
    ) -> int:
        name = self._name(kind, value)
        hits, ends = counters.hit(connection, name, 1, now, window)
        return max(1, ends - now) if hits > most else 0

    def forget(self, connection: Connection, identity: str, known_browser: str = "") -> None:
        """Forget, at a completed sign-in, the failures before it."""
        counters.clear(connection, self._failures(identity, known_browser))

    def _failures(self, identity: str, known_browser: str) -> str:
        if known_browser:
            return self._name("browser", f"{identity} {known_browser}")
        return self._name("account", identity)

    def _name(self, kind: str, value: str) -> str:
        return f"{kind}:{keyed_digest(self._key, kind, value).hex()[:40]}"


def network_of(address: str) -> str:
    """Return who shares a limit: an IPv4 address by itself, an IPv6 address with its /64."""
    return _prefix(address, 64)


def site_of(address: str) -> str:
    """Return what one customer of a provider may have: an IPv4 address, an IPv6 /48."""
    return f"site {_prefix(address, 48)}"


def _prefix(address: str, bits: int) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if parsed.version == 4:
        return str(parsed)
    mapped = parsed.ipv4_mapped
    return str(mapped) if mapped else str(ipaddress.ip_network(f"{parsed}/{bits}", strict=False))
