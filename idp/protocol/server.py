"""The OAuth server: Authlib's core with what is enabled here.

Authlib finds the grant or endpoint for a request and translates errors; everything it leaves open
or leaves unsafe is in the modules that `configure` names.
"""

from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationServer as AuthlibServer

from idp.config import Settings
from idp.domain.accounts import Accounts
from idp.domain.audit import Audit
from idp.domain.authorizations import Authorizations
from idp.domain.clients import Client, Clients
from idp.domain.refresh_tokens import RefreshTokens
from idp.domain.resources import Resources
from idp.protocol.client_authentication import ClientAuthentication
from idp.protocol.machine_request import MachineRequest
from idp.protocol.tokens import Mint

Answer = tuple[int, Any, list[tuple[str, str]]]
"""Status, body (an object, or empty) and headers."""


@dataclass(frozen=True)
class Parts:
    """What grants and endpoints work with."""

    settings: Settings
    accounts: Accounts
    clients: Clients
    resources: Resources
    authorizations: Authorizations
    refresh_tokens: RefreshTokens
    audit: Audit
    mint: Mint


class AuthorizationServer(AuthlibServer):  # type: ignore[misc]
    """Takes a MachineRequest, returns an Answer; knows nothing of Flask."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self.parts = parts
        self.authentication = ClientAuthentication(parts.clients, parts.resources, parts.audit)

    def create_oauth2_request(self, request: MachineRequest) -> MachineRequest:
        """Authlib asks for its request: it is one already."""
        return request

    def query_client(self, client_id: str) -> Client | None:
        """Find a client."""
        return self.parts.clients.find(client_id)

    def authenticate_client(
        self, request: MachineRequest, methods: object = None, endpoint: str = "token"
    ) -> Client:
        """Prove the client by the one mechanism it registered, instead of by the first that fits."""
        return self.authentication.client(request)

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Answer:
        """Hand the answer on; web makes it HTTP."""
        return status, dict(body) if body else {}, headers

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""
