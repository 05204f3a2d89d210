"""Migrations: one process does them, the others wait; what is rebuilt keeps its rows."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError

from idp.store import assignments, memberships, roles, schema
from idp.store.database import Store
from idp.store.errors import StoreError
from idp.store.memberships import Held
from idp.store.rights import EVERY_ROLE
from idp.store.tables import Account, Client, Consent, Password, table
from tests.storage import rows
from tests.support import processes
from tests.support.databases import Database, opened

pytestmark = pytest.mark.every_database

NEXT_REVISION = '''"""A migration of a day to come."""

import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{newest}"


def upgrade():
    {deed}
'''
REBUILD = """with op.batch_alter_table("accounts") as batch:
        batch.alter_column("name", nullable=True)"""
LEAVE_DANGLING = 'op.execute("DELETE FROM accounts")'
FAIL = 'op.create_table("half", sa.Column("id", sa.Text())); op.execute("SELECT nonsense")'


@pytest.fixture
def empty_store(empty_database: Database) -> Iterator[Store]:
    """A Store on a database without tables."""
    with opened(empty_database) as store:
        yield store


@pytest.fixture
def add_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Give the program one migration more than it has."""

    def add(deed: str) -> None:
        folder = tmp_path / "migrations"
        shutil.copytree(Path(schema.__file__).parent / "migrations", folder)
        text = NEXT_REVISION.format(newest=schema.newest_revision(), deed=deed)
        (folder / "versions" / "9999_to_come.py").write_text(text)
        monkeypatch.setattr(schema, "_MIGRATIONS", folder)

    return add


def test_the_migrations_make_the_tables_that_the_code_names(empty_store: Store) -> None:
    assert schema.current_revision(empty_store) is None
    schema.upgrade(empty_store)
    assert schema.current_revision(empty_store) == schema.newest_revision() is not None
    assert schema.differences(empty_store) == []


def test_a_second_start_changes_nothing(empty_store: Store) -> None:
    schema.upgrade(empty_store)
    with empty_store.writing() as connection:
        rows.family(connection)
    schema.upgrade(empty_store)
    with empty_store.reading() as connection:
        assert rows.number(connection, Consent) == 1


def test_five_processes_that_start_together_migrate_once(empty_database: Database) -> None:
    data_dir = str(empty_database.data_dir)
    command = ["tests.storage.upgrading", empty_database.kind, empty_database.url, data_dir]
    assert processes.together([command] * 5) == [schema.newest_revision()] * 5
    with opened(empty_database) as store:
        assert schema.differences(store) == []


def test_a_table_that_is_rebuilt_keeps_the_rows_that_refer_to_it(
    store: Store, add_migration: Callable[[str], None]
) -> None:
    with store.writing() as connection:
        parent = rows.family(connection)
    add_migration(REBUILD)
    schema.upgrade(store)
    assert schema.current_revision(store) == "9999"
    with store.reading() as connection:
        assert connection.execute(select(table(Account).c.id)).scalar_one() == parent["id"]
        assert [rows.number(connection, model) for model in (Password, Consent, Client)] == [1] * 3


@pytest.mark.only_on("sqlite")
def test_the_trap_is_real(store: Store) -> None:
    """With foreign keys on, dropping the old table takes the rows along that refer to it."""
    with store.writing() as connection:
        rows.family(connection)
        connection.exec_driver_sql("CREATE TABLE rebuilt AS SELECT * FROM accounts")
        connection.exec_driver_sql("DROP TABLE accounts")
        assert rows.number(connection, Password) == 0


@pytest.mark.only_on("sqlite")
def test_a_migration_that_leaves_dangling_rows_is_undone(
    store: Store, add_migration: Callable[[str], None]
) -> None:
    before = schema.newest_revision()
    with store.writing() as connection:
        rows.family(connection)
    add_migration(LEAVE_DANGLING)
    with pytest.raises(StoreError, match="refer to nothing"):
        schema.upgrade(store)
    assert schema.current_revision(store) == before
    with store.reading() as connection:
        assert rows.number(connection, Account) == 1


def test_a_migration_that_fails_half_way_is_undone(
    store: Store, add_migration: Callable[[str], None]
) -> None:
    before = schema.newest_revision()
    add_migration(FAIL)
    with pytest.raises((StoreError, ProgrammingError)):
        schema.upgrade(store)
    assert schema.current_revision(store) == before
    with store.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE half (id TEXT)")


def test_differences_are_found(store: Store) -> None:
    with store.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE stray (id TEXT)")
        connection.exec_driver_sql("DROP TABLE leases")
    found = str(schema.differences(store))
    assert "'stray'" in found
    assert "'leases'" in found


def test_roles_and_groups_of_before_are_kept(
    empty_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their names were all that there was of them."""
    folder = tmp_path / "migrations"
    shutil.copytree(Path(schema.__file__).parent / "migrations", folder)
    files = sorted((folder / "versions").glob("[0-9]*.py"))
    (first,) = (n for n, file in enumerate(files) if "roles_and_groups" in file.name)
    for later in files[first:]:
        later.unlink()
    with monkeypatch.context() as patched:
        patched.setattr(schema, "_MIGRATIONS", folder)
        schema.upgrade(empty_store)
    with empty_store.writing() as connection:
        for name in ("ada", "grace"):
            connection.execute(
                text(
                    "INSERT INTO accounts (id, subject, email, email_key, email_verified, name, "
                    "profile, created_at, updated_at) "
                    "VALUES (:id, :n, :n, :n, true, :n, '{}', 1, 1)"
                ),
                {"id": name, "n": name},
            )
        connection.exec_driver_sql(
            "INSERT INTO role_assignments VALUES ('ada', 'administrator', 5), ('ada', 'cook', 6)"
        )
        connection.exec_driver_sql(
            "INSERT INTO group_memberships VALUES ('ada', 'staff', 7), ('grace', 'staff', 8)"
        )
    schema.upgrade(empty_store)
    assert schema.differences(empty_store) == []
    with empty_store.reading() as connection:
        held = memberships.held(connection, ["ada", "grace"], 9)
        powers = assignments.powers(connection, "ada", 9)
        known = {row["name"] for row in roles.every(connection)}
    assert held["ada"] == Held(frozenset({"administrator", "cook"}), frozenset({"staff"}))
    assert held["grace"] == Held(frozenset(), frozenset({"staff"}))
    assert sorted(row["grantable"] for row in powers) == [[], [EVERY_ROLE]]
    assert known == {"administrator", "auditor", "cook", "developer", "operator"}
