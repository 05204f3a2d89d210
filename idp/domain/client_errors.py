"""What clients were told that was wrong, kept for who develops them: their own error log.

It is written after the answer is decided and never changes it. Strangers can name any client, so
what they cause is kept apart from what a client is proven to have sent, and neither grows beyond
the newest few; equal errors are counted.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from idp.crypto.secrets import digest
from idp.domain.audit import Origin
from idp.domain.clock import Clock
from idp.domain.unrevealing import shortened, unrevealing
from idp.store import client_errors as rows
from idp.store.database import RowMapping, Store
from idp.store.errors import StoreError

MOST = 100
"""Errors kept of a client that it is proven to have caused, and as many others."""
KEPT = 7 * 86400
"""Seconds after which an error that did not come again is forgotten."""
_LONGEST_LIST = 20
_LOG = logging.getLogger(__name__)


class Kind(StrEnum):
    """What was wrong: the name of its paragraph on the help page."""

    REDIRECT_URI = "redirect-uri"
    RESPONSE_TYPE = "response-type"
    RESPONSE_MODE = "response-mode"
    SCOPE = "scope"
    RESOURCE = "resource"
    PARAMETER = "parameter"
    CODE_CHALLENGE = "code-challenge"
    REQUEST_OBJECT = "request-object"
    REQUEST_URI = "request-uri"
    UNKNOWN_CLIENT = "unknown-client"
    AUTHENTICATION_METHOD = "authentication-method"
    CLIENT_SECRET = "client-secret"
    CLIENT_ASSERTION = "client-assertion"
    CLIENT_KEYS = "client-keys"
    REQUEST_FORM = "request-form"
    GRANT_TYPE = "grant-type"
    CODE_UNKNOWN = "code-unknown"
    CODE_USED = "code-used"
    CODE_EXPIRED = "code-expired"
    CODE_REDIRECT_URI = "code-redirect-uri"
    CODE_VERIFIER = "code-verifier"
    AUTHORIZATION_ENDED = "authorization-ended"
    REFRESH_UNKNOWN = "refresh-unknown"
    REFRESH_EXPIRED = "refresh-expired"
    REFRESH_REUSED = "refresh-reused"
    ID_TOKEN_HINT = "id-token-hint"
    POST_LOGOUT_REDIRECT_URI = "post-logout-redirect-uri"
    REGISTRATION_TOKEN = "registration-token"
    REGISTRATION = "registration"
    OTHER = "other"


_KINDS = {kind.value: kind for kind in Kind}


@dataclass(frozen=True)
class Fault:
    """What exactly was wrong: what was sent for a parameter, what would have been right (the
    closest first), and the difference in words.

    Only values that are no secrets, such as addresses and names: never codes, tokens, verifiers.
    """

    kind: Kind
    parameter: str = ""
    sent: str = ""
    expected: tuple[str, ...] = ()
    difference: str = ""


@dataclass(frozen=True)
class Told:
    """An error as a client got it, and where; `fault` is for its developer alone."""

    endpoint: str
    error: str
    description: str
    fault: Fault = field(default_factory=lambda: Fault(Kind.OTHER))


@dataclass(frozen=True)
class ClientError:
    """What a client was told `times` times, the last time in the request `request_id`.

    `proven`: it is known to have sent that; else somebody did who named it.
    """

    told: Told
    proven: bool
    first_at: int
    last_at: int
    times: int
    request_id: str


class ClientErrors:
    """The error logs of all clients."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def note(self, client_id: str, told: Told, origin: Origin, *, proven: bool) -> None:
        """Write down what a client was told, if it is registered here.

        Nothing is raised when the database does not take it: the answer matters more.
        """
        if not (client_id.isascii() and client_id.isprintable()):
            return  # no client's, and not every database takes such a text
        now, row = int(self._clock()), _as_row(told)
        values = {
            "digest": digest("client error", json.dumps([client_id, proven, row])),
            "client_id": client_id,
            "proven": proven,
            "told": row,
            "now": now,
            "request_id": origin.request_id,
            "expires_at": now + KEPT,
        }
        try:
            with self._store.writing() as connection:
                if rows.note(connection, values) == 1:
                    rows.trim(connection, client_id, MOST, proven=proven)
        except StoreError as error:
            _LOG.warning("an error of a client is not in its log: %s", error)

    def latest(self, client_id: str, most: int = 2 * MOST) -> Sequence[ClientError]:
        """Return the errors of a client, newest first."""
        now = int(self._clock())
        with self._store.reading() as connection:
            return [_from_row(row) for row in rows.latest(connection, client_id, now, most)]


def _as_row(told: Told) -> dict[str, Any]:
    fault = told.fault
    return {
        "endpoint": told.endpoint,
        "error": unrevealing(told.error),
        "description": unrevealing(told.description),
        "kind": fault.kind.value,
        "parameter": unrevealing(fault.parameter),
        "sent": unrevealing(fault.sent, known=fault.expected),
        "expected": [shortened(each) for each in fault.expected[:_LONGEST_LIST]],
        "difference": unrevealing(fault.difference),
    }


def _from_row(row: RowMapping) -> ClientError:
    told: Mapping[str, Any] = row["told"]
    fault = Fault(
        _KINDS.get(told["kind"], Kind.OTHER),
        told["parameter"],
        told["sent"],
        tuple(told["expected"]),
        told["difference"],
    )
    return ClientError(
        Told(told["endpoint"], told["error"], told["description"], fault),
        row["proven"],
        row["first_at"],
        row["last_at"],
        row["times"],
        row["request_id"],
    )
