"""The parts of the audit log, put together once for each application."""

from collections.abc import Callable
from dataclasses import dataclass

from idp.config import Settings
from idp.crypto.sealing import Sealer
from idp.domain.audit import Audit
from idp.domain.audit_log.export import AuditExport
from idp.domain.audit_log.key_rotation import CheckpointKeyRotation
from idp.domain.audit_log.keys import CheckpointKeys
from idp.domain.audit_log.proofs import AuditProofs
from idp.domain.audit_log.retention import AuditRetention
from idp.domain.audit_log.sealing import AuditSealer
from idp.domain.audit_log.verification import AuditVerification
from idp.domain.clock import Clock
from idp.store.database import Store


@dataclass(frozen=True)
class AuditLog:
    """Seals the log and proves it."""

    sealer: AuditSealer
    verification: AuditVerification
    proofs: AuditProofs
    key_rotation: CheckpointKeyRotation
    retention: AuditRetention
    export: AuditExport

    @property
    def tasks(self) -> tuple[Callable[[], object], ...]:
        """What has to be done from time to time, by one node."""
        return (self.key_rotation.run_due, self.retention.run)


def audit_log(
    store: Store, sealer: Sealer, audit: Audit, clock: Clock, settings: Settings, secret: bytes
) -> AuditLog:
    """Return the parts; `secret` is the server's own, from which seals are made."""
    keys = CheckpointKeys(store, sealer, clock, secret)
    sealing = AuditSealer(store, clock, settings, keys, secret)
    return AuditLog(
        sealing,
        AuditVerification(store, keys, secret),
        AuditProofs(store, keys),
        CheckpointKeyRotation(store, keys, sealing, audit, clock),
        AuditRetention(store, clock, settings, audit, secret),
        AuditExport(store, sealing, audit),
    )
