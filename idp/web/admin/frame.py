"""What the pages of the admin console share: who may see what, what was done, asking again."""

from typing import Any

from flask import Response, g, request, url_for

from idp.domain.audit import By
from idp.domain.sessions import Session
from idp.domain.texts import Text, marked
from idp.web.consoles import DONE, Console, Section, console_page
from idp.web.context import origin
from idp.web.guards import permission, verdict
from idp.web.pages import see_other

_SECTIONS = (
    ("view_people", Section(marked("People"), "admin_people")),
    ("view_clients", Section(marked("Applications"), "admin_clients")),
    ("view_keys", Section(marked("Signing keys"), "admin_keys")),
    ("view_audit", Section(marked("Audit"), "admin_audit")),
    ("view_configuration", Section(marked("Mail"), "admin_mail")),
    ("view_configuration", Section(marked("Configuration"), "admin_configuration")),
)
_NAME = marked("Administration")
_DONE = {
    "disabled": marked("It is disabled: nothing of it works any more, from now on."),
    "enabled": marked("It is enabled again."),
    "granted": marked("It was given."),
    "revoked": marked("It was taken away."),
    "session-ended": marked("The session has ended."),
    "sessions-ended": marked("The sessions have ended."),
    "removed": marked("It was removed. Its person gets a mail and is signed out everywhere."),
    "invited": marked("The invitation is on its way."),
    "rotated": marked("The next key signs now."),
    "published": marked("The next key is published now."),
    "mailed": marked("The test mail is on its way to you."),
}


@permission("admin", "sign_in")
def admin(session: Session) -> Response:
    """Lead to the first section that the person may see; the guard there tells everybody else."""
    first = next((section for section in _sections(session)), _SECTIONS[0][1])
    return see_other(url_for(first.endpoint))


def may(session: Session, action: str) -> bool:
    """Whether the person may do something here; asked once for each request."""
    known: dict[str, bool] = g.setdefault("admin_may", {})
    if action not in known:
        known[action] = verdict(session, "admin", action).enough
    return known[action]


def _sections(session: Session) -> list[Section]:
    return [section for action, section in _SECTIONS if may(session, action)]


def admin_page(
    template: str, session: Session, current: str, code: int = 200, /, **values: object
) -> Response:
    """Render a page of the section whose endpoint is `current`; `problem` says what went wrong."""
    done = _DONE.get(request.args.get(DONE, "")) if request.method == "GET" else None
    console = Console("admin", _NAME, _sections(session))
    usual = {"done": done, "problem": None, "failed": bool(values.get("problem"))}
    name = f"admin/{template}"
    return console_page(name, session, console, current, code, **(usual | values))


def confirm_page(
    session: Session,
    current: str,
    *,
    title: Text,
    warnings: list[Text],
    label: Text,
    expected: str,
    button: Text,
    cancel_url: str,
    choice: Text | None = None,
    error: str | None = None,
    code: int = 200,
) -> Response:
    """Ask for the name of what is about to change. `choice` is the words of a box to tick."""
    return admin_page(
        "confirm.html",
        session,
        current,
        code,
        title=title,
        action=request.path,
        warnings=warnings,
        label=label,
        expected=expected,
        button=button,
        cancel_url=cancel_url,
        choice=choice,
        error=error,
        failed=bool(error),
    )


def after(endpoint: str, done: str, **values: Any) -> Response:
    """Lead to the page that says what was done."""
    return see_other(f"{url_for(endpoint, **values)}?{DONE}={done}")


def by(session: Session) -> By:
    """Return who does something to others."""
    return By(f"account:{session.account.id}", origin(), session.id)


def visible(text: str) -> str:
    """Return a text whose control and direction characters are written out (SECURITY case 144)."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
