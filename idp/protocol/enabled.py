"""What is enabled, in one list: read this to know what the machine endpoints can do."""

from idp.protocol.grants.authorization_code import AuthorizationCodeGrant
from idp.protocol.grants.client_credentials import ClientCredentialsGrant
from idp.protocol.grants.refresh_token import RefreshTokenGrant
from idp.protocol.introspection import Introspection
from idp.protocol.revocation import Revocation
from idp.protocol.server import AuthorizationServer, Parts

GRANTS = (AuthorizationCodeGrant, RefreshTokenGrant, ClientCredentialsGrant)
GRANT_TYPES = tuple(grant.GRANT_TYPE for grant in GRANTS)


def configure(parts: Parts) -> AuthorizationServer:
    """Return the server with its grants and endpoints."""
    server = AuthorizationServer(parts)
    for grant in GRANTS:
        server.register_grant(grant)
    server.register_endpoint(Introspection)
    server.register_endpoint(Revocation)
    return server
