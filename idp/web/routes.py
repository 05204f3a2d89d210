"""Every URL, its view, and what kind of answer it gives. START HERE.

Who may come is in the last column: `public`, `session` (somebody signed in), `interaction` (the
browser that began it), `permission` (who the policies allow it), `client` (client authentication),
`token` (an access token of some kind), `link` (a one-time link).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask

from idp.protocol import metadata as where
from idp.web import (
    administrator,
    authorize,
    check_session,
    consent,
    console_routes,
    dev_mail,
    enrol,
    error_help,
    health,
    home,
    invitation,
    login,
    logout,
    magic_link,
    metadata,
    oauth,
    other_ways,
    passkey_offer,
    passkeys,
    preferences,
    recovery,
    registration,
    second_factor,
    sign_up,
)
from idp.web.developer import trying
from idp.web.kinds import Kind
from idp.web.playground import views as playground


@dataclass(frozen=True)
class Route:
    """One row of the table."""

    path: str
    view: Callable[..., Any]
    methods: tuple[str, ...]
    kind: Kind
    guard: str


GET = ("GET",)
POST = ("POST",)
BOTH = ("GET", "POST")

ROUTES = (
    Route("/", home.home, GET, Kind.PAGE, "public"),
    Route("/sign-in", login.start, GET, Kind.PAGE, "public"),
    Route("/sign-out", logout.sign_out_here, POST, Kind.PAGE, "public"),
    Route("/signed-out", logout.signed_out, GET, Kind.PAGE, "public"),
    Route("/signed-out/<handle>", logout.farewell, GET, Kind.PAGE, "interaction"),
    Route("/interaction/<handle>", authorize.interaction, GET, Kind.ENTRY, "interaction"),
    Route("/interaction/<handle>/sign-in", login.sign_in, BOTH, Kind.FINISHING_PAGE, "interaction"),
    Route(
        "/interaction/<handle>/password", login.password, BOTH, Kind.FINISHING_PAGE, "interaction"
    ),
    Route(
        "/interaction/<handle>/other-ways",
        other_ways.other_ways,
        GET,
        Kind.FINISHING_PAGE,
        "interaction",
    ),
    Route(
        "/interaction/<handle>/passkey", passkeys.passkey, BOTH, Kind.FINISHING_PAGE, "interaction"
    ),
    Route(
        "/interaction/<handle>/passkey/options",
        passkeys.passkey_options,
        POST,
        Kind.FINISHING_PAGE,
        "interaction",
    ),
    Route(
        "/interaction/<handle>/passkey/offer",
        passkey_offer.offer_passkey,
        BOTH,
        Kind.FINISHING_PAGE,
        "interaction",
    ),
    Route(
        "/interaction/<handle>/passkey/offer/options",
        passkey_offer.offered_passkey_options,
        POST,
        Kind.FINISHING_PAGE,
        "interaction",
    ),
    Route(
        "/interaction/<handle>/passkey/name",
        passkey_offer.name_passkey,
        BOTH,
        Kind.FINISHING_PAGE,
        "interaction",
    ),
    Route(
        "/interaction/<handle>/mail",
        magic_link.magic_link,
        BOTH,
        Kind.FINISHING_PAGE,
        "interaction",
    ),
    Route(
        "/interaction/<handle>/forgot", recovery.forgot, BOTH, Kind.FINISHING_PAGE, "interaction"
    ),
    Route(
        "/interaction/<handle>/new-password",
        recovery.new_password,
        BOTH,
        Kind.FINISHING_PAGE,
        "interaction",
    ),
    Route("/sign-up", sign_up.start_sign_up, GET, Kind.PAGE, "public"),
    Route(
        "/interaction/<handle>/sign-up", sign_up.sign_up, BOTH, Kind.FINISHING_PAGE, "interaction"
    ),
    Route(
        "/interaction/<handle>/new-account",
        sign_up.new_account,
        BOTH,
        Kind.FINISHING_PAGE,
        "interaction",
    ),
    Route(
        "/interaction/<handle>/second-factor",
        second_factor.second_factor,
        GET,
        Kind.FINISHING_PAGE,
        "interaction",
    ),
    Route(
        "/interaction/<handle>/second-factor/code",
        second_factor.authenticator_code,
        BOTH,
        Kind.FINISHING_PAGE,
        "interaction",
    ),
    Route(
        "/interaction/<handle>/second-factor/recovery",
        second_factor.recovery_code,
        BOTH,
        Kind.FINISHING_PAGE,
        "interaction",
    ),
    Route("/interaction/<handle>/enrol", enrol.enrol, BOTH, Kind.FINISHING_PAGE, "interaction"),
    Route(
        "/interaction/<handle>/enrol/authenticator",
        enrol.enrol_authenticator,
        BOTH,
        Kind.FINISHING_PAGE,
        "interaction",
    ),
    Route(
        "/interaction/<handle>/enrol/passkey",
        enrol.enrol_passkey,
        BOTH,
        Kind.FINISHING_PAGE,
        "interaction",
    ),
    Route(
        "/interaction/<handle>/enrol/passkey/options",
        enrol.enrol_passkey_options,
        POST,
        Kind.FINISHING_PAGE,
        "interaction",
    ),
    Route(
        "/interaction/<handle>/recovery-codes",
        enrol.save_codes,
        BOTH,
        Kind.FINISHING_PAGE,
        "interaction",
    ),
    Route(
        "/interaction/<handle>/account",
        login.choose_account,
        BOTH,
        Kind.FINISHING_PAGE,
        "interaction",
    ),
    Route("/interaction/<handle>/switch", login.switch, BOTH, Kind.FINISHING_PAGE, "interaction"),
    Route(
        "/interaction/<handle>/consent", consent.consent, BOTH, Kind.FINISHING_PAGE, "interaction"
    ),
    Route(
        "/interaction/<handle>/cancel", authorize.cancel, POST, Kind.FINISHING_PAGE, "interaction"
    ),
    Route(
        "/interaction/<handle>/sign-out", logout.sign_out, BOTH, Kind.FINISHING_PAGE, "interaction"
    ),
    Route("/help/errors", error_help.error_help, GET, Kind.PAGE, "public"),
    Route("/passkey/upgrade", passkeys.upgrade, POST, Kind.PAGE, "session"),
    Route("/passkey/upgrade/options", passkeys.upgrade_options, POST, Kind.PAGE, "session"),
    Route("/language", preferences.choose_language, POST, Kind.PAGE, "public"),
    Route("/theme", preferences.choose_theme, POST, Kind.PAGE, "public"),
    Route("/mail/<token>", magic_link.mailed, BOTH, Kind.FINISHING_PAGE, "link"),
    *(Route(*row, Kind.PAGE, "permission") for row in console_routes.ACCOUNT),
    *(Route(*row, Kind.PAGE, "permission") for row in console_routes.DEVELOPER),
    *(Route(*row, Kind.PAGE, "permission") for row in console_routes.ADMIN),
    Route("/setup/administrator/<token>", administrator.administrator, BOTH, Kind.PAGE, "link"),
    Route("/invitation/<token>", invitation.invitation, BOTH, Kind.PAGE, "link"),
    Route(where.AUTHORIZE, authorize.authorize, BOTH, Kind.ENTRY, "public"),
    Route(where.LOGOUT, logout.logout, BOTH, Kind.ENTRY, "public"),
    Route(where.CHECK_SESSION, check_session.check_session, GET, Kind.FRAMED, "public"),
    Route(where.TOKEN, oauth.token, POST, Kind.OPEN_MACHINE, "client"),
    Route(where.REVOKE, oauth.revoke, POST, Kind.OPEN_MACHINE, "client"),
    Route(where.INTROSPECT, oauth.introspect, POST, Kind.MACHINE, "client"),
    Route(where.USERINFO, oauth.userinfo, BOTH, Kind.OPEN_MACHINE, "token"),
    Route(where.REGISTER, registration.register, POST, Kind.OPEN_MACHINE, "token"),
    Route(
        f"{where.REGISTER}/<client_id>",
        registration.manage_registration,
        ("GET", "PUT", "DELETE"),
        Kind.OPEN_MACHINE,
        "token",
    ),
    Route(
        "/application-logo/<client_id>/<digest>",
        registration.client_logo,
        GET,
        Kind.PICTURE,
        "public",
    ),
    Route(where.JWKS, metadata.jwks, GET, Kind.DOCUMENT, "public"),
    Route("/.well-known/openid-configuration", metadata.metadata, GET, Kind.DOCUMENT, "public"),
    Route(
        "/.well-known/oauth-authorization-server",
        metadata.metadata_again,
        GET,
        Kind.DOCUMENT,
        "public",
    ),
    Route(
        "/.well-known/passkey-endpoints", metadata.passkey_endpoints, GET, Kind.DOCUMENT, "public"
    ),
    Route("/.well-known/change-password", recovery.change_password_page, GET, Kind.PAGE, "public"),
    Route("/.well-known/webauthn", metadata.related_origins, GET, Kind.DOCUMENT, "public"),
    Route("/health/live", health.live, GET, Kind.MACHINE, "public"),
    Route("/health/ready", health.ready, GET, Kind.MACHINE, "public"),
    Route("/health/writable", health.writable, GET, Kind.MACHINE, "public"),
)
DEVELOPMENT_ROUTES = (
    Route(
        "/developer/<client_id>/playground",
        trying.developer_playground,
        POST,
        Kind.PAGE,
        "permission",
    ),
    Route("/playground", playground.playground, GET, Kind.PAGE, "public"),
    Route("/playground/callback", playground.callback, GET, Kind.PAGE, "public"),
    Route("/playground/run/<state>", playground.run, BOTH, Kind.PAGE, "public"),
    Route("/dev/mail", dev_mail.dev_mails, GET, Kind.PAGE, "public"),
    Route("/dev/mail/<mail_id>", dev_mail.dev_mail, GET, Kind.PAGE, "public"),
    Route("/dev/mail/<mail_id>/html", dev_mail.dev_mail_html, GET, Kind.MAIL, "public"),
)
"""They show tokens and mails to whoever comes: `idp serve` does not have them."""
FREE_OF_HOST = frozenset({"live", "ready", "writable", "static"})
"""Supervisors ask by whatever address they have; the page that names the right one has a style."""
_KINDS = {route.view.__name__: route.kind for route in (*ROUTES, *DEVELOPMENT_ROUTES)}


def kind_of(endpoint: str | None) -> Kind:
    """Return what an endpoint answers; unknown ones are pages."""
    return _KINDS.get(endpoint or "", Kind.PAGE)


def add_routes(app: Flask, *, development: bool) -> None:
    """Register the table. No other address leads to a row, not even by a redirect."""
    app.url_map.merge_slashes = False
    for route in (*ROUTES, *DEVELOPMENT_ROUTES) if development else ROUTES:
        name = route.view.__name__
        app.add_url_rule(route.path, name, route.view, methods=list(route.methods))
