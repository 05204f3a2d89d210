"""What the pages of the developer console share: navigation, what was done, whose it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Response, request, url_for

from idp.domain.audit import By, Entry
from idp.domain.clients import Client
from idp.domain.errors import NotFound
from idp.domain.sessions import Session
from idp.domain.texts import marked
from idp.web.consoles import DONE, Console, Section, console_page
from idp.web.context import origin, services
from idp.web.pages import see_other

CONSOLE = Console(
    "developer",
    marked("Developers"),
    (Section(marked("Your applications"), "developer"),),
)
_DONE = {
    "registered": marked("The application is registered."),
    "changed": marked("Your changes were saved."),
    "secret-ended": marked("The old secret has ended."),
    "deleted": marked("The application is deleted, and everything that it was given with it."),
}


def developer_page(
    template: str, session: Session, code: int = 200, /, **values: object
) -> Response:
    """Render a page of the console."""
    done = _DONE.get(request.args.get(DONE, "")) if request.method == "GET" else None
    name = f"developer/{template}"
    return console_page(name, session, CONSOLE, "developer", code, done=done, **values)


def after(endpoint: str, done: str, **values: Any) -> Response:
    """Lead to the page that says what was done."""
    return see_other(f"{url_for(endpoint, **values)}?{DONE}={done}")


def by(session: Session) -> By:
    """Return who changes something: the owner, in this session."""
    return By(f"account:{session.account.id}", origin(), session.id)


@contextmanager
def own(session: Session, what: str) -> Iterator[None]:
    """Record whoever asks for what is not theirs, or not there: the answer is 404 in either case
    (SECURITY cases 105 and 136). Raises NotFound, Throttled.
    """
    try:
        yield
    except NotFound:
        services().throttle.count("refusal", origin().address)
        person = session.account.id
        detail = {"action": f"developer/{what}", "because": "not theirs, or not there"}
        entry = Entry("access.refused", f"account:{person}", person, detail=detail)
        services().audit.refuse(origin(), entry)
        raise


def owned(session: Session, client_id: str, what: str, *, change: bool = False) -> Client:
    """Return an application of the person, one that may be changed if that is wanted. Raises
    NotFound, MayNotNow, Throttled.
    """
    clients = services().registering.owned
    find = clients.changeable if change else clients.get
    with own(session, what):
        return find(session.account.id, client_id)
