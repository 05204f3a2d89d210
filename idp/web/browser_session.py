"""The browser's cookies: opaque, bound to records of the server, and what protects our forms.

Before anybody signed in the one ties a browser to its interactions; a sign-in replaces it by a new
one, which then is its sessions' too. The other outlives sign-outs: by it a browser is known as one
that a person signed in from. Flask's own session holds nothing but the seed of the form tokens,
derived from the first.
"""

import re
from collections.abc import Sequence
from typing import Any

from flask import Flask, Request, Response, g, session
from flask.sessions import SessionInterface, SessionMixin
from flask_wtf.csrf import generate_csrf

from idp.config import Settings
from idp.crypto.secrets import digest, keyed_digest, random_token
from idp.domain.accounts import Account
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
        self.device = ""
        self.device_to_set: str | None = None
        self.state = ""
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
        self.device_name = device_cookie_name(settings)
        self.state_name = state_cookie_name(settings)
        self._secure = settings.secure
        # The server decides when a session ends; the cookie lasts as long as the longest may.
        self._lifetime = settings.session_kept_absolute_lifetime
        self._device_lifetime = settings.device_lifetime
        self._key = key

    def open_session(self, app: Flask, request: Request) -> Browser:
        """Take the cookie as it came; one that we could not have made counts as none."""
        if "HTTP_COOKIE" not in request.environ:
            return Browser("", self._key)
        browser = Browser(_own(request.cookies.get(self.name)), self._key)
        browser.device = _own(request.cookies.get(self.device_name))
        browser.state = request.cookies.get(self.state_name, "")
        return browser

    def save_session(self, app: Flask, browser: SessionMixin, response: Response) -> None:
        """Set the cookies that changed."""
        if not isinstance(browser, Browser):
            return
        if browser.to_set is not None:
            self._set(response, self.name, browser.to_set, self._lifetime)
        if browser.device_to_set is not None:
            self._set(response, self.device_name, browser.device_to_set, self._device_lifetime)
        if "logins" in g and browser.state != (state := browser_state(g.logins)):
            self._set_state(response, state)

    def _set(self, response: Response, name: str, value: str, lifetime: int) -> None:
        response.set_cookie(
            name,
            value,
            max_age=lifetime,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="Lax",
        )

    def _set_state(self, response: Response, state: str) -> None:
        """Set the cookie that scripts of ours read in frames of others; it proves nothing."""
        response.set_cookie(
            self.state_name,
            state,
            max_age=self._lifetime if state else 0,
            path="/",
            secure=self._secure,
            samesite="None" if self._secure else "Lax",
        )


def browser_state(sessions: Sequence[Session]) -> str:
    """Return what changes when somebody signs in or out, or another account becomes the present
    one (Session Management section 3.2); empty when nobody is signed in.
    """
    return digest("browser state", "\n".join(one.id for one in sessions)).hex() if sessions else ""


def _own(cookie: str | None) -> str:
    """Return a cookie that we could have made; any other counts as none."""
    return cookie if cookie and _COOKIE.fullmatch(cookie) else ""


def cookie_name(settings: Settings) -> str:
    """Return the cookie's name: locked to the host over https; unique on loopback, where ports
    share cookies.
    """
    if settings.secure:
        return "__Host-doorward"
    return f"doorward-{digest('cookie name', settings.issuer).hex()[:8]}"


def device_cookie_name(settings: Settings) -> str:
    """Return the name of the cookie by which a browser is known after a sign-out."""
    return f"{cookie_name(settings)}-device"


def state_cookie_name(settings: Settings) -> str:
    """Return the name of the cookie that tells scripts whether a sign-in changed."""
    return f"{cookie_name(settings)}-state"


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
    forget_sessions()


def device_cookie() -> str:
    """Return the cookie by which this browser is known; empty if it is not."""
    return _browser().device


def set_device_cookie(cookie: str) -> None:
    """Know this browser by another cookie: after a sign-in."""
    browser = _browser()
    if cookie and cookie != browser.device:
        browser.device = browser.device_to_set = cookie


def current_sessions() -> list[Session]:
    """Return the live logins of this browser, the present one first; looked up once for each
    request.
    """
    if "logins" not in g:
        cookie = _browser().cookie
        g.logins = services().sessions.all(cookie) if cookie else []
    found: list[Session] = g.logins
    return found


def forget_sessions() -> None:
    """Look the sessions up again when they are needed next: after one began or ended."""
    g.pop("logins", None)


def current_session() -> Session | None:
    """Return the present login of this browser."""
    return next(iter(current_sessions()), None)


def just_signed_out() -> list[Account]:
    """Return who was signed in in this browser until just now."""
    cookie = _browser().cookie
    return services().sessions.just_ended(cookie) if cookie else []


def csrf_token() -> str:
    """Return the token of a form on this page."""
    browser_cookie()
    return str(generate_csrf())


def _browser() -> Browser:
    found: Browser = session._get_current_object()  # type: ignore[attr-defined]
    return found
