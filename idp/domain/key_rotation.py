"""Doing what the key schedule or an operator asks for: one process at a time, others look again."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from idp.crypto.sealing import Sealer
from idp.domain.audit import Audit, Entry, Origin
from idp.domain.clock import Clock
from idp.domain.errors import Busy, DomainError, Invalid, NotFound
from idp.domain.key_schedule import KeyInfo, KeySchedule, Step, find, succession
from idp.store import signing_keys as rows
from idp.store.database import Connection, RowMapping, Store
from idp.store.errors import Conflict

_TRIES = 5
Fresh = dict[str, Any] | None
Plan = Callable[[Sequence[KeyInfo], int], list[Step]]


class NewKey(Protocol):
    """What crypto makes."""

    @property
    def kid(self) -> str:
        """Its thumbprint."""

    @property
    def algorithm(self) -> str:
        """What it serves."""

    @property
    def public_jwk(self) -> dict[str, Any]:
        """What is published."""

    @property
    def private(self) -> bytes:
        """What is sealed."""


@dataclass(frozen=True)
class KeyUse:
    """What keys are for. `noun` is what the audit log calls them, `known` are all algorithms of
    this use; `opens`: one that retires needs its private half until it is archived.
    """

    noun: str
    known: Collection[str]
    generate: Callable[[str], NewKey]
    opens: bool
    not_yet: str
    """Why the next key of `%s` has to wait."""
    still_needed: str
    """Why a retired key has to stay."""


class TooEarly(DomainError):
    """A key may not sign, or not go, before `at` (seconds since 1970)."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(
            f"{message} before {datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC."
        )
        self.at = at


class KeyRotation:
    """Moves the keys of one use from state to state."""

    def __init__(
        self,
        store: Store,
        sealer: Sealer,
        audit: Audit,
        clock: Clock,
        schedule: KeySchedule,
        use: KeyUse,
        algorithms: Sequence[str],
    ) -> None:
        self._store = store
        self._use = use
        self._sealer = sealer
        self._audit = audit
        self._clock = clock
        self._schedule = schedule
        self._algorithms = tuple(algorithms)

    def keys(self) -> list[KeyInfo]:
        """Return every key that is remembered."""
        with self._store.reading() as connection:
            return self._read(connection)

    def _read(self, connection: Connection) -> list[KeyInfo]:
        known = self._use.known
        return [info_of(row) for row in rows.read(connection) if row["algorithm"] in known]

    def lengthen(self) -> None:
        """Note how long what is made from now on lives, where the settings were raised."""
        longest = self._schedule.longest_token
        if any(key.serves and key.longest_token < longest for key in self.keys()):
            with self._store.writing() as connection:
                rows.lengthen(connection, self._use.known, longest)

    def advance(self, origin: Origin, actor: str) -> list[Step]:
        """Do what is due, and return it."""
        return self._carry_out(self._due, origin, actor)

    def rotate(
        self,
        algorithms: Sequence[str],
        *,
        emergency: bool,
        dry_run: bool,
        origin: Origin,
        actor: str,
    ) -> list[Step]:
        """Let the next keys follow. Raises TooEarly; an emergency withdraws the active ones."""

        def plan(keys: Sequence[KeyInfo], now: int) -> list[Step]:
            steps: list[Step] = []
            for algorithm in algorithms:
                steps += self._handover(keys, algorithm, now, emergency=emergency)
            return steps

        return self._carry_out(plan, origin, actor, dry_run=dry_run)

    def retire(
        self, kid: str, *, emergency: bool, dry_run: bool, origin: Origin, actor: str
    ) -> list[Step]:
        """Take one key out of use, or in an emergency out of trust.

        Raises NotFound, Invalid, TooEarly.
        """

        def plan(keys: Sequence[KeyInfo], now: int) -> list[Step]:
            key = next((key for key in keys if key.kid == kid), None)
            if key is None:
                raise NotFound(f"There is no key {kid}.")
            if key.state == "active" and key.algorithm in self._algorithms:
                return self._handover(keys, key.algorithm, now, emergency=emergency)
            return self._retirement(key, now, emergency=emergency)

        return self._carry_out(plan, origin, actor, dry_run=dry_run)

    def _due(self, keys: Sequence[KeyInfo], now: int) -> list[Step]:
        return self._schedule.due(keys, self._algorithms, now)

    def _handover(
        self, keys: Sequence[KeyInfo], algorithm: str, now: int, *, emergency: bool
    ) -> list[Step]:
        if algorithm not in self._algorithms:
            raise NotFound(f"No keys are kept for {algorithm}.")
        following = find(keys, algorithm, "next")
        if emergency:
            return succession(keys, algorithm, "withdrawn")
        if following is None:
            return [Step("published", algorithm)]
        if now < following.usable_from:
            raise TooEarly(self._use.not_yet % algorithm, following.usable_from)
        return succession(keys, algorithm, "retired")

    def _carry_out(
        self, plan: Plan, origin: Origin, actor: str, *, dry_run: bool = False
    ) -> list[Step]:
        """Plan, make new keys outside of any transaction, act if the plan holds under the lock."""
        for _ in range(_TRIES):
            steps = plan(self.keys(), int(self._clock()))
            if dry_run or not steps:
                return steps
            fresh = [self._fresh(step) for step in steps]
            try:
                done = self._act(plan, steps, fresh, origin, actor)
            except Conflict:
                continue  # another process made the first keys at the same moment
            if done:
                return done
        raise Busy(1)

    def _act(
        self, plan: Plan, steps: Sequence[Step], fresh: Sequence[Fresh], origin: Origin, actor: str
    ) -> list[Step]:
        """Take the steps; return them with the ids of new keys, or nothing if the plan changed."""
        done = []
        with self._store.writing() as connection:
            rows.lock(connection)
            now = int(self._clock())
            if plan(self._read(connection), now) != steps:
                return []
            for step, row in zip(steps, fresh, strict=True):
                kid = self._take(connection, step, row, now)
                detail = {"kid": kid, "algorithm": step.algorithm}
                entry = Entry(f"{self._use.noun}.{step.deed}", actor, detail=detail)
                self._audit.record(connection, origin, entry)
                done.append(replace(step, kid=kid))
        return done

    def _take(self, connection: Connection, step: Step, fresh: Fresh, now: int) -> str:
        if fresh is not None:
            first = step.deed == "begun"
            usable_from = now if first else now + self._schedule.publication
            dates = {"created_at": now, "usable_from": usable_from}
            rows.add(connection, {**fresh, **dates, "activated_at": now if first else None})
            return str(fresh["kid"])
        kid = str(step.kid)
        if step.deed == "activated":
            rows.activate(connection, kid, now)
        elif step.deed == "retired":
            margin = self._schedule.margin
            rows.retire(connection, kid, now, margin, keep_private=self._use.opens)
        elif step.deed == "archived":
            rows.archive(connection, kid, now)
        else:
            rows.withdraw(connection, kid, now)
        return kid

    def _fresh(self, step: Step) -> Fresh:
        """Return the row of a new key where the step asks for one."""
        if step.kid is not None:
            return None
        key = self._use.generate(step.algorithm)
        return {
            "kid": key.kid,
            "algorithm": key.algorithm,
            "state": "active" if step.deed == "begun" else "next",
            "public_jwk": key.public_jwk,
            "sealed_private": self._sealer.seal(key.private, place(key.kid)),
            "longest_token": self._schedule.longest_token,
        }

    def _retirement(self, key: KeyInfo, now: int, *, emergency: bool) -> list[Step]:
        """What becomes of a key that is not the active one of a kept algorithm."""
        if key.state == "next":
            return [Step("withdrawn", key.algorithm, key.kid), Step("published", key.algorithm)]
        if emergency and key.state != "withdrawn":
            return [Step("withdrawn", key.algorithm, key.kid)]
        if key.state == "active":
            return [Step("retired", key.algorithm, key.kid)]
        if key.state != "retiring":
            raise Invalid("kid", f"The key {key.kid} is not published any more.")
        if now < (key.keep_until or 0):
            raise TooEarly(self._use.still_needed, key.keep_until or 0)
        return [Step("archived", key.algorithm, key.kid)]


def info_of(row: RowMapping) -> KeyInfo:
    """Return what may be shown of a stored key."""
    return KeyInfo(**{name: row[name] for name in KeyInfo.__dataclass_fields__})


def place(kid: str) -> str:
    """Return the context under which a private half is sealed."""
    return f"signing_keys:{kid}:private"
