"""The example archive: FastAPI behind one table of routes."""

from collections.abc import Callable
from typing import Any

import pytest

from examples.archive.app import Settings, create_app
from idp.domain.services import Services
from tests.guard.applications import Told, asgi_messages, bearer, told
from tests.support.deployment import Deployment
from tests.support.guard_http import Wire
from tests.support.held_clock import HeldClock
from tests.support.seeds import NOTES_API
from tests.support.token_client import TokenClient
from tests.support.token_parts import claims_of

Ask = Callable[..., Told]


@pytest.fixture
def ask(deployment: Deployment, clock: HeldClock) -> Ask:
    """Ask the archive, which goes by the seeded API's name: `ask("GET", "/boxes", token)`."""
    settings = Settings(deployment.issuer, NOTES_API)
    app: Any = create_app(settings, Wire(deployment.new_http()), clock)

    def ask(method: str, path: str, token: str = "") -> Told:
        sent = [(name.lower().encode(), value.encode()) for name, value in bearer(token)]
        scope = {"type": "http", "method": method, "path": path, "query_string": b""}
        return told(asgi_messages(app, {**scope, "headers": sent if token else []}))

    return ask


@pytest.fixture
def tokens(service: TokenClient, services: Services) -> Callable[..., str]:
    """Signs what a token says."""
    claims = claims_of(service.credentials(scope="notes:read").json()["access_token"])
    key = services.signing_keys.active("ES256")
    return lambda **changes: key.sign({**claims, **changes}, "at+jwt")


def test_the_table_says_who_may_come_where(ask: Ask, tokens: Callable[..., str]) -> None:
    reader = tokens(scope="archive:read")
    assert ask("GET", "/health").json == {"archive": "open"}
    assert ask("GET", "/boxes", reader).json == {"reader": "service", "boxes": ["1843", "1947"]}
    assert ask("GET", "/boxes").status == 401
    assert ask("DELETE", "/boxes/1843", reader).status == 403
    writer = tokens(scope="archive:write")
    refused = ask("DELETE", "/boxes/1843", writer)
    assert (refused.status, refused.json["roles"]) == (403, ["archivist"])
    archivist = tokens(scope="archive:write", roles=["archivist"])
    assert ask("DELETE", "/boxes/1843", archivist).status == 204
    assert ask("DELETE", "/boxes/1843", archivist).status == 404
    assert ask("GET", "/boxes", reader).json["boxes"] == ["1947"]


def test_what_nobody_named_is_closed(ask: Ask, tokens: Callable[..., str]) -> None:
    for path in ("/docs", "/openapi.json", "/redoc", "/", "/boxes/"):
        assert ask("GET", path).status == 401
        assert ask("GET", path, tokens(scope="archive:read")).status == 403


def test_it_says_where_to_ask_for_tokens(ask: Ask, deployment: Deployment) -> None:
    where = "/.well-known/oauth-protected-resource/api"
    assert (
        f'resource_metadata="https://notes.example.test{where}"' in ask("GET", "/boxes").challenge
    )
    assert ask("GET", where).json["authorization_servers"] == [deployment.issuer]
