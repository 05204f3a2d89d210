"""Making a second factor in the middle of a sign-in that needs one, and recovery codes after it."""

from flask import Response, request, url_for

from idp.domain.errors import Invalid, Refused
from idp.domain.interactions import Progress
from idp.domain.requirements import Verdict
from idp.domain.texts import marked
from idp.protocol.interaction import StepUp
from idp.web import turns
from idp.web.authorize import refuse_unless_navigation
from idp.web.browser_session import browser_cookie
from idp.web.context import origin, services
from idp.web.pages import page, see_other
from idp.web.passkeys import LONGEST_RESPONSE, as_json
from idp.web.qr import in_groups, qr_svg
from idp.web.second_factor import Why, offer_codes, proving, to_codes
from idp.web.turns import Turn

_LONGEST_CODE = 100
_PROVABLE = frozenset({"first", "fresh", "second", "passkey"})
_WRONG_CODE = marked("That code doesn’t fit. Wait for the next one and try again.")
_REFUSED = marked("That passkey could not be added. Try again.")


def enrol(handle: str) -> Response:
    """Ask which second step to set up."""
    turn = turns.turn(handle)
    if not _serves(turn):
        return turn.back()
    found = services().enrolling.verdict(turn.visit)
    if not found.enough:
        return _prove_first(turn, found)
    if request.method == "POST" and request.form.get("decision") == "authenticator":
        return _begin_authenticator(turn)
    return _choose(turn)


def _serves(turn: Turn) -> bool:
    return isinstance(turn.step, StepUp) and turn.step.missing.startswith("enrol")


def _with_app(turn: Turn) -> bool:
    """Whether an app would do: where a passkey is needed it would not."""
    return isinstance(turn.step, StepUp) and turn.step.missing == "enrol"


def is_forbidden(turn: Turn) -> bool:
    """Whether nothing that the person could prove would let them make what is needed."""
    if not _serves(turn):
        return False
    found = services().enrolling.verdict(turn.visit)
    return not found.enough and found.missing not in _PROVABLE


def _prove_first(turn: Turn, found: Verdict) -> Response:
    """Lead to where what is missing is proven: what the person has, or the first factor again."""
    handle, session = turn.found.handle, turn.session
    if found.missing in {"second", "passkey"}:
        return see_other(url_for("second_factor", handle=handle))
    if found.missing not in _PROVABLE:
        return _forbidden(turn, found)
    if session is None or session.account.id != turn.visit.account_id:
        services().interactions.note(turn.found, account="", proofs={})
        return turn.back()
    refuse_unless_navigation()
    visit = Progress(
        return_to=url_for("interaction", handle=handle),
        action="account/enrol_credentials",
        chosen=session.account.id,
    )
    opened = services().interactions.open(visit, browser_cookie(), origin())
    return see_other(url_for("interaction", handle=opened))


def _forbidden(turn: Turn, found: Verdict) -> Response:
    return page(
        "forbidden.html",
        403,
        client=turn.client_view,
        account=proving(turn),
        sentence=found.sentence,
        switch_url=url_for("switch", handle=turn.found.handle),
        cancel_url=turn.cancel_url,
    )


def _choose(turn: Turn, error: str | None = None) -> Response:
    handle = turn.found.handle
    return page(
        "enrol.html",
        400 if error else 200,
        client=turn.client_view,
        account=proving(turn),
        why=_why(turn),
        with_app=_with_app(turn),
        error=error,
        action=url_for("enrol", handle=handle),
        passkey_url=url_for("enrol_passkey", handle=handle),
        options_url=url_for("enrol_passkey_options", handle=handle),
        cancel_url=turn.cancel_url,
    )


def _why(turn: Turn) -> Why:
    sentence = turn.step.sentence if isinstance(turn.step, StepUp) else ""
    return Why("", sentence) if sentence else Why("stronger" if turn.client else "")


def _begin_authenticator(turn: Turn) -> Response:
    if not _with_app(turn):
        return turn.back()
    try:
        begun = services().enrolling.begin_authenticator(turn.visit)
    except Invalid as error:
        return _choose(turn, str(error))
    details = {**turn.progress.details, "authenticator": begun.handle}
    services().interactions.note(turn.found, details=details)
    return see_other(url_for("enrol_authenticator", handle=turn.found.handle))


def enrol_authenticator(handle: str) -> Response:
    """Show the QR code and take the first code."""
    turn = turns.turn(handle)
    if not _with_app(turn):
        return turn.back()
    waiting = str(turn.progress.details.get("authenticator", ""))
    begun = services().enrolling.pending_authenticator(turn.visit, waiting) if waiting else None
    if begun is None:
        return see_other(url_for("enrol", handle=handle))
    error, code = None, ""
    if request.method == "POST":
        code = request.form.get("code", "")[:_LONGEST_CODE]
        try:
            cookies = services().enrolling.with_authenticator(turn.visit, waiting, code)
        except Refused:
            error = _WRONG_CODE
        else:
            offer_codes(turn, "enrolled")
            return to_codes(turn, cookies)
    return page(
        "enrol_authenticator.html",
        400 if error else 200,
        client=turn.client_view,
        account=proving(turn),
        qr=qr_svg(begun.uri),
        key=in_groups(begun.secret),
        uri=begun.uri,
        error=error,
        typed=code,
        action=url_for("enrol_authenticator", handle=handle),
        back_url=url_for("enrol", handle=handle),
        cancel_url=turn.cancel_url,
    )


def enrol_passkey(handle: str) -> Response:
    """Add the passkey that the browser made."""
    turn = turns.turn(handle)
    if not _serves(turn) or request.method != "POST":
        return turn.back()
    response = request.form.get("response", "")[:LONGEST_RESPONSE]
    try:
        cookies = services().enrolling.with_passkey(turn.visit, response)
    except (Refused, Invalid):
        return _choose(turn, _REFUSED)
    offer_codes(turn, "enrolled")
    return to_codes(turn, cookies)


def enrol_passkey_options(handle: str) -> Response:
    """Return what `PublicKeyCredential.parseCreationOptionsFromJSON` takes."""
    turn = turns.turn(handle)
    if not _serves(turn):
        return turn.back()
    return as_json(services().enrolling.passkey_options(turn.visit))


def save_codes(handle: str) -> Response:
    """Offer recovery codes after a factor was made or a code was used; show them once."""
    turn = turns.turn(handle)
    offer = turn.progress.details.get("codes")
    if turn.found.finished or not offer or offer["account"] != turn.visit.account_id:
        return turn.back()
    codes: tuple[str, ...] = ()
    if request.method == "POST":
        try:
            codes = services().enrolling.new_recovery_codes(turn.visit)
        except Refused:
            return turn.back()
    return page(
        "recovery_codes.html",
        client=turn.client_view,
        because=offer["because"],
        left=services().recovery_codes.left(turn.visit.account_id),
        codes=codes,
        action=url_for("save_codes", handle=handle),
        continue_url=url_for("interaction", handle=handle),
    )
