"""Passkeys on the pages of a sign-in (W3C Web Authentication Level 3).

A challenge is a row of the database, so pages are served without one and scripts fetch it.
"""

from dataclasses import replace

from flask import Response, request, url_for

from idp.domain.credentials.passkeys import UnknownPasskey
from idp.domain.errors import Invalid, Refused
from idp.domain.proving import Visit
from idp.domain.sessions import Session, binding_of
from idp.domain.texts import Text, marked
from idp.protocol.interaction import Login
from idp.web import turns
from idp.web.browser_session import browser_cookie, current_session, device_cookie
from idp.web.context import origin, services
from idp.web.pages import page
from idp.web.second_factor import proving, shown, trust_days, trusts, ways
from idp.web.turns import Turn

LONGEST_RESPONSE = 64 * 1024
_UNKNOWN = marked("We don’t know this passkey. It may have been removed from your account.")
_REFUSED = marked("That passkey can’t be used here. Try again, or use another way.")


def passkey(handle: str) -> Response:
    """Say what will happen, and take the browser's answer."""
    turn = turns.turn(handle)
    if not _serves(turn):
        return turn.back()
    if request.method != "POST":
        return _ask(turn)
    if _anybody(turn) and request.form.get("keep") == "yes":
        services().interactions.note(turn.found, keep=True)
    response = request.form.get("response", "")[:LONGEST_RESPONSE]
    try:
        cookies = services().sign_in.with_passkey(_visit(turn), response, trust=trusts(turn))
    except UnknownPasskey:
        return _ask(turn, _UNKNOWN, unknown=True)
    except Refused:
        return _ask(turn, _REFUSED)
    return turn.signed_in(cookies)


def passkey_options(handle: str) -> Response:
    """Return what `PublicKeyCredential.parseRequestOptionsFromJSON` takes: for whoever comes, or
    limited to the passkeys of who is proving.
    """
    turn = turns.turn(handle)
    if not _serves(turn):
        return turn.back()
    services().throttle.count("passkey options", origin().address)
    visit = _visit(turn)
    account = None if _anybody(turn) else proving(turn)
    return as_json(services().passkeys.request_options(binding_of(visit.cookie), account))


def as_json(body: str) -> Response:
    """Answer a script of ours."""
    return Response(body, mimetype="application/json")


def _serves(turn: Turn) -> bool:
    return _anybody(turn) or "passkey" in ways(turn)


def _anybody(turn: Turn) -> bool:
    """Whether it is open still who signs in: the passkey says it."""
    return isinstance(turn.step, Login) and turn.step.reason in {"sign_in", "other_account"}


def _visit(turn: Turn) -> Visit:
    """Return the visit; who is signed in already does not count where somebody else may come."""
    return replace(turn.visit, session=None) if _anybody(turn) else turn.visit


def _ask(turn: Turn, error: Text | None = None, *, unknown: bool = False) -> Response:
    handle = turn.found.handle
    if _anybody(turn):
        others = [
            {"label": marked("Use your email address"), "url": url_for("sign_in", handle=handle)}
        ]
        values: dict[str, object] = {
            "client": turn.client_view,
            "account": None,
            "others": others,
            "cancel_url": turn.cancel_url if turn.client else None,
        }
    else:
        values = shown(turn, "passkey")
        if isinstance(turn.step, Login):
            values["others"] = [
                {"label": marked("Other ways"), "url": url_for("other_ways", handle=handle)}
            ]
    return page(
        "passkey.html",
        400 if error else 200,
        **values,
        error=error,
        unknown=unknown,
        action=url_for("passkey", handle=handle),
        options_url=url_for("passkey_options", handle=handle),
        trust_days=trust_days(turn),
    )


def upgrade_offered(session: Session | None) -> bool:
    """Whether a page that is shown anyway should let the browser make a passkey silently."""
    if session is None:
        return False
    return services().enrolling.upgradable(session, device_cookie(), origin().address)


def upgrade_options() -> Response:
    """Return what `PublicKeyCredential.parseCreationOptionsFromJSON` takes, for conditional
    mediation.
    """
    session = current_session()
    if session is None:
        raise Refused("nobody is signed in")
    return as_json(
        services().enrolling.upgrade_options(session, browser_cookie(), device_cookie(), origin())
    )


def upgrade() -> Response:
    """Keep the passkey that the browser made silently; a mail tells its owner."""
    session = current_session()
    if session is None:
        raise Refused("nobody is signed in")
    response = request.form.get("response", "")[:LONGEST_RESPONSE]
    try:
        services().enrolling.upgrade(session, browser_cookie(), device_cookie(), response, origin())
    except Invalid as error:
        raise Refused(error.field) from error
    return Response(status=204)
