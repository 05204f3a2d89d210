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
class Services:
    """The parts of one application, each made once and shared by its threads."""

    settings: Settings
    clock: Clock
    store: Store
    sealer: Sealer
    audit: Audit
    one_time: OneTimeValues
    secrets: ServerSecrets
    signing_keys: SigningKeys
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
    one_time = OneTimeValues(sealer, clock)
    keys = SigningKeys(store, sealer, audit, clock, settings)
    keys.ensure()
    passwords = Passwords(settings.hash_slots, settings.hash_queue, settings.password_min_length)
    sessions = Sessions(store, audit, clock, settings)
    consents = Consents(store, audit, clock)
    throttle = Throttle(store, secrets.get("account-pseudonym"), clock, settings.network_limit)
    accounts = Accounts(store, passwords, audit, clock)
    authorizations = Authorizations(store, one_time, audit, clock, settings)
    interactions = Interactions(
        store, one_time, authorizations, consents, throttle, audit, clock, settings
    )
    return Services(
        settings=settings,
        clock=clock,
        store=store,
        sealer=sealer,
        audit=audit,
        one_time=one_time,
        secrets=secrets,
        signing_keys=keys,
        passwords=passwords,
        accounts=accounts,
        administrators=Administrators(store, one_time, accounts, audit, clock),
        sessions=sessions,
        clients=Clients(store, audit, clock, settings.cache_lifetime),
        resources=Resources(store, audit, clock, settings.cache_lifetime),
        consents=consents,
        authorizations=authorizations,
        refresh_tokens=RefreshTokens(
            store,
            authorizations,
            clock,
            secrets.get("refresh-successor"),
            settings.refresh_retry_window,
        ),
        interactions=interactions,
        playground_runs=PlaygroundRuns(store, one_time, throttle, clock),
        throttle=throttle,
        sign_in=SignIn(store, passwords, throttle, sessions, interactions, audit),
        housekeeping=Housekeeping(store, clock, settings, keys, audit),
        health=Health(store),
    )
