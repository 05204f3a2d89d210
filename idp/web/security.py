"""What every request and response gets: an id, the right address, headers and a line in the log."""

import time
from collections.abc import Iterable, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask, g, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import BadRequest

from idp.config import Settings
from idp.domain.errors import Busy
from idp.domain.services import Services
from idp.store.errors import StoreError
from idp.web.errors import WrongAddress
from idp.web.framing import framed
from idp.web.kinds import KIND, Kind
from idp.web.metadata import Document, init_documents
from idp.web.request_log import RequestLog
from idp.web.routes import FREE_OF_HOST, kind_of

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# Browsers apply form-action to the whole chain of redirects, so a page whose form can end in a
# redirect to a client goes without it (UX rule 1).
_POLICY_PLAIN = f"{_POLICY}; form-action 'self'"
_MACHINE_POLICY = "default-src 'none'; frame-ancestors 'none'"
# Mails carry their style in their tags, since mail readers know no other.
_MAIL_POLICY = f"{_MACHINE_POLICY}; style-src 'unsafe-inline'; base-uri 'none'; sandbox"
_FRAMED_POLICY = (
    "default-src 'none'; script-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *"
)
_UNFRAMED = ("X-Frame-Options", "DENY")
_EVERYWHERE = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
)
_CORS = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, OPTIONS"),
    ("Access-Control-Allow-Headers", "Authorization, Content-Type"),
    ("Access-Control-Expose-Headers", "WWW-Authenticate"),
    ("Access-Control-Max-Age", "3600"),
)
_YEAR = 31_536_000
_REQUEST_ID = "doorward.request_id"
_SENT_TO = "doorward.sent_to"
"""The host of a request that was sent to an address not ours."""
TOO_MANY = "doorward.too_many"
"""True for a request that the server has no place for."""
_CROWD_SECONDS = 2
_LEADING_AWAY = frozenset({Kind.FINISHING_PAGE, Kind.HANDOVER})
_WITH_FORMS = frozenset({Kind.PAGE, Kind.FINISHING_PAGE})


class Recurring(Protocol):
    """A task with a thread of its own."""

    def ensure_started(self) -> None:
        """Start the thread unless this process has it; cheap enough for each request."""


class Security:
    """Stands in front of Flask: everything that is the same for all requests happens here, once.

    So do the public documents, which need nothing of Flask.
    """

    def __init__(self, app: Flask, parts: Services, tasks: Sequence[Recurring]) -> None:
        self._secure = parts.settings.secure
        self._tasks = tuple(tasks)
        self._log = RequestLog()
        self._host = parts.settings.issuer_host
        self._hosts = _hosts(parts.settings)
        self._headers = {kind: _headers(kind, parts.settings) for kind in Kind}
        self._documents = init_documents(app, parts).by_path
        self._application = app.wsgi_app
        app.before_request(_begin)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Number the request, let it be answered, add this kind's headers, write the line."""
        started = time.perf_counter()
        request_id = environ[_REQUEST_ID] = self._log.begin()
        for task in self._tasks:
            task.ensure_started()

        def start(status: str, headers: list[tuple[str, str]], *problem: Any) -> Any:
            headers = [*headers, *self._of_kind(environ, status)]
            headers.append(("X-Request-Id", request_id))
            if not any(name == "Cache-Control" for name, _ in headers):
                headers.append(("Cache-Control", "no-store"))
            self._log.finish(
                environ["REQUEST_METHOD"],
                _path(environ),
                int(status[:3]),
                started,
                environ.get("REMOTE_ADDR", ""),
            )
            return start_response(status, headers, *problem)

        addressed = self._is_addressed(environ)
        if not addressed:
            environ[_SENT_TO] = environ.get("HTTP_HOST", "")
            # A host can be anything; Flask makes no addresses, and so no page, of what is no name.
            environ["HTTP_HOST"] = self._host
        document = self._document(environ) if addressed else None
        if document is None:
            return self._application(environ, start)
        environ[KIND] = Kind.DOCUMENT
        start(document.status, list(document.headers))
        return [document.body]

    def _of_kind(self, environ: WSGIEnvironment, status: str) -> Sequence[tuple[str, str]]:
        kind = environ.get(KIND, Kind.PAGE)
        if kind is Kind.FRAMED and not status.startswith("200"):
            kind = Kind.PAGE  # an error is framed by nobody
        headers = self._headers[kind]
        origins = framed(environ)
        if not origins:
            return headers
        wider = {"Content-Security-Policy": f"; frame-src {origins}"}
        return [(name, value + wider.get(name, "")) for name, value in headers]

    def _is_addressed(self, environ: WSGIEnvironment) -> bool:
        """Whether the request was sent to an address that is ours."""
        right_host = environ.get("HTTP_HOST") in self._hosts
        return right_host and (environ["wsgi.url_scheme"] == "https" or not self._secure)

    def _document(self, environ: WSGIEnvironment) -> Document | None:
        found = self._documents.get(environ.get("PATH_INFO", ""))
        if found is None or environ["REQUEST_METHOD"] != "GET":
            return None
        try:
            return found(environ.get("HTTP_IF_NONE_MATCH"))
        except StoreError:
            return None


def _begin() -> None:
    """Tell Flask's side of the request, and refuse one that was sent to an address not ours, or for
    which the server has no place.
    """
    environ = request.environ
    g.request_id = environ[_REQUEST_ID]
    environ[KIND] = kind_of(request.endpoint)
    if environ.get(TOO_MANY):
        raise Busy(_CROWD_SECONDS)
    if _SENT_TO in environ and request.endpoint not in FREE_OF_HOST:
        path = request.url.removeprefix(request.root_url)
        raise WrongAddress(f"{request.scheme}://{environ[_SENT_TO]}/{path}"[:500])
    if not request.query_string.isascii():
        raise BadRequest  # no URI (RFC 3986 section 2); bytes that are no UTF-8 can't be read


def _headers(kind: Kind, settings: Settings) -> list[tuple[str, str]]:
    """Return what each answer of a kind carries."""
    headers = list(_EVERYWHERE)
    if kind is not Kind.FRAMED:
        headers.append(_UNFRAMED)
    if kind is Kind.HANDOVER:
        # Else browsers would post with `Origin: null`, which clients can't tell from anybody's.
        headers = [*(dict(headers) | {"Referrer-Policy": "strict-origin"}).items()]
    if settings.secure:
        headers.append(("Strict-Transport-Security", f"max-age={_YEAR}; includeSubDomains"))
    policy = _POLICY if kind in _LEADING_AWAY else _POLICY_PLAIN
    if kind in {Kind.MACHINE, Kind.OPEN_MACHINE, Kind.DOCUMENT, Kind.PICTURE}:
        policy = _MACHINE_POLICY
    policy = {Kind.MAIL: _MAIL_POLICY, Kind.FRAMED: _FRAMED_POLICY}.get(kind, policy)
    headers.append(("Content-Security-Policy", policy))
    if kind is Kind.PICTURE:
        headers.append(("Cross-Origin-Resource-Policy", "same-origin"))
    if kind is Kind.PAGE:
        # Not on the way of a sign-in: a client's pop-up window would lose who opened it.
        headers.append(("Cross-Origin-Opener-Policy", "same-origin"))
    return [*headers, *_CORS] if kind in {Kind.OPEN_MACHINE, Kind.DOCUMENT} else headers


def _path(environ: WSGIEnvironment) -> str:
    """Return the path as text; WSGI carries its octets as Latin-1 (PEP 3333)."""
    path: str = environ.get("PATH_INFO", "")
    return path if path.isascii() else path.encode("latin-1").decode("utf-8", "replace")


def protect_forms(app: Flask, key: bytes) -> None:
    """Refuse posted forms without a token of this browser; machines and other sites
    post elsewhere.
    """
    app.config["SECRET_KEY"] = key
    app.config["WTF_CSRF_TIME_LIMIT"] = None
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    protection = CSRFProtect(app)

    @app.before_request
    def check() -> None:
        environ = request.environ
        is_form = request.endpoint is not None and environ[KIND] in _WITH_FORMS
        if environ["REQUEST_METHOD"] == "POST" and is_form:
            protection.protect()


def _hosts(settings: Settings) -> frozenset[str]:
    """Return how browsers may write our host: with the default port or without."""
    parts = urlsplit(settings.issuer)
    hosts = {settings.issuer_host}
    if parts.port is None:
        hosts.add(f"{settings.issuer_host}:{443 if settings.secure else 80}")
    return frozenset(hosts)
