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
from idp.domain.audit_log.streaming import AuditStreams
from idp.domain.audit_log.targets import targets
from idp.domain.audit_log.verification import AuditVerification
from idp.domain.clock import Clock
from idp.outbound.fetching import Fetcher
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
    streams: AuditStreams

    @property
    def threads(self) -> tuple[AuditSealer, AuditStreams]:
        """What runs in threads of their own."""
        return self.sealer, self.streams

    @property
    def tasks(self) -> tuple[Callable[[], object], ...]:
        """What has to be done from time to time, by one node."""
        return (self.key_rotation.run_due, self.retention.run)


def audit_log(
    store: Store,
    sealer: Sealer,
    audit: Audit,
    clock: Clock,
    settings: Settings,
    secret: bytes,
    fetcher: Fetcher,
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
        AuditStreams(store, clock, audit, targets(settings, fetcher)),
    )
