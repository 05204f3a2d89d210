"""Statements that the driver runs: the same values, types and errors as through SQLAlchemy."""

from typing import Any

import pytest
from psycopg import sql
from sqlalchemy import bindparam, insert, select, text, update

from idp.store.database import Store
from idp.store.errors import Conflict, StoreUnavailable
from idp.store.statements import Statement
from idp.store.tables import Account, OneTime, table
from tests.storage import rows
from tests.support.postgres_server import PostgresServer

pytestmark = pytest.mark.every_database
ACCOUNTS, VALUES = table(Account), table(OneTime)
ADD = Statement(insert(ACCOUNTS))
ADD_VALUE = Statement(insert(VALUES))
FIND = Statement(select(ACCOUNTS).where(ACCOUNTS.c.id == bindparam("wanted")))
EVERY = Statement(select(ACCOUNTS.c.name, ACCOUNTS.c.email_verified).order_by(ACCOUNTS.c.name))
RENAME = Statement(
    update(ACCOUNTS).where(ACCOUNTS.c.name == bindparam("old")).values(name=bindparam("new"))
)
VERIFIED = Statement(select(ACCOUNTS.c.name).where(ACCOUNTS.c.updated_at > 5))
SPEND = Statement(
    update(VALUES)
    .where(VALUES.c.digest == bindparam("wanted"), VALUES.c.used_at.is_(None))
    .values(used_at=bindparam("now"))
    .returning(VALUES.c.sealed, VALUES.c.kind)
)


def test_a_row_comes_back_with_the_types_of_its_columns(store: Store) -> None:
    row = rows.account() | {"profile": {"nickname": "Åda", "address": {"locality": None}}}
    with store.writing() as connection:
        assert ADD.run(connection, row) == 1
    with store.reading() as connection:
        assert FIND.first(connection, {"wanted": row["id"]}) == row
        through = connection.execute(select(ACCOUNTS)).mappings().one()
        assert dict(through) == row
        assert FIND.first(connection, {"wanted": "nobody"}) is None


def test_every_row_and_the_number_of_changed_ones(store: Store) -> None:
    with store.writing() as connection:
        for name in ("grace", "ada"):
            ADD.run(connection, rows.account(name))
        assert RENAME.run(connection, {"old": "ada", "new": "Ada"}) == 1
        assert RENAME.run(connection, {"old": "ada", "new": "Ada"}) == 0
        found = EVERY.all(connection, {})
    assert found == [
        {"name": "Ada", "email_verified": True},
        {"name": "grace", "email_verified": True},
    ]
    with store.reading() as connection:
        assert len(VERIFIED.all(connection, {})) == 2


def test_what_an_insert_gets_no_value_for_is_null_and_returning_returns(store: Store) -> None:
    value = {"digest": b"\0d\xff", "kind": "code", "sealed": b"\0", "created_at": 1}
    with store.writing() as connection:
        ADD_VALUE.run(connection, value | {"expires_at": 2, "keep_until": 3})
        spent = {"wanted": b"\0d\xff", "now": 2}
        assert SPEND.first(connection, spent) == {"sealed": b"\0", "kind": "code"}
        assert SPEND.first(connection, spent) is None


@pytest.mark.parametrize("values", [{}, {"wanted": "a", "more": "b"}])
def test_other_values_than_the_statement_names_are_a_mistake(
    store: Store, values: dict[str, Any]
) -> None:
    with store.reading() as connection, pytest.raises(TypeError):
        FIND.first(connection, values)


def test_the_same_row_twice_is_a_conflict_and_changes_nothing(store: Store) -> None:
    def add_twice() -> None:
        with store.writing() as connection:
            ADD.run(connection, rows.account())
            ADD.run(connection, rows.account())

    with pytest.raises(Conflict):
        add_twice()
    with store.reading() as connection:
        assert EVERY.all(connection, {}) == []


def test_a_statement_sees_what_others_have_committed(store: Store) -> None:
    with store.reading() as reader:
        with store.writing() as writer:
            ADD.run(writer, rows.account())
            assert EVERY.all(reader, {}) == []
        assert len(EVERY.all(reader, {})) == 1


@pytest.mark.only_on("postgresql")
def test_a_lost_connection_is_told_as_unavailable_and_the_next_one_works(
    store: Store, postgres: PostgresServer
) -> None:
    def lose() -> None:
        with store.writing() as connection:
            ADD.run(connection, rows.account())
            backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            postgres.execute(sql.SQL("SELECT pg_terminate_backend(%s, 5000)"), backend)
            ADD.run(connection, rows.account("grace"))

    with pytest.raises(StoreUnavailable):
        lose()
    with store.writing() as connection:
        assert ADD.run(connection, rows.account()) == 1
