"""Client registration: RFC 7591 sections 2 and 3.2, OpenID Connect Registration section 2.

HONOURED fields are read, bounded, defaulted and obeyed. DEMANDS ask for a protection or a form of
answer that does not exist here: the client would rely on it, so they are refused unless they say
what holds anyway. All others are ignored, as RFC 7591 section 2 has it, and the answer, which lists
what was registered, shows it (section 3.2.1).
docs/reference/client-metadata.md says the same; a test compares.
"""

import re
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from idp.domain import client_secrets
from idp.domain.clients import Client
from idp.domain.resources import OIDC_SCOPES
from idp.protocol import (
    answer_metadata,
    client_key_metadata,
    front_channel_logout,
    redirect_uris,
    response_types,
)
from idp.protocol import metadata_values as read
from idp.protocol.client_authentication import METHODS
from idp.protocol.enabled import GRANT_TYPES
from idp.protocol.id_token import UNSIGNED
from idp.protocol.metadata_values import Reader, RegistrationError, refused
from idp.protocol.offer import USUAL, Offer
from idp.protocol.sectors import SUBJECT_TYPES

MOST_REDIRECT_URIS = 20
MOST_TRANSLATIONS = 50


@dataclass(frozen=True)
class Field:
    """How a field is read, and what holds when it is omitted; None: nothing is registered."""

    reader: Reader
    default: Any = None
    translatable: bool = False


_ADDRESSES = read.texts(MOST_REDIRECT_URIS, redirect_uris.LONGEST)
HONOURED = {
    "redirect_uris": Field(_ADDRESSES, []),
    "post_logout_redirect_uris": Field(_ADDRESSES, []),
    "token_endpoint_auth_method": Field(read.one_of(METHODS), "client_secret_basic"),
    "token_endpoint_auth_signing_alg": Field(read.one_of(client_key_metadata.AUTH_SIGNING)),
    "jwks": Field(client_key_metadata.jwks),
    "jwks_uri": Field(client_key_metadata.fetched),
    "request_uris": Field(client_key_metadata.request_uris),
    "request_object_signing_alg": Field(read.one_of(client_key_metadata.REQUEST_SIGNING)),
    "request_object_encryption_alg": Field(client_key_metadata.REQUEST_ENCRYPTED),
    "request_object_encryption_enc": Field(answer_metadata.ENCODED),
    "require_signed_request_object": Field(read.flag),
    "grant_types": Field(
        read.some_of((*GRANT_TYPES, response_types.IMPLICIT)), ["authorization_code"]
    ),
    "response_types": Field(read.some_of(response_types.TYPES, response_types.canonical)),
    "client_name": Field(read.text(100), translatable=True),
    "client_uri": Field(read.page, translatable=True),
    "logo_uri": Field(read.page, translatable=True),
    "policy_uri": Field(read.page, translatable=True),
    "tos_uri": Field(read.page, translatable=True),
    "scope": Field(read.scope),
    "contacts": Field(read.texts(10, 254)),
    "software_id": Field(read.text(200)),
    "software_version": Field(read.text(200)),
    "application_type": Field(read.one_of(("native", "web")), "web"),
    "subject_type": Field(read.one_of(SUBJECT_TYPES), "public"),
    "sector_identifier_uri": Field(read.https),
    "id_token_signed_response_alg": Field(answer_metadata.SIGNED, "RS256"),
    "id_token_encrypted_response_alg": Field(answer_metadata.ENCRYPTED),
    "id_token_encrypted_response_enc": Field(answer_metadata.ENCODED),
    "userinfo_signed_response_alg": Field(answer_metadata.SIGNED),
    "userinfo_encrypted_response_alg": Field(answer_metadata.ENCRYPTED),
    "userinfo_encrypted_response_enc": Field(answer_metadata.ENCODED),
    "backchannel_logout_uri": Field(read.https),
    "backchannel_logout_session_required": Field(read.flag),
    "frontchannel_logout_uri": Field(read.page),
    "frontchannel_logout_session_required": Field(read.flag),
    "initiate_login_uri": Field(read.https),
    "default_max_age": Field(read.seconds),
    "require_auth_time": Field(read.flag, default=False),
    "require_pkce": Field(read.flag, default=True),
    "claims_in_id_token": Field(read.flag, default=False),
    "default_resource": Field(read.resource),
    "first_party": Field(read.flag),
}
DEMANDS: dict[str, tuple[Any, ...]] = {
    "introspection_signed_response_alg": (),
    "introspection_encrypted_response_alg": (),
    "authorization_signed_response_alg": (),
    "authorization_encrypted_response_alg": (),
    "require_pushed_authorization_requests": (False,),
    "dpop_bound_access_tokens": (False,),
    "tls_client_certificate_bound_access_tokens": (False,),
    "backchannel_user_code_parameter": (False,),
}
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,5}")


def validate(metadata: Any, *, operator: bool, offer: Offer = USUAL) -> dict[str, Any]:
    """Return the metadata to register, complete with defaults. Raises RegistrationError.

    `operator` tells who asks: only an operator may mark a client as first party. `offer` is what
    this server has.
    """
    if not isinstance(metadata, Mapping):
        raise refused("The metadata must be a JSON object.")
    # As in RFC 7592 section 2.2, null means omitted.
    given = {name: value for name, value in metadata.items() if value is not None}
    _refuse_demands(given)
    if given.get("first_party") and not operator:
        raise refused("first_party is for the operator of this server.")
    details = _read_fields(given)
    details |= _translations(given)
    details["response_types"] = _response_types(details)
    details["scope"] = _scope(details)
    details |= answer_metadata.defaults(details)
    _refuse_what_is_not_offered(details, offer)
    _refuse_contradictions(details)
    client_key_metadata.refuse_contradictions(details)
    answer_metadata.refuse_contradictions(details)
    _check_redirect_uris(details)
    _check_front_channel(details)
    return details


def _refuse_demands(given: Mapping[str, Any]) -> None:
    for name, held in DEMANDS.items():
        if name in given and given[name] not in held:
            raise refused(f"{name} is not supported yet.")


def _read_fields(given: Mapping[str, Any]) -> dict[str, Any]:
    details = {}
    for name, field in HONOURED.items():
        if name in given:
            details[name] = field.reader(name, given[name])
        elif field.default is not None:
            details[name] = copy(field.default)
    return details


def _translations(given: Mapping[str, Any]) -> dict[str, Any]:
    """Read fields such as `client_name#de` (RFC 7591 section 2.2)."""
    found = {}
    for name, value in given.items():
        base, mark, language = name.partition("#")
        field = HONOURED.get(base)
        if mark and field and field.translatable and _LANGUAGE.fullmatch(language):
            found[name] = field.reader(name, value)
            if len(found) > MOST_TRANSLATIONS:
                raise refused(f"At most {MOST_TRANSLATIONS} translations can be registered.")
    return found


def _response_types(details: Mapping[str, Any]) -> list[str]:
    """The default suits the grant types (RFC 7591 section 2.1)."""
    default = ["code"] if "authorization_code" in details["grant_types"] else []
    return list(details.get("response_types", default))


def _scope(details: Mapping[str, Any]) -> str:
    """What the client may ask for: what it registered, else what a person's client usually needs.

    Scopes that its grants can never give are not registered.
    """
    grants = details["grant_types"]
    personal = {"authorization_code", response_types.IMPLICIT} & set(grants)
    useless = set() if personal else set(OIDC_SCOPES)
    if "refresh_token" not in grants:
        useless.add("offline_access")
    wanted = details.get("scope", " ".join(OIDC_SCOPES)).split()
    return " ".join(scope for scope in wanted if scope not in useless)


def _refuse_what_is_not_offered(details: Mapping[str, Any], offer: Offer) -> None:
    """Ask each reader again, for what the operator of this server lets clients have."""
    read.some_of(offer.grant_types)("grant_types", details["grant_types"])
    read.some_of(offer.response_types)("response_types", details["response_types"])
    answer_metadata.refuse_what_is_not_offered(details, offer)


def _refuse_contradictions(details: Mapping[str, Any]) -> None:
    grants = details["grant_types"]
    public = details["token_endpoint_auth_method"] == "none"
    if not grants:
        raise refused("grant_types must not be empty.")
    _check_response_types(details)
    if public and "client_credentials" in grants:
        raise refused("A public client can't use client_credentials (RFC 6749 section 4.4).")
    if "refresh_token" in grants and "authorization_code" not in grants:
        raise refused("refresh_token needs a grant that issues refresh tokens: authorization_code.")
    if public and not details["require_pkce"]:
        raise refused("A public client can't do without PKCE (RFC 9700 section 2.1.1).")


def _check_response_types(details: Mapping[str, Any]) -> None:
    """RFC 7591 section 2.1; what comes through the browser is signed (OpenID Connect Core 2)."""
    grants, names = details["grant_types"], details["response_types"]
    needed = response_types.grant_types_of(names)
    if needed != {"authorization_code", response_types.IMPLICIT} & set(grants):
        raise refused(
            "response_types and grant_types go together: authorization_code with code, implicit "
            "with id_token and token."
        )
    unsigned = details["id_token_signed_response_alg"] == UNSIGNED
    if unsigned and any(response_types.ID_TOKEN in name.split(" ") for name in names):
        raise refused("ID tokens from the authorization endpoint must be signed.")


def _check_redirect_uris(details: Mapping[str, Any]) -> None:
    grants = details["grant_types"]
    if {"authorization_code", response_types.IMPLICIT} & set(grants) and not details[
        "redirect_uris"
    ]:
        raise RegistrationError("invalid_redirect_uri", "redirect_uris must hold at least one URI.")
    for name, code in (
        ("redirect_uris", "invalid_redirect_uri"),
        ("post_logout_redirect_uris", "invalid_client_metadata"),
    ):
        for uri in details[name]:
            if problem := redirect_uris.problem(uri, details["application_type"]):
                raise RegistrationError(code, f"{name}: {_shortened(uri)}: {problem}")
    web = details["application_type"] == "web"
    if web and response_types.IMPLICIT in grants:
        _check_places_of_tokens(details["redirect_uris"])


def _check_places_of_tokens(addresses: Sequence[str]) -> None:
    """OpenID Connect Registration section 2, application_type: a token goes over TLS to a host."""
    for address in addresses:
        if not address.startswith("https://") or urlsplit(address).hostname == "localhost":
            text = f"redirect_uris: {_shortened(address)}: implicit needs https, and no localhost."
            raise RegistrationError("invalid_redirect_uri", text)


def _check_front_channel(details: Mapping[str, Any]) -> None:
    uri = details.get("frontchannel_logout_uri")
    if uri and (problem := front_channel_logout.problem(uri, details["redirect_uris"])):
        raise refused(f"frontchannel_logout_uri {problem}.")


def _shortened(uri: str) -> str:
    return ascii(uri if len(uri) <= 100 else f"{uri[:99]}...")[1:-1]


def needs_secret(details: Mapping[str, Any]) -> bool:
    """Whether a client with this metadata is given a secret."""
    return client_secrets.is_needed(details)


def registration_response(client: Client, secret: str | None, expires: int = 0) -> dict[str, Any]:
    """Return the answer of RFC 7591 section 3.2.1; `expires` is the secret's end, 0 for never."""
    answer: dict[str, Any] = {
        "client_id": client.client_id,
        "client_id_issued_at": client.created_at,
    }
    if secret is not None:
        answer |= {"client_secret": secret, "client_secret_expires_at": expires}
    first_party = {"first_party": True} if client.first_party else {}
    return answer | dict(client.details) | first_party
