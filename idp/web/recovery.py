"""A forgotten password: proven by mail, then made anew. Nobody is signed in by it."""

from flask import Response, request, url_for

from idp.domain.accounts import Account
from idp.domain.errors import Invalid, Refused
from idp.domain.magic_links import Letter, Proven, TooSoon
from idp.domain.texts import marked
from idp.protocol.interaction import Login
from idp.web import turns
from idp.web.context import services
from idp.web.i18n import language
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
    fixed = _fixed(turn)
    typed = fixed or request.form.get("identifier", "").strip()
    if request.method != "POST":
        return _ask(turn, fixed or turn.progress.identifier, bool(fixed))
    try:
        send(turn, typed)
    except Invalid:
        return _ask(turn, typed, bool(fixed), _NO_EMAIL)
    except TooSoon:
        pass
    return see_other(url_for("magic_link", handle=handle))


def _fixed(turn: Turn) -> str:
    """Return the address of who has to confirm that they are still here: it can't be another."""
    fresh = isinstance(turn.step, Login) and turn.step.reason == "fresh"
    return turn.session.account.email if fresh and turn.session else ""


def send(turn: Turn, email: str) -> None:
    """Mail a link to set a new password; to an address without a usable account, that there is
    none. Raises Invalid, Throttled.
    """
    links = services().magic_links
    account = links.account_of(email)
    links.send(turn.visit, "reset", email, account, _letter(turn, account))
    services().interactions.note(turn.found, identifier=email)


def go_on(turn: Turn, proven: Proven) -> Response:
    """Let whoever reads the mail set the password. Raises Refused."""
    if proven.account is None:
        raise Refused("nobody has this address")
    services().password_reset.allow(turn.visit, proven.account, proven.use)
    return turn.back()


def _letter(turn: Turn, account: Account | None) -> Letter:
    client = turn.client.name if turn.client else ""
    if account is None or account.disabled:
        parts = services()
        sign_up = f"{parts.settings.issuer}{url_for('start_sign_up')}"
        values = {"client": client, "sign_up_link": sign_up if parts.sign_up_open else ""}
        return Letter("sign_in_no_account", values, works=False, language=language())
    return Letter("reset_link", {"client": client}, language=language())


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
        return turn.back()
    turns.offer_passkey_later(turn.found, account.id)
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
