"""How clients register the form of what they are answered (OpenID Connect Registration section 2):
ID tokens and userinfo.
"""

from collections.abc import Mapping
from typing import Any

from idp.protocol import id_token
from idp.protocol import metadata_values as read
from idp.protocol.client_assertions import PRIVATE_KEY_JWT
from idp.protocol.id_token import SECRET_ALGORITHMS, UNSIGNED
from idp.protocol.metadata_values import refused
from idp.protocol.offer import Offer

SIGNED = read.one_of((*id_token.ALGORITHMS, UNSIGNED))
_SIGNING = ("id_token_signed_response_alg", "userinfo_signed_response_alg")
_WITHOUT_SECRET = frozenset({"none", PRIVATE_KEY_JWT})


def refuse_what_is_not_offered(details: Mapping[str, Any], offer: Offer) -> None:
    """Raise RegistrationError for an algorithm that the operator does not let clients have."""
    for name in _SIGNING:
        if name in details:
            read.one_of(offer.signing_algorithms)(name, details[name])


def refuse_contradictions(details: Mapping[str, Any]) -> None:
    """Raise RegistrationError for what does not go together."""
    method = details["token_endpoint_auth_method"]
    for name in _SIGNING:
        if details.get(name) in SECRET_ALGORITHMS and method in _WITHOUT_SECRET:
            raise refused(f"{name} {details[name]} needs a client secret; {method} has none.")
