"""Everything that domain offers, put together once for each application."""

from collections.abc import Callable
from dataclasses import dataclass

from idp.config import Settings
from idp.domain.activity import Activity
from idp.domain.addresses import Addresses
from idp.domain.administrators import Administrators
from idp.domain.approvals import Approvals
from idp.domain.audit import Audit
from idp.domain.audit_log.parts import audit_log
from idp.domain.audit_search import AuditSearch
from idp.domain.authorizations import Authorizations
from idp.domain.client_secrets import ClientSecrets
from idp.domain.clients import Clients
from idp.domain.clock import Clock
from idp.domain.connections import Connections
from idp.domain.consents import Consents
from idp.domain.credentials.magic_link import Links
from idp.domain.decryption_keys import DecryptionKeys
from idp.domain.deletion import Deletion
from idp.domain.enrolling import Enrolling, Ways
from idp.domain.export import Export
from idp.domain.foundation import Foundation, Ground, foundation
from idp.domain.health import Health
from idp.domain.housekeeping import Housekeeping
from idp.domain.installation import open_sealer
from idp.domain.interactions import Interactions
from idp.domain.invitations import Invitations
from idp.domain.keyring import Keyring
from idp.domain.magic_links import MagicLinks
from idp.domain.mail_test import MailTest
from idp.domain.own_account import OwnAccount
from idp.domain.own_factors import OwnFactors
from idp.domain.own_password import OwnPassword
from idp.domain.password_reset import PasswordReset
from idp.domain.people import People
from idp.domain.playground_runs import PlaygroundRuns
from idp.domain.profiles import Profiles
from idp.domain.proving import Proving
from idp.domain.refresh_tokens import RefreshTokens
from idp.domain.registering import Registering, registering
from idp.domain.remote_documents import RemoteDocuments
from idp.domain.resources import Resources
from idp.domain.server_secrets import ServerSecrets
from idp.domain.sign_in import SignIn
from idp.domain.sign_out import SignOut
from idp.domain.sign_up import SignUp
from idp.domain.signing_keys import SigningKeys
from idp.outbound.fetching import Fetcher
from idp.store import schema
from idp.store.database import Store


@dataclass(frozen=True)
class Services(Foundation):
    """The parts of one application, each made once and shared by its threads."""

    administrators: Administrators
    people: People
    audit_search: AuditSearch
    mail_test: MailTest
    invitations: Invitations
    clients: Clients
    registering: Registering
    resources: Resources
    consents: Consents
    approvals: Approvals
    authorizations: Authorizations
    refresh_tokens: RefreshTokens
    interactions: Interactions
    playground_runs: PlaygroundRuns
    proving: Proving
    sign_in: SignIn
    sign_out: SignOut
    enrolling: Enrolling
    magic_links: MagicLinks
    password_reset: PasswordReset
    sign_up: SignUp
    own: OwnAccount
    housekeeping: Housekeeping
    health: Health

    @property
    def sign_up_open(self) -> bool:
        """Whether anybody may make an account: it takes mail to prove the address."""
        return self.sign_up.possible


def start(settings: Settings, store: Store, clock: Clock) -> Services:
    """Bring the database up to date, open it with its key, make what is missing, build the parts.

    Raises ConfigurationError when the key-encryption key is not this database's.
    """
    schema.upgrade(store)
    sealer = open_sealer(store, settings)
    secrets = ServerSecrets(store, sealer, clock)
    secrets.ensure()
    audit = Audit(store, clock)
    signing = SigningKeys(store, sealer, audit, clock, settings)
    decryption = DecryptionKeys(store, sealer, audit, clock, settings)
    for keys in (signing, decryption):
        keys.ensure()
    fetcher = Fetcher(settings)
    documents = RemoteDocuments(fetcher, clock)
    secret = secrets.get("audit-log")
    log = audit_log(store, sealer, audit, clock, settings, secret, fetcher)
    ground = Ground(
        settings,
        clock,
        store,
        sealer,
        audit,
        log,
        secrets,
        signing,
        decryption,
        Keyring(signing, decryption, settings),
        fetcher,
        documents,
    )
    return _assemble(foundation(ground))


def _assemble(on: Foundation) -> Services:
    settings, clock, store, audit = on.settings, on.clock, on.store, on.audit
    consents = Consents(store, audit, clock)
    authorizations = Authorizations(store, on.one_time, audit, clock, settings)
    approvals = Approvals(store, on.one_time, authorizations, audit, clock, settings)
    interactions = _interactions(on, approvals, consents)
    proving = _proving(on, interactions)
    sign_in = _sign_in(on, proving)
    clients = Clients(store, audit, clock, settings.cache_lifetime, ClientSecrets(on.sealer))
    own = _own(on, clients, consents)
    registered = registering(store, clients, on.throttle, audit, clock, settings, on.fetcher)
    return Services(
        **vars(on),
        administrators=_administrators(on),
        people=_looked_after(on),
        audit_search=AuditSearch(store, audit),
        mail_test=MailTest(store, on.outbox, audit),
        invitations=_invitations(on),
        clients=clients,
        registering=registered,
        resources=Resources(store, audit, clock, settings.cache_lifetime, settings.issuer),
        consents=consents,
        approvals=approvals,
        authorizations=authorizations,
        refresh_tokens=_refresh_tokens(on, authorizations),
        interactions=interactions,
        playground_runs=PlaygroundRuns(store, on.one_time, on.throttle, clock),
        proving=proving,
        sign_in=sign_in,
        sign_out=SignOut(store, on.sessions, on.one_time, clock),
        enrolling=_enrolling(on, proving, sign_in),
        magic_links=_magic_links(on, interactions, proving, sign_in),
        password_reset=_password_reset(on, interactions),
        sign_up=SignUp(
            store, interactions, on.accounts, proving, on.outbox, audit, clock, settings
        ),
        own=own,
        housekeeping=_housekeeping(on, own.deletion.delete_due, *registered.tasks),
        health=Health(store),
    )


def _interactions(on: Foundation, approvals: Approvals, consents: Consents) -> Interactions:
    return Interactions(
        on.store, on.one_time, approvals, consents, on.throttle, on.audit, on.clock, on.settings
    )


def _housekeeping(on: Foundation, *also: Callable[[], object]) -> Housekeeping:
    deeds = (on.decryption_keys.advance, *also, *on.audit_log.tasks)
    return Housekeeping(on.store, on.clock, on.settings, on.signing_keys, deeds)


def _own(on: Foundation, clients: Clients, consents: Consents) -> OwnAccount:
    store, audit, clock, outbox, settings = on.store, on.audit, on.clock, on.outbox, on.settings
    connections = Connections(store, clients, consents, clock)
    activity = Activity(store)
    password = OwnPassword(store, on.passwords, on.requirements, on.changes, outbox, audit, clock)
    addresses = Addresses(
        store, on.accounts, on.one_time, on.changes, outbox, on.throttle, audit, clock, settings
    )
    return OwnAccount(
        Profiles(store, audit, clock),
        addresses,
        password,
        OwnFactors(store, on.authenticators, on.passkeys, on.recovery_codes, on.throttle),
        connections,
        activity,
        Deletion(store, outbox, audit, clock, settings),
        Export(
            store,
            password,
            on.passkeys,
            on.authenticators,
            on.recovery_codes,
            on.devices,
            on.sessions,
            connections,
            on.subjects,
            activity,
            audit,
            clock,
        ),
    )


def _invitations(on: Foundation) -> Invitations:
    return Invitations(
        on.store,
        on.one_time,
        on.accounts,
        on.outbox,
        on.throttle,
        on.audit,
        on.clock,
        on.settings,
    )


def _administrators(on: Foundation) -> Administrators:
    return Administrators(on.store, on.one_time, on.accounts, on.audit, on.throttle, on.clock)


def _looked_after(on: Foundation) -> People:
    return People(
        on.store,
        on.accounts,
        on.memberships,
        _administrators(on),
        on.sessions,
        on.passkeys,
        on.authenticators,
        on.recovery_codes,
        on.audit,
    )


def _proving(on: Foundation, interactions: Interactions) -> Proving:
    return Proving(
        on.store,
        interactions,
        on.requirements,
        on.sessions,
        on.devices,
        on.throttle,
        on.outbox,
        on.audit,
        on.clock,
    )


def _sign_in(on: Foundation, proving: Proving) -> SignIn:
    return SignIn(
        on.store,
        on.passwords,
        on.authenticators,
        on.recovery_codes,
        on.passkeys,
        on.devices,
        on.throttle,
        on.outbox,
        proving,
    )


def _enrolling(on: Foundation, proving: Proving, sign_in: SignIn) -> Enrolling:
    ways, needs = Ways(on.authenticators, on.passkeys, on.recovery_codes), on.requirements
    return Enrolling(on.store, ways, needs, proving, sign_in, on.throttle, on.audit, on.clock)


def _magic_links(
    on: Foundation, interactions: Interactions, proving: Proving, sign_in: SignIn
) -> MagicLinks:
    return MagicLinks(
        on.store,
        Links(on.one_time, on.clock, on.settings.magic_link_lifetime),
        interactions,
        sign_in,
        proving,
        on.devices,
        on.outbox,
        on.throttle,
        on.audit,
        on.clock,
        on.settings.issuer,
    )


def _password_reset(on: Foundation, interactions: Interactions) -> PasswordReset:
    store, outbox, audit = on.store, on.outbox, on.audit
    passwords, needs, changes = on.passwords, on.requirements, on.changes
    return PasswordReset(
        store, interactions, passwords, needs, changes, outbox, audit, on.clock, on.settings
    )


def _refresh_tokens(on: Ground, authorizations: Authorizations) -> RefreshTokens:
    key, window = on.secrets.get("refresh-successor"), on.settings.refresh_retry_window
    return RefreshTokens(on.store, authorizations, on.clock, key, window)
