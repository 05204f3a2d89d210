"""Signing keys: what each one does now, what comes next and when, and letting the next one sign."""

from flask import Response, request, url_for

from idp.domain.errors import NotFound
from idp.domain.key_rotation import TooEarly
from idp.domain.key_schedule import KeyInfo
from idp.domain.sessions import Session
from idp.domain.texts import Text, marked
from idp.web.admin.frame import admin_page, after, by, confirm_page, may
from idp.web.context import services
from idp.web.guards import permission
from idp.web.i18n import format_datetime

_HERE = "admin_keys"
_STATES = {
    "active": ("good", marked("Signs")),
    "next": ("accent", marked("Waiting")),
    "retiring": ("warn", marked("Verifies")),
    "archived": ("", marked("Not published")),
    "withdrawn": ("bad", marked("Withdrawn")),
}
_ORDER = tuple(_STATES)


@permission("admin", "view_keys")
def admin_keys(session: Session) -> Response:
    """List the keys of each algorithm, those in use first."""
    keys = services().signing_keys.list()
    rotating = may(session, "rotate_keys")
    groups = [
        {
            "algorithm": algorithm,
            "keys": [_shown(key, keys) for key in _sorted(keys, algorithm)],
            "rotate_url": url_for("admin_rotate_keys", algorithm=algorithm)
            if rotating and algorithm in services().signing_keys.algorithms
            else None,
        }
        for algorithm in sorted({key.algorithm for key in keys})
    ]
    return admin_page("keys.html", session, _HERE, groups=groups)


def _sorted(keys: list[KeyInfo], algorithm: str) -> list[KeyInfo]:
    of_it = [key for key in keys if key.algorithm == algorithm]
    return sorted(of_it, key=lambda key: (_ORDER.index(key.state), -key.created_at))


def _shown(key: KeyInfo, keys: list[KeyInfo]) -> dict[str, object]:
    tone, state = _STATES[key.state]
    takes_over_at = services().signing_keys.schedule.takes_over_at(keys, key.algorithm)
    return {
        "kid": key.kid,
        "tone": tone,
        "state": state,
        "created_at": key.created_at,
        "now": _now(key),
        "then": _then(key, takes_over_at),
    }


def _now(key: KeyInfo) -> Text:
    match key.state:
        case "next":
            return marked("Published since %(when)s", when=_when(key.created_at))
        case "active":
            return marked("Signs since %(when)s", when=_when(key.activated_at))
        case "retiring":
            return marked("Signed until %(when)s", when=_when(key.retired_at))
        case "withdrawn":
            return marked("Not trusted since %(when)s", when=_when(key.archived_at))
        case _:
            return marked("Not published since %(when)s", when=_when(key.archived_at))


def _then(key: KeyInfo, takes_over_at: int | None) -> Text:
    match key.state:
        case "next":
            return marked(
                "May sign from %(from)s, takes over on %(then)s",
                **{"from": _when(key.usable_from), "then": _when(takes_over_at)},
            )
        case "active":
            return marked("The next key takes over on %(when)s", when=_when(takes_over_at))
        case "retiring":
            return marked(
                "Leaves the published keys on %(when)s, when its last token has ended",
                when=_when(key.keep_until),
            )
        case "withdrawn":
            return marked("What it signed is refused")
        case _:
            return marked("Kept for expired ID tokens that come back at a sign-out")


def _when(seconds: int | None) -> str:
    return format_datetime(seconds) if seconds is not None else "–"


@permission("admin", "rotate_keys")
def admin_rotate_keys(session: Session, algorithm: str) -> Response:
    """Ask for the algorithm, then let its next key sign; in an emergency withdraw this one too."""
    keys, error, code = services().signing_keys, None, 200
    if algorithm not in keys.algorithms:
        raise NotFound(marked("There are no keys of this kind."))
    if request.method == "POST":
        if request.form.get("typed", "").strip() != algorithm:
            error, code = str(marked("That is not the algorithm.")), 400
        else:
            acting, emergency = by(session), request.form.get("choice") == "yes"
            try:
                keys.rotate(
                    algorithm, emergency=emergency, origin=acting.origin, actor=acting.actor
                )
                return after(_HERE, "rotated")
            except TooEarly as early:
                error, code = _too_early(early), 409
    return confirm_page(
        session,
        _HERE,
        title=marked("Let the next %(algorithm)s key sign?", algorithm=algorithm),
        warnings=[
            marked("The key that signs now stays published until its last token has ended."),
            marked("Another key is published at once, to follow it."),
        ],
        label=marked("Type the algorithm to confirm"),
        expected=algorithm,
        button=marked("Rotate"),
        cancel_url=url_for(_HERE),
        choice=marked(
            "Emergency: the key is in the wrong hands. Trust it no more, from now on; what it "
            "signed is refused, and people may have to sign in again."
        ),
        error=error,
        code=code,
    )


def _too_early(error: TooEarly) -> Text:
    return marked(
        "Some verifiers may not know the next key yet. It may sign from %(when)s.",
        when=_when(error.at),
    )
