"""When a key may be used, and how long it stays: the rules, without the database.

A verifier that caches the JWKS for its max-age never meets an unknown or missing key: a key is
published that long before it signs, and stays as long as anything that it signed is valid. A key
that decrypts stays as long as somebody may have it from a cached JWKS (OpenID Connect Core section
10.2.1).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from idp.config import LONGEST_ACCESS_TOKEN, Settings
from idp.crypto import jwe

State = Literal["next", "active", "retiring", "archived", "withdrawn"]
Deed = Literal["begun", "published", "activated", "retired", "archived", "withdrawn"]
Use = Literal["sig", "enc"]


@dataclass(frozen=True)
class KeyInfo:
    """A key without its halves. Times are seconds since 1970.

    It may sign from `usable_from`, signs from `activated_at` to `retired_at`, and is published
    from `created_at` to `archived_at`; `keep_until` is when the last token that it signed ends.
    One that decrypts is published from `activated_at` to `retired_at`, and opens what comes until
    `archived_at`.
    """

    kid: str
    algorithm: str
    state: State
    longest_token: int
    created_at: int
    usable_from: int
    activated_at: int | None
    retired_at: int | None
    keep_until: int | None
    archived_at: int | None

    @property
    def use(self) -> Use:
        """What it is for (RFC 7517 section 4.2)."""
        return use_of(self.algorithm)

    @property
    def serves(self) -> bool:
        """Whether it is at work, or will be."""
        return self.state in {"next", "active"}


def use_of(algorithm: str) -> Use:
    """Return what keys of an algorithm are for."""
    return "enc" if algorithm in jwe.OURS else "sig"


@dataclass(frozen=True)
class Step:
    """One change: of the key `kid`, or a new key (`begun`: signs at once; `published`: is next)."""

    deed: Deed
    algorithm: str
    kid: str | None = None


@dataclass(frozen=True)
class KeySchedule:
    """The periods, in seconds."""

    publication: int
    """A key is published so long before it signs: until every cached JWKS has it."""
    margin: int
    """A key stays published so much longer than its tokens: nodes notice late, clocks differ."""
    rotation: int
    longest_token: int

    @classmethod
    def of(cls, settings: Settings) -> "KeySchedule":
        """Return the periods that the settings ask for."""
        late = settings.cache_lifetime
        skew = settings.clock_skew
        return cls(
            publication=settings.jwks_max_age + settings.key_publication_margin + late + skew,
            # One node retires it, another archives it, a third dates its tokens.
            margin=late + 2 * skew,
            rotation=settings.key_rotation_period,
            longest_token=max(
                settings.access_token_lifetime, settings.id_token_lifetime, LONGEST_ACCESS_TOKEN
            ),
        )

    @classmethod
    def of_decryption(cls, settings: Settings) -> "KeySchedule":
        """Return the periods of keys that decrypt: a retired one is needed as long as a JWKS may be
        cached.
        """
        cached = settings.jwks_max_age + settings.key_publication_margin
        return replace(cls.of(settings), longest_token=cached)

    def due(self, keys: Sequence[KeyInfo], algorithms: Collection[str], now: int) -> list[Step]:
        """Return what has to happen now. The first keys of an empty database sign at once."""
        if not keys:
            deeds: tuple[Deed, ...] = ("begun", "published")
            return [Step(deed, algorithm) for algorithm in algorithms for deed in deeds]
        steps = [
            Step("archived", key.algorithm, key.kid)
            for key in keys
            if key.state == "retiring" and (key.keep_until or 0) <= now
        ]
        for algorithm in algorithms:
            steps += self._due_for(algorithm, keys, now)
        return steps

    def takes_over_at(self, keys: Sequence[KeyInfo], algorithm: str) -> int | None:
        """Return when the next key of an algorithm will sign; None when there is none."""
        active, following = find(keys, algorithm, "active"), find(keys, algorithm, "next")
        if following is None:
            return None
        ends = (active.activated_at or 0) + self.rotation if active else 0
        return max(ends, following.usable_from)

    def _due_for(self, algorithm: str, keys: Sequence[KeyInfo], now: int) -> list[Step]:
        following = find(keys, algorithm, "next")
        if following is None:
            return [Step("published", algorithm)]
        active = find(keys, algorithm, "active")
        in_time = active is not None and now < (active.activated_at or 0) + self.rotation
        if in_time or now < following.usable_from:
            return []
        return succession(keys, algorithm, "retired")


def succession(
    keys: Sequence[KeyInfo], algorithm: str, predecessor: Literal["retired", "withdrawn"]
) -> list[Step]:
    """Return the steps by which the next key takes over and another one is published."""
    active, following = find(keys, algorithm, "active"), find(keys, algorithm, "next")
    steps = [Step(predecessor, algorithm, active.kid)] if active else []
    heir = Step("activated", algorithm, following.kid) if following else Step("begun", algorithm)
    return [*steps, heir, Step("published", algorithm)]


def find(keys: Sequence[KeyInfo], algorithm: str, state: State) -> KeyInfo | None:
    """Return the one key of `algorithm` that is `next` or `active`."""
    return next((key for key in keys if (key.algorithm, key.state) == (algorithm, state)), None)
