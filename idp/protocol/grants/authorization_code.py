"""The authorization code grant: RFC 6749 section 4.1.3, with PKCE (RFC 7636)."""

from idp.domain.authorizations import ENDED, Issued, IssuedCode
from idp.domain.client_errors import Fault, Kind
from idp.domain.clients import Client
from idp.domain.errors import Refused
from idp.protocol import faults, pkce
from idp.protocol.errors import invalid_grant
from idp.protocol.grants.base import Grounds, TokenGrant, remaining_scopes

_UNKNOWN = Fault(Kind.CODE_UNKNOWN, "code")
_ANOTHER_URI = "another redirect_uri"
_KINDS = {
    "used before": Kind.CODE_USED,
    "reused or expired": Kind.CODE_USED,
    "expired": Kind.CODE_EXPIRED,
    "PKCE": Kind.CODE_VERIFIER,
    "no PKCE": Kind.CODE_CHALLENGE,
    ENDED: Kind.AUTHORIZATION_ENDED,
}
"""By the reason in the audit log."""


class AuthorizationCodeGrant(TokenGrant):
    """Redeems a code. A wrong presentation burns it: whoever holds it has no second try."""

    GRANT_TYPE = "authorization_code"

    def prepare(self, client: Client) -> Grounds:
        """Check the code and everything it is bound to."""
        self.code = self.request.required("code")
        found = self.server.parts.authorizations.find_code(self.code)
        if found is None:
            raise invalid_grant(_UNKNOWN)
        if fault := self._fault(found, client):
            self.count_refusal(client)
            self.server.parts.authorizations.burn_code(
                self.code, found, client.client_id, fault, self.request.origin
            )
            raise invalid_grant(self._told(fault, found, client), recorded=True)
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
            (redirect_uri not in allowed, _ANOTHER_URI),
            (not pkce.verifies(found.code_challenge, verifier), "PKCE"),
            (client.require_pkce and found.code_challenge is None, "no PKCE"),
        )
        return next((reason for failed, reason in checks if failed), None)

    def _told(self, reason: str, found: IssuedCode, client: Client) -> Fault:
        """Return what the client's developer is told: nothing of a code that is another's."""
        if found.authorization.client_id != client.client_id:
            return _UNKNOWN
        if reason == _ANOTHER_URI:
            used = (found.redirect_uri,) if found.redirect_uri else client.redirect_uris
            return faults.code_redirect_uri(used, self.request.values.get("redirect_uri", ""))
        kind = _KINDS.get(reason, Kind.OTHER)
        if kind is not Kind.CODE_VERIFIER:
            return Fault(kind, "code")
        verifier = self.request.values.get("code_verifier")
        text = pkce.verifier_problem(found.code_challenge, verifier)
        return Fault(kind, "code_verifier", difference=text)

    def commit(self, issued: Issued) -> None:
        """Use up the code: of many at once, one wins."""
        try:
            self.server.parts.authorizations.redeem(
                self.code, self.found, issued, self.request.origin
            )
        except Refused as error:
            kind = _KINDS.get(error.reason, Kind.OTHER)
            raise invalid_grant(Fault(kind, "code"), recorded=True) from error
