"""The first page: what needs a look, and where everything is. And going on as somebody else."""

from flask import Response, request, url_for

from idp.domain.devices import Device
from idp.domain.sessions import Session
from idp.domain.texts import Text, counted, marked
from idp.web.account.frame import account_page
from idp.web.browser_session import browser_cookie, current_sessions
from idp.web.context import services
from idp.web.guards import permission
from idp.web.pages import see_other
from idp.web.passkeys import upgrade_offered
from idp.web.user_agents import describe

FEW_CODES = 2
_NEW_SECONDS = 7 * 86400
"""For how long a browser is a new one."""
_PAGES = frozenset({"/", "/account", "/developer", "/admin"})


@permission("account", "use_account")
def account_home(session: Session) -> Response:
    """Say what needs a look."""
    return account_page(
        "home.html",
        session,
        "account_home",
        reviews=_reviews(session),
        deletes_at=session.account.deletes_at,
        cancel_action=url_for("cancel_deletion"),
        upgrade=upgrade_offered(session),
    )


def switch_account() -> Response:
    """Go on as another account that is signed in here."""
    wanted = request.form.get("account", "")
    for session in current_sessions():
        if session.account.id == wanted:
            services().sessions.choose(browser_cookie(), session.id)
    target = request.form.get("return_to", "")
    return see_other(target if target in _PAGES else url_for("account_home"))


def _reviews(session: Session) -> list[dict[str, object]]:
    """Return what the person should look at, the most important first."""
    found = [_address(session), *_second_step(session), *map(_new_device, _new(session))]
    return [one for one in found if one]


def _review(title: Text, text: Text, label: Text, endpoint: str) -> dict[str, object]:
    return {"title": title, "text": text, "label": label, "url": url_for(endpoint)}


def _address(session: Session) -> dict[str, object] | None:
    if session.account.email_verified or not services().outbox.available:
        return None
    return _review(
        marked("Your address is not confirmed"),
        marked("Confirm it, so that we can reach you if you lose access."),
        marked("Confirm your address"),
        "account_email",
    )


def _second_step(session: Session) -> list[dict[str, object]]:
    parts, person = services(), session.account.id
    if not parts.requirements.standing(person).second_factor:
        return [
            _review(
                marked("Only one step protects your account"),
                marked("Add a passkey or an authenticator app, so that a password is not enough."),
                marked("Look at security"),
                "account_security",
            )
        ]
    left = parts.recovery_codes.left(person)
    if left > FEW_CODES:
        return []
    text = counted(
        "One recovery code is left. Make a new set before you need it.",
        "%(count)s recovery codes are left. Make a new set before you need it.",
        left,
    )
    if not left:
        text = marked("If you lose your second step, they are what lets you in.")
    title = marked("You are running out of recovery codes") if left else _NO_CODES
    return [_review(title, text, marked("Make recovery codes"), "recovery_codes")]


_NO_CODES = marked("You have no recovery codes")


def _new(session: Session) -> list[Device]:
    """Return the browsers that came lately, without the first of all."""
    known = services().devices.of(session.account.id)
    first = min((one.created_at for one in known), default=0)
    since = max(first + 1, int(services().clock()) - _NEW_SECONDS)
    return [one for one in known if one.created_at >= since]


def _new_device(one: Device) -> dict[str, object]:
    return _review(
        marked("New sign-in: %(device)s", device=describe(one.user_agent)),
        marked("Was that you? If not, end its session and change your password."),
        marked("Look at your devices"),
        "account_sessions",
    )
