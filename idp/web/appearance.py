"""How pages look to whoever reads them: in which language, light or dark.

A language is chosen by the client (`ui_locales`), the person (a cookie), the account, the browser
(Accept-Language), in this order. Whoever picks one on a page of a sign-in gets it there, whatever
the client asked for: the cookie says in which sign-in that was. The cookies hold nothing secret.
"""

import contextlib
import re
from collections.abc import Callable

from flask import Response, g, has_request_context, request, session
from werkzeug.exceptions import HTTPException

from idp.config import Settings
from idp.crypto.secrets import digest
from idp.domain.accounts import Account
from idp.domain.errors import DomainError
from idp.domain.interactions import Progress
from idp.domain.languages import DEFAULT, LANGUAGES, known
from idp.protocol.metadata import AUTHORIZE, LOGOUT
from idp.store.errors import StoreError
from idp.web.browser_session import current_session
from idp.web.context import services

SYSTEM_THEME = "system"
THEMES = (SYSTEM_THEME, "light", "dark")
_PICKED = re.compile(r"([a-z]{2})(?:\.([0-9a-f]{16}))?")
_LONGEST_LOCALES = 4096
_YEAR = 31_536_000


def chosen_language() -> str:
    """Return the language of this request's pages."""
    if not has_request_context():
        return DEFAULT
    handle = str((request.view_args or {}).get("handle", ""))
    picked, where = _picked()
    if picked and where and where == _mark(handle):
        return picked
    first: tuple[Callable[[], str], ...] = (
        lambda: _asked(handle),
        lambda: picked,
        _of_account,
        _of_browser,
    )
    return next(filter(None, (ask() for ask in first)), DEFAULT)


def heed(handle: str, progress: Progress) -> None:
    """Keep for this request the languages that its interaction was asked for: who looked it up
    already says so.
    """
    g.heeded = handle, _languages(progress)


def chosen_theme() -> str:
    """Return `light`, `dark` or `system`: what the person picked, or the account has."""
    if not has_request_context():
        return SYSTEM_THEME
    picked = request.cookies.get(cookie_name("theme"))
    if picked not in THEMES:
        account = _account()
        picked = account.theme if account else None
    return picked if picked in THEMES else SYSTEM_THEME


def remember_language(response: Response, language: str, handle: str = "") -> None:
    """Keep in this browser the language that was picked, in which interaction if in one."""
    _remember(response, "language", f"{language}.{_mark(handle)}" if handle else language)


def remember_theme(response: Response, theme: str) -> None:
    """Keep in this browser what was picked."""
    _remember(response, "theme", theme)


def cookie_name(what: str) -> str:
    """Return the name of the cookie for `language` or `theme`: locked to the host over https."""
    settings: Settings = services().settings
    return f"{'__Host-' if settings.secure else ''}doorward-{what}"


def _remember(response: Response, what: str, value: str) -> None:
    response.set_cookie(
        cookie_name(what),
        value,
        max_age=_YEAR,
        path="/",
        secure=services().settings.secure,
        httponly=True,
        samesite="Lax",
    )


def _picked() -> tuple[str, str]:
    """Return the cookie's language and the mark of its interaction; nothing of a forged one."""
    found = _PICKED.fullmatch(request.cookies.get(cookie_name("language"), ""))
    return (found[1], found[2] or "") if found and found[1] in LANGUAGES else ("", "")


def _mark(handle: str) -> str:
    return digest("language picked in", handle).hex()[:16] if handle else ""


def _asked(handle: str) -> str:
    """Return what the client asks for: of what is stored, or at an endpoint."""
    if handle:
        found = _stored(handle)
    elif request.path in {AUTHORIZE, LOGOUT}:
        found = known(_parameter().split())
    else:
        found = ()
    return found[0] if found else ""


def _stored(handle: str) -> tuple[str, ...]:
    heeded: tuple[str, tuple[str, ...]] = g.get("heeded", ("", ()))
    if heeded[0] == handle:
        return heeded[1]
    cookie: str = getattr(session, "cookie", "")
    if not cookie:
        return ()
    with contextlib.suppress(DomainError, StoreError):
        return _languages(services().interactions.find(handle, cookie).progress)
    return ()


def _languages(progress: Progress) -> tuple[str, ...]:
    stored = progress.request or progress.logout or {}
    return known(stored.get("ui_locales", ()))


def _parameter() -> str:
    """Return `ui_locales` of a request whose body or query may be what is wrong with it."""
    with contextlib.suppress(HTTPException, UnicodeDecodeError):
        return request.values.get("ui_locales", "")[:_LONGEST_LOCALES]
    return ""


def _of_account() -> str:
    account = _account()
    language = account.language if account else None
    return language if language and language in LANGUAGES else ""


def _of_browser() -> str:
    accepted = known(tag for tag, quality in request.accept_languages if quality > 0)
    return accepted[0] if accepted else ""


def _account() -> Account | None:
    """Return who is signed in; the database may be why a page is an error page."""
    with contextlib.suppress(StoreError):
        login = current_session()
        return login.account if login else None
    return None
