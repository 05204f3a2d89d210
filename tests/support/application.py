"""The server inside the test: built once for each test, on a copy of a seeded database.

`@pytest.mark.settings(refresh_retry_window=0)` gives the test's server other settings.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache

from idp.app import create_app, delivery_of, logout_delivery_of, services_of
from idp.config import Settings, load
from idp.crypto.keyfiles import new_key_text
from idp.domain.clock import Clock, system_clock
from idp.domain.services import Services
from tests.support import databases, in_process, seeds
from tests.support.browserless import Browserless
from tests.support.databases import Database
from tests.support.deployment import Deployment
from tests.support.held_clock import HeldClock
from tests.support.postgres_server import PostgresServer
from tests.support.seeds import Seeds
from tests.support.token_client import TokenClient

ISSUER = "https://id.example.test"
LOOPBACK_ISSUER = "http://localhost:8000"
KEY_ENCRYPTION_KEY = new_key_text()


class _Compiled(BytecodeCache):
    """Page templates as Python code, compiled once for all applications of this process."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give what was compiled; a template that changed since is compiled anew."""
        if code := self._code.get(bucket.key):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it."""
        self._code[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


@dataclass(frozen=True)
class Seeded:
    """A database with people, clients and keys in it, and their secrets."""

    database: Database
    seeds: Seeds


@contextmanager
def running(settings: Settings, clock: Clock) -> Iterator[Flask]:
    """An application whose recurring tasks run only when a test calls them."""
    app = create_app(settings, clock=clock)
    app.jinja_env.bytecode_cache = _COMPILED
    services = services_of(app)
    # Once stopped it stays so: no thread of its own does anything between two lines of a test.
    own = (services.housekeeping, services.registering.logos, *services.audit_log.threads)
    for tasks in (*own, delivery_of(app), logout_delivery_of(app)):
        tasks.ensure_started()
        tasks.stop()
    try:
        yield app
    finally:
        services.store.close()


def settings_for(database: Database, keys_dir: Path, **values: Any) -> Settings:
    """Return the settings of a test's server."""
    usual = {
        "issuer": ISSUER,
        "data_dir": database.data_dir,
        "keys_dir": keys_dir,
        "database_url": database.url,
        "key_encryption_key": KEY_ENCRYPTION_KEY,
    }
    return load({**usual, **values})


class Templates:
    """Seeded databases to copy, one for each kind and clock, made when first needed. 0.6 s each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[tuple[str, bool], Seeded] = {}

    def of(self, kind: str, server: PostgresServer | None, *, real_time: bool) -> Seeded:
        """Return the template for `kind`, its keys made by the machine's clock or a held one."""
        if (kind, real_time) not in self._made:
            folder = self._folder / f"{kind}-{real_time}"
            database = databases.make(kind, folder, server)
            clock = system_clock if real_time else HeldClock()
            with running(settings_for(database, folder), clock) as app:
                sown = seeds.sow(services_of(app))
            databases.settled(database)
            self._made[kind, real_time] = Seeded(database, sown)
        return self._made[kind, real_time]


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The seeded databases of this run."""
    return Templates(tmp_path_factory.mktemp("seeded"))


@pytest.fixture
def seeded(
    database_kind: str,
    postgres_if_wanted: PostgresServer | None,
    templates: Templates,
    tmp_path: Path,
) -> Iterator[Seeded]:
    """A database of its own for the test, with everybody of tests/support/seeds.py in it."""
    template = templates.of(database_kind, postgres_if_wanted, real_time=False)
    copy = databases.copied(template.database, tmp_path / "data", postgres_if_wanted)
    yield Seeded(copy, template.seeds)
    databases.dropped(copy, postgres_if_wanted)


@pytest.fixture
def clock() -> HeldClock:
    """The server's clock: `clock.advance(60)`."""
    return HeldClock()


@pytest.fixture
def settings(request: pytest.FixtureRequest, seeded: Seeded, tmp_path: Path) -> Settings:
    """The server's settings; the marker `settings` changes some."""
    marker = request.node.get_closest_marker("settings")
    values = marker.kwargs if marker else {}
    return settings_for(seeded.database, tmp_path / "keys", **values)


@pytest.fixture
def app(settings: Settings, clock: HeldClock) -> Iterator[Flask]:
    """The application."""
    with running(settings, clock) as app:
        yield app


@pytest.fixture
def services(app: Flask) -> Services:
    """The parts of the application, to arrange things and to look behind it."""
    return services_of(app)


@pytest.fixture
def deployment(app: Flask, settings: Settings, seeded: Seeded) -> Deployment:
    """The application and those who know it: `deployment.client("spa")`."""

    def new_http() -> requests.Session:
        return in_process.session(app, settings.issuer)

    return Deployment(settings.issuer, seeded.seeds, new_http)


@pytest.fixture
def http(deployment: Deployment) -> requests.Session:
    """Plain HTTP to the application: `http.get(f"{settings.issuer}/")`."""
    return deployment.new_http()


@pytest.fixture
def browserless(deployment: Deployment) -> Browserless:
    """A browser without scripts, with Ada before it."""
    return deployment.browserless()


@pytest.fixture
def webapp(deployment: Deployment) -> TokenClient:
    """A confidential client of somebody else."""
    return deployment.client("webapp")


@pytest.fixture
def spa(deployment: Deployment) -> TokenClient:
    """A public client."""
    return deployment.client("spa")


@pytest.fixture
def service(deployment: Deployment) -> TokenClient:
    """A client that acts for itself."""
    return deployment.client("service")


@pytest.fixture
def notes_api(deployment: Deployment) -> TokenClient:
    """A resource server, which can introspect."""
    return deployment.resource_server()


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker."""
    config.addinivalue_line("markers", "settings(**values): other settings for the test's server")
