"""The error log of a client: what goes wrong in a browser is written into it, and pages show it."""

from collections.abc import Sequence
from datetime import UTC, datetime

from flask import request, url_for

from idp.domain.client_errors import ClientError, Fault, Kind, Told
from idp.domain.errors import Throttled
from idp.protocol import requested_acr
from idp.protocol.errors import RedirectedError, ShownError
from idp.protocol.metadata import AUTHORIZE, LOGOUT
from idp.protocol.server import endpoint_of
from idp.store.errors import StoreError
from idp.web.comparing import compared, whole
from idp.web.context import origin, services
from idp.web.fault_texts import EXPLAINED

_ANSWERS = frozenset(
    {
        "access_denied",
        "account_selection_required",
        "consent_required",
        "interaction_required",
        "login_required",
        requested_acr.UNMET,
    }
)
"""What a client asked to be told, or a person decided: nothing of it is the client's mistake."""
_COMPARED = frozenset(
    {
        Kind.REDIRECT_URI,
        Kind.POST_LOGOUT_REDIRECT_URI,
        Kind.CODE_REDIRECT_URI,
        Kind.REQUEST_URI,
        Kind.CLIENT_ASSERTION,
        Kind.REQUEST_OBJECT,
    }
)
"""Where one letter counts; elsewhere names are compared as a whole."""


def note(
    error: ShownError | RedirectedError, client_id: str | None, *, counted: bool = True
) -> None:
    """Write an error down for the developer of a client; nobody can prove to be it here.

    `counted`: against what the network may make us write. Else that is done here, and too many are
    not written.
    """
    if client_id is None or error.error in _ANSWERS:
        return
    if not counted and not _may_write():
        return
    # The path of an interaction holds its handle.
    where = endpoint_of(LOGOUT if request.path == LOGOUT else AUTHORIZE)
    told = Told(where, error.error, error.description, error.fault)
    services().client_errors.note(client_id, told, origin(), proven=False)


def _may_write() -> bool:
    try:
        services().throttle.count("refusal", origin().address)
    except (Throttled, StoreError):
        return False
    return True


def shown(client_id: str, most: int | None = None) -> Sequence[dict[str, object]]:
    """Return a client's errors as pages show them, newest first."""
    found = services().client_errors.latest(client_id)
    return [_line(entry) for entry in found[:most]]


def _line(entry: ClientError) -> dict[str, object]:
    moment = datetime.fromtimestamp(entry.last_at, UTC)
    return {
        "endpoint": entry.told.endpoint,
        "error": entry.told.error,
        "description": entry.told.description,
        "proven": entry.proven,
        "at": entry.last_at,
        "exact": moment.isoformat().replace("+00:00", "Z"),
        "first_at": entry.first_at,
        "times": entry.times,
        "request_id": entry.request_id,
        **explained(entry.told.fault),
    }


def explained(fault: Fault) -> dict[str, object]:
    """Return what a developer is told of a fault, with what was sent beside what is right."""
    text = EXPLAINED[fault.kind]
    closest = fault.expected[0] if fault.expected else ""
    letter_by_letter = fault.kind in _COMPARED
    sent, right = compared(fault.sent, closest) if letter_by_letter else ((), ())
    if not letter_by_letter:
        sent = whole(fault.sent)
        right = whole(" ".join(fault.expected))
    return {
        "sentence": text.sentence,
        "advice": text.advice,
        "parameter": fault.parameter,
        "sent": sent,
        "right": right,
        "right_label": text.expected,
        "others": fault.expected[1:] if letter_by_letter else (),
        "difference": fault.difference,
        "help_url": url_for("error_help") + f"#{fault.kind.value}",
    }
