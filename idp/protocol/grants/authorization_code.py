"""The authorization code grant: RFC 6749 section 4.1.3, with PKCE (RFC 7636)."""

from idp.domain.authorizations import Issued, IssuedCode
from idp.domain.clients import Client
from idp.domain.errors import Refused
from idp.protocol import pkce
from idp.protocol.errors import invalid_grant
from idp.protocol.grants.base import Grounds, TokenGrant, remaining_scopes


class AuthorizationCodeGrant(TokenGrant):
    """Redeems a code. A wrong presentation burns it: whoever holds it has no second try."""

    GRANT_TYPE = "authorization_code"

    def prepare(self, client: Client) -> Grounds:
        """Check the code and everything it is bound to."""
        self.code = self.request.required("code")
        found = self.server.parts.authorizations.find_code(self.code)
        if found is None:
            raise invalid_grant()
        if fault := self._fault(found, client):
            self.count_refusal(client)
            self.server.parts.authorizations.burn_code(
                self.code, found, client.client_id, fault, self.request.origin
            )
            raise invalid_grant(recorded=True)
        self.found = found
        authorization = found.authorization
        refreshable = "refresh_token" in client.grant_types
        return Grounds(
            client,
            remaining_scopes(authorization, client),
            self.resources_of(authorization, client),
            authorization,
            found.nonce,
            self.server.parts.refresh_tokens.first() if refreshable else None,
        )

    def _fault(self, found: IssuedCode, client: Client) -> str | None:
        """Return the reason why this code does not work for this request, or None."""
        verifier = self.request.values.get("code_verifier")
        redirect_uri = self.request.values.get("redirect_uri")
        # One that was not sent to the authorization endpoint need not be sent here (section 4.1.3).
        allowed = {found.redirect_uri} if found.redirect_uri else {None, *client.redirect_uris}
        checks = (
            (found.used, "used before"),
            (found.expired, "expired"),
            (found.authorization.client_id != client.client_id, "another client's"),
            (redirect_uri not in allowed, "another redirect_uri"),
            (not pkce.verifies(found.code_challenge, verifier), "PKCE"),
            (client.require_pkce and found.code_challenge is None, "no PKCE"),
        )
        return next((reason for failed, reason in checks if failed), None)

    def commit(self, issued: Issued) -> None:
        """Use up the code: of many at once, one wins."""
        try:
            self.server.parts.authorizations.redeem(
                self.code, self.found, issued, self.request.origin
            )
        except Refused as error:
            raise invalid_grant(recorded=True) from error
