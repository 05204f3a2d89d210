"""Everything that domain offers, put together once for each application."""

from dataclasses import dataclass

from idp.config import Settings
from idp.crypto.sealing import Sealer
from idp.domain.accounts import Accounts
from idp.domain.administrators import Administrators
from idp.domain.audit import Audit
from idp.domain.authorizations import Authorizations
from idp.domain.clients import Clients
from idp.domain.clock import Clock
from idp.domain.consents import Consents
from idp.domain.credentials.password import Passwords
from idp.domain.health import Health
from idp.domain.housekeeping import Housekeeping
from idp.domain.installation import open_sealer
from idp.domain.interactions import Interactions
from idp.domain.one_time import OneTimeValues
from idp.domain.outbox import Outbox
from idp.domain.playground_runs import PlaygroundRuns
from idp.domain.refresh_tokens import RefreshTokens
from idp.domain.resources import Resources
from idp.domain.server_secrets import ServerSecrets
from idp.domain.sessions import Sessions
from idp.domain.sign_in import SignIn
from idp.domain.signing_keys import SigningKeys
from idp.domain.throttling import Throttle
from idp.store import schema
from idp.store.database import Store


@dataclass(frozen=True)
class _Ground:
    """What everything else stands on."""

    settings: Settings
    clock: Clock
    store: Store
    sealer: Sealer
    audit: Audit
    secrets: ServerSecrets
    signing_keys: SigningKeys


@dataclass(frozen=True)
class Services(_Ground):
    """The parts of one application, each made once and shared by its threads."""

    one_time: OneTimeValues
    outbox: Outbox
    passwords: Passwords
    accounts: Accounts
    administrators: Administrators
    sessions: Sessions
    clients: Clients
    resources: Resources
    consents: Consents
    authorizations: Authorizations
    refresh_tokens: RefreshTokens
    interactions: Interactions
    playground_runs: PlaygroundRuns
    throttle: Throttle
    sign_in: SignIn
    housekeeping: Housekeeping
    health: Health


def start(settings: Settings, store: Store, clock: Clock) -> Services:
    """Bring the database up to date, open it with its key, make what is missing, build the parts.

    Raises ConfigurationError when the key-encryption key is not this database's.
    """
    schema.upgrade(store)
    sealer = open_sealer(store, settings)
    secrets = ServerSecrets(store, sealer, clock)
    secrets.ensure()
    audit = Audit(store, clock)
    keys = SigningKeys(store, sealer, audit, clock, settings)
    keys.ensure()
    return _assemble(_Ground(settings, clock, store, sealer, audit, secrets, keys))


def _assemble(on: _Ground) -> Services:
    settings, clock, store, audit = on.settings, on.clock, on.store, on.audit
    one_time = OneTimeValues(on.sealer, clock)
    passwords = Passwords(settings.hash_slots, settings.hash_queue, settings.password_min_length)
    sessions = Sessions(store, audit, clock, settings)
    consents = Consents(store, audit, clock)
    throttle = Throttle(store, on.secrets.get("account-pseudonym"), clock, settings.network_limit)
    accounts = Accounts(store, passwords.accept, audit, clock)
    authorizations = Authorizations(store, one_time, audit, clock, settings)
    interactions = Interactions(
        store, one_time, authorizations, consents, throttle, audit, clock, settings
    )
    return Services(
        **vars(on),
        one_time=one_time,
        outbox=Outbox(store, on.sealer, clock, settings),
        passwords=passwords,
        accounts=accounts,
        administrators=Administrators(store, one_time, accounts, audit, throttle, clock),
        sessions=sessions,
        clients=Clients(store, audit, clock, settings.cache_lifetime),
        resources=Resources(store, audit, clock, settings.cache_lifetime, settings.issuer),
        consents=consents,
        authorizations=authorizations,
        refresh_tokens=_refresh_tokens(on, authorizations),
        interactions=interactions,
        playground_runs=PlaygroundRuns(store, one_time, throttle, clock),
        throttle=throttle,
        sign_in=SignIn(store, passwords, throttle, sessions, interactions, audit),
        housekeeping=Housekeeping(store, clock, settings, on.signing_keys, audit),
        health=Health(store),
    )


def _refresh_tokens(on: _Ground, authorizations: Authorizations) -> RefreshTokens:
    key, window = on.secrets.get("refresh-successor"), on.settings.refresh_retry_window
    return RefreshTokens(on.store, authorizations, on.clock, key, window)
