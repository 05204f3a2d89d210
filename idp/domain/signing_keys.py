"""The keys of our tokens: which one signs now, which ones verify, and the published set (RFC 7517).

Answers may be `cache_lifetime` seconds old; the schedule allows for it. Keys are parsed once.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from idp.config import Settings
from idp.crypto import jwk
from idp.crypto.algorithms import ALGORITHMS
from idp.crypto.jwt import PrivateKey, PublicKey
from idp.crypto.sealing import Sealer
from idp.domain.audit import Audit, Origin
from idp.domain.clock import Clock
from idp.domain.errors import Busy
from idp.domain.key_rotation import KeyRotation, place
from idp.domain.key_schedule import KeyInfo, KeySchedule, Step
from idp.domain.recent import Recent
from idp.store import signing_keys as rows
from idp.store.database import RowMapping, Store
from idp.store.errors import StoreUnavailable

_OURSELVES = Origin()
_RETRY_SECONDS = 5
_PUBLISHED = frozenset({"next", "active", "retiring"})


class NoSigningKey(Busy):
    """No key of the algorithm may sign yet."""

    def __init__(self) -> None:
        super().__init__(_RETRY_SECONDS)


@dataclass(frozen=True)
class PublishedKeys:
    """The JWKS as JSON, its ETag without quotes, and for how many seconds it may be cached."""

    body: bytes
    etag: str
    max_age: int


@dataclass(frozen=True)
class _View:
    """The keys as they were read."""

    signing: dict[str, PrivateKey]
    published: dict[str, PublicKey]
    archived: dict[str, PublicKey]
    jwks: PublishedKeys


class SigningKeys:
    """Hands out keys. Threads may share it."""

    def __init__(
        self,
        store: Store,
        sealer: Sealer,
        audit: Audit,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self.schedule = KeySchedule.of(settings)
        self.algorithms = tuple(name for name in settings.signing_algorithms if name in ALGORITHMS)
        self._rotation = KeyRotation(store, sealer, audit, clock, self.schedule, self.algorithms)
        self._store = store
        self._sealer = sealer
        self._max_age = settings.jwks_max_age
        self._recent: Recent[_View] = Recent(clock, settings.cache_lifetime, 1)
        self._last: _View | None = None

    def active(self, algorithm: str) -> PrivateKey:
        """Return the key that signs now. Raises NoSigningKey."""
        key = self._view().signing.get(algorithm)
        if key is None:
            raise NoSigningKey
        return key

    def ready(self) -> tuple[str, ...]:
        """Return the algorithms whose keys may sign already, in the order of the settings."""
        signing = self._latest().signing
        return tuple(name for name in self.algorithms if name in signing)

    def verification_key(self, kid: str, *, archived: bool = False) -> PublicKey | None:
        """Return a published key, or for an expired `id_token_hint` an `archived` one too."""
        view = self._view()
        return view.published.get(kid) or (view.archived.get(kid) if archived else None)

    def jwks(self) -> PublishedKeys:
        """Return the published set, from memory when the database can't be reached."""
        return self._latest().jwks

    def ensure(self) -> None:
        """Make the keys that are missing; at start."""
        self.advance()
        self._rotation.lengthen()

    def advance(self, origin: Origin = _OURSELVES, actor: str = "server") -> Sequence[Step]:
        """Do what the schedule asks for by now, and return it."""
        return self._changed(self._rotation.advance(origin, actor))

    def rotate(
        self,
        algorithm: str | None = None,
        *,
        emergency: bool = False,
        dry_run: bool = False,
        origin: Origin,
        actor: str,
    ) -> Sequence[Step]:
        """Let the next key of one or all algorithms sign, and return what was (or would be) done.

        In an emergency the active key is withdrawn at once, and its tokens with it. Raises
        NotFound, and TooEarly unless it is an emergency.
        """
        steps = self._rotation.rotate(
            (algorithm,) if algorithm else self.algorithms,
            emergency=emergency,
            dry_run=dry_run,
            origin=origin,
            actor=actor,
        )
        return self._changed(steps)

    def retire(
        self,
        kid: str,
        *,
        emergency: bool = False,
        dry_run: bool = False,
        origin: Origin,
        actor: str,
    ) -> Sequence[Step]:
        """Take one key out of use; where it signs, the next one takes over.

        Raises NotFound, Invalid, TooEarly.
        """
        steps = self._rotation.retire(
            kid, emergency=emergency, dry_run=dry_run, origin=origin, actor=actor
        )
        return self._changed(steps)

    def list(self) -> list[KeyInfo]:
        """Return every key that is remembered, with its dates."""
        return self._rotation.keys()

    def _changed(self, steps: Sequence[Step]) -> Sequence[Step]:
        if steps:
            self._recent.forget()
        return steps

    def _latest(self) -> _View:
        """Return the keys, as they were last when the database can't be reached."""
        try:
            return self._view()
        except StoreUnavailable:
            if self._last is None:
                raise
            return self._last

    def _view(self) -> _View:
        return self._recent.get("all", self._read)

    def _read(self) -> _View:
        with self._store.reading() as connection:
            found = rows.read(connection)
        view = _View(
            signing={
                row["algorithm"]: self._private(row) for row in found if row["state"] == "active"
            },
            published={
                row["kid"]: self._public(row) for row in found if row["state"] in _PUBLISHED
            },
            archived={row["kid"]: self._public(row) for row in found if row["state"] == "archived"},
            jwks=self._published([row for row in found if row["state"] in _PUBLISHED]),
        )
        self._last = view
        return view

    def _private(self, row: RowMapping) -> PrivateKey:
        kid, algorithm = row["kid"], row["algorithm"]
        known = self._last.signing.get(algorithm) if self._last else None
        if known and known.kid == kid:
            return known
        return jwk.load_private(
            kid, algorithm, self._sealer.unseal(row["sealed_private"], place(kid))
        )

    def _public(self, row: RowMapping) -> PublicKey:
        last = self._last
        known = last and (last.published.get(row["kid"]) or last.archived.get(row["kid"]))
        return known or jwk.load_public(row["public_jwk"])

    def _published(self, found: Sequence[RowMapping]) -> PublishedKeys:
        body = json.dumps(
            {"keys": [row["public_jwk"] for row in found]}, separators=(",", ":")
        ).encode()
        return PublishedKeys(body, hashlib.sha256(body).hexdigest()[:32], self._max_age)
