"""A guard around any WSGI application (PEP 3333)."""

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from idp.guard.access_token import AccessToken
from idp.guard.core import Guard
from idp.guard.outcome import Granted, Refused
from idp.guard.routes import METADATA_HEADERS, Metadata, Route, Table

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

KEY = "idp.guard.token"


class GuardedWSGI:
    """Lets through to `app` what `routes` allow. The application asks `current_token(environ)`."""

    def __init__(self, app: "WSGIApplication", guard: Guard, routes: Sequence[Route]) -> None:
        """Raises ConfigurationError."""
        self._app = app
        self._table = Table(guard, routes)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer, or let the application answer."""
        environ.pop(KEY, None)
        method = str(environ["REQUEST_METHOD"])
        header = environ.get("HTTP_AUTHORIZATION")
        sent = () if header is None else (str(header),)
        outcome = self._table.check(method, _path(environ), sent)
        if isinstance(outcome, Refused):
            return _answer(start_response, method, outcome.status, outcome.headers, outcome.body)
        if isinstance(outcome, Metadata):
            headers = (*METADATA_HEADERS, ("Content-Length", str(len(outcome.body))))
            return _answer(start_response, method, HTTPStatus.OK, headers, outcome.body)
        if isinstance(outcome, Granted):
            environ[KEY] = outcome.token
        return self._app(environ, start_response)


def current_token(environ: "WSGIEnvironment") -> AccessToken:
    """Return the token of a guarded request. Raises KeyError on a route that is open to all."""
    token: AccessToken = environ[KEY]
    return token


def _path(environ: "WSGIEnvironment") -> str:
    """Return the path as text: WSGI hands it over as latin-1."""
    path = str(environ.get("PATH_INFO", "")) or "/"
    return path.encode("latin-1").decode("utf-8", "replace")


def _answer(
    start_response: "StartResponse",
    method: str,
    status: int,
    headers: Sequence[tuple[str, str]],
    body: bytes,
) -> list[bytes]:
    named: Any = HTTPStatus(status)
    start_response(f"{status} {named.phrase}", list(headers))
    return [] if method == "HEAD" else [body]
