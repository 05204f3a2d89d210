"""The playground's client: who it is, what it may ask, and the request it makes of a choice."""

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from idp.crypto.secrets import random_token
from idp.domain.clients import Client
from idp.domain.errors import NotFound
from idp.domain.playground_runs import Kept, Run
from idp.domain.resources import OIDC_SCOPES, ResourceServer
from idp.protocol import metadata
from idp.web.context import services
from idp.web.playground.explanations import SCOPES

CLIENT_ID = "playground"
HOME = "/playground"
CALLBACK = "/playground/callback"
METHODS = frozenset({"none", "client_secret_basic"})
PROMPTS = ("", "login", "consent", "select_account", "none")
_USUAL = ("openid", "profile", "email")
_AGE = re.compile(r"[0-9]{0,9}")


@dataclass(frozen=True)
class Choice:
    """What the person wants to ask for. `errors` are sentences by field."""

    scopes: tuple[str, ...]
    prompt: str = ""
    max_age: str = ""
    resource: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)


def client(client_id: str = CLIENT_ID) -> Client:
    """Return the client that a run is of: the playground's own, or one that comes back here. Raises
    NotFound, for its own when `idp dev` has not made it.
    """
    found = services().clients.find(client_id)
    if found is None or found.disabled:
        raise NotFound("The playground has no client here. Start the server with `idp dev`.")
    if not playable(found) or address(CALLBACK) not in found.redirect_uris:
        raise NotFound(f"This client does not come back to {address(CALLBACK)}.")
    return found


def playable(client: Client) -> bool:
    """Whether a client signs people in, and proves who it is in a way that is known here."""
    return "code" in client.response_types and client.auth_method in METHODS


def client_of(run: Run) -> Client:
    """Return the client of a run. Raises NotFound."""
    return client(run.kept.request["client_id"])


def address(path: str) -> str:
    """Return one of our addresses as clients write it."""
    return services().settings.issuer + path


def resource_servers(client: Client) -> list[ResourceServer]:
    """Return the APIs for which a client may ask."""
    owners = [services().resources.owner_of(scope) for scope in sorted(client.scopes)]
    known = {owner.identifier: owner for owner in owners if owner and not owner.disabled}
    return list(known.values())


def offered(client: Client) -> list[tuple[str, str]]:
    """Return the scopes on offer and what each is for, those of OpenID Connect first."""
    allowed = client.scopes
    own = [(scope, SCOPES[scope]) for scope in OIDC_SCOPES if scope in allowed]
    apis = [
        (scope, f"{text} ({server.name}).")
        for server in resource_servers(client)
        for scope, text in server.scopes.items()
        if scope in allowed
    ]
    return own + apis


def usual_choice(client: Client) -> Choice:
    """Return what is chosen until somebody chooses: who signs in, and one scope of an API."""
    names = [scope for scope, _ in offered(client)]
    api = [scope for scope in names if scope not in OIDC_SCOPES][:1]
    return Choice(tuple(scope for scope in _USUAL if scope in names) + tuple(api))


def read_choice(form: MultiDict[str, str], client: Client) -> Choice:
    """Return what a posted form chose. Nothing is refused that the server would answer itself."""
    names = [scope for scope, _ in offered(client)]
    servers = ["", *(server.identifier for server in resource_servers(client))]
    chosen = tuple(filter(names.__contains__, form.getlist("scope")))
    prompt, resource = form.get("prompt", ""), form.get("resource", "")
    max_age = form.get("max_age", "").strip()
    checks = {
        "scope": (bool(chosen), "Choose at least one."),
        "prompt": (prompt in PROMPTS, "Choose one of these."),
        "max_age": (_AGE.fullmatch(max_age), "Enter a whole number of seconds, or nothing."),
        "resource": (resource in servers, "Choose one of these."),
    }
    errors = {name: problem for name, (right, problem) in checks.items() if not right}
    return Choice(chosen, prompt, max_age[:20], resource, errors)


def choice_of(request: Mapping[str, str]) -> Choice:
    """Return the choice that a request was made of."""
    return Choice(
        tuple(request["scope"].split()),
        request.get("prompt", ""),
        request.get("max_age", ""),
        request.get("resource", ""),
    )


def prepare(state: str, choice: Choice, client_id: str) -> Kept:
    """Make a request with a fresh nonce and PKCE verifier, as a client does for each sign-in."""
    verifier = random_token()
    request = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": address(CALLBACK),
        "scope": " ".join(choice.scopes),
        "state": state,
        "nonce": random_token(),
        "code_challenge": _challenge(verifier),
        "code_challenge_method": "S256",
    }
    return Kept({**request, **_optional(choice)}, verifier)


def changed(kept: Kept, choice: Choice) -> dict[str, str]:
    """Return the request of a run after another choice; its random values stay."""
    fixed = {
        name: value
        for name, value in kept.request.items()
        if name not in {"prompt", "max_age", "resource"}
    }
    return {**fixed, "scope": " ".join(choice.scopes), **_optional(choice)}


def authorization_url(request: Mapping[str, str]) -> str:
    """Return the address to which the browser is sent."""
    return f"{address(metadata.AUTHORIZE)}?{urlencode(request)}"


def _optional(choice: Choice) -> dict[str, str]:
    values = {"prompt": choice.prompt, "max_age": choice.max_age, "resource": choice.resource}
    return {name: value for name, value in values.items() if value}


def _challenge(verifier: str) -> str:
    hashed = hashlib.sha256(verifier.encode()).digest()
    return urlsafe_b64encode(hashed).rstrip(b"=").decode()
