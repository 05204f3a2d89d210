"""The client credentials grant: RFC 6749 section 4.4. No person, so no refresh token and no ID
token.
"""

from idp.domain.authorizations import Issued
from idp.domain.client_errors import Fault, Kind
from idp.domain.clients import Client
from idp.protocol import faults, scopes
from idp.protocol.errors import MachineError
from idp.protocol.grants.base import Grounds, TokenGrant


class ClientCredentialsGrant(TokenGrant):
    """Issues an access token to a confidential client for itself."""

    GRANT_TYPE = "client_credentials"

    def prepare(self, client: Client) -> Grounds:
        """Check what is asked."""
        if client.public:
            fault = Fault(Kind.GRANT_TYPE, "grant_type", self.GRANT_TYPE)
            raise MachineError("unauthorized_client", "Only confidential clients may.", fault=fault)
        try:
            asked = scopes.parse(self.request.values.get("scope", ""))
            granted = scopes.for_client_credentials(asked, client)
        except scopes.InvalidScope as error:
            fault = faults.scope(self.request.values.get("scope", ""), client.scopes)
            raise MachineError("invalid_scope", str(error), fault=fault) from error
        if not asked and self.request.resources:
            granted = self._at(self.request.resources[0], granted)
        return Grounds(client, tuple(granted), self.request.resources)

    def _at(self, resource: str, scopes: list[str]) -> list[str]:
        """Return what a client may do at the resource it named (RFC 8707 section 2.2)."""
        server = self.server.parts.resources.find(resource)
        return [scope for scope in scopes if server and scope in server.scopes]

    def commit(self, issued: Issued) -> None:
        """Record it."""
        self.server.parts.authorizations.issued_to_client(issued, self.request.origin)
