"""The parts of the audit log, put together once for each application."""

from dataclasses import dataclass

from idp.config import Settings
from idp.crypto.sealing import Sealer
from idp.domain.audit_log.keys import CheckpointKeys
from idp.domain.audit_log.sealing import AuditSealer
from idp.domain.audit_log.verification import AuditVerification
from idp.domain.clock import Clock
from idp.store.database import Store


@dataclass(frozen=True)
class AuditLog:
    """Seals the log and proves it."""

    sealer: AuditSealer
    verification: AuditVerification


def audit_log(
    store: Store, sealer: Sealer, clock: Clock, settings: Settings, secret: bytes
) -> AuditLog:
    """Return the parts; `secret` is the server's own, from which seals are made."""
    keys = CheckpointKeys(store, sealer, clock, secret)
    return AuditLog(
        AuditSealer(store, clock, settings, keys, secret),
        AuditVerification(store, keys, secret),
    )
