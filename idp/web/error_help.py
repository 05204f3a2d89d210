"""For who develops an application: the developer's half of the error page, and what each error
means.
"""

from datetime import UTC, datetime

from flask import Response, url_for

from idp.domain.clients import Client
from idp.protocol.errors import ShownError
from idp.web.browser_session import current_session
from idp.web.client_log import explained
from idp.web.context import origin, services
from idp.web.fault_texts import EXPLAINED
from idp.web.guards import verdict
from idp.web.pages import page


def error_help() -> Response:
    """Explain every kind of error; pages that show one link to its paragraph."""
    kinds = [{"name": kind.value, **vars(text)} for kind, text in EXPLAINED.items()]
    return page("error_help.html", kinds=kinds)


def developer_half(error: ShownError, client: Client | None) -> dict[str, object]:
    """Return the part of an error page that is for developers.

    What is registered is shown to who looks after the client, and to nobody else; the difference in
    words in development too.
    """
    log_url, fault = _log_url(client), explained(error.fault)
    known = log_url is not None
    told = known or services().settings.development
    return {
        "error": error.error,
        "description": error.description,
        "parameter": error.parameter,
        "received": error.received,
        "rule": error.rule,
        "comparison": {**fault, "difference": None} if known and fault["right"] else None,
        "difference": error.fault.difference if told else None,
        "advice": fault["advice"],
        "docs_url": fault["help_url"],
        "log_url": log_url,
        "in_log": client is not None,
        "copied": _copied(error),
    }


def _log_url(client: Client | None) -> str | None:
    """Return the address of a client's error log, for who may see it."""
    session = current_session() if client else None
    if client is None or session is None:
        return None
    own = client.owner_id == session.account.id
    if own and verdict(session, "developer", "view_applications").enough:
        return url_for("developer_errors", client_id=client.client_id)
    if verdict(session, "admin", "view_clients").enough:
        return url_for("admin_client_errors", client_id=client.client_id)
    return None


def _copied(error: ShownError) -> str:
    """Return what a developer pastes into a message: nothing that the page does not show."""
    moment = datetime.fromtimestamp(int(services().clock()), UTC)
    lines = {
        "error": error.error,
        "description": error.description,
        "client": error.client_id,
        "parameter": error.parameter,
        "received": error.received,
        "rule": error.rule,
        "issuer": services().settings.issuer,
        "request": origin().request_id,
        "time": moment.isoformat().replace("+00:00", "Z"),
    }
    return "\n".join(f"{name}: {value}" for name, value in lines.items() if value)
