"""The OAuth server: Authlib's core with what is enabled here.

Authlib finds the grant or endpoint for a request and translates errors; everything it leaves open
or leaves unsafe is in the modules that `configure` names.
"""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationServer as AuthlibServer
from authlib.oauth2.rfc6749 import OAuth2Error, OAuth2Request

from idp.config import Settings
from idp.domain.accounts import Accounts
from idp.domain.audit import Audit, Entry, Origin
from idp.domain.authorizations import Authorizations
from idp.domain.client_errors import ClientErrors, Told
from idp.domain.clients import Client, Clients
from idp.domain.refresh_tokens import RefreshTokens
from idp.domain.resources import Resources
from idp.domain.subjects import Subjects
from idp.domain.throttling import Throttle
from idp.protocol import faults
from idp.protocol.client_assertions import ClientAssertions
from idp.protocol.client_authentication import ClientAuthentication, named_by
from idp.protocol.errors import MachineError
from idp.protocol.id_token_hints import IdTokenHints
from idp.protocol.machine_request import MachineRequest, machine
from idp.protocol.tokens import Mint
from idp.store.errors import StoreError

Answer = tuple[int, Any, list[tuple[str, str]]]
"""Status, body (an object, or empty) and headers."""


@dataclass(frozen=True)
class Parts:
    """What grants and endpoints work with."""

    settings: Settings
    accounts: Accounts
    clients: Clients
    client_errors: ClientErrors
    resources: Resources
    authorizations: Authorizations
    refresh_tokens: RefreshTokens
    audit: Audit
    throttle: Throttle
    subjects: Subjects
    mint: Mint
    hints: IdTokenHints
    assertions: ClientAssertions


def endpoint_of(uri: str) -> str:
    """Return the last word of an endpoint's address: `token`."""
    return uri.rpartition("/")[2]


class AuthorizationServer(AuthlibServer):
    """Takes a MachineRequest, returns an Answer; knows nothing of Flask."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self.parts = parts
        self.authentication = ClientAuthentication(
            parts.clients, parts.resources, parts.assertions, parts.audit, parts.throttle
        )

    def token(self, request: MachineRequest) -> Answer:
        """Answer a token request."""
        try:
            request.required("grant_type")  # Authlib calls a missing one unsupported
        except MachineError as error:
            return self.handle_error_response(request, error)
        answer: Answer = self.create_token_response(request)
        if answer[0] == HTTPStatus.OK and request.sender:
            # What was issued goes out, whether or not its use can be noted.
            with suppress(StoreError):
                self.parts.clients.used(request.sender)
        return answer

    def endpoint(self, name: str, request: MachineRequest) -> Answer:
        """Answer a request to a registered endpoint."""
        answer: Answer = self.create_endpoint_response(name, request)  # type: ignore[no-untyped-call]
        return answer

    def create_oauth2_request(self, request: MachineRequest) -> MachineRequest:
        """Authlib asks for its request: it is one already."""
        return request

    def authenticate_client(
        self, request: OAuth2Request, methods: Collection[str] = (), endpoint: str = "token"
    ) -> Any:
        """Prove the client by the one mechanism it registered, not by the first that fits."""
        return self.authentication.client(machine(request))

    def handle_error_response(self, request: OAuth2Request, error: OAuth2Error) -> Answer:
        """Answer with an error, and record it. Raises Throttled."""
        asked = machine(request)
        self.record_refusal(asked.uri, error, asked.origin, asked.sender)
        self.note(asked, error)
        return self.handle_response(*error())

    def note(self, request: MachineRequest, error: OAuth2Error) -> None:
        """Tell the developer of the client that sent a request, or is named in it."""
        client = request.sender or self.parts.clients.find(named_by(request))
        if client is None:
            return
        if not isinstance(error, MachineError):  # Authlib's own: it found no grant
            fault = faults.grant_type(request.values.get("grant_type", ""), client.grant_types)
            error = MachineError(str(error.error), str(error.description or ""), fault=fault)
        proven = request.sender is not None and not client.public
        self.tell(client, endpoint_of(request.uri), error, request.origin, proven=proven)

    def tell(
        self, client: Client, endpoint: str, error: MachineError, origin: Origin, *, proven: bool
    ) -> None:
        """Tell a client's developer; `proven`: the client is known to have sent the request."""
        told = Told(endpoint, str(error.error), str(error.description or ""), error.fault)
        self.parts.client_errors.note(client.client_id, told, origin, proven=proven)

    def record_refusal(
        self, uri: str, error: OAuth2Error, origin: Origin, client: Client | None = None
    ) -> None:
        """Write down, unless that was done, why a request was refused that `client`, if any, is
        proven to have sent. Raises Throttled.
        """
        if getattr(error, "recorded", False):
            return
        self.parts.throttle.count("refusal", origin.address)
        client_id = client.client_id if client else None
        entry = Entry(
            f"{endpoint_of(uri)}.refused",
            f"client:{client_id}" if client_id else "anyone",
            None,
            client_id,
            detail={
                "error": error.error,
                "reason": getattr(error, "reason", error.description) or "",
            },
        )
        self.parts.audit.refuse(origin, entry)

    def handle_response(self, status: int, body: Any, headers: Any) -> Answer:
        """Hand the answer on; web makes it HTTP."""
        return status, dict(body) if body else {}, list(headers)

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""
