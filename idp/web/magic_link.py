"""Links and codes by mail: asking for one, waiting for it, and what it opens.

Opening a link changes nothing, since programs open mails before people do. The browser that asked
goes on by one button; any other shows who asked, and to whom it was the code for the first one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import Response, request, url_for

from idp.domain.errors import Invalid, NotFound, Refused
from idp.domain.magic_links import Letter, Opened, Pending, Proven, TooSoon, masked
from idp.domain.texts import Text, counted, marked
from idp.protocol.interaction import Login
from idp.web import recovery, sign_up, turns
from idp.web.browser_session import browser_cookie
from idp.web.context import origin, services
from idp.web.i18n import language
from idp.web.pages import page, see_other
from idp.web.turns import Turn
from idp.web.user_agents import describe

_NO_CODE = marked("Type the six digits of the code.")
_WRONG = marked("That code doesn’t match. Look for the newest mail, and type its code.")
_OVER = marked("That code does not work any more. Ask for another mail.")
_JUST_NOW = 60


@dataclass(frozen=True)
class Purpose:
    """What a mailed proof is for: how pages speak of it, how it is mailed, what comes of it.

    `asks` is the page where the address is said.
    """

    asks: str
    heading: Text
    button: Text
    somebody: Text
    send: Callable[[Turn, str], None]
    go_on: Callable[[Turn, Proven], Response]


def send(turn: Turn, email: str) -> None:
    """Mail a link to sign in; to an address without a usable account, that there is none.

    Raises Invalid, Throttled.
    """
    parts = services()
    account = parts.magic_links.account_of(email)
    values = {"client": turn.client.name if turn.client else ""}
    letter = Letter("sign_in_link", values, language=language())
    if account is None or account.disabled:
        link = f"{parts.settings.issuer}{url_for('start_sign_up')}"
        values["sign_up_link"] = link if parts.sign_up_open else ""
        letter = Letter("sign_in_no_account", values, works=False, language=language())
    parts.magic_links.send(turn.visit, "sign_in", email, account, letter)


def go_on(turn: Turn, proven: Proven) -> Response:
    """Sign in whoever reads the mail. Raises Refused."""
    if proven.account is None:
        raise Refused("nobody has this address")
    cookies = services().sign_in.with_mail(turn.visit, proven.account, proven.use)
    return turn.signed_in(cookies)


PURPOSES: Mapping[str, Purpose] = {
    "sign_in": Purpose(
        "sign_in",
        marked("Sign in"),
        marked("Sign in"),
        marked("Somebody asked to sign in with your address."),
        send,
        go_on,
    ),
    "reset": Purpose(
        "forgot",
        marked("Choose a new password"),
        marked("Continue"),
        marked("Somebody asked to change the password of your account."),
        recovery.send,
        recovery.go_on,
    ),
    "sign_up": Purpose(
        "sign_up",
        marked("Confirm your address"),
        marked("Confirm"),
        marked("Somebody asked to make an account with your address."),
        sign_up.send,
        sign_up.go_on,
    ),
}


def magic_link(handle: str) -> Response:
    """Offer to mail a link; then wait for its code."""
    turn = turns.turn(handle)
    if not isinstance(turn.step, Login):
        return turn.back()
    pending = services().magic_links.pending(turn.visit)
    email = _email(turn)
    if pending is None and not email:
        return see_other(url_for("sign_in", handle=handle))
    if request.method == "POST" and services().outbox.available:
        if "code" in request.form:
            return _typed(turn, pending)
        return _mail(turn, pending, email)
    return _waiting(turn, pending) if pending else _ask(turn, email)


def _email(turn: Turn) -> str:
    """Return who it is: whoever confirms that they are still here can't be somebody else."""
    fresh = isinstance(turn.step, Login) and turn.step.reason == "fresh"
    return turn.session.account.email if fresh and turn.session else turn.progress.identifier


def _mail(turn: Turn, pending: Pending | None, email: str) -> Response:
    purpose = PURPOSES[pending.purpose if pending else "sign_in"]
    try:
        purpose.send(turn, pending.email if pending else email)
    except TooSoon as error:
        if pending is None:
            return turn.back()
        response = _waiting(turn, pending, soon=error.retry_after)
        response.headers["Retry-After"] = str(error.retry_after)
        return response
    except Invalid as error:
        return _ask(turn, email, str(error))
    return see_other(url_for("magic_link", handle=turn.found.handle))


def _typed(turn: Turn, pending: Pending | None) -> Response:
    typed = request.form.get("code", "").strip()
    if pending is None:
        return _ask(turn, _email(turn), _OVER)
    if not typed:
        return _waiting(turn, pending, _NO_CODE)
    try:
        proven = services().magic_links.with_code(turn.visit, typed)
        return PURPOSES[proven.purpose].go_on(turn, proven)
    except Refused:
        left = services().magic_links.pending(turn.visit)
    return _waiting(turn, left, _WRONG) if left else _ask(turn, pending.email, _OVER)


def _ask(turn: Turn, email: str, error: str | None = None) -> Response:
    fresh = isinstance(turn.step, Login) and turn.step.reason == "fresh"
    return page(
        "magic_link.html",
        400 if error else 200,
        **_around(turn, "sign_in"),
        available=services().outbox.available,
        identifier=email,
        fresh=fresh,
        error=error,
    )


def _waiting(
    turn: Turn, pending: Pending, error: str | None = None, soon: int | None = None
) -> Response:
    now = int(services().clock())
    status = 429 if soon else 400 if error else 200
    return page(
        "magic_link_sent.html",
        status,
        **_around(turn, pending.purpose),
        masked=pending.masked,
        sent=marked(
            "Sent %(when)s. Only the newest mail works; look into the spam folder too.",
            when=_ago(now - pending.sent_at),
        ),
        wait=max(0, pending.can_resend_at - now),
        soon=soon,
        error=error,
    )


def _around(turn: Turn, purpose: str) -> dict[str, object]:
    """Return what both pages have: where their forms and links lead."""
    handle = turn.found.handle
    fresh = isinstance(turn.step, Login) and turn.step.reason == "fresh"
    others = url_for("other_ways", handle=handle) if purpose == "sign_in" else None
    return {
        "client": turn.client_view,
        "action": url_for("magic_link", handle=handle),
        "change_url": None if fresh else url_for(PURPOSES[purpose].asks, handle=handle),
        "others_url": others,
        "cancel_url": turn.cancel_url if turn.client or fresh else None,
    }


def mailed(token: str) -> Response:
    """Show what a link opens; only a button does something."""
    links = services().magic_links
    opened = links.open(token, browser_cookie())
    if opened is None:
        return _dead(token)
    if not opened.same_browser:
        return _elsewhere(token, opened)
    try:
        turn = turns.turn(opened.handle)
    except NotFound:
        return _dead(token)
    if request.method != "POST":
        return _confirm(turn, token, opened)
    if not isinstance(turn.step, Login):
        return turn.back()
    try:
        return PURPOSES[opened.purpose].go_on(turn, links.confirm(turn.visit, token))
    except Refused:
        return _used(token) or _over()


def _confirm(turn: Turn, token: str, opened: Opened) -> Response:
    purpose = PURPOSES[opened.purpose]
    return page(
        "mailed.html",
        client=turn.client_view,
        identifier=masked(opened.email),
        heading=purpose.heading,
        button=purpose.button,
        action=url_for("mailed", token=token),
    )


def _elsewhere(token: str, opened: Opened) -> Response:
    """Another browser than the one that asked: perhaps the same person's, perhaps a victim's."""
    links, decision = services().magic_links, request.form.get("decision")
    code = None
    if request.method == "POST" and decision == "disown":
        if links.disown(token, origin()):
            return page("mailed_disowned.html")
        return _dead(token)
    if request.method == "POST" and decision == "show":
        code = links.reveal(token, origin())
        if code is None:
            return _dead(token)
    return page(
        "mailed_elsewhere.html",
        client_name=opened.client,
        somebody=PURPOSES[opened.purpose].somebody,
        device=describe(opened.user_agent),
        address=opened.address,
        when=_ago(int(services().clock()) - opened.asked_at),
        code=code,
        action=url_for("mailed", token=token),
    )


def _dead(token: str) -> Response:
    """Say that a link does nothing. A second click goes on where the first one led."""
    if request.method != "POST":
        return _over()
    return _used(token) or _refused(token)


def _used(token: str) -> Response | None:
    handle = services().magic_links.used_here(token, browser_cookie())
    return see_other(url_for("interaction", handle=handle)) if handle else None


def _refused(token: str) -> Response:
    services().magic_links.refuse(token, origin())
    return _over()


def _over() -> Response:
    return page("mailed_over.html", 404, start_url=url_for("start"))


def _ago(seconds: int) -> Text:
    if seconds < _JUST_NOW:
        return marked("just now")
    return counted("a minute ago", "%(count)s minutes ago", seconds // 60)
