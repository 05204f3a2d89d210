"""What every grant at the token endpoint does (RFC 6749 section 3.2): prove the client, prepare,
mint, commit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc6749.grants.base import BaseGrant, TokenEndpointMixin

from idp.domain.authorizations import Authorization, Issued
from idp.domain.client_errors import Fault, Kind
from idp.domain.client_keys import NoKeys
from idp.domain.clients import Client
from idp.protocol import client_tokens, faults
from idp.protocol.errors import MachineError
from idp.protocol.id_token import Bindings
from idp.protocol.machine_request import MachineRequest
from idp.protocol.resource_indicators import Audience, InvalidTarget, audience
from idp.protocol.server import Answer, AuthorizationServer
from idp.protocol.tokens import AccessToken

_HEADERS = [
    ("Content-Type", "application/json"),
    ("Cache-Control", "no-store"),
    ("Pragma", "no-cache"),  # RFC 6749 section 5.1
]

NOTHING_LEFT = "Nothing of what was allowed is left."


@dataclass(frozen=True)
class Grounds:
    """On what tokens are issued. `refresh_token` is the one to hand out, if any."""

    client: Client
    scopes: tuple[str, ...]
    resources: tuple[str, ...] = ()
    authorization: Authorization | None = None
    nonce: str | None = None
    refresh_token: str | None = None


def remaining_scopes(authorization: Authorization, client: Client) -> tuple[str, ...]:
    """Return what was allowed and the client may still have. Raises MachineError."""
    found = tuple(scope for scope in authorization.scopes if scope in client.scopes)
    if not found:
        fault = faults.scope(" ".join(authorization.scopes), client.scopes)
        raise MachineError("invalid_scope", NOTHING_LEFT, fault=fault)
    return found


def invalid_target(text: str, asked: Sequence[str], own: str | None = None) -> MachineError:
    """Return the answer to resources that the token can't be for; `own` is the one it can be."""
    fault = Fault(Kind.RESOURCE, "resource", " ".join(asked), (own,) if own else ())
    return MachineError("invalid_target", text, fault=fault)


class TokenGrant(BaseGrant, TokenEndpointMixin):
    """A grant fills in `prepare` and `commit`.

    Authlib's own grants save the token before they use up what it was issued for, and log it.
    """

    request: MachineRequest
    server: AuthorizationServer

    def validate_token_request(self) -> None:
        """Prove the client and that it may use this grant, then let the grant look at the rest."""
        client = self.server.authentication.client(self.request)
        if self.GRANT_TYPE not in client.grant_types:
            fault = faults.grant_type(self.GRANT_TYPE or "", client.grant_types)
            text = "This client may not use this grant type."
            raise MachineError("unauthorized_client", text, fault=fault)
        self.grounds = self.prepare(client)

    def create_token_response(self) -> Answer:
        """Mint, then make it count in one transaction; whoever loses that throws the
        tokens away.
        """
        parts, grounds = self.server.parts, self.grounds
        target = self._target(grounds)
        token = parts.mint.access_token(
            grounds.client, grounds.authorization, grounds.scopes, target.aud, target.lifetime
        )
        body = self._body(grounds, token)
        issued = Issued(
            self.GRANT_TYPE or "",
            grounds.client.client_id,
            grounds.scopes,
            tuple(target.aud),
            token.jti,
            grounds.refresh_token,
        )
        self.commit(issued)
        return 200, body, _HEADERS

    def count_refusal(self, client: Client) -> None:
        """Count what anybody can make us write down: public clients prove nothing. Raises
        Throttled.
        """
        if client.public:
            self.server.parts.throttle.count("refusal", self.request.origin.address)

    def prepare(self, client: Client) -> Grounds:
        """Check what the grant rests on, without using it up. Raises MachineError."""
        raise MachineError("unsupported_grant_type", "There is no such grant.")

    def commit(self, issued: Issued) -> None:
        """Use up what the grant rests on and write what was issued. Raises MachineError."""
        raise MachineError("unsupported_grant_type", "There is no such grant.")

    def _target(self, grounds: Grounds) -> Audience:
        try:
            return self.audience_of(grounds.resources, grounds.scopes, grounds.client)
        except InvalidTarget as error:
            raise invalid_target(str(error), grounds.resources) from error

    def audience_of(
        self, resources: Sequence[str], scopes: Sequence[str], client: Client
    ) -> Audience:
        """Return who the access token is for. Raises InvalidTarget."""
        parts = self.server.parts
        return audience(resources, scopes, client, parts.resources, parts.settings.issuer)

    def resources_of(self, authorization: Authorization, client: Client) -> tuple[str, ...]:
        """Return the resource that the token is asked for, if any. Raises MachineError.

        It may be the one that was authorized, or that owns the scopes which were, and no other:
        nobody was asked about another (RFC 8707 section 2.2).
        """
        asked, authorized = self.request.resources, authorization.resource
        if not asked:
            return (authorized,) if authorized else ()
        try:
            own = authorized or self.audience_of((), authorization.scopes, client).resource
        except InvalidTarget as error:
            raise invalid_target(str(error), asked) from error
        if any(uri != own for uri in asked):
            raise invalid_target("The resource was not authorized.", asked, own)
        return asked

    def _body(self, grounds: Grounds, token: AccessToken) -> dict[str, Any]:
        body: dict[str, Any] = {
            "access_token": token.value,
            "token_type": "Bearer",
            "expires_in": token.expires_in,
        }
        if grounds.scopes:
            body["scope"] = " ".join(grounds.scopes)
        if grounds.refresh_token:
            body["refresh_token"] = grounds.refresh_token
        if grounds.authorization and "openid" in grounds.scopes:
            bindings = Bindings(grounds.nonce, token.value)
            body["id_token"] = self._id_token(grounds.client, grounds.authorization, bindings)
        return body

    def _id_token(self, client: Client, authorization: Authorization, bindings: Bindings) -> str:
        mint, scopes = self.server.parts.mint, self.grounds.scopes
        try:
            return mint.id_token(client, authorization, scopes, bindings)
        except NoKeys as error:
            raise client_tokens.refused(error) from error
