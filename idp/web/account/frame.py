"""What the pages of the account console share: navigation, what was done, whose things they are."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Response, request, url_for

from idp.domain.audit import By, Entry
from idp.domain.errors import NotFound
from idp.domain.sessions import Session, binding_of
from idp.domain.texts import marked
from idp.web.browser_session import browser_cookie
from idp.web.consoles import DONE, Console, Section, console_page
from idp.web.context import origin, services
from idp.web.pages import see_other

CONSOLE = Console(
    "account",
    marked("Your account"),
    (
        Section(marked("Home"), "account_home"),
        Section(marked("Personal info"), "account_profile"),
        Section(marked("Security"), "account_security"),
        Section(marked("Sessions and devices"), "account_sessions"),
        Section(marked("Connected apps"), "account_applications"),
        Section(marked("Activity"), "account_activity"),
        Section(marked("Data and privacy"), "account_data"),
    ),
)
_DONE = {
    "profile": marked("Your changes were saved."),
    "preferences": marked("Language and appearance were saved."),
    "address": marked("Your address was changed. Both addresses get a mail about it."),
    "password": marked("Your password was changed. You were signed out everywhere else."),
    "password-removed": marked("Your password was removed."),
    "passkey": marked("The passkey was added. Give it a name that you will know again."),
    "authenticator": marked("The authenticator app was added."),
    "renamed": marked("The new name was saved."),
    "removed": marked("It was removed. You were signed out everywhere else."),
    "session-ended": marked("That session has ended."),
    "sessions-ended": marked("You were signed out everywhere else."),
    "forgotten": marked("That browser was forgotten."),
    "distrusted": marked("That browser is not trusted any more."),
    "application": marked("Its access was removed."),
    "kept": marked("Your account stays. Nothing will be deleted."),
}


def account_page(
    template: str, session: Session, current: str, code: int = 200, /, **values: object
) -> Response:
    """Render a page of the section whose endpoint is `current`."""
    done = _DONE.get(request.args.get(DONE, "")) if request.method != "POST" else None
    name = f"account/{template}"
    return console_page(name, session, CONSOLE, current, code, done=done, **values)


def after(endpoint: str, done: str, **values: Any) -> Response:
    """Lead to the page that says what was done."""
    return see_other(f"{url_for(endpoint, **values)}?{DONE}={done}")


def by(session: Session) -> By:
    """Return who changes something: the person themself, in this session."""
    return By(f"account:{session.account.id}", origin(), session.id)


def binding() -> bytes:
    """Return what ties an enrolment to this browser."""
    return binding_of(browser_cookie())


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
        detail = {"action": f"account/{what}", "because": "not theirs, or not there"}
        entry = Entry("access.refused", f"account:{person}", person, detail=detail)
        services().audit.refuse(origin(), entry)
        raise
