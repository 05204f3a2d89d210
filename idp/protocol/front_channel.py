"""What a finished authorization request hands out: a code, and tokens where the client may have
them from the authorization endpoint (OpenID Connect Core sections 3.2.2.5 and 3.3.2.5, RFC 6749
section 4.2.2).
"""

from idp.config import SHORTEST_ACCESS_TOKEN
from idp.domain.approvals import Opening
from idp.domain.authorizations import Authorization, Issued
from idp.domain.clients import Client
from idp.protocol.authorization_request import AuthorizationRequest
from idp.protocol.id_token import Bindings
from idp.protocol.resource_indicators import audience
from idp.protocol.response_types import ID_TOKEN, IMPLICIT, TOKEN
from idp.protocol.server import Parts
from idp.protocol.tokens import AccessToken


def issue(
    parts: Parts, asked: AuthorizationRequest, client: Client, opening: Opening
) -> tuple[dict[str, str], Issued | None]:
    """Mint what was asked for: return the parameters for the client, and what is to be recorded of
    an access token. Raises InvalidTarget, NoKeys.

    Nothing of it counts until the authorization is opened.
    """
    values = {} if opening.code is None else {"code": opening.code}
    authorization = opening.authorization
    if authorization is None:
        return values, None
    issued = None
    if TOKEN in asked.response_type:
        token, issued = _access_token(parts, client, authorization)
        values |= {
            "access_token": token.value,
            "token_type": "Bearer",
            "expires_in": str(token.expires_in),
            "scope": " ".join(authorization.scopes),
        }
    if ID_TOKEN in asked.response_type:
        # Whoever never gets an access token can't ask userinfo (section 5.4).
        alone = asked.response_type == {ID_TOKEN}
        bindings = Bindings(asked.nonce, values.get("access_token"), opening.code, asked.state)
        values["id_token"] = parts.mint.id_token(
            client, authorization, authorization.scopes, bindings, every_claim=alone
        )
    return values, issued


def _access_token(
    parts: Parts, client: Client, authorization: Authorization
) -> tuple[AccessToken, Issued]:
    """It passes through the browser, so it lives no longer than the shortest that there are."""
    resources = (authorization.resource,) if authorization.resource else ()
    scopes = authorization.scopes
    target = audience(resources, scopes, client, parts.resources, parts.settings.issuer)
    token = parts.mint.access_token(
        client, authorization, scopes, target.aud, SHORTEST_ACCESS_TOKEN
    )
    return token, Issued(IMPLICIT, client.client_id, scopes, tuple(target.aud), token.jti)
