"""The one cookie: opaque, bound to a record of the server, and what protects our forms.

Before anybody signed in it ties a browser to its interactions; a sign-in replaces it by a new one,
which then is the session's too. Flask's own session holds nothing but the seed of the form tokens,
derived from the cookie.
"""

import re
from typing import Any

from flask import Flask, Request, Response, g, session
from flask.sessions import SessionInterface, SessionMixin
from flask_wtf.csrf import generate_csrf

from idp.config import Settings
from idp.crypto.secrets import digest, keyed_digest, random_token
from idp.domain.sessions import Session
from idp.web.context import services

_COOKIE = re.compile(r"[A-Za-z0-9_-]{43}")


class Browser(dict[str, Any], SessionMixin):
    """The browser of one request: its cookie, empty until one is needed, and one to set.

    Form tokens are made of a seed that is derived from the cookie, so that a new cookie voids old
    forms.
    """

    def __init__(self, cookie: str, key: bytes) -> None:
        super().__init__()
        self._key = key
        self.to_set: str | None = None
        self.take(cookie)

    def take(self, cookie: str) -> None:
        """Use this cookie from now on."""
        self.cookie = cookie
        if cookie:
            self["csrf_token"] = keyed_digest(self._key, "forms", cookie).hex()


class BrowserSessions(SessionInterface):
    """Reads and sets the cookie. `key` is 32 secret bytes."""

    def __init__(self, settings: Settings, key: bytes) -> None:
        self.name = cookie_name(settings)
        self._secure = settings.secure
        self._lifetime = settings.session_absolute_lifetime
        self._key = key

    def open_session(self, app: Flask, request: Request) -> Browser:
        """Take the cookie as it came; one that we could not have made counts as none."""
        cookie = request.cookies.get(self.name, "") if "HTTP_COOKIE" in request.environ else ""
        return Browser(cookie if _COOKIE.fullmatch(cookie) else "", self._key)

    def save_session(self, app: Flask, browser: SessionMixin, response: Response) -> None:
        """Set the cookie if it changed."""
        if isinstance(browser, Browser) and browser.to_set is not None:
            response.set_cookie(
                self.name,
                browser.to_set,
                max_age=self._lifetime,
                path="/",
                secure=self._secure,
                httponly=True,
                samesite="Lax",
            )


def cookie_name(settings: Settings) -> str:
    """Return the cookie's name: locked to the host over https; unique on loopback, where ports
    share cookies.
    """
    if settings.secure:
        return "__Host-doorward"
    return f"doorward-{digest('cookie name', settings.issuer).hex()[:8]}"


def browser_cookie() -> str:
    """Return this browser's cookie; one that has none gets one."""
    browser = _browser()
    if not browser.cookie:
        set_browser_cookie(random_token())
    return browser.cookie


def set_browser_cookie(cookie: str) -> None:
    """Give this browser another cookie: after a sign-in."""
    browser = _browser()
    browser.take(cookie)
    browser.to_set = cookie
    g.pop("login", None)


def current_session() -> Session | None:
    """Return the live login of this browser; looked up once for each request."""
    if "login" not in g:
        cookie = _browser().cookie
        g.login = services().sessions.find(cookie) if cookie else None
    found: Session | None = g.login
    return found


def csrf_token() -> str:
    """Return the token of a form on this page."""
    browser_cookie()
    return str(generate_csrf())


def _browser() -> Browser:
    found: Browser = session._get_current_object()  # type: ignore[attr-defined]
    return found
