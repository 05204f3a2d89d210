"""Making an account of one's own (Initiating User Registration via OpenID Connect 1.0): first the
address is proven by mail, then name and password are chosen.
"""

from flask import Response, request, url_for

from idp.domain.accounts import Account
from idp.domain.errors import AlreadyExists, Invalid, Refused
from idp.domain.interactions import Progress
from idp.domain.magic_links import Letter, Proven, TooSoon
from idp.domain.texts import Text, marked
from idp.protocol.interaction import Login
from idp.web import authorize, turns
from idp.web.browser_session import browser_cookie, current_session
from idp.web.context import origin, services
from idp.web.i18n import language
from idp.web.pages import page, see_other
from idp.web.turns import Turn

_NO_EMAIL = marked("Enter your email address.")
_TAKEN = marked("There is an account with this address already. Sign in with it.")


def start_sign_up() -> Response:
    """Make an account without a client."""
    authorize.refuse_unless_navigation()
    if not services().sign_up_open:
        return see_other(url_for("start"))
    progress = Progress(another=bool(current_session()))
    handle = services().interactions.open(progress, browser_cookie(), origin())
    return see_other(url_for("sign_up", handle=handle))


def sign_up(handle: str) -> Response:
    """Ask for the address, and mail link and code to it: alike whether or not it has an account."""
    turn = turns.turn(handle)
    if not isinstance(turn.step, Login) or turn.step.reason not in {"sign_in", "create"}:
        return turn.back()
    if not services().sign_up_open:
        return see_other(url_for("sign_in", handle=handle))
    if request.method != "POST":
        return _ask(turn, turn.progress.identifier or _hint(turn))
    typed = request.form.get("identifier", "").strip()
    try:
        send(turn, typed)
    except Invalid:
        return _ask(turn, typed, _NO_EMAIL)
    except TooSoon:
        pass
    return see_other(url_for("magic_link", handle=handle))


def send(turn: Turn, email: str) -> None:
    """Mail a link to prove the address; to one that has an account, that it has. Raises Invalid,
    Throttled.
    """
    links = services().magic_links
    account = links.account_of(email)
    links.send(turn.visit, "sign_up", email, account, _letter(turn, account))
    services().interactions.note(turn.found, identifier=email, said="")


def go_on(turn: Turn, proven: Proven) -> Response:
    """Let whoever reads the mail make the account. Raises Refused."""
    services().sign_up.prove(turn.visit, proven.email, proven.use)
    return turn.back()


def _letter(turn: Turn, account: Account | None) -> Letter:
    client = turn.client.name if turn.client else ""
    if account is None:
        return Letter("sign_up_link", {"client": client}, language=language())
    sign_in = f"{services().settings.issuer}{url_for('start')}"
    values = {"client": client, "sign_in_link": sign_in}
    return Letter("sign_up_exists", values, works=False, language=language())


def _hint(turn: Turn) -> str:
    hint = turn.asked.login_hint if turn.asked else ""
    return hint if hint.isprintable() else ""


def _ask(turn: Turn, identifier: str, error: object = None) -> Response:
    handle = turn.found.handle
    return page(
        "sign_up.html",
        400 if error else 200,
        client=turn.client_view,
        identifier=identifier,
        error=error,
        said=Text(turn.progress.said, None, {}),
        action=url_for("sign_up", handle=handle),
        sign_in_url=url_for("sign_in", handle=handle),
        cancel_url=turn.cancel_url if turn.client else None,
    )


def new_account(handle: str) -> Response:
    """Make the account of whoever proved the address, and sign them in."""
    turn = turns.turn(handle)
    if not isinstance(turn.step, Login):
        return turn.back()
    email = services().sign_up.proven(turn.visit)
    if request.method != "POST":
        return _ask_new(turn, email) if email else turn.back()
    name, password = request.form.get("name", "").strip(), request.form.get("password", "")
    if not email:
        return _clicked_again(turn, password)
    try:
        cookies = services().sign_up.create(turn.visit, name, password)
    except Invalid as error:
        return _ask_new(turn, email, name, {error.field: str(error)})
    except AlreadyExists:
        services().sign_up.give_up(turn.visit, _TAKEN)
        return see_other(url_for("sign_in", handle=handle))
    except Refused:
        return turn.back()
    turns.offer_passkey_later(turn.found, services().accounts.get(email).id)
    return turn.signed_in(cookies)


def _clicked_again(turn: Turn, password: str) -> Response:
    """A second click may come before the browser has the cookie of the first."""
    if not services().sign_up.made(turn.visit):
        return turn.back()
    try:
        return turn.signed_in(services().sign_in.with_password(turn.visit, password))
    except Refused:
        return turn.back()


def _ask_new(
    turn: Turn, email: str, name: str = "", problems: dict[str, str] | None = None
) -> Response:
    return page(
        "new_account.html",
        400 if problems else 200,
        client=turn.client_view,
        email=email,
        name=name,
        errors=problems or {},
        action=url_for("new_account", handle=turn.found.handle),
        invited=False,
        cancel_url=turn.cancel_url if turn.client else None,
        min_length=services().settings.password_min_length,
    )
