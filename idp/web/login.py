"""Signing in: who you are, then the proof. Each page serves its own turn only."""

import re

from flask import Response, request, url_for

from idp.domain.credentials.password import LONGEST
from idp.domain.devices import KnownAccount
from idp.domain.errors import Refused
from idp.domain.interactions import Progress
from idp.domain.sessions import Session
from idp.domain.texts import Text, marked
from idp.protocol.interaction import ChooseAccount, Consent, Forbidden, Login
from idp.web import authorize, enrol, turns
from idp.web.browser_session import browser_cookie, current_session, device_cookie
from idp.web.context import origin, services
from idp.web.pages import page, see_other
from idp.web.turns import Turn

_LONGEST_IDENTIFIER = 254
_LONGEST_PASSWORD_FORM = LONGEST * 16
_OWN_PAGE = re.compile(r"/(?:(?:account|admin|playground)(?:/[A-Za-z0-9_-]+)*)?")
_NO_MATCH = marked("That email and password don’t match.")
_NO_EMAIL = marked("Enter your email address.")
_NO_PASSWORD = marked("Enter your password.")


def start() -> Response:
    """Sign in without a client: to come back to our own pages (SECURITY case 150)."""
    target = request.args.get("next", "/")
    safe = target if _OWN_PAGE.fullmatch(target) else "/"
    authorize.refuse_unless_navigation()
    session = current_session()
    progress = Progress(return_to=safe, another="another" in request.args and bool(session))
    handle = services().interactions.open(progress, browser_cookie(), origin())
    return see_other(url_for("interaction", handle=handle))


def sign_in(handle: str) -> Response:
    """Ask who it is. Whoever says another name begins anew."""
    turn = turns.turn(handle)
    if not isinstance(turn.step, Login) or turn.step.reason == "fresh":
        return turn.back()
    if request.method != "POST":
        return _ask_who(turn)
    typed = request.form.get("identifier", "").strip()[:_LONGEST_IDENTIFIER]
    if not typed or not typed.isprintable():
        return _ask_who(turn, typed, _NO_EMAIL)
    keep = request.form.get("keep") == "yes"
    changes = {**turns.ANEW, "identifier": typed, "keep": keep, "said": ""}
    services().interactions.note(turn.found, **changes)
    return see_other(url_for("password", handle=handle))


def _ask_who(turn: Turn, typed: str = "", error: object = None) -> Response:
    known = services().devices.accounts_of(device_cookie())
    return page(
        "sign_in.html",
        400 if error else 200,
        client=turn.client_view,
        identifier=typed or turn.progress.identifier or _hint(turn),
        keep=turn.progress.keep,
        last_used=known[0].last_factor if known else None,
        passkey_url=url_for("passkey", handle=turn.found.handle),
        passkey_options_url=url_for("passkey_options", handle=turn.found.handle),
        error=error,
        said=Text(turn.progress.said, None, {}),
        action=url_for("sign_in", handle=turn.found.handle),
        sign_up_url=_sign_up_url(turn),
        cancel_url=turn.cancel_url if turn.client else None,
    )


def password(handle: str) -> Response:
    """Ask for the password of who it is."""
    turn = turns.turn(handle)
    if not isinstance(turn.step, Login):
        return turn.back()
    if turn.step.reason == "fresh" and turn.session:
        services().interactions.note(turn.found, identifier=turn.session.account.email)
        turn = turns.turn(handle)
    if not turn.progress.identifier:
        return see_other(url_for("sign_in", handle=handle))
    if request.method != "POST":
        return _ask_password(turn)
    presented = request.form.get("password", "")
    if not presented or len(presented) > _LONGEST_PASSWORD_FORM:
        return _ask_password(turn, _NO_PASSWORD)
    try:
        return turn.signed_in(services().sign_in.with_password(turn.visit, presented))
    except Refused:
        return _ask_password(turn, _NO_MATCH)


def _ask_password(turn: Turn, error: object = None) -> Response:
    fresh = isinstance(turn.step, Login) and turn.step.reason == "fresh"
    reason = turn.step.reason if isinstance(turn.step, Login) else "sign_in"
    handle = turn.found.handle
    return page(
        "password.html",
        400 if error else 200,
        client=turn.client_view,
        identifier=turn.progress.identifier,
        change_url=None if fresh else url_for("sign_in", handle=handle),
        error=error,
        action=url_for("password", handle=handle),
        reason=None if reason == "sign_in" else reason,
        others_url=url_for("other_ways", handle=handle),
        forgot_url=url_for("forgot", handle=handle) if services().outbox.available else None,
        cancel_url=turn.cancel_url if turn.client or fresh else None,
    )


def choose_account(handle: str) -> Response:
    """Go on as who is signed in here, or as somebody else; forget who is not any more."""
    turn = turns.turn(handle)
    if not isinstance(turn.step, ChooseAccount):
        return turn.back()
    if request.method == "POST":
        return _chosen(turn)
    return page(
        "choose_account.html",
        client=turn.client_view,
        accounts=_cards(),
        asked_for=turn.step.asked_for or None,
        action=url_for("choose_account", handle=handle),
        cancel_url=turn.cancel_url,
    )


def _cards() -> list[dict[str, object]]:
    """Return who is signed in here, then who was."""
    sessions = services().sessions.all(browser_cookie())
    here = {session.account.id for session in sessions}
    cards: list[dict[str, object]] = [
        {"account": session.account, "signed_in": True, "value": session.account.id}
        for session in sessions
    ]
    return cards + [
        {"account": known.account, "signed_in": False, "value": known.account.id}
        for known in services().devices.accounts_of(device_cookie())
        if known.account.id not in here
    ]


def _chosen(turn: Turn) -> Response:
    parts, handle = services(), turn.found.handle
    value = request.form.get("forget") or request.form.get("account", "")
    sessions = {one.account.id: one for one in parts.sessions.all(browser_cookie())}
    known = {one.account.id: one for one in parts.devices.accounts_of(device_cookie())}
    if "forget" in request.form:
        if value in known and value not in sessions:
            parts.devices.forget_here(value, known[value].device_id, origin())
        return see_other(url_for("choose_account", handle=handle))
    if value in sessions:
        parts.sessions.choose(browser_cookie(), sessions[value].id)
        parts.interactions.note(turn.found, chosen=value, another=False)
        return turn.back()
    return _another(turn, known.get(value))


def _another(turn: Turn, known: KnownAccount | None) -> Response:
    """Sign in to an account that is not signed in here: a known one, or whoever they say."""
    if known is None and request.form.get("account") != "another":
        return turn.back()
    identifier = known.account.email if known else ""
    changes = {**turns.ANEW, "another": True, "chosen": "", "identifier": identifier}
    services().interactions.note(turn.found, **changes)
    return see_other(url_for("password", handle=turn.found.handle)) if known else turn.back()


def switch(handle: str) -> Response:
    """Answer "Not you?", also to who may not go on: ask who it is. Who is signed in stays so."""
    turn = turns.turn(handle)
    if not (isinstance(turn.step, Consent | Forbidden) or enrol.is_forbidden(turn)):
        return turn.back()
    if request.method != "POST":
        session = turn.session
        here = session if session and session.account.id == turn.visit.account_id else None
        return _ask_switch(turn, here) if here else turn.back()
    if request.form.get("decision") == "switch":
        changes = {**turns.ANEW, "another": True, "chosen": "", "identifier": ""}
        services().interactions.note(turn.found, **changes)
    return turn.back()


def _ask_switch(turn: Turn, session: Session) -> Response:
    return page(
        "switch_account.html",
        client=turn.client_view,
        account=session.account,
        asked_for=None,
        action=url_for("switch", handle=turn.found.handle),
    )


def _sign_up_url(turn: Turn) -> str | None:
    return url_for("sign_up", handle=turn.found.handle) if services().sign_up_open else None


def _hint(turn: Turn) -> str:
    hint = turn.asked.login_hint if turn.asked else ""
    return hint[:_LONGEST_IDENTIFIER] if hint.isprintable() else ""
