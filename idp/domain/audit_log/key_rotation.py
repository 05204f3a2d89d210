"""A new key for checkpoints: the same checkpoint is signed by the former and the new one, so that
who trusts the former sees which comes next.
"""

from idp.domain.audit import Audit, Entry, Origin
from idp.domain.audit_log.checkpoints import Checkpoint
from idp.domain.audit_log.keys import CheckpointKeys
from idp.domain.audit_log.sealing import AuditSealer
from idp.domain.clock import Clock
from idp.domain.errors import Busy
from idp.store import audit_tree as rows
from idp.store.database import Connection, Store
from idp.store.statements import Row

PERIOD = 365 * 86400
"""Seconds after which a new key signs."""
_OURSELVES = Origin()
_RETRY_SECONDS = 1


class CheckpointKeyRotation:
    """Lets the next key sign."""

    def __init__(
        self, store: Store, keys: CheckpointKeys, sealer: AuditSealer, audit: Audit, clock: Clock
    ) -> None:
        self._store = store
        self._keys = keys
        self._sealer = sealer
        self._audit = audit
        self._clock = clock

    def run_due(self) -> bool:
        """Rotate when the key has signed for its period; tell whether it was done."""
        with self._store.reading() as connection:
            head = rows.head(connection)
            key = self._keys.active(connection, head["origin"]) if head else None
        if key is None or self._clock() - key["created_at"] < PERIOD:
            return False
        self.rotate(_OURSELVES, "server")
        return True

    def rotate(self, origin: Origin, actor: str) -> str:
        """Let a new key sign, and return the note that both signed.

        Raises Busy when another node changes the log at this moment, NoCheckpointKey, LogBroken.
        """
        self._sealer.seal(1)
        with self._store.reading() as connection:
            head = rows.head(connection)
            if head is None:
                raise Busy(_RETRY_SECONDS)
            former = self._keys.active(connection, head["origin"])
            root = self._sealer.frontier(connection, head).root()
        fresh = self._keys.fresh(head["origin"])
        signers = [self._keys.signer(former), self._keys.signer(fresh)]
        note = Checkpoint(head["origin"], head["size"], root).signed(signers)
        detail = {"former": signers[0].key.id.hex(), "key": signers[1].key.id.hex()}
        entry = Entry("audit_key.rotated", actor, detail=detail)
        with self._store.writing() as connection:
            self._change(connection, head, former, note)
            rows.add_key(connection, fresh)
            self._audit.record(connection, origin, entry)
        return note

    def _change(self, connection: Connection, head: Row, former: Row, note: str) -> None:
        now = int(self._clock())
        same = {name: head[name] for name in ("size", "peaks")}
        new = {**same, "checkpoint": note, "sealed_at": now}
        if not rows.grow(connection, head["size"], new):
            raise Busy(_RETRY_SECONDS)
        if not rows.retire_key(connection, former["id"], now):
            raise Busy(_RETRY_SECONDS)
        rows.put_checkpoint(connection, head["size"], note, now)
