"""Signing in with a password: who you are, then the proof. Each page serves its own turn only."""

from flask import Response, request, url_for

from idp.domain.errors import Refused
from idp.domain.interactions import Interaction, Progress
from idp.domain.sessions import Session
from idp.protocol.interaction import ChooseAccount, Login
from idp.web import authorize
from idp.web.browser_session import browser_cookie, current_session, set_browser_cookie
from idp.web.context import origin, services
from idp.web.pages import ClientView, page, see_other, view_of

_LONGEST_IDENTIFIER = 254
_LONGEST_PASSWORD_FORM = 4096
_NO_MATCH = "That email and password don’t match."


def start() -> Response:
    """Sign in without a client: to come back to our own pages."""
    target = request.args.get("next", "/")
    safe = target if target in {"/", "/playground"} else "/"
    authorize.refuse_unless_navigation()
    handle = services().interactions.open(Progress(return_to=safe), browser_cookie(), origin())
    return see_other(url_for("interaction", handle=handle))


def sign_in(handle: str) -> Response:
    """Ask who it is."""
    found = authorize.find(handle)
    step = _login(found)
    if step is None:
        return _back(handle)
    error = None
    typed = request.form.get("identifier", "").strip()[:_LONGEST_IDENTIFIER]
    if request.method == "POST":
        if typed and typed.isprintable():
            services().interactions.note(found, identifier=typed)
            return see_other(url_for("password", handle=handle))
        error = "Enter your email address."
    return page(
        "sign_in.html",
        400 if error else 200,
        client=_client(found),
        identifier=typed or found.progress.identifier or _hint(found),
        error=error,
        action=url_for("sign_in", handle=handle),
        cancel_url=_cancel_url(found),
    )


def password(handle: str) -> Response:
    """Ask for the password of who it is."""
    found = authorize.find(handle)
    step = _login(found)
    if step is None:
        return _back(handle)
    session = current_session()
    if step.reason == "fresh" and session:
        services().interactions.note(found, identifier=session.account.email)
        found = authorize.find(handle)
    if not found.progress.identifier:
        return see_other(url_for("sign_in", handle=handle))
    if request.method == "GET":
        return _ask_password(found, step)
    error = _try(found)
    return _ask_password(found, step, error) if error else _back(handle)


def _ask_password(found: Interaction, step: Login, error: str | None = None) -> Response:
    fresh = step.reason == "fresh"
    return page(
        "password.html",
        400 if error else 200,
        client=_client(found),
        identifier=found.progress.identifier,
        change_url=None if fresh else url_for("sign_in", handle=found.handle),
        error=error,
        action=url_for("password", handle=found.handle),
        reason=None if step.reason == "sign_in" else step.reason,
        cancel_url=_cancel_url(found),
    )


def choose_account(handle: str) -> Response:
    """Go on as who is signed in, or as somebody else."""
    found = authorize.find(handle)
    step = authorize.step_is(found, ChooseAccount)
    session = current_session()
    if not isinstance(step, ChooseAccount) or session is None:
        return _back(handle)
    if request.method == "POST":
        decision = request.form.get("decision")
        if decision == "continue":
            services().interactions.note(found, chosen=session.account.id)
        return _switched(handle, session, decision)
    return page(
        "choose_account.html",
        client=_client(found),
        account=session.account,
        asked_for=step.asked_for or None,
        action=url_for("choose_account", handle=handle),
        cancel_url=_cancel_url(found),
    )


def switch(handle: str) -> Response:
    """Answer "Not you?": sign out here, then ask again who it is."""
    found = authorize.find(handle)
    session = current_session()
    if found.finished or session is None:
        return _back(handle)
    if request.method == "POST":
        return _switched(handle, session, request.form.get("decision"))
    return page(
        "switch_account.html",
        client=_client(found),
        account=session.account,
        asked_for=None,
        action=url_for("switch", handle=handle),
    )


def _switched(handle: str, session: Session, decision: str | None) -> Response:
    if decision == "switch":
        services().sessions.end(browser_cookie(), session.account.id, origin())
    return _back(handle)


def _try(found: Interaction) -> str | None:
    """Check the password; return what to say if it is wrong. Raises Throttled, Busy."""
    presented = request.form.get("password", "")
    if not presented or len(presented) > _LONGEST_PASSWORD_FORM:
        return "Enter your password."
    try:
        cookie = services().sign_in.with_password(found, presented, browser_cookie(), origin())
    except Refused:
        return _NO_MATCH
    set_browser_cookie(cookie)
    return None


def _login(found: Interaction) -> Login | None:
    """Return why somebody has to sign in; None when it is another page's turn."""
    if found.finished:
        return None
    if found.progress.logout is not None:
        return None
    if found.progress.request is None:
        return Login("sign_in") if current_session() is None else None
    step = authorize.step_is(found, Login)
    return step if isinstance(step, Login) else None


def _client(found: Interaction) -> ClientView | None:
    return view_of(authorize.asked_of(found)[1]) if found.progress.request else None


def _cancel_url(found: Interaction) -> str | None:
    return url_for("cancel", handle=found.handle) if found.progress.request else None


def _hint(found: Interaction) -> str:
    hint = authorize.asked_of(found)[0].login_hint if found.progress.request else ""
    return hint[:_LONGEST_IDENTIFIER] if hint.isprintable() else ""


def _back(handle: str) -> Response:
    return see_other(url_for("interaction", handle=handle))
