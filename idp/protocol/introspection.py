"""Token introspection: RFC 7662. A live check, never from memory."""

from typing import Any

from authlib.oauth2.rfc6749 import OAuth2Request
from authlib.oauth2.rfc7662 import IntrospectionEndpoint

from idp.crypto.jwt import BadToken
from idp.domain.audit import Entry
from idp.domain.authorizations import Authorization
from idp.domain.clients import Client
from idp.domain.refresh_tokens import PresentedRefresh
from idp.domain.resources import ResourceServer
from idp.protocol.machine_request import MachineRequest, machine
from idp.protocol.server import Answer, AuthorizationServer
from idp.protocol.tokens import AccessClaims

INACTIVE = {"active": False}


class Introspection(IntrospectionEndpoint):
    """A client learns of what was issued to it, a resource server of what names it in `aud`.

    Everybody else is told that the token is not active (section 2.2); `token_type_hint` is a hint.
    """

    server: AuthorizationServer

    def create_endpoint_response(self, request: OAuth2Request) -> Answer:
        """Answer what Authlib hands over."""
        return self.answer(machine(request))

    def answer(self, request: MachineRequest) -> Answer:
        """Answer one question."""
        asker = self.server.authentication.introspector(request)
        token = request.required("token")
        headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
        if token.count(".") == 2:
            return 200, self._access_token(token, asker, request), headers
        return 200, self._refresh_token(token, asker), headers

    def _access_token(
        self, token: str, asker: Client | ResourceServer, request: MachineRequest
    ) -> dict[str, Any]:
        parts = self.server.parts
        try:
            claims = parts.mint.read_access_token(token)
        except BadToken:
            return INACTIVE
        if not _may_ask(asker, claims):
            parts.throttle.count("introspection", request.origin.address)
            detail = {"asker": _name(asker), "jti": claims.jti}
            entry = Entry("introspection", _name(asker), None, claims.client_id, detail=detail)
            parts.audit.refuse(request.origin, entry)
            return INACTIVE
        live, authorization = live_authorization(self.server, claims)
        if not live:
            return INACTIVE
        answer: dict[str, Any] = {
            "active": True,
            "iss": parts.settings.issuer,
            "sub": claims.subject,
            "client_id": claims.client_id,
            "aud": claims.audience[0] if len(claims.audience) == 1 else list(claims.audience),
            "scope": " ".join(claims.scopes),
            "exp": claims.expires_at,
            "iat": claims.issued_at,
            "jti": claims.jti,
            "token_type": "Bearer",
        }
        if authorization:
            if "email" in claims.scopes and _may_know(asker, parts.clients.find(claims.client_id)):
                answer["username"] = authorization.account.email
            answer["auth_time"] = authorization.auth_time
            answer["acr"] = authorization.acr
            answer["amr"] = list(authorization.amr)
        return answer

    def _refresh_token(self, token: str, asker: Client | ResourceServer) -> dict[str, Any]:
        """Refresh tokens are between us and the client: no resource server learns of them."""
        found = self.server.parts.refresh_tokens.find(token)
        if found is None or not isinstance(asker, Client) or not _is_live(found, asker):
            return INACTIVE
        authorization = found.authorization
        return {
            "active": True,
            "iss": self.server.parts.settings.issuer,
            "sub": self.server.parts.subjects.of(authorization.account, asker),
            "client_id": authorization.client_id,
            "scope": " ".join(authorization.scopes),
            "exp": found.expires_at,
            "iat": found.issued_at,
        }


def live_authorization(
    server: AuthorizationServer, claims: AccessClaims
) -> tuple[bool, Authorization | None]:
    """Whether a token that verifies is live, and the authorization behind it: the one live check.

    Not revoked, authorization open, bound session alive, account and client enabled.
    """
    parts = server.parts
    client = parts.clients.find(claims.client_id)
    if client is None or client.disabled:
        return False, None
    if claims.authorization_id is None:
        return not parts.authorizations.is_revoked(claims.jti), None
    authorization = parts.authorizations.live(claims.authorization_id, claims.jti)
    return authorization is not None, authorization


def _may_ask(asker: Client | ResourceServer, claims: AccessClaims) -> bool:
    if isinstance(asker, Client):
        return asker.client_id == claims.client_id
    return asker.identifier in claims.audience


def _may_know(asker: Client | ResourceServer, client: Client | None) -> bool:
    """Whether the asker may know a person by something that is the same everywhere: an API could
    join by it whom its pairwise clients can't (OpenID Connect Core section 8.1).
    """
    return isinstance(asker, Client) or (client is not None and client.sector is None)


def _is_live(found: PresentedRefresh, asker: Client) -> bool:
    if asker.client_id != found.authorization.client_id:
        return False
    return found.authorization.open and not found.expired and not found.superseded


def _name(asker: Client | ResourceServer) -> str:
    if isinstance(asker, Client):
        return f"client:{asker.client_id}"
    return f"resource-server:{asker.identifier}"
