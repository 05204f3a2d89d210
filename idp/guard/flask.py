"""A guard at the views of a Flask application. This module alone needs Flask."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import Flask, Response, current_app, g, request
from flask.typing import ResponseReturnValue

from idp.guard.access_token import AccessToken
from idp.guard.core import Guard
from idp.guard.needs import Needs, Request
from idp.guard.outcome import Refused
from idp.guard.routes import METADATA_HEADERS

Parameters = ParamSpec("Parameters")
View = Callable[Parameters, ResponseReturnValue]


def protected(
    guard: Guard, needs: Needs | None = None
) -> Callable[[View[Parameters]], View[Parameters]]:
    """Let only requests through to a view that hold what it needs. It stands below `app.route`.

    Without `needs` any token for this service will do. Raises ConfigurationError.
    """
    wanted = guard.accept(needs or Needs())

    def decorate(view: View[Parameters]) -> View[Parameters]:
        @wraps(view)
        def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> ResponseReturnValue:
            outcome = guard.check(_request(), wanted)
            if isinstance(outcome, Refused):
                return Response(outcome.body, outcome.status, list(outcome.headers))
            g.idp_guard_token = outcome.token
            answer: ResponseReturnValue = current_app.ensure_sync(view)(*args, **kwargs)
            return answer

        return guarded

    return decorate


def current_token() -> AccessToken:
    """Return the token of this request, in a protected view."""
    token: AccessToken = g.idp_guard_token
    return token


def publish(app: Flask, guard: Guard) -> None:
    """Serve the protected-resource metadata (RFC 9728) at the address that challenges name."""
    body = guard.metadata()

    @app.get(guard.settings.metadata_path)
    def protected_resource_metadata() -> Response:
        return Response(body, headers=list(METADATA_HEADERS))


def _request() -> Request:
    sent = tuple(request.headers.getlist("Authorization"))
    parameters = {name: str(value) for name, value in (request.view_args or {}).items()}
    return Request(request.method, request.path, sent, parameters)
