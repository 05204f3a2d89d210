"""A policy engine, and the guard of the Notes API."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from idp.guard import Credentials, Guard, Http, HttpClient, Published, Settings
from idp.guard.http_client import Answer
from tests.support.deployment import Deployment
from tests.support.guard_http import Wire
from tests.support.held_clock import HeldClock
from tests.support.seeds import NOTES_API
from tests.support.tls_site import Site, say

EVALUATION = "/access/v1/evaluation"


@dataclass
class Engine:
    """A policy engine of its own, over https: `engine.says({"decision": True})`."""

    site: Site
    hangs: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """Its evaluation endpoint."""
        return self.site.url(EVALUATION)

    def says(self, answer: Any, status: int = 200, media_type: str = "application/json") -> None:
        """Answer so from now on."""
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        headers = {"Content-Type": media_type, "Content-Length": str(len(body))}
        self.site.answers[EVALUATION] = lambda handler: say(handler, status, headers, body)

    def hang(self) -> None:
        """Take questions and answer none."""

        def wait(_handler: BaseHTTPRequestHandler) -> None:
            self.site.closing.wait(60)

        self.site.answers[EVALUATION] = wait

    @property
    def asked(self) -> list[Any]:
        """The questions that came."""
        return [json.loads(each.body) for each in self.site.asked]

    def client(self) -> HttpClient:
        """Return a client that trusts the engine's certificate."""
        return HttpClient(ssl.create_default_context(cafile=str(self.site.authority)))


class Wires:
    """Each server is reached its own way."""

    def __init__(self, wire: Wire, engine: Engine, client: HttpClient) -> None:
        self._wire = wire
        self._engine = engine
        self._client = client

    def send(self, method: str, url: str, *rest: Any) -> Answer:
        """Ask whom the address names."""
        http: Http = self._client if url == self._engine.url else self._wire
        return http.send(method, url, *rest)

    def close(self) -> None:
        """Hang up."""
        self._client.close()


@pytest.fixture
def engine(tls_site: Site) -> Engine:
    """A policy engine that denies what it has no answer to."""
    engine = Engine(tls_site)
    engine.says({"decision": False})
    return engine


@pytest.fixture
def wire(deployment: Deployment) -> Wire:
    """The way of the API to the authorization server."""
    return Wire(deployment.new_http())


@pytest.fixture
def settings_of_api(deployment: Deployment, engine: Engine) -> Callable[..., Settings]:
    """Settings of the Notes API, but for what is given."""

    def make(**changes: Any) -> Settings:
        usual = {
            "issuer": deployment.issuer,
            "resource": NOTES_API,
            "credentials": Credentials(*deployment.seeds.credentials[NOTES_API]),
            "engine": engine.url,
            "engine_timeout": 10.0,
            "realm": "Notes",
            "published": Published(("notes:read", "notes:write"), "Notes API"),
        }
        return Settings(**{**usual, **changes})

    return make


@pytest.fixture
def make_guard(
    settings_of_api: Callable[..., Settings], wire: Wire, engine: Engine, clock: HeldClock
) -> Iterator[Callable[..., Guard]]:
    """A guard of the Notes API, with other settings where they are given."""
    wires = Wires(wire, engine, engine.client())
    yield lambda **changes: Guard(settings_of_api(**changes), wires, clock)
    wires.close()


@pytest.fixture
def guard(make_guard: Callable[..., Guard]) -> Guard:
    """The guard of the Notes API."""
    return make_guard()
