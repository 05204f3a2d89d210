"""A forgotten password: proven by mail, then made anew. Nobody is signed in by it."""

from flask import Response, request, url_for

from idp.domain.accounts import Account
from idp.domain.errors import Invalid, Refused
from idp.domain.magic_links import Letter, TooSoon
from idp.domain.texts import marked
from idp.protocol.interaction import Login
from idp.web import turns
from idp.web.appearance import chosen_language
from idp.web.context import services
from idp.web.pages import page, see_other
from idp.web.turns import Turn

_NO_EMAIL = marked("Enter your email address.")


def change_password_page() -> Response:
    """Tell password managers where to change a password (A Well-Known URL for Changing
    Passwords, section 2).
    """
    return see_other("/account/security/password")


def forgot(handle: str) -> Response:
    """Ask whose password it is, and mail link and code."""
    turn = turns.turn(handle)
    if not isinstance(turn.step, Login) or not services().outbox.available:
        return turn.back()
    fixed = turn.session.account.email if turn.step.reason == "fresh" and turn.session else ""
    typed = fixed or request.form.get("identifier", "").strip()
    if request.method != "POST":
        return _ask(turn, fixed or turn.progress.identifier, bool(fixed))
    try:
        _send(turn, typed)
    except Invalid:
        return _ask(turn, typed, bool(fixed), _NO_EMAIL)
    return see_other(url_for("magic_link", handle=handle))


def _send(turn: Turn, email: str) -> None:
    """Mail to whoever it is. Raises Invalid, Throttled."""
    links = services().magic_links
    account = links.account_of(email)
    try:
        links.send(turn.visit, "reset", email, account, _letter(turn, account))
    except TooSoon:
        return
    services().interactions.note(turn.found, identifier=email)


def _letter(turn: Turn, account: Account | None) -> Letter:
    client = turn.client.name if turn.client else ""
    language = chosen_language()
    if account is None or account.disabled:
        parts = services()
        link = f"{parts.settings.issuer}/sign-up" if parts.sign_up_open else ""
        values = {"client": client, "sign_up_link": link}
        return Letter("sign_in_no_account", values, works=False, language=language)
    return Letter("reset_link", {"client": client}, language=language)


def _ask(turn: Turn, identifier: str, fixed: bool, error: object = None) -> Response:
    return page(
        "forgot.html",
        400 if error else 200,
        client=turn.client_view,
        identifier=identifier,
        fixed=fixed,
        error=error,
        action=url_for("forgot", handle=turn.found.handle),
        back_url=url_for("password", handle=turn.found.handle),
    )


def new_password(handle: str) -> Response:
    """Set the password of whoever proved to read its mail, then ask for it."""
    turn = turns.turn(handle)
    resets = services().password_reset
    account = resets.allowed(turn.visit) if isinstance(turn.step, Login) else None
    if account is None:
        return turn.back()
    if request.method != "POST":
        return _ask_new(turn, account)
    if request.form.get("decision") == "keep":
        resets.give_up(turn.visit)
        return turn.back()
    try:
        resets.complete(turn.visit, request.form.get("password", ""))
    except Invalid as error:
        return _ask_new(turn, account, str(error))
    except Refused:
        pass
    return turn.back()


def _ask_new(turn: Turn, account: Account, error: object = None) -> Response:
    return page(
        "new_password.html",
        400 if error else 200,
        client=turn.client_view,
        email=account.email,
        error=error,
        min_length=services().password_reset.min_length(account),
        action=url_for("new_password", handle=turn.found.handle),
    )
