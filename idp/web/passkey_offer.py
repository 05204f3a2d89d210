"""Asking whether a passkey is wanted, after an account was made or got into again: once, on the way
on, and only in browsers that can make one.
"""

from flask import Response, request, url_for

from idp.domain.accounts import Account
from idp.domain.audit import By
from idp.domain.credentials.passkeys import Passkey
from idp.domain.errors import Invalid, NotFound, Refused
from idp.domain.texts import Text, marked
from idp.protocol.interaction import Consent, Finish
from idp.web import turns
from idp.web.browser_session import device_cookie
from idp.web.context import origin, services
from idp.web.i18n import said
from idp.web.pages import page, see_other
from idp.web.passkeys import LONGEST_RESPONSE, as_json
from idp.web.second_factor import offer_codes
from idp.web.turns import Turn

_REFUSED = marked("That passkey could not be added. Try again.")


def due(turn: Turn) -> bool:
    """Whether it is time to ask: who is to be asked is signed in, and nothing else comes first."""
    session = turn.session
    if not isinstance(turn.step, Consent | Finish) or turn.found.finished or session is None:
        return False
    if turn.progress.logout is not None or turn.progress.offer != session.account.id:
        return False
    return services().enrolling.offerable(session, device_cookie(), origin().address)


def offer_passkey(handle: str) -> Response:
    """Ask; take what the browser made, or the no."""
    turn = turns.turn(handle)
    if not due(turn) or turn.session is None:
        return turn.back()
    if request.method != "POST":
        return _ask(turn, turn.session.account)
    decision = request.form.get("decision")
    if decision in {"later", "never"}:
        services().enrolling.decline(turn.session, origin(), ever=decision == "never")
        services().interactions.note(turn.found, offer="")
        return turn.back()
    response = request.form.get("response", "")[:LONGEST_RESPONSE]
    try:
        cookies = services().enrolling.with_passkey(turn.visit, response)
    except (Refused, Invalid):
        return _ask(turn, turn.session.account, _REFUSED)
    _to_name(turn, turn.session.account)
    turn.signed_in(cookies)
    return see_other(url_for("name_passkey", handle=handle))


def offered_passkey_options(handle: str) -> Response:
    """Return what `PublicKeyCredential.parseCreationOptionsFromJSON` takes."""
    turn = turns.turn(handle)
    if not due(turn):
        return turn.back()
    return as_json(services().enrolling.passkey_options(turn.visit))


def _ask(turn: Turn, account: Account, error: Text | None = None) -> Response:
    handle = turn.found.handle
    return page(
        "offer_passkey.html",
        400 if error else 200,
        client=turn.client_view,
        account=account,
        error=error,
        action=url_for("offer_passkey", handle=handle),
        options_url=url_for("offered_passkey_options", handle=handle),
    )


def _to_name(turn: Turn, account: Account) -> None:
    """Let the page come next where what was made is named; its name is its provider's so far."""
    made = max(services().passkeys.of(account.id), key=lambda each: each.created_at)
    details = {**turn.progress.details, "made_passkey": made.id}
    services().interactions.note(turn.found, offer="", details=details)


def name_passkey(handle: str) -> Response:
    """Let the passkey that was made here be named; then offer recovery codes to who has none."""
    turn = turns.turn(handle)
    passkey, session = _made(turn), turn.session
    if turn.found.finished or passkey is None or session is None:
        return turn.back()
    if request.method != "POST":
        return _ask_name(turn, said(passkey.name))
    typed = request.form.get("name", "").strip()
    if typed != said(passkey.name):
        by = By(f"account:{session.account.id}", origin(), session.id)
        try:
            services().passkeys.rename(session.account, passkey.id, typed, by)
        except Invalid as error:
            return _ask_name(turn, typed, str(error))
        except NotFound:
            return turn.back()
    if services().recovery_codes.left(session.account.id):
        return turn.back()
    offer_codes(turn, "enrolled")
    return see_other(url_for("save_codes", handle=handle))


def _made(turn: Turn) -> Passkey | None:
    """Return the passkey that was made here, if it is still who is signed in who has it."""
    made, session = turn.progress.details.get("made_passkey"), turn.session
    if not made or session is None:
        return None
    return next(
        (each for each in services().passkeys.of(session.account.id) if each.id == made), None
    )


def _ask_name(turn: Turn, name: str, error: str | None = None) -> Response:
    return page(
        "name_passkey.html",
        400 if error else 200,
        client=turn.client_view,
        name=name,
        error=error,
        action=url_for("name_passkey", handle=turn.found.handle),
    )
