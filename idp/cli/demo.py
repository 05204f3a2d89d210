"""The person, the clients and the API with which `idp dev` shows the server.

They are made at the first start. Their passwords and secrets are new at each start: the database
holds digests only, so there is nothing else to print.
"""

from dataclasses import dataclass

from idp.crypto.secrets import random_token
from idp.domain.audit import Origin
from idp.domain.errors import NotFound
from idp.domain.resources import OIDC_SCOPES
from idp.domain.services import Services
from idp.protocol import registration
from idp.web.playground.client import CALLBACK, HOME
from idp.web.playground.client import CLIENT_ID as PLAYGROUND_ID

EMAIL = "demo@example.com"
CLIENT_ID = "demo"
SCOPES = {"notes.read": "Read your notes", "notes.write": "Write and delete your notes"}
_API_PATH = "/demo-api"
_SHORTEST_PASSWORD = 20


@dataclass(frozen=True)
class Demo:
    """The only copy of these secrets. `introspector` is the demo API's, for the playground."""

    email: str
    password: str
    client_id: str
    client_secret: str
    scope: str
    introspector: tuple[str, str] | None


def prepare(parts: Services, origin: Origin, actor: str) -> Demo:
    """Make what is missing, and new secrets for what is there."""
    introspector = _ensure_api(parts, origin, actor)
    _ensure_playground(parts, origin, actor)
    return Demo(
        email=EMAIL,
        password=_ensure_person(parts, origin, actor),
        client_id=CLIENT_ID,
        client_secret=_ensure_client(parts, origin, actor),
        scope=next(iter(SCOPES)),
        introspector=introspector,
    )


def _ensure_api(parts: Services, origin: Origin, actor: str) -> tuple[str, str] | None:
    """Return the API's credential, unless its scopes are an operator's own by now."""
    owners = [parts.resources.owner_of(scope) for scope in SCOPES]
    if not any(owners):
        identifier = f"{parts.settings.issuer}{_API_PATH}"
        server, secret = parts.resources.add(
            identifier, "Demo notes", SCOPES, origin=origin, actor=actor
        )
        return server.credential_id, secret
    owner = owners[0]
    if owner is None or not owner.identifier.endswith(_API_PATH):
        return None
    server, secret = parts.resources.rotate_credential(owner.identifier, origin=origin, actor=actor)
    return server.credential_id, secret


def _ensure_person(parts: Services, origin: Origin, actor: str) -> str:
    length = max(_SHORTEST_PASSWORD, parts.settings.password_min_length)
    password = (random_token() + random_token())[:length]
    try:
        account = parts.accounts.get(EMAIL)
    except NotFound:
        parts.accounts.add(
            EMAIL,
            "Demo Person",
            password,
            email_verified=True,
            roles=["developer"],
            origin=origin,
            actor=actor,
        )
    else:
        parts.accounts.set_password(account.id, password, origin, actor)
    return password


def _ensure_client(parts: Services, origin: Origin, actor: str) -> str:
    if parts.clients.find(CLIENT_ID):
        return parts.clients.rotate_secret(CLIENT_ID, origin=origin, actor=actor)
    details = registration.validate(
        {
            "client_name": "Demo application",
            "redirect_uris": [_playground_callback(parts), "http://localhost/callback"],
            "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
            "scope": " ".join([*OIDC_SCOPES, *SCOPES]),
        },
        operator=True,
    )
    _, secret = parts.clients.add(
        details, secret=True, client_id=CLIENT_ID, origin=origin, actor=actor
    )
    return secret or ""


def _ensure_playground(parts: Services, origin: Origin, actor: str) -> None:
    if parts.clients.find(PLAYGROUND_ID):
        return
    details = registration.validate(
        {
            "client_name": "Playground",
            "redirect_uris": [_playground_callback(parts)],
            "post_logout_redirect_uris": [f"{parts.settings.issuer}{HOME}"],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
            "scope": " ".join([*OIDC_SCOPES, *SCOPES]),
        },
        operator=True,
    )
    parts.clients.add(details, secret=False, client_id=PLAYGROUND_ID, origin=origin, actor=actor)


def _playground_callback(parts: Services) -> str:
    return f"{parts.settings.issuer}{CALLBACK}"
