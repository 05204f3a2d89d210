"""What every request and response gets: an id, the right address, headers and a line in the log."""

import time
from urllib.parse import urlsplit

from flask import Flask, Response, g, request
from flask_wtf.csrf import CSRFProtect

from idp.config import Settings
from idp.domain.services import Services
from idp.web.errors import WrongAddress
from idp.web.request_log import RequestLog
from idp.web.routes import FREE_OF_HOST, Kind, kind_of

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# Browsers apply form-action to the whole chain of redirects, so a page whose form can end in a
# redirect to a client goes without it (UX rule 1).
_POLICY_PLAIN = f"{_POLICY}; form-action 'self'"
_MACHINE_POLICY = "default-src 'none'; frame-ancestors 'none'"
_EVERYWHERE = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
)
_CORS = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
    ("Access-Control-Allow-Headers", "Authorization, Content-Type"),
    ("Access-Control-Expose-Headers", "WWW-Authenticate"),
    ("Access-Control-Max-Age", "3600"),
)
_YEAR = 31_536_000


class Security:
    """Wraps each request of one application."""

    def __init__(self, app: Flask, parts: Services) -> None:
        self._settings = parts.settings
        self._housekeeping = parts.housekeeping
        self._log = RequestLog()
        self._hosts = _hosts(parts.settings)
        app.before_request(self.begin)
        app.after_request(self.finish)

    def begin(self) -> None:
        """Number the request and refuse one that was sent to an address that is not ours."""
        g.started = time.perf_counter()
        g.request_id = self._log.begin()
        self._housekeeping.ensure_started()
        if request.endpoint in FREE_OF_HOST:
            return
        if request.headers.get("Host") not in self._hosts or (
            request.scheme == "http" and self._settings.secure
        ):
            raise WrongAddress(request.url[:500])

    def finish(self, response: Response) -> Response:
        """Add the headers of this kind of answer, and write the line."""
        headers = response.headers
        for name, value in _EVERYWHERE:
            headers[name] = value
        headers["X-Request-Id"] = g.request_id
        if self._settings.secure:
            headers["Strict-Transport-Security"] = f"max-age={_YEAR}; includeSubDomains"
        kind = kind_of(request.endpoint)
        if kind in {Kind.MACHINE, Kind.OPEN_MACHINE, Kind.DOCUMENT}:
            headers["Content-Security-Policy"] = _MACHINE_POLICY
        else:
            finishing = kind is Kind.FINISHING_PAGE
            headers["Content-Security-Policy"] = _POLICY if finishing else _POLICY_PLAIN
        if kind in {Kind.OPEN_MACHINE, Kind.DOCUMENT}:
            headers.extend(_CORS)
        if "Cache-Control" not in headers:
            headers["Cache-Control"] = "no-store"
        self._log.finish(
            request.method,
            request.path,
            response.status_code,
            g.started,
            request.remote_addr or "",
        )
        return response


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
        if request.method == "POST" and kind_of(request.endpoint) in {
            Kind.PAGE,
            Kind.FINISHING_PAGE,
        }:
            protection.protect()


def _hosts(settings: Settings) -> frozenset[str]:
    """Return how browsers may write our host: with the default port or without."""
    parts = urlsplit(settings.issuer)
    hosts = {settings.issuer_host}
    if parts.port is None:
        hosts.add(f"{settings.issuer_host}:{443 if settings.secure else 80}")
    return frozenset(hosts)
