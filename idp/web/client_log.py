"""What goes wrong in a browser, written into the error log of the client that sent it there."""

from flask import request

from idp.domain.client_errors import Told
from idp.protocol.errors import RedirectedError, ShownError
from idp.protocol.server import endpoint_of
from idp.web.context import origin, services

_ANSWERS = frozenset(
    {
        "access_denied",
        "account_selection_required",
        "consent_required",
        "interaction_required",
        "login_required",
    }
)
"""What a client asked to be told, or a person decided: nothing of it is the client's mistake."""


def note(error: ShownError | RedirectedError, client_id: str | None) -> None:
    """Write an error down for the developer of a client; nobody can prove to be it here."""
    if client_id is None or error.error in _ANSWERS:
        return
    told = Told(endpoint_of(request.path), error.error, error.description, error.fault)
    services().client_errors.note(client_id, told, origin(), proven=False)
