"""What the other services stand on, put together first: keys, mail, people and their proofs."""

from dataclasses import dataclass
from pathlib import Path

from idp.config import Settings
from idp.crypto.sealing import Sealer
from idp.domain.access import Access
from idp.domain.accounts import Accounts
from idp.domain.assignments import Assignments
from idp.domain.audit import Audit
from idp.domain.audit_log.parts import AuditLog
from idp.domain.client_errors import ClientErrors
from idp.domain.client_keys import ClientKeys
from idp.domain.clock import Clock
from idp.domain.credentials.breaches import Breaches
from idp.domain.credentials.changes import CredentialChanges
from idp.domain.credentials.passkeys import Passkeys
from idp.domain.credentials.password import Passwords
from idp.domain.credentials.recovery_codes import RecoveryCodes
from idp.domain.credentials.totp import Authenticators
from idp.domain.decryption_keys import DecryptionKeys
from idp.domain.devices import Devices
from idp.domain.giving import Giving
from idp.domain.groups import Groups
from idp.domain.keyring import Keyring
from idp.domain.memberships import Memberships
from idp.domain.one_time import OneTimeValues
from idp.domain.outbox import Outbox
from idp.domain.remote_documents import RemoteDocuments
from idp.domain.requirements import Requirements
from idp.domain.role_catalog import RoleCatalog
from idp.domain.seen_once import SeenOnce
from idp.domain.server_secrets import ServerSecrets
from idp.domain.sessions import Sessions
from idp.domain.signing_keys import SigningKeys
from idp.domain.subjects import Subjects
from idp.domain.throttling import Throttle
from idp.outbound.fetching import Fetcher
from idp.store.database import Store


@dataclass(frozen=True)
class Ground:
    """What everything else stands on."""

    settings: Settings
    clock: Clock
    store: Store
    sealer: Sealer
    audit: Audit
    audit_log: AuditLog
    secrets: ServerSecrets
    signing_keys: SigningKeys
    decryption_keys: DecryptionKeys
    keyring: Keyring
    fetcher: Fetcher
    remote_documents: RemoteDocuments


@dataclass(frozen=True)
class Foundation(Ground):
    """Who people are, and how they prove it."""

    one_time: OneTimeValues
    seen_once: SeenOnce
    client_keys: ClientKeys
    client_errors: ClientErrors
    outbox: Outbox
    throttle: Throttle
    passwords: Passwords
    accounts: Accounts
    roles: RoleCatalog
    groups: Groups
    assignments: Assignments
    memberships: Memberships
    changes: CredentialChanges
    authenticators: Authenticators
    recovery_codes: RecoveryCodes
    passkeys: Passkeys
    devices: Devices
    sessions: Sessions
    access: Access
    requirements: Requirements
    subjects: Subjects


def foundation(on: Ground) -> Foundation:
    """Return the parts that know people, made on `on`."""
    settings, clock, store, audit = on.settings, on.clock, on.store, on.audit
    one_time = OneTimeValues(on.sealer, clock)
    outbox = Outbox(store, on.sealer, clock, settings)
    changes = CredentialChanges(outbox, audit, clock)
    passwords = _passwords(settings)
    giving = Giving(RoleCatalog(store, audit, clock), Groups(store, audit, clock), clock)
    accounts = Accounts(store, passwords.accept, giving, audit, clock)
    devices = Devices(store, audit, clock, settings)
    access = Access(settings.policies_dir, clock, settings.cache_lifetime)
    return Foundation(
        **vars(on),
        one_time=one_time,
        seen_once=SeenOnce(store, one_time, clock),
        client_keys=ClientKeys(on.remote_documents, clock),
        client_errors=ClientErrors(store, clock),
        outbox=outbox,
        throttle=Throttle(
            store, on.secrets.get("account-pseudonym"), clock, settings.network_limit
        ),
        passwords=passwords,
        accounts=accounts,
        roles=giving.catalog,
        groups=giving.groups,
        assignments=Assignments(store, accounts, giving, audit, clock),
        memberships=Memberships(store, accounts, giving, audit, clock),
        changes=changes,
        authenticators=Authenticators(store, on.sealer, one_time, changes, clock, settings.product),
        recovery_codes=RecoveryCodes(store, passwords, changes, clock),
        passkeys=Passkeys(store, one_time, changes, clock, settings),
        devices=devices,
        sessions=Sessions(store, audit, clock, settings),
        access=access,
        requirements=Requirements(store, access, devices, clock),
        subjects=Subjects(on.secrets.get("pairwise-subject")),
    )


def _passwords(settings: Settings) -> Passwords:
    folder = settings.breached_passwords_dir
    return Passwords(
        settings.hash_slots,
        settings.hash_queue,
        settings.password_min_length,
        with_second_factor=settings.password_min_length_with_second_factor,
        product=settings.product,
        breaches=Breaches(Path(folder) if folder else None),
    )
