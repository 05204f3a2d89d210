"""What clients register of their keys and how they sign (RFC 7591 section 2, OpenID Connect
Registration section 2).
"""

from collections.abc import Mapping
from typing import Any

from idp.crypto import key_sets
from idp.crypto.foreign_jwt import HMACS
from idp.crypto.jwk import BadKey
from idp.domain import uris
from idp.protocol.client_assertions import CLIENT_SECRET_JWT, PRIVATE_KEY_JWT, SIGNING
from idp.protocol.metadata_values import refused

AUTH_SIGNING = (*SIGNING, *HMACS)


def jwks(name: str, value: Any) -> dict[str, Any]:
    """Read a JWK Set of public keys, at most 20 of them."""
    try:
        key_sets.check(value)
    except BadKey as error:
        raise refused(f"{name}: {error}.") from error
    return {"keys": value["keys"]}


def fetched(name: str, value: Any) -> str:
    """Read an address that this server asks: https, without user or fragment."""
    uri = uris.parse(value) if isinstance(value, str) else None
    if uri is None or uri.scheme != "https" or not uri.names_a_server:
        raise refused(f"{name} must be an https address.")
    if uri.user is not None or uri.fragment is not None:
        raise refused(f"{name} must have neither user nor fragment.")
    return str(value)


def contradiction(details: Mapping[str, Any]) -> str | None:
    """Say what does not go together; None when all does."""
    method, signing = (
        details["token_endpoint_auth_method"],
        details.get("token_endpoint_auth_signing_alg"),
    )
    if "jwks" in details and "jwks_uri" in details:
        return "jwks and jwks_uri exclude each other (RFC 7591 section 2)."
    if method == PRIVATE_KEY_JWT:
        if "jwks" not in details and "jwks_uri" not in details:
            return "private_key_jwt needs jwks or jwks_uri."
        if signing in HMACS:
            return f"private_key_jwt is not signed with {signing}."
    if method == CLIENT_SECRET_JWT and signing not in {None, *HMACS}:
        return f"client_secret_jwt is signed with {' or '.join(HMACS)}."
    return None
