"""Runs of the playground: what its application keeps of one sign-in, here and never in the browser.

A run goes by its `state`, which travels to the client and back by design and opens nothing without
the browser's cookie.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from idp.domain.audit import Origin
from idp.domain.clock import Clock
from idp.domain.errors import NotFound
from idp.domain.one_time import OneTimeValues
from idp.domain.sessions import binding_of
from idp.domain.throttling import Throttle
from idp.store.database import Store

_KIND = "playground"
_LIFETIME = 3600
_GONE = "This run of the playground is over, or it belongs to another browser."


@dataclass(frozen=True)
class Kept:
    """What an application remembers: what it asked, what it holds back, what came and was said.

    `secret` is the client's, if it has one; `request` and `callback` are parameters, `tokens` the
    members of the last token answer.
    `exchanges` are those of the last step, `earlier` those before.
    """

    request: Mapping[str, str]
    verifier: str = field(repr=False)
    secret: str = field(default="", repr=False)
    callback: Mapping[str, str] = field(default_factory=dict, repr=False)
    exchanges: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    earlier: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    tokens: Mapping[str, Any] = field(default_factory=dict, repr=False)
    refreshed: bool = False
    revoked: bool = False
    signed_out: bool = False


@dataclass(frozen=True)
class Run:
    """One run of this browser. `claimed` once its code is, or was, on the way to the server."""

    state: str
    kept: Kept
    claimed: bool


class PlaygroundRuns:
    """Opens, finds and continues runs."""

    def __init__(
        self, store: Store, one_time: OneTimeValues, throttle: Throttle, clock: Clock
    ) -> None:
        self._store = store
        self._one_time = one_time
        self._throttle = throttle
        self._clock = clock

    def open(self, state: str, kept: Kept, cookie: str, origin: Origin) -> Run:
        """Begin a run of the browser that holds `cookie`. Raises Throttled."""
        self._throttle.count("playground", origin.address)
        with self._store.writing() as connection:
            self._one_time.put(
                connection, _KIND, state, asdict(kept), _LIFETIME, binding=binding_of(cookie)
            )
        return Run(state, kept, False)

    def find(self, state: str, cookie: str) -> Run:
        """Return a run of this browser. Raises NotFound.

        A run with tokens does not follow the browser into another sign-in (SECURITY case 117).
        """
        with self._store.reading() as connection:
            found = self._one_time.find(connection, _KIND, state)
        if found is None or found.binding != binding_of(cookie):
            raise NotFound(_GONE)
        if found.expires_at <= self._clock():
            raise NotFound(_GONE)
        return Run(state, Kept(**found.payload), found.used_at is not None)

    def keep(self, run: Run, **changes: Any) -> Run:
        """Remember more."""
        kept = replace(run.kept, **changes)
        with self._store.writing() as connection:
            self._one_time.rewrite(connection, _KIND, run.state, asdict(kept))
        return replace(run, kept=kept)

    def claim(self, run: Run) -> bool:
        """Whether the caller is the one who may send the code: a second click must not."""
        with self._store.writing() as connection:
            return self._one_time.take(connection, _KIND, run.state) is not None
