"""Keys: what each one does now, what comes next and when, and letting the next one take over."""

from flask import Response, request, url_for

from idp.domain.errors import NotFound
from idp.domain.key_rotation import TooEarly
from idp.domain.key_schedule import KeyInfo, use_of
from idp.domain.sessions import Session
from idp.domain.texts import marked
from idp.web.admin import key_words
from idp.web.admin.frame import admin_page, after, by, confirm_page, may
from idp.web.context import services
from idp.web.guards import permission

_HERE = "admin_keys"


@permission("admin", "view_keys")
def admin_keys(session: Session) -> Response:
    """List the keys of each algorithm, those in use first."""
    keys = services().keyring.list()
    rotating = may(session, "rotate_keys")
    groups = [
        {
            "algorithm": algorithm,
            "use": use,
            "keys": [_shown(key, keys) for key in _sorted(keys, algorithm)],
            "rotate_url": url_for("admin_rotate_keys", algorithm=algorithm)
            if rotating and algorithm in services().keyring.algorithms
            else None,
        }
        for use, algorithm in sorted({(key.use, key.algorithm) for key in keys}, key=_signing_first)
    ]
    return admin_page("keys.html", session, _HERE, groups=groups)


def _signing_first(group: tuple[str, str]) -> tuple[bool, str]:
    use, algorithm = group
    return use != "sig", algorithm


def _sorted(keys: list[KeyInfo], algorithm: str) -> list[KeyInfo]:
    of_it = [key for key in keys if key.algorithm == algorithm]
    return sorted(of_it, key=lambda key: (key_words.ORDER.index(key.state), -key.created_at))


def _shown(key: KeyInfo, keys: list[KeyInfo]) -> dict[str, object]:
    tone, state = key_words.state(key)
    takes_over_at = services().keyring.takes_over_at(keys, key.algorithm)
    return {
        "kid": key.kid,
        "tone": tone,
        "state": state,
        "created_at": key.created_at,
        "now": key_words.now(key),
        "then": key_words.then(key, takes_over_at),
    }


@permission("admin", "rotate_keys")
def admin_rotate_keys(session: Session, algorithm: str) -> Response:
    """Ask for the algorithm, then let its next key take over; in an emergency withdraw this one."""
    keys, error, code = services().keyring, None, 200
    if algorithm not in keys.algorithms:
        raise NotFound(marked("There are no keys of this kind."))
    use = use_of(algorithm)
    words = key_words.asked(use, algorithm)
    if request.method == "POST":
        if request.form.get("typed", "").strip() != algorithm:
            error, code = str(marked("That is not the algorithm.")), 400
        else:
            acting, emergency = by(session), request.form.get("choice") == "yes"
            try:
                keys.rotate(
                    algorithm, emergency=emergency, origin=acting.origin, actor=acting.actor
                )
                return after(_HERE, words.done)
            except TooEarly as early:
                error, code = key_words.too_early(use, early.at), 409
    return confirm_page(
        session,
        _HERE,
        title=words.title,
        warnings=words.warnings,
        label=marked("Type the algorithm to confirm"),
        expected=algorithm,
        button=marked("Rotate"),
        cancel_url=url_for(_HERE),
        choice=words.emergency,
        error=error,
        code=code,
    )
