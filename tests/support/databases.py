"""A database for each test: SQLite, and PostgreSQL where the test says so or `make test-slow` runs.

Each is a copy of a template that was migrated once for the run. A test that uses any database runs
on both, its PostgreSQL half marked slow; `@pytest.mark.every_database` puts both into `make test`,
and `@pytest.mark.only_on("sqlite")` leaves one out.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import create_engine

from idp.config import Settings
from idp.store import schema
from idp.store.database import Store, engine_options
from tests.support.database_dump import of_postgresql, of_sqlite
from tests.support.postgres_server import PostgresServer

KINDS = ("sqlite", "postgresql")


@dataclass(frozen=True)
class Database:
    """One database. `url` is for IDP_DATABASE_URL; empty: SQLite in `data_dir`."""

    kind: str
    url: str
    data_dir: Path

    @cached_property
    def sqlalchemy_url(self) -> str:
        """The address as the engine takes it."""
        found = Settings.model_construct(database_url=self.url, data_dir=self.data_dir)
        return found.sqlalchemy_url

    @property
    def file(self) -> Path:
        """The file of a SQLite database."""
        return Path(self.sqlalchemy_url.removeprefix("sqlite:///"))

    def dump(self) -> str:
        """Return everything in it as SQL, binary values in hexadecimal."""
        return of_sqlite(self.file) if self.kind == "sqlite" else of_postgresql(self.url)


@contextmanager
def opened(database: Database) -> Iterator[Store]:
    """A Store on `database`, as one process opens it."""
    url = database.sqlalchemy_url
    store = Store(create_engine(url, **engine_options(url)))
    try:
        yield store
    finally:
        store.close()


def make(
    kind: str, data_dir: Path, server: PostgresServer | None, template: str = "template0"
) -> Database:
    """Make an empty database."""
    url = server.url(server.create(template)) if server else ""
    return Database(kind, url, data_dir)


def settled(database: Database) -> None:
    """Fold SQLite's write-ahead log into its file, so that the file can be copied by itself."""
    if database.kind == "sqlite":
        with closing(sqlite3.connect(database.file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def copied(template: Database, data_dir: Path, server: PostgresServer | None) -> Database:
    """Return a database with the content of `template`, which nobody is connected to."""
    if server:
        return make(template.kind, data_dir, server, _name(template))
    data_dir.mkdir(parents=True, exist_ok=True)
    copy = Database(template.kind, "", data_dir)
    shutil.copyfile(template.file, copy.file)
    return copy


def dropped(database: Database, server: PostgresServer | None) -> None:
    """Remove a PostgreSQL database; SQLite's goes with its folder."""
    if server:
        server.drop(_name(database))


def _name(database: Database) -> str:
    return urlsplit(database.url).path.removeprefix("/")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL 15 cluster for this run (for each worker of xdist, its own). 0.8 s."""
    server = PostgresServer()
    yield server
    server.stop()


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    """Which database the test runs on: `sqlite` or `postgresql`."""
    return str(request.param)


@pytest.fixture
def postgres_if_wanted(request: pytest.FixtureRequest, database_kind: str) -> PostgresServer | None:
    """The cluster in a PostgreSQL test, None in a SQLite test (which does not start it)."""
    if database_kind != "postgresql":
        return None
    server: PostgresServer = request.getfixturevalue("postgres")
    return server


@pytest.fixture
def empty_database(
    database_kind: str, tmp_path: Path, postgres_if_wanted: PostgresServer | None
) -> Iterator[Database]:
    """A database without any table."""
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    database = make(database_kind, data_dir, postgres_if_wanted)
    yield database
    dropped(database, postgres_if_wanted)


@pytest.fixture(scope="session")
def _migrated_templates() -> dict[str, Database]:
    return {}


@pytest.fixture
def migrated_database(
    database_kind: str,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    postgres_if_wanted: PostgresServer | None,
    _migrated_templates: dict[str, Database],
) -> Iterator[Database]:
    """A database with all tables and no row."""
    template = _migrated_templates.get(database_kind)
    if template is None:
        template = make(database_kind, tmp_path_factory.mktemp("migrated"), postgres_if_wanted)
        with opened(template) as store:
            schema.upgrade(store)
        settled(template)
        _migrated_templates[database_kind] = template
    database = copied(template, tmp_path / "data", postgres_if_wanted)
    yield database
    dropped(database, postgres_if_wanted)


@pytest.fixture
def store(migrated_database: Database) -> Iterator[Store]:
    """A Store on a migrated, empty database."""
    with opened(migrated_database) as store:
        yield store


def pytest_configure(config: pytest.Config) -> None:
    """Name the markers."""
    config.addinivalue_line("markers", "every_database: its PostgreSQL run is not slow")
    config.addinivalue_line("markers", "only_on(kind): concerns this kind of database alone")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what touches a database on each kind of it."""
    if "database_kind" not in metafunc.fixturenames:
        return
    only = metafunc.definition.get_closest_marker("only_on")
    both = metafunc.definition.get_closest_marker("every_database")
    kinds = only.args if only else KINDS
    slow = () if both or only else pytest.mark.slow
    parameters = [pytest.param(kind, marks=slow if kind == "postgresql" else ()) for kind in kinds]
    metafunc.parametrize("database_kind", parameters, indirect=True)
