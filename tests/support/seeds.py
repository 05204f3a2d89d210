"""Who and what every test server knows: two people, two APIs, and one client of each kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from idp.domain.audit import Origin
from idp.domain.services import Services
from idp.protocol import registration
from idp.protocol.offer import Offer
from idp.protocol.sectors import sectors
from tests.support.browserless import Person

ADA = Person("ada@example.test", "nine lives of the analytical engine", "Ada Lovelace")
GRACE = Person("grace@example.test", "a moth in relay seventy of panel F", "Grace Hopper")
NOTES_API = "https://notes.example.test/api"
FILES_API = "https://files.example.test/api"
OPERATOR = "operator:tests"
ORIGIN = Origin(user_agent="tests")

_PROFILE = {
    "given_name": "Ada",
    "family_name": "Lovelace",
    "birthdate": "1815-12-10",
    "locale": "en-GB",
    "phone_number": "+44 20 7946 0000",
    "phone_number_verified": True,
    "address": {"locality": "London", "country": "United Kingdom"},
}
_RESOURCES: dict[str, tuple[str, dict[str, str]]] = {
    NOTES_API: (
        "Notes API",
        {"notes:read": "Read your notes", "notes:write": "Change your notes"},
    ),
    FILES_API: ("Files API", {"files:read": "Read your files"}),
}
_EVERY_SCOPE = "openid profile email address phone offline_access notes:read notes:write files:read"
_CLIENTS: dict[str, dict[str, Any]] = {
    # A web application of somebody else.
    "webapp": {
        "client_name": "Field Notes",
        "redirect_uris": ["https://app.example.test/callback"],
        "post_logout_redirect_uris": ["https://app.example.test/bye"],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": _EVERY_SCOPE,
    },
    # Another one, to try the first one's codes and tokens with.
    "stranger": {
        "client_name": "Stranger",
        "redirect_uris": ["https://stranger.example.test/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "client_secret_post",
        "scope": _EVERY_SCOPE,
    },
    # Public: a page of scripts, and a program on somebody's computer.
    "spa": {
        "client_name": "Notes in the Browser",
        "redirect_uris": ["https://spa.example.test/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
        "scope": _EVERY_SCOPE,
    },
    "native": {
        "client_name": "Notes for the Desktop",
        "redirect_uris": ["http://127.0.0.1/callback", "com.example.notes:/callback"],
        "application_type": "native",
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
        "scope": _EVERY_SCOPE,
    },
    # The operator's own: people are not asked.
    "own": {
        "client_name": "Own Portal",
        "redirect_uris": ["https://portal.example.test/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": _EVERY_SCOPE,
        "first_party": True,
    },
    # A program that acts for itself.
    "service": {
        "client_name": "Nightly Export",
        "grant_types": ["client_credentials"],
        "scope": "notes:read files:read",
        "default_resource": NOTES_API,
    },
}


@dataclass(frozen=True)
class Seeds:
    """The secrets of what was seeded. `credentials` are the APIs' names and secrets."""

    client_secrets: Mapping[str, str]
    credentials: Mapping[str, tuple[str, str]]


def redirect_uri(client_id: str) -> str:
    """Return the first redirect URI of a seeded client, empty where it has none."""
    return str(next(iter(_CLIENTS[client_id].get("redirect_uris", [])), ""))


def auth_method(client_id: str) -> str:
    """Return how a seeded client authenticates."""
    return str(_CLIENTS[client_id].get("token_endpoint_auth_method", "client_secret_basic"))


def sow(services: Services) -> Seeds:
    """Put everybody into an empty database."""
    for person in (ADA, GRACE):
        profile = _PROFILE if person is ADA else {}
        services.accounts.add(
            person.email,
            person.name,
            person.password,
            email_verified=True,
            profile=profile,
            origin=ORIGIN,
            actor=OPERATOR,
        )
    credentials = {}
    for identifier, (name, scopes) in _RESOURCES.items():
        api, secret = services.resources.add(
            identifier, name, scopes, origin=ORIGIN, actor=OPERATOR
        )
        credentials[identifier] = (api.credential_id, secret)
    secrets = {name: add_client(services, details, name) for name, details in _CLIENTS.items()}
    return Seeds(secrets, credentials)


def add_client(services: Services, details: Mapping[str, Any], client_id: str | None = None) -> str:
    """Register a client as an operator does and return its secret, empty where it has none."""
    valid = registration.validate(dict(details), operator=True, offer=Offer.of(services.settings))
    valid = sectors(services.fetcher, services.clock).settled(valid)
    confidential = valid["token_endpoint_auth_method"] != "none"
    _, secret = services.clients.add(
        valid, secret=confidential, client_id=client_id, origin=ORIGIN, actor=OPERATOR
    )
    return secret or ""
