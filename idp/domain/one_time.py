"""Values that work once: codes, interactions, links. One mechanism for all of them.

A value is stored as a digest made for its kind, so that none can be presented as another; its
payload is sealed. Using it leaves a tombstone, by which a second use is noticed. It lives in the
database and nowhere else.
"""

import json
from dataclasses import dataclass
from typing import Any

from idp.crypto import secrets
from idp.crypto.sealing import Sealer
from idp.domain.clock import Clock
from idp.store import one_time as rows
from idp.store.database import Connection

TOMBSTONE_SECONDS = 86400


@dataclass(frozen=True)
class Found:
    """A value as it stands: `used_at` and `expires_at` in seconds since 1970."""

    payload: dict[str, Any]
    expires_at: int
    used_at: int | None
    binding: bytes | None
    former_binding: bytes | None
    authorization_id: str | None

    def is_for(self, binding: bytes) -> bool:
        """Whether it belongs to this browser, or to none yet.

        The cookie before a sign-in counts still, since a second click may carry it; but not once
        the value was used: what came of it is for whoever signed in (SECURITY case 114).
        """
        if self.binding is None or self.binding == binding:
            return True
        return self.used_at is None and self.former_binding == binding


class OneTimeValues:
    """Puts, finds and takes values inside the caller's transaction."""

    def __init__(self, sealer: Sealer, clock: Clock) -> None:
        self._sealer = sealer
        self._clock = clock

    def put(
        self,
        connection: Connection,
        kind: str,
        value: str,
        payload: dict[str, Any],
        lifetime: int,
        *,
        binding: bytes | None = None,
        authorization_id: str | None = None,
        tombstone: int = TOMBSTONE_SECONDS,
    ) -> None:
        """Store `value` of `kind` for `lifetime` seconds. Raises Conflict when it was
        put before.
        """
        digest = secrets.digest(kind, value)
        now = int(self._clock())
        row = {
            "digest": digest,
            "kind": kind,
            "sealed": self._sealer.seal(_text(payload), place(kind, digest)),
            "binding": binding,
            "former_binding": None,
            "authorization_id": authorization_id,
            "created_at": now,
            "expires_at": now + lifetime,
            "keep_until": now + lifetime + tombstone,
        }
        rows.add(connection, row)

    def find(
        self, connection: Connection, kind: str, value: str, *, lock: bool = False
    ) -> Found | None:
        """Look at a value without using it; used and expired ones are returned too.

        `lock`: nobody else changes it before the caller's transaction ends.
        """
        digest = secrets.digest(kind, value)
        row = rows.find(connection, digest, lock=lock)
        if row is None:
            return None
        payload = json.loads(self._sealer.unseal(row["sealed"], place(kind, digest)))
        return Found(
            payload,
            row["expires_at"],
            row["used_at"],
            row["binding"],
            row["former_binding"],
            row["authorization_id"],
        )

    def take(self, connection: Connection, kind: str, value: str) -> dict[str, Any] | None:
        """Use a value: the one winner gets its payload, everybody else None."""
        digest = secrets.digest(kind, value)
        sealed = rows.take(connection, digest, int(self._clock()))
        if sealed is None:
            return None
        payload: dict[str, Any] = json.loads(self._sealer.unseal(sealed, place(kind, digest)))
        return payload

    def take_bound(self, connection: Connection, kind: str, binding: bytes) -> None:
        """Use up every value of `kind` with this binding: a newer one takes their place."""
        rows.take_bound(connection, kind, binding, int(self._clock()))

    def bind(self, connection: Connection, kind: str, value: str, binding: bytes) -> bool:
        """Tie a value that no browser has opened yet to this one."""
        return rows.bind(connection, secrets.digest(kind, value), binding)

    def rewrite(
        self,
        connection: Connection,
        kind: str,
        value: str,
        payload: dict[str, Any],
        binding: bytes | None = None,
        *,
        unless_used: bool = False,
    ) -> None:
        """Replace a value's payload, and its binding where one is given.

        `unless_used`: nothing happens to one that was used meanwhile.
        """
        digest = secrets.digest(kind, value)
        sealed = self._sealer.seal(_text(payload), place(kind, digest))
        rows.rewrite(connection, digest, sealed, binding, unless_used=unless_used)


def _text(payload: dict[str, Any]) -> bytes:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def place(kind: str, digest: bytes) -> str:
    """Return the context under which a payload is sealed."""
    return f"one_time:{kind}:{digest.hex()}"
