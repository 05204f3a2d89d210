"""The page behind an invitation's link: name and password, and the account is made."""

from flask import Response, request, url_for

from idp.domain.errors import AlreadyExists, Invalid
from idp.domain.interactions import Progress
from idp.domain.invitations import Invited
from idp.domain.texts import marked
from idp.web.browser_session import browser_cookie
from idp.web.context import origin, services
from idp.web.pages import page, see_other
from idp.web.turns import makes_passkeys

_READY = marked("Your account is ready. Sign in with it.")
_DEAD = marked("This invitation does not work any more")
_WHY_DEAD = marked(
    "It was used, is too old, or was replaced by a newer one. Ask whoever invited you for another."
)
_TAKEN = marked("You have an account already")
_WHY_TAKEN = marked("Somebody made an account with this address meanwhile. Sign in with it.")


def invitation(token: str) -> Response:
    """Make the account of whoever was invited. The link works once; opening it changes nothing."""
    invitations = services().invitations
    if request.method == "POST" and invitations.used_just_now(token):
        return see_other(url_for("start"))
    invited = invitations.look(token)
    if invited is None:
        invitations.refused(origin())
        return _over(404, _DEAD, _WHY_DEAD)
    if request.method != "POST":
        return _ask(token, invited, invited.name)
    name, password = request.form.get("name", "").strip(), request.form.get("password", "")
    try:
        account = invitations.accept(token, name, password, origin())
    except Invalid as error:
        return _ask(token, invited, name, {error.field: str(error)})
    except AlreadyExists:
        return _over(409, _TAKEN, _WHY_TAKEN)
    offer = account.id if makes_passkeys() else ""
    progress = Progress(identifier=account.email, said=_READY.one, another=True, offer=offer)
    handle = services().interactions.open(progress, browser_cookie(), origin())
    return see_other(url_for("interaction", handle=handle))


def _ask(
    token: str, invited: Invited, name: str, problems: dict[str, str] | None = None
) -> Response:
    return page(
        "new_account.html",
        400 if problems else 200,
        client=None,
        email=invited.email,
        name=name,
        errors=problems or {},
        action=url_for("invitation", token=token),
        invited=True,
        cancel_url=None,
        min_length=services().settings.password_min_length,
    )


def _over(status: int, title: str, message: str) -> Response:
    return page(
        "error.html",
        status,
        status=None,
        title=title,
        message=message,
        action_label=marked("Sign in"),
        action_url=url_for("start"),
        retry_after=None,
        client=None,
    )
