"""How clients register that tokens are signed and encrypted (OpenID Connect Registration section
2): ID tokens and userinfo; of request objects the encryption, which needs no key of theirs.
"""

from collections.abc import Mapping
from typing import Any

from idp.crypto import jwe, key_sets
from idp.protocol import id_token
from idp.protocol import metadata_values as read
from idp.protocol.client_assertions import PRIVATE_KEY_JWT
from idp.protocol.client_tokens import USUAL_ENCODING
from idp.protocol.id_token import SECRET_ALGORITHMS, UNSIGNED
from idp.protocol.metadata_values import refused
from idp.protocol.offer import Offer

SIGNED = read.one_of((*id_token.ALGORITHMS, UNSIGNED))
ENCRYPTED = read.one_of(tuple(jwe.KEY_TYPES))
ENCODED = read.one_of(jwe.ENCODINGS)
_KINDS = ("id_token", "userinfo")
_ENCRYPTED = (*(f"{kind}_encrypted_response" for kind in _KINDS), "request_object_encryption")
_WITHOUT_SECRET = frozenset({"none", PRIVATE_KEY_JWT})


def defaults(details: Mapping[str, Any]) -> dict[str, str]:
    """Return what holds where only the algorithm of an encryption is registered."""
    return {
        f"{name}_enc": USUAL_ENCODING
        for name in _ENCRYPTED
        if f"{name}_alg" in details and f"{name}_enc" not in details
    }


def refuse_what_is_not_offered(details: Mapping[str, Any], offer: Offer) -> None:
    """Raise RegistrationError for an algorithm that the operator does not let clients have."""
    for kind in _KINDS:
        name = f"{kind}_signed_response_alg"
        if name in details:
            read.one_of(offer.signing_algorithms)(name, details[name])


def refuse_contradictions(details: Mapping[str, Any]) -> None:
    """Raise RegistrationError for what does not go together."""
    for each in _ENCRYPTED:
        if f"{each}_enc" in details and f"{each}_alg" not in details:
            raise refused(f"{each}_enc needs {each}_alg.")
    method = details["token_endpoint_auth_method"]
    for kind in _KINDS:
        name = f"{kind}_signed_response_alg"
        if details.get(name) in SECRET_ALGORITHMS and method in _WITHOUT_SECRET:
            raise refused(f"{name} {details[name]} needs a client secret; {method} has none.")
        _refuse_for_encryption(details, kind)
    encrypted = "id_token_encrypted_response_alg" in details
    if encrypted and details["id_token_signed_response_alg"] == UNSIGNED:
        raise refused("ID tokens that are encrypted must be signed as well.")


def _refuse_for_encryption(details: Mapping[str, Any], kind: str) -> None:
    """A client whose keys are known has to have one that fits; others are looked at when needed."""
    name = f"{kind}_encrypted_response_alg"
    algorithm = details.get(name)
    if algorithm is None:
        return
    if not {"jwks", "jwks_uri"} & details.keys():
        raise refused(f"{name} needs jwks or jwks_uri.")
    known = details.get("jwks")
    if known and not key_sets.choose(key_sets.read(known), None, algorithm, "enc"):
        key_type = jwe.KEY_TYPES[algorithm]
        raise refused(f"{name}: jwks has no {key_type} key that may be encrypted to.")
