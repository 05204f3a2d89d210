"""What clients register of their keys and how they sign (RFC 7591 section 2, OpenID Connect
Registration section 2).
"""

from collections.abc import Collection, Mapping
from typing import Any

from idp.crypto import jwe, key_sets
from idp.crypto.foreign_jwt import HMACS, UNSIGNED
from idp.crypto.jwk import BadKey
from idp.domain import uris
from idp.protocol.client_assertions import CLIENT_SECRET_JWT, PRIVATE_KEY_JWT, SIGNING
from idp.protocol.metadata_values import one_of, refused

AUTH_SIGNING = (*SIGNING, *HMACS)
REQUEST_SIGNING = (*SIGNING, *HMACS, UNSIGNED)
REQUEST_ENCRYPTED = one_of(jwe.OURS)
_MOST_URIS = 20


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


def request_uris(name: str, value: Any) -> list[str]:
    """Read the https addresses of request objects; a fragment is a document's digest."""
    if not isinstance(value, list) or len(value) > _MOST_URIS:
        raise refused(f"{name} must be a list of at most {_MOST_URIS} addresses.")
    for each in value:
        fetched(name, each.partition("#")[0] if isinstance(each, str) else each)
        if uris.parse(each) is None:
            raise refused(f"{name} must be https addresses.")
    return list(dict.fromkeys(value))


def refuse_contradictions(details: Mapping[str, Any]) -> None:
    """Raise RegistrationError for what does not go together."""
    method = details["token_endpoint_auth_method"]
    signing = details.get("token_endpoint_auth_signing_alg")
    known = {"jwks", "jwks_uri"} & details.keys()
    if len(known) > 1:
        raise refused("jwks and jwks_uri exclude each other (RFC 7591 section 2).")
    if method == PRIVATE_KEY_JWT and not known:
        raise refused("private_key_jwt needs jwks or jwks_uri.")
    _refuse_for_request_objects(details, known)
    for needed, algorithms in ((PRIVATE_KEY_JWT, SIGNING), (CLIENT_SECRET_JWT, HMACS)):
        if method == needed and signing not in {None, *algorithms}:
            raise refused(f"{method} is not signed with {signing}.")


def _refuse_for_request_objects(details: Mapping[str, Any], known: Collection[str]) -> None:
    signing = details.get("request_object_signing_alg")
    if signing in SIGNING and not known:
        raise refused("request_object_signing_alg needs jwks or jwks_uri.")
    if signing in HMACS and details["token_endpoint_auth_method"] == "none":
        raise refused("A public client has no secret to sign request objects with.")
    if details.get("require_signed_request_object") and signing == UNSIGNED:
        raise refused("request_object_signing_alg none contradicts require_signed_request_object.")
