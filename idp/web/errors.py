"""The one translation of errors: into JSON for machines, a redirect for clients, a page
for people.
"""

import json
import logging

from flask import Flask, Response, g, request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from idp.domain.errors import Busy, DomainError, Invalid, NotFound, Throttled
from idp.protocol.errors import MachineError, ShownError
from idp.store.errors import StoreError
from idp.web.context import services
from idp.web.oauth import machine_error
from idp.web.pages import page, see_other, view_of
from idp.web.routes import Kind, kind_of

_LOG = logging.getLogger(__name__)
_RETRY_SECONDS = 5
_PAGES = {
    400: ("That request can’t be understood", "Go back and try again."),
    403: ("You may not do that", "Ask whoever runs this server."),
    404: ("There is nothing here", "The address may be mistyped, or what was here is gone."),
    405: ("That does not work this way", "Go back and try again."),
    413: ("That is too much", "What was sent is larger than this server takes."),
    429: ("Too many tries", "Wait a little, then try again."),
    500: ("Something went wrong here", "It is not your fault. Try again in a moment."),
    503: ("Too busy right now", "Try again in a moment."),
}
_CODES = {404: "not_found", 405: "method_not_allowed", 413: "invalid_request"}


class WrongAddress(Exception):
    """The request was sent to an address that is not this server's."""

    def __init__(self, opened: str) -> None:
        super().__init__(opened)
        self.opened = opened


def init_errors(app: Flask) -> None:
    """Register the translation."""
    app.register_error_handler(MachineError, machine_error)
    app.register_error_handler(ShownError, _shown)
    app.register_error_handler(WrongAddress, _wrong_address)
    app.register_error_handler(CSRFError, _old_form)
    app.register_error_handler(DomainError, _domain)
    app.register_error_handler(StoreError, _store)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def answer(
    status: int,
    title: str = "",
    message: str = "",
    *,
    error: str | None = None,
    retry_after: int | None = None,
) -> Response:
    """Answer with an error: JSON where a machine asked, else a page."""
    usual_title, usual_message = _PAGES.get(status, _PAGES[400])
    if _for_machine():
        code = error or _CODES.get(
            status, "temporarily_unavailable" if status >= 429 else "invalid_request"
        )
        body = {"error": code, "error_description": message or usual_message}
        response = Response(json.dumps(body), status, mimetype="application/json")
    else:
        response = page(
            "error.html",
            status,
            status=status,
            title=title or usual_title,
            message=message or usual_message,
            action_label="Go to the start page",
            action_url=url_for("home"),
            retry_after=retry_after,
            request_id=g.get("request_id", ""),
        )
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def _for_machine() -> bool:
    machine = {Kind.MACHINE, Kind.OPEN_MACHINE, Kind.DOCUMENT}
    return kind_of(request.endpoint) in machine or request.path.startswith(
        ("/oauth2/token", "/.well-known/", "/health/")
    )


def _shown(error: ShownError) -> Response:
    parts = services()
    client = parts.clients.find(error.client_id) if error.client_id else None
    who = client.name if client else "The application"
    developer = {
        "error": error.error,
        "description": error.description,
        "parameter": error.parameter,
        "received": error.received,
        "rule": error.rule,
        "difference": error.difference if parts.settings.development else None,
        "docs_url": None,
    }
    return page(
        "protocol_error.html",
        400,
        client=view_of(client),
        heading=None,
        user_text=f"{who} couldn’t start sign-in. Nothing you did is wrong.",
        developer=developer,
        request_id=g.request_id,
    )


def _wrong_address(error: WrongAddress) -> Response:
    settings = services().settings
    hint = "IDP_ISSUER has to be the address that people open."
    if request.scheme == "http" and settings.secure:
        hint = "Behind a proxy that ends TLS, name it in IDP_TRUSTED_PROXIES."
    if _for_machine():
        message = f"This server answers at {settings.issuer} only. {hint}"
        return answer(400, message=message)
    return page(
        "wrong_address.html",
        400,
        opened=error.opened,
        expected=settings.issuer,
        setting_hint=hint,
    )


def _old_form(error: CSRFError) -> Response:
    """An interaction goes on where it stands: nothing was done, and nobody is lost."""
    handle = (request.view_args or {}).get("handle")
    if handle:
        return see_other(url_for("interaction", handle=handle))
    return answer(
        400,
        "This page was open too long",
        "Nothing was changed. Go back, reload the page and try again.",
    )


def _domain(error: DomainError) -> Response:
    match error:
        case Throttled():
            minutes = -(-error.retry_after // 60)
            wait = f"{minutes} minutes" if minutes > 1 else "a minute"
            return answer(429, message=f"Try again in {wait}.", retry_after=error.retry_after)
        case Busy():
            return answer(503, retry_after=error.retry_after)
        case NotFound() if (request.endpoint or "").startswith(("interaction", "sign_in")):
            return answer(404, "This sign-in took too long", str(error))
        case NotFound():
            return answer(404, message=str(error))
        case Invalid():
            return answer(400, message=str(error))
        case _:
            return answer(403, message=str(error))


def _store(error: StoreError) -> Response:
    _LOG.warning("the database did not do what was asked: %s", error)
    return answer(503, retry_after=_RETRY_SECONDS)


def _http(error: HTTPException) -> Response:
    response = answer(error.code or 500)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def _unexpected(error: Exception) -> Response:
    _LOG.error("unexpected", exc_info=error)
    return answer(500, error="server_error")
