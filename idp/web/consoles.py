"""What the consoles share: their frame, with the navigation and the menu of who is signed in."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Response, request, url_for

from idp.domain.access import PRIVILEGED_ROLES
from idp.domain.sessions import Session
from idp.domain.texts import Text, marked
from idp.web.browser_session import current_sessions
from idp.web.context import services
from idp.web.guards import AGAIN, verdict
from idp.web.pages import page

DONE = "done"
"""In the query of the page that follows a deed: which one it was."""
_ACCOUNT = marked("Your account")
_ADMINISTRATION = marked("Administration")
_DEVELOPERS = marked("Developers")


@dataclass(frozen=True)
class Section:
    """An entry of a console's navigation: its words, and the endpoint of its first page."""

    label: Text
    endpoint: str


@dataclass(frozen=True)
class Console:
    """A console: `account`, `developer` or `admin`, its name, what a person sees of it."""

    key: str
    name: Text
    sections: Sequence[Section]


def console_page(
    template: str,
    session: Session,
    console: Console,
    current: str,
    code: int = 200,
    /,
    **values: object,
) -> Response:
    """Render a page of a console. `current` is the endpoint of the section that it belongs to."""
    return page(
        template,
        code,
        console=_frame(session, console, current),
        account=session.account,
        again=AGAIN in request.args,
        **values,
    )


def _frame(session: Session, console: Console, current: str) -> dict[str, object]:
    links = [
        {
            "label": one.label,
            "url": url_for(one.endpoint),
            "current": one.endpoint == current,
        }
        for one in console.sections
    ]
    return {
        "name": console.name,
        "home_url": links[0]["url"] if links else url_for("home"),
        "links": links,
        "others": [one.account for one in current_sessions() if one.id != session.id],
        "switch_action": url_for("switch_account"),
        "another_url": url_for("start", another="1", next=f"/{console.key}"),
        "sign_out_action": url_for("sign_out_here"),
        "doors": _doors(session, console.key),
        "return_to": f"/{console.key}",
    }


def _doors(session: Session, key: str) -> list[dict[str, object]]:
    """Return where else this person may go."""
    doors: list[dict[str, object]] = [{"label": _ACCOUNT, "url": "/account"}]
    # What a policy asks of a sign-in is asked there: only who may never go there sees no door.
    if verdict(session, "developer", "view_applications").missing != "refused":
        doors.append({"label": _DEVELOPERS, "url": "/developer"})
    roles = services().requirements.standing(session.account.id).roles
    if roles & set(PRIVILEGED_ROLES):
        doors.append({"label": _ADMINISTRATION, "url": "/admin"})
    return [door for door in doors if door["url"] != f"/{key}"]
