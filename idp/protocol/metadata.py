"""What this server says of itself: OpenID Connect Discovery 1.0 and RFC 8414. Only what works is
named.
"""

from collections.abc import Collection
from typing import Any

from idp.config import Settings
from idp.crypto import jwe
from idp.crypto.foreign_jwt import HMACS
from idp.domain.assurance import ACR_VALUES
from idp.domain.languages import LANGUAGES
from idp.domain.resources import OIDC_SCOPES
from idp.protocol import pkce
from idp.protocol.authorization_request import PROMPTS
from idp.protocol.claims import CLAIMS
from idp.protocol.client_assertions import SIGNING
from idp.protocol.client_authentication import METHODS
from idp.protocol.id_token import KEY_ALGORITHMS, UNSIGNED
from idp.protocol.offer import Offer
from idp.protocol.response_types import MODES
from idp.protocol.sectors import SUBJECT_TYPES

AUTHORIZE = "/oauth2/authorize"
TOKEN = "/oauth2/token"
INTROSPECT = "/oauth2/introspect"
CHECK_SESSION = "/oauth2/check-session"
REVOKE = "/oauth2/revoke"
USERINFO = "/oauth2/userinfo"
LOGOUT = "/oauth2/logout"
REGISTER = "/oauth2/register"
JWKS = "/.well-known/jwks.json"
_ENDPOINTS = {
    "authorization_endpoint": AUTHORIZE,
    "token_endpoint": TOKEN,
    "userinfo_endpoint": USERINFO,
    "jwks_uri": JWKS,
    "introspection_endpoint": INTROSPECT,
    "revocation_endpoint": REVOKE,
    "end_session_endpoint": LOGOUT,
    "check_session_iframe": CHECK_SESSION,
}
_PROTOCOL_CLAIMS = ("sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "amr", "sid")
_LOGOUT = (
    "backchannel_logout_supported",
    "backchannel_logout_session_supported",
    "frontchannel_logout_supported",
    "frontchannel_logout_session_supported",
)
_SECRET_METHODS = [method for method in METHODS if method != "none"]
_ASSERTION_SIGNING = [*SIGNING, *HMACS]
_REQUEST_OBJECTS = {
    "request_parameter_supported": True,
    "request_uri_parameter_supported": True,
    "require_request_uri_registration": True,
    "request_object_signing_alg_values_supported": [*_ASSERTION_SIGNING, UNSIGNED],
    "request_object_encryption_alg_values_supported": list(jwe.OURS),
    "request_object_encryption_enc_values_supported": list(jwe.ENCODINGS),
}


def metadata(
    settings: Settings,
    prompts: Collection[str] = PROMPTS,
    ready: Collection[str] | None = None,
) -> dict[str, Any]:
    """Return the document of both well-known addresses.

    `prompts` are supported here; `ready` are the algorithms whose keys sign already (None: all).
    """
    issuer, offer = settings.issuer, Offer.of(settings)
    document: dict[str, Any] = {
        "issuer": issuer,
        **{name: issuer + path for name, path in _ENDPOINTS.items()},
        "scopes_supported": list(OIDC_SCOPES),
        "response_types_supported": list(offer.response_types),
        "response_modes_supported": list(MODES),
        "grant_types_supported": list(offer.grant_types),
        "subject_types_supported": list(SUBJECT_TYPES),
        **_answers(settings, ready),
        "token_endpoint_auth_methods_supported": list(METHODS),
        "token_endpoint_auth_signing_alg_values_supported": _ASSERTION_SIGNING,
        "introspection_endpoint_auth_methods_supported": _SECRET_METHODS,
        "introspection_endpoint_auth_signing_alg_values_supported": _ASSERTION_SIGNING,
        "revocation_endpoint_auth_methods_supported": list(METHODS),
        "revocation_endpoint_auth_signing_alg_values_supported": _ASSERTION_SIGNING,
        "code_challenge_methods_supported": list(pkce.METHODS),
        "claims_supported": [*_PROTOCOL_CLAIMS, *CLAIMS],
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": True,
        **_REQUEST_OBJECTS,
        "prompt_values_supported": sorted(prompts),
        "acr_values_supported": list(ACR_VALUES),
        "ui_locales_supported": list(LANGUAGES),
        "authorization_response_iss_parameter_supported": True,
    }
    document |= dict.fromkeys(_LOGOUT, True)
    if settings.registration != "closed":
        document["registration_endpoint"] = issuer + REGISTER
    if settings.privacy_url:
        document["op_policy_uri"] = settings.privacy_url
    return document


def _answers(settings: Settings, ready: Collection[str] | None) -> dict[str, Any]:
    """An algorithm of our keys is named once one of them signs."""
    signing = [
        name
        for name in Offer.of(settings).signing_algorithms
        if ready is None or name in ready or name not in KEY_ALGORITHMS
    ]
    return {
        "id_token_signing_alg_values_supported": signing,
        "id_token_encryption_alg_values_supported": list(jwe.KEY_TYPES),
        "id_token_encryption_enc_values_supported": list(jwe.ENCODINGS),
        "userinfo_signing_alg_values_supported": signing,
        "userinfo_encryption_alg_values_supported": list(jwe.KEY_TYPES),
        "userinfo_encryption_enc_values_supported": list(jwe.ENCODINGS),
    }
