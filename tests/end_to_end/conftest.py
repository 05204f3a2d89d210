"""The server as it runs in production, with the two example applications beside it."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from examples.api.app import Settings as ApiSettings
from examples.api.app import create_app as create_api
from examples.webapp.app import Settings as WebappSettings
from examples.webapp.app import create_app as create_webapp
from examples.webapp.signed_in import SignIns
from tests.support.application import Seeded
from tests.support.checkout import ROOT
from tests.support.databases import Database
from tests.support.discovery import Discovery
from tests.support.in_threads import serving_at
from tests.support.ports import free_port
from tests.support.seeds import ADA, Seeds
from tests.support.serving import Serve, Serving
from tests.support.token_client import TokenClient

CLIENT = ROOT / "examples/webapp/client.json"
RESOURCE = "https://api.example.com"
ACCESS_TOKEN_SECONDS = 300


class AheadClock:
    """The machine's time, and some seconds more."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass
class FieldNotes:
    """A server, a web application and an API that know each other."""

    serving: Serving
    webapp_settings: WebappSettings
    api_settings: ApiSettings
    sign_ins: SignIns = field(default_factory=SignIns)
    api_clock: AheadClock = field(default_factory=AheadClock)

    @property
    def client(self) -> TokenClient:
        """The web application's credentials, in the hands of the test."""
        settings = self.webapp_settings
        return self._knows(settings.client_id, settings.client_secret)

    @property
    def api(self) -> TokenClient:
        """The API's credentials, in the hands of the test."""
        settings = self.api_settings
        return self._knows(settings.introspection_id, settings.introspection_secret)

    def _knows(self, name: str, secret: str) -> TokenClient:
        http = self.serving.new_http()
        return TokenClient(http, Discovery(http, self.serving.issuer), name, secret)


def register(serving: Serving, webapp_url: str, api_url: str) -> FieldNotes:
    """Add a person, and both applications, with the commands that examples/README.md gives."""
    person = ("users", "add", ADA.email, "--name", ADA.name, "--password-stdin")
    serving.command(*person, input_text=f"{ADA.password}\n")
    api = json.loads(
        serving.command(
            *("resources", "add", RESOURCE, "--name", "Field Notes API"),
            *("--scope", "notes:read=Read your notes"),
            *("--scope", "notes:write=Add to your notes"),
            "--json",
        )
    )
    metadata = CLIENT.read_text("utf-8").replace("http://localhost:8001", webapp_url)
    words = ("clients", "add", "--metadata", "-", "--json")
    client = json.loads(serving.command(*words, input_text=metadata))
    return FieldNotes(
        serving,
        WebappSettings(
            issuer=serving.issuer,
            client_id=client["client_id"],
            client_secret=client["client_secret"],
            resource=RESOURCE,
            api_url=api_url,
            public_url=webapp_url,
        ),
        ApiSettings(serving.issuer, RESOURCE, api["credential_id"], api["credential_secret"]),
    )


@pytest.fixture
def served(empty_database: Database) -> Seeded:
    """Nothing yet: the server's first start makes tables and keys, commands make the rest."""
    return Seeded(empty_database, Seeds({}, {}))


@pytest.fixture
def field_notes(serve: Serve) -> Iterator[FieldNotes]:
    """Everything that takes part, running."""
    serving = serve(access_token_lifetime=ACCESS_TOKEN_SECONDS)
    ports = [free_port(), free_port()]
    found = register(serving, *(f"http://localhost:{port}" for port in ports))
    with ExitStack() as running:
        webapp = create_webapp(found.webapp_settings, found.sign_ins)
        running.enter_context(serving_at(ports[0], webapp))
        api = create_api(found.api_settings, clock=found.api_clock)
        running.enter_context(serving_at(ports[1], api))
        yield found
