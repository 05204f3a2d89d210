"""The UserInfo endpoint: OpenID Connect Core section 5.3, bearer tokens as RFC 6750 says."""

from collections.abc import Mapping
from typing import Any

from idp.crypto.jwt import BadToken
from idp.domain.audit import Entry, Origin
from idp.domain.client_keys import NoKeys
from idp.protocol import claims, client_tokens
from idp.protocol.errors import MachineError, bearer_challenge, invalid_request
from idp.protocol.introspection import live_authorization
from idp.protocol.server import AuthorizationServer

REALM = "userinfo"
JSON = "application/json"
JWT = "application/jwt"


def bearer_token(headers: Mapping[str, str], values: Mapping[str, str]) -> str:
    """Return the token from the header or from the form, never from the query. Raises
    MachineError.
    """
    header = headers.get("Authorization")
    in_form = values.get("access_token")
    if header and in_form:
        raise invalid_request("There are two access tokens.")
    if in_form:
        return in_form
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        # Without a token the challenge carries no error code (RFC 6750 section 3.1).
        challenge = bearer_challenge(REALM)
        raise MachineError("invalid_token", "No access token.", 401, challenge, recorded=True)
    return token.strip()


def userinfo(
    server: AuthorizationServer, token: str, origin: Origin
) -> tuple[str, dict[str, Any] | str]:
    """Return the media type and what the token's scopes allow, and what was asked for one by one:
    an object, or a token where the client registered so (section 5.3.2). Raises MachineError.
    """
    try:
        found = server.parts.mint.read_access_token(token)
    except BadToken as error:
        raise _refused(server, error.reason, origin) from error
    live, authorization = live_authorization(server, found)
    client = server.parts.clients.find(found.client_id)
    if not live or authorization is None or client is None:
        raise _refused(server, "revoked, ended, or a client's own", origin)
    if "openid" not in found.scopes:
        raise _refused(server, "without openid", origin, insufficient=True)
    if server.parts.settings.issuer not in found.audience:
        raise _refused(server, "not for userinfo", origin)
    told = {
        "sub": server.parts.subjects.of(authorization.account, client),
        **claims.told(authorization, client, found.scopes, "userinfo"),
    }
    try:
        signed = server.parts.mint.userinfo(client, told)
    except NoKeys as error:
        failure = client_tokens.refused(error)
        server.record_refusal(REALM, failure, origin, client)
        server.tell(client, REALM, failure, origin, proven=False)
        raise failure from error
    return (JSON, told) if signed is None else (JWT, signed)


def _refused(
    server: AuthorizationServer, reason: str, origin: Origin, *, insufficient: bool = False
) -> MachineError:
    server.parts.throttle.count("userinfo", origin.address)
    server.parts.audit.refuse(origin, Entry("userinfo", "anyone", detail={"reason": reason}))
    if insufficient:
        text = "The scope openid is needed."
        challenge = bearer_challenge(REALM, "insufficient_scope", text, "openid")
        return MachineError("insufficient_scope", text, 403, challenge, recorded=True)
    text = "The access token is not valid, or not any more."
    challenge = bearer_challenge(REALM, "invalid_token", text)
    return MachineError("invalid_token", text, 401, challenge, recorded=True)
