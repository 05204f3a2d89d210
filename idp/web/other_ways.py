"""Other ways to prove who you are: the same for everybody until somebody has proven something."""

from flask import Response, url_for

from idp.domain.texts import Text, marked
from idp.protocol.interaction import Login
from idp.web import turns
from idp.web.browser_session import device_cookie
from idp.web.context import services
from idp.web.pages import page
from idp.web.second_factor import ENDPOINTS, LABELS, proving, ways
from idp.web.turns import Turn

_FIRST: dict[str, tuple[str, Text, Text]] = {
    "password": (
        "password",
        marked("Password"),
        marked("Type the password of your account."),
    ),
    "mail": (
        "magic_link",
        marked("Link or code by email"),
        marked("We mail you a link and a code."),
    ),
    "passkey": (
        "passkey",
        marked("Passkey"),
        marked("Use your fingerprint, face or screen lock."),
    ),
}


def other_ways(handle: str) -> Response:
    """List them."""
    turn = turns.turn(handle)
    if isinstance(turn.step, Login) and turn.step.reason != "create":
        doors = _first(turn)
    else:
        doors = [_door(turn, ENDPOINTS[way], LABELS[way]) for way in ways(turn)]
    if not doors:
        return turn.back()
    known = services().devices.accounts_of(device_cookie())
    return page(
        "other_ways.html",
        client=turn.client_view,
        account=proving(turn) if _known(turn) else None,
        identifier=turn.progress.identifier,
        change_url=None if _known(turn) else url_for("sign_in", handle=handle),
        doors=doors,
        last_used=known[0].last_factor.removeprefix("synced_") if known else None,
        cancel_url=turn.cancel_url,
    )


def _known(turn: Turn) -> bool:
    """Whether it is settled who is proving."""
    return not (isinstance(turn.step, Login) and turn.step.reason != "fresh")


def _first(turn: Turn) -> list[dict[str, object]]:
    """Return what can be a first factor; of who is signed in already, what that person has."""
    offered = set(_FIRST) if services().outbox.available else set(_FIRST) - {"mail"}
    if _known(turn):
        offered &= services().requirements.standing(turn.visit.account_id).credentials | {"mail"}
    return [_door(turn, *facts, name=name) for name, facts in _FIRST.items() if name in offered]


def _door(
    turn: Turn, endpoint: str, label: Text, detail: Text | None = None, name: str = ""
) -> dict[str, object]:
    url = url_for(endpoint, handle=turn.found.handle)
    return {"name": name, "label": label, "description": detail, "url": url}
