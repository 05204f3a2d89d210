"""The composition root: settings in, WSGI application out. One page, in order."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask

from idp.config import Settings
from idp.domain.clock import Clock, system_clock
from idp.domain.delivery import Delivery, mail_server
from idp.domain.logout_delivery import LogoutDelivery
from idp.domain.preflight import production_settings
from idp.domain.remote_documents import RemoteDocuments
from idp.domain.services import Services, start
from idp.protocol.client_assertions import ClientAssertions
from idp.protocol.client_tokens import ClientTokens
from idp.protocol.developer_registration import DeveloperRegistration
from idp.protocol.dynamic_registration import DynamicRegistration
from idp.protocol.enabled import configure
from idp.protocol.id_token_hints import IdTokenHints
from idp.protocol.metadata import TOKEN
from idp.protocol.registration_rules import RegistrationRules
from idp.protocol.request_object import RequestObjects
from idp.protocol.sectors import sectors
from idp.protocol.server import Parts
from idp.protocol.software_statements import SoftwareStatements
from idp.protocol.tokens import Mint
from idp.store.database import Store, engine_options
from idp.store.tables import db
from idp.web import context, request_log
from idp.web.browser_session import BrowserSessions
from idp.web.errors import init_errors
from idp.web.mails import MAILS, Mails
from idp.web.pages import Templates, init_pages
from idp.web.proxies import TrustedProxies
from idp.web.routes import add_routes
from idp.web.security import Security, protect_forms

_PACKAGE = Path(__file__).parent
_ROOT = _PACKAGE if (_PACKAGE / "templates").is_dir() else _PACKAGE.parent

_DELIVERY = "doorward-delivery"
_LOGOUT_DELIVERY = "doorward-logout-delivery"
_LOGOUT_SECONDS = 3.0
"""For which a client that is told of a sign-out is waited for."""


class _Flask(Flask):
    """No view or hook of ours is a coroutine: none is asked for at each request."""

    jinja_environment = Templates

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function as it is."""
        return func


def create_app(settings: Settings | None = None, *, clock: Clock = system_clock) -> Flask:
    """Build the application; without `settings`, the one of a production server.

    Raises ConfigurationError, StoreError.
    """
    settings = settings or production_settings()
    request_log.configure(settings)
    app = _Flask(
        "idp", template_folder=str(_ROOT / "templates"), static_folder=str(_ROOT / "static")
    )
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 3600
    with ExitStack() as undo:
        store = _open_store(app, settings)
        undo.callback(store.close)
        _put_together(app, start(settings, store, clock))
        undo.pop_all()
    return app


def _put_together(app: Flask, parts: Services) -> None:
    settings = parts.settings
    app.extensions[context.SERVICES] = parts
    protocol_parts = _protocol_parts(parts)
    app.extensions[context.SERVER] = configure(protocol_parts)
    rules = _registration_rules(parts)
    app.extensions[context.REGISTRATION] = DynamicRegistration(
        parts.registering, rules, parts.client_errors, parts.audit, parts.throttle, settings
    )
    app.extensions[context.DEVELOPER_REGISTRATION] = DeveloperRegistration(rules)
    app.extensions[context.REQUEST_OBJECTS] = _request_objects(parts)
    form_key = parts.secrets.get("form-protection")
    app.session_interface = BrowserSessions(settings, form_key)
    delivery = app.extensions[_DELIVERY] = _delivery(app, parts)
    telling = app.extensions[_LOGOUT_DELIVERY] = _logout_delivery(parts, protocol_parts.mint)
    tasks = (
        parts.housekeeping,
        delivery,
        telling,
        parts.registering.logos,
        *parts.audit_log.threads,
    )
    front: Security | TrustedProxies = Security(app, parts, tasks)
    protect_forms(app, form_key)
    init_pages(app, settings)
    init_errors(app)
    add_routes(app, development=settings.development)
    if settings.trusted_proxies:
        front = TrustedProxies(front, settings.trusted_proxies)
    app.wsgi_app = front  # type: ignore[method-assign]


def services_of(app: Flask) -> Services:
    """Return the parts of an application."""
    found: Services = app.extensions[context.SERVICES]
    return found


def start_tasks(app: Flask) -> None:
    """Start what recurs in this process; a request does so too."""
    parts = services_of(app)
    own = (parts.housekeeping, parts.registering.logos, *parts.audit_log.threads)
    for task in (*own, delivery_of(app), logout_delivery_of(app)):
        task.ensure_started()


def delivery_of(app: Flask) -> Delivery:
    """Return what sends an application's mail."""
    found: Delivery = app.extensions[_DELIVERY]
    return found


def logout_delivery_of(app: Flask) -> LogoutDelivery:
    """Return what tells an application's clients of sign-outs."""
    found: LogoutDelivery = app.extensions[_LOGOUT_DELIVERY]
    return found


def _logout_delivery(parts: Services, mint: Mint) -> LogoutDelivery:
    """Clients are told by tokens, which protocol knows, and through the guarded way out."""
    post = partial(parts.fetcher.post_form, seconds=_LOGOUT_SECONDS)
    return LogoutDelivery(
        parts.store, parts.clients, parts.audit, parts.clock, mint.logout_token, post
    )


def _delivery(app: Flask, parts: Services) -> Delivery:
    """Mail needs words, which templates know, and a way out."""
    mails = app.extensions[MAILS] = Mails(app, parts.settings)
    server = mail_server(parts.settings)
    send = server.send if server else None
    return Delivery(parts.store, parts.outbox, parts.clock, parts.settings, mails.render, send)


def _open_store(app: Flask, settings: Settings) -> Store:
    """Let Flask-SQLAlchemy make the engine; nothing else of it is used."""
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.sqlalchemy_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(settings.sqlalchemy_url)
    db.init_app(app)
    # It would end, after each request, a session that nobody opens.
    app.teardown_appcontext_funcs.clear()
    with app.app_context():
        return Store(db.engine)


def _registration_rules(parts: Services) -> RegistrationRules:
    statements = SoftwareStatements(parts.settings, parts.clock)
    return RegistrationRules(
        statements, sectors(parts.fetcher, parts.clock), parts.throttle, parts.settings
    )


def _request_objects(parts: Services) -> RequestObjects:
    """An old request object must not stand in for a new one."""
    documents = RemoteDocuments(parts.fetcher, parts.clock, stand_in=False)
    return RequestObjects(
        parts.clients,
        parts.client_keys,
        documents,
        parts.decryption_keys.find,
        parts.clock,
        parts.settings,
    )


def _protocol_parts(parts: Services) -> Parts:
    secrets_of = parts.clients.symmetric_secrets
    client_tokens = ClientTokens(parts.signing_keys, secrets_of, parts.client_keys)
    return Parts(
        settings=parts.settings,
        accounts=parts.accounts,
        clients=parts.clients,
        client_errors=parts.client_errors,
        resources=parts.resources,
        authorizations=parts.authorizations,
        refresh_tokens=parts.refresh_tokens,
        audit=parts.audit,
        throttle=parts.throttle,
        subjects=parts.subjects,
        mint=Mint(parts.signing_keys, client_tokens, parts.subjects, parts.clock, parts.settings),
        hints=IdTokenHints(
            parts.signing_keys,
            parts.clients.find,
            secrets_of,
            parts.decryption_keys.find,
            parts.settings.issuer,
        ),
        assertions=ClientAssertions(
            parts.clients, parts.client_keys, parts.seen_once, parts.clock, parts.settings, TOKEN
        ),
    )
