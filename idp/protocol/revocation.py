"""Token revocation: RFC 7009. The answer is the same for tokens unknown, foreign and revoked."""

from authlib.oauth2.rfc6749 import OAuth2Request
from authlib.oauth2.rfc7009 import RevocationEndpoint

from idp.crypto.jwt import BadToken
from idp.domain.clients import Client
from idp.protocol.machine_request import MachineRequest, machine
from idp.protocol.server import Answer, AuthorizationServer


class Revocation(RevocationEndpoint):
    """A refresh token takes its authorization along, an access token goes alone (section 2.1)."""

    server: AuthorizationServer

    def create_endpoint_response(self, request: OAuth2Request) -> Answer:
        """Answer what Authlib hands over."""
        return self.answer(machine(request))

    def answer(self, request: MachineRequest) -> Answer:
        """Revoke if it is the client's own, and say nothing about whether it was."""
        client = self.server.authentication.client(request)
        token = request.required("token")
        if token.count(".") == 2:
            self._access_token(token, client, request)
        else:
            self._refresh_token(token, client, request)
        return 200, {}, [("Content-Type", "application/json"), ("Cache-Control", "no-store")]

    def _access_token(self, token: str, client: Client, request: MachineRequest) -> None:
        parts = self.server.parts
        try:
            claims = parts.mint.read_access_token(token)
        except BadToken:
            return
        if claims.client_id == client.client_id:
            parts.authorizations.revoke_access_token(
                claims.jti, claims.expires_at, client.client_id, request.origin
            )

    def _refresh_token(self, token: str, client: Client, request: MachineRequest) -> None:
        parts = self.server.parts
        found = parts.refresh_tokens.find(token)
        if found and found.authorization.client_id == client.client_id:
            parts.authorizations.revoke(
                found.authorization, "revoked by the client", request.origin
            )
