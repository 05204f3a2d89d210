"""The one translation of errors: into JSON for machines, a redirect for clients, a page
for people.
"""

import json
import logging

from flask import Flask, Response, request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from idp.domain.clients import Client
from idp.domain.errors import Busy, DomainError, Ended, Invalid, NotFound, Throttled
from idp.domain.texts import counted, marked
from idp.protocol.errors import MachineError, ShownError
from idp.protocol.metadata import LOGOUT
from idp.store.errors import StoreError
from idp.web.context import services
from idp.web.error_help import developer_half
from idp.web.kinds import Kind
from idp.web.oauth import machine_error
from idp.web.pages import page, see_other, view_of
from idp.web.routes import ROUTES, kind_of

_LOG = logging.getLogger(__name__)
_RETRY_SECONDS = 5
_PAGES = {
    400: (marked("That request can’t be understood"), marked("Go back and try again.")),
    403: (marked("You may not do that"), marked("Ask whoever runs this server.")),
    404: (
        marked("There is nothing here"),
        marked("The address may be mistyped, or what was here is gone."),
    ),
    405: (marked("That does not work this way"), marked("Go back and try again.")),
    413: (marked("That is too much"), marked("What was sent is larger than this server takes.")),
    429: (marked("Too many tries"), marked("Wait a little, then try again.")),
    500: (
        marked("Something went wrong here"),
        marked("It is not your fault. Try again in a moment."),
    ),
    503: (marked("Too busy right now"), marked("Try again in a moment.")),
}
_MACHINES = frozenset({Kind.MACHINE, Kind.OPEN_MACHINE, Kind.DOCUMENT})
_FOR_MACHINES = (
    *(route.path for route in ROUTES if route.kind in _MACHINES),
    "/.well-known/",
    "/health/",
)
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
    go_on: tuple[str, str] | None = None,
    client: Client | None = None,
) -> Response:
    """Answer with an error: JSON where a machine asked, else a page.

    `go_on` is the words and the address of the page's link.
    """
    usual_title, usual_message = _PAGES.get(status, _PAGES[400])
    if _for_machine():
        code = error or _CODES.get(
            status, "temporarily_unavailable" if status >= 429 else "invalid_request"
        )
        body = {"error": code, "error_description": message or usual_message}
        response = Response(json.dumps(body), status, mimetype="application/json")
    else:
        label, address = go_on or (marked("Go to the start page"), url_for("home"))
        response = page(
            "error.html",
            status,
            status=status,
            title=title or usual_title,
            message=message or usual_message,
            action_label=label,
            action_url=address,
            retry_after=retry_after,
            client=view_of(client),
        )
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def _for_machine() -> bool:
    """A request that fits no row of the table, for its method or path, has no endpoint."""
    return kind_of(request.endpoint) in _MACHINES or request.path.startswith(_FOR_MACHINES)


def _shown(error: ShownError) -> Response:
    client = services().clients.find(error.client_id) if error.client_id else None
    return page(
        "protocol_error.html",
        400,
        client=view_of(client),
        heading=_could_not(client),
        user_text=_what_to_do(client),
        developer=developer_half(error, client),
    )


def _could_not(client: Client | None) -> str:
    if request.path == LOGOUT:
        if client is None:
            return marked("The application couldn’t sign you out")
        return marked("%(client)s couldn’t sign you out", client=client.name)
    if client is None:
        return marked("The application couldn’t start sign-in")
    return marked("%(client)s couldn’t start sign-in", client=client.name)


def _what_to_do(client: Client | None) -> str:
    if client is None:
        return marked(
            "Nothing you did is wrong. Go back to it and try again, or tell the people who run it."
        )
    return marked(
        "Nothing you did is wrong. Go back to %(client)s and try again, or tell the people who "
        "run it.",
        client=client.name,
    )


def _wrong_address(error: WrongAddress) -> Response:
    settings = services().settings
    hint = (
        "If people should open what you opened, set IDP_ISSUER to its origin. Behind a proxy, let "
        "the proxy pass on the Host header."
    )
    if request.scheme == "http" and settings.secure:
        hint = (
            "The request came here without TLS. Behind a proxy that ends TLS, name the proxy’s "
            "network in IDP_TRUSTED_PROXIES, and let it send X-Forwarded-Proto."
        )
    if _for_machine():
        message = f"This server answers at {settings.issuer} only. {hint}"
        return answer(400, message=message)
    return page(
        "wrong_address.html",
        400,
        opened=error.opened,
        expected=settings.issuer + (request.path if request.method == "GET" else ""),
        setting_hint=hint,
    )


def _old_form(error: CSRFError) -> Response:
    """An interaction goes on where it stands: nothing was done, and nobody is lost."""
    handle = (request.view_args or {}).get("handle")
    if handle:
        return see_other(url_for("interaction", handle=handle))
    return answer(
        400,
        marked("This page was open too long"),
        marked("Nothing was changed. Go back, reload the page and try again."),
    )


def _domain(error: DomainError) -> Response:
    match error:
        case Throttled():
            return _too_many(error)
        case Busy():
            return answer(503, retry_after=error.retry_after)
        case NotFound() if "handle" in (request.view_args or {}):
            return _ended(error)
        case NotFound() if request.endpoint == "run":
            start = ("Start again", url_for("playground"))
            return answer(404, "This run is over", str(error), go_on=start)
        case NotFound():
            return answer(404, message=str(error))
        case Invalid():
            return answer(400, message=str(error))
        case _:
            return answer(403, message=str(error))


def _too_many(error: Throttled) -> Response:
    """The page itself says how long; nobody is locked out, and a sign-in goes on where it was."""
    here = (
        (marked("Back to sign-in"), request.path) if "handle" in (request.view_args or {}) else None
    )
    message = counted(
        "Try again in a second.", "Try again in %(count)s seconds.", error.retry_after
    )
    if not _for_machine():
        message = marked("We wait a little, so that nobody can guess passwords. Nothing is lost.")
    return answer(429, message=message, retry_after=error.retry_after, go_on=here)


def _ended(error: NotFound) -> Response:
    client_id = error.client_id if isinstance(error, Ended) else None
    client = services().clients.find(client_id) if client_id else None
    title = marked("This sign-in took too long")
    if request.endpoint == "sign_out":
        title = marked("This sign-out took too long")
    if client is None:
        return answer(
            404,
            title,
            marked(
                "For your safety it has ended. Start again at the application that you came from."
            ),
        )
    message = marked("For your safety it has ended. Start again at %(client)s.", client=client.name)
    label = marked("Go to %(client)s", client=client.name)
    go_on = (label, client.client_uri) if client.client_uri else None
    return answer(404, title, message, go_on=go_on, client=client)


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
