"""The second step of a sign-in, and the step-up: what the person has, the passkey first."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Response, request, url_for

from idp.domain.access import PRIVILEGED_ROLES
from idp.domain.accounts import Account
from idp.domain.assurance import PHISHING_RESISTANT, TWO_FACTORS
from idp.domain.errors import Refused
from idp.domain.proving import Cookies
from idp.domain.texts import Text, marked
from idp.protocol.interaction import Login, StepUp
from idp.web import turns
from idp.web.context import services
from idp.web.pages import page, see_other
from idp.web.turns import Turn

_LONGEST_CODE = 100
_DAY = 86400
_NO_CODE = marked("Enter the code.")
_WRONG_CODE = marked("That code doesn’t work. Wait for the next one and try again.")
_WRONG_RECOVERY = marked("That code doesn’t work. Each recovery code works once.")
_SECOND_STEPS = ("passkey", "authenticator", "recovery_code")
ENDPOINTS = {
    "passkey": "passkey",
    "authenticator": "authenticator_code",
    "recovery_code": "recovery_code",
}
LABELS = {
    "passkey": marked("Use a passkey"),
    "authenticator": marked("Use a code from your authenticator app"),
    "recovery_code": marked("Use a recovery code"),
}


@dataclass(frozen=True)
class Why:
    """Why somebody is asked: a sentence of the policies, or what the client wants."""

    kind: str
    sentence: str | Text = ""


def ways(turn: Turn) -> tuple[str, ...]:
    """Return what may be proven on these pages now, of what the person has; the best first.

    Codes are no first factor, so they are not asked for where that has to be proven again.
    """
    match turn.step:
        case StepUp("second"):
            wanted: tuple[str, ...] = _SECOND_STEPS
        case StepUp("passkey") | Login("fresh"):
            wanted = ("passkey",)
        case StepUp("enrol_passkey" | "enrol"):
            missing = services().enrolling.verdict(turn.visit).missing
            wanted = {"second": _SECOND_STEPS, "passkey": ("passkey",)}.get(missing, ())
        case _:
            wanted = ()
    if not wanted:
        return ()
    held = services().requirements.standing(turn.visit.account_id).credentials
    if max(turn.visit.demand.levels, default=0) >= PHISHING_RESISTANT and "passkey" in held:
        return ("passkey",)  # nothing else would do in the end
    return tuple(way for way in wanted if way in held)


def why(turn: Turn) -> Why:
    """Return why the person is asked."""
    match turn.step:
        case StepUp("enrol_passkey" | "enrol"):
            return Why("", services().enrolling.verdict(turn.visit).sentence)
        case StepUp(sentence=sentence) if sentence:
            return Why("", sentence)
        case StepUp() if turn.client:
            return Why("stronger")
        case Login("fresh") if turn.client:
            return Why("here")
    return Why("")


def trust_offered(turn: Turn) -> bool:
    """Whether this browser may be trusted from now on: in an ordinary second step, where policies
    ask for it, and by nobody with a privileged role.
    """
    visit, step = turn.visit, turn.step
    if not isinstance(step, StepUp) or step.missing != "second" or not step.sentence:
        return False
    if visit.demand.action != "sign_in" or max(visit.demand.levels, default=0) >= TWO_FACTORS:
        return False
    if visit.session is not None and visit.session.account.id == visit.account_id:
        return False
    roles = services().requirements.standing(visit.account_id).roles
    return not roles & frozenset(PRIVILEGED_ROLES)


def trust_days(turn: Turn) -> int:
    """Return for how many days it would be trusted, 0 where that is not offered."""
    lifetime = services().settings.trusted_device_lifetime
    return max(1, lifetime // _DAY) if trust_offered(turn) else 0


def trusts(turn: Turn) -> bool:
    """Whether the person asked for that, where it is offered."""
    return request.form.get("trust") == "yes" and trust_offered(turn)


def second_factor(handle: str) -> Response:
    """Lead to the page of the best that the person has."""
    turn = turns.turn(handle)
    found = ways(turn)
    if not found:
        return turn.back()
    return see_other(url_for(ENDPOINTS[found[0]], handle=handle))


def authenticator_code(handle: str) -> Response:
    """Ask for a code of the authenticator app."""

    def check(turn: Turn, code: str) -> Cookies | None:
        return services().sign_in.with_authenticator(turn.visit, code, trust=trusts(turn))

    return _code(handle, "authenticator", check, _WRONG_CODE)


def recovery_code(handle: str) -> Response:
    """Ask for a recovery code; then say how many are left."""

    def check(turn: Turn, code: str) -> Cookies | None:
        cookies = services().sign_in.with_recovery_code(turn.visit, code)
        offer_codes(turn, "used")
        turns.offer_passkey_later(turn.found, turn.visit.account_id)
        return cookies

    return _code(handle, "recovery_code", check, _WRONG_RECOVERY)


def offer_codes(turn: Turn, because: str) -> None:
    """Let the page of recovery codes come next: some were `used`, or a factor was `enrolled`."""
    offer = {"account": turn.visit.account_id, "because": because}
    details = {**turn.progress.details, "codes": offer}
    services().interactions.note(turn.found, details=details)


def to_codes(turn: Turn, cookies: Cookies | None) -> Response:
    """Give the browser its cookies and show what there is to say of recovery codes."""
    turn.signed_in(cookies)
    return see_other(url_for("save_codes", handle=turn.found.handle))


def _code(
    handle: str, way: str, check: Callable[[Turn, str], Cookies | None], wrong: Text
) -> Response:
    turn = turns.turn(handle)
    if way not in ways(turn):
        return turn.back()
    if request.method != "POST":
        return _ask(turn, way)
    typed = request.form.get("code", "").strip()
    if not typed or len(typed) > _LONGEST_CODE:
        return _ask(turn, way, _NO_CODE)
    try:
        cookies = check(turn, typed)
    except Refused:
        return _ask(turn, way, wrong, typed)
    return to_codes(turn, cookies) if way == "recovery_code" else turn.signed_in(cookies)


def _ask(turn: Turn, way: str, error: Text | None = None, typed: str = "") -> Response:
    return page(
        f"{ENDPOINTS[way]}.html",
        400 if error else 200,
        **shown(turn, way),
        error=error,
        typed=typed,
        action=url_for(ENDPOINTS[way], handle=turn.found.handle),
        trust_days=trust_days(turn),
    )


def shown(turn: Turn, way: str) -> dict[str, object]:
    """Return what every page of the second step shows: who, why, and what else there is."""
    return {
        "client": turn.client_view,
        "account": proving(turn),
        "why": why(turn),
        "others": [
            {"label": LABELS[each], "url": url_for(ENDPOINTS[each], handle=turn.found.handle)}
            for each in ways(turn)
            if each != way
        ],
        "cancel_url": turn.cancel_url,
    }


def proving(turn: Turn) -> Account:
    """Return who is proving. Raises Refused when nobody is."""
    return services().sign_in.proving(turn.visit)
