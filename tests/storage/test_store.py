"""The Store: who reads and who writes, what survives, and how a failing database is told."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from psycopg import sql
from sqlalchemy import event, insert, select, text, update

from idp.store import database
from idp.store.database import Store
from idp.store.errors import Conflict, StoreUnavailable
from idp.store.tables import Account, Counter, Password, table
from tests.storage import rows
from tests.support.databases import Database, opened
from tests.support.postgres_server import PostgresServer

pytestmark = pytest.mark.every_database
COUNTERS = table(Counter)


def counter(name: str = "tries") -> dict[str, Any]:
    return {"name": name, "hits": 0, "open_at": 0, "expires_at": rows.NOW}


def hits(store: Store) -> int:
    with store.reading() as connection:
        return int(connection.execute(select(COUNTERS.c.hits)).scalar_one())


def test_what_is_written_can_be_read(store: Store) -> None:
    row = rows.account()
    with store.writing() as connection:
        rows.add(connection, Account, row)
    with store.reading() as connection:
        found = connection.execute(select(table(Account))).mappings().one()
    assert dict(found) == row


def test_an_exception_undoes_the_transaction(store: Store) -> None:
    def add_and_fail() -> None:
        with store.writing() as connection:
            rows.add(connection, Counter, counter())
            raise KeyError("changed my mind")

    with pytest.raises(KeyError):
        add_and_fail()
    with store.reading() as connection:
        assert rows.number(connection, Counter) == 0


def test_a_reader_sees_only_what_is_committed_and_each_statement_sees_it_anew(store: Store) -> None:
    with store.reading() as reader:
        with store.writing() as writer:
            rows.add(writer, Counter, counter())
            assert rows.number(reader, Counter) == 0
        assert rows.number(reader, Counter) == 1


def test_the_same_value_twice_is_a_conflict_and_changes_nothing(store: Store) -> None:
    with store.writing() as connection:
        rows.add(connection, Counter, counter())

    def change_and_add_again() -> None:
        with store.writing() as connection:
            connection.execute(update(COUNTERS).values(hits=7))
            rows.add(connection, Counter, counter())

    with pytest.raises(Conflict):
        change_and_add_again()
    assert hits(store) == 0


def test_a_row_that_refers_to_nothing_is_a_conflict(store: Store) -> None:
    with pytest.raises(Conflict), store.writing() as connection:
        rows.add(connection, Password, {"account_id": "nobody", "hash": "", "changed_at": 0})


def test_rows_go_with_the_account_they_belong_to(store: Store) -> None:
    with store.writing() as connection:
        rows.family(connection)
        connection.execute(table(Account).delete())
        assert rows.number(connection, Password) == 0


@pytest.mark.only_on("sqlite")
def test_sqlite_is_durable_and_keeps_references(store: Store) -> None:
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    for use in (store.reading, store.writing):
        with use() as connection:
            found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted}
        assert found == wanted


@pytest.mark.only_on("sqlite")
def test_references_are_kept_again_after_a_migration_used_the_connection(store: Store) -> None:
    with store.writing(foreign_keys=False) as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 0
    with store.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


@pytest.mark.only_on("sqlite")
def test_transactions_that_read_before_they_write_never_fail(migrated_database: Database) -> None:
    """Two Stores stand for two processes: they share the file, not the turns in a process."""
    threads, rounds = 4, 20
    with opened(migrated_database) as first, opened(migrated_database) as second:
        with first.writing() as connection:
            rows.add(connection, Counter, counter())

        def raise_by_one(store: Store) -> None:
            with store.writing() as connection:
                seen = connection.execute(select(COUNTERS.c.hits)).scalar_one()
                connection.execute(update(COUNTERS).values(hits=seen + 1))

        with ThreadPoolExecutor(2 * threads) as pool:
            jobs = [
                pool.submit(raise_by_one, store)
                for _ in range(threads * rounds)
                for store in (first, second)
            ]
        for job in jobs:
            job.result()
        assert hits(second) == 2 * threads * rounds


@pytest.mark.every_database
def test_what_is_in_use_is_closed_when_it_is_given_back_to_a_closed_store(
    migrated_database: Database,
) -> None:
    """Its thread was busy when the others ended."""
    with opened(migrated_database) as store:
        with store.reading() as reader:
            raw: Any = reader.connection.driver_connection
            reader.execute(select(COUNTERS)).all()
            store.close()
        if migrated_database.kind == "postgresql":
            assert raw.closed
        else:
            with pytest.raises(sqlite3.ProgrammingError, match="closed"):
                raw.execute("SELECT 1")
        with store.reading() as reader:
            assert reader.execute(select(COUNTERS)).all() == []


@pytest.mark.only_on("sqlite")
def test_a_reader_does_not_wait_for_a_writer(store: Store) -> None:
    with store.writing() as writer:
        rows.add(writer, Counter, counter())
        with ThreadPoolExecutor(1) as pool, store.reading() as reader:
            assert pool.submit(rows.number, reader, Counter).result(timeout=30) == 0


@pytest.fixture
def impatient(migrated_database: Database) -> Iterator[Store]:
    """A Store on SQLite that doesn't wait for locks and holds only what it holds already."""
    with opened(migrated_database) as store:

        def hurry(raw: sqlite3.Connection, _record: object) -> None:
            raw.execute("PRAGMA busy_timeout=0")
            pages = raw.execute("PRAGMA page_count").fetchone()[0]
            raw.execute(f"PRAGMA max_page_count={pages}")

        event.listen(store.engine, "connect", hurry)
        yield store


@pytest.mark.only_on("sqlite")
def test_a_locked_file_is_told_as_unavailable(
    impatient: Store, migrated_database: Database
) -> None:
    other = sqlite3.connect(migrated_database.file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(StoreUnavailable), impatient.writing():
            pytest.fail("another process holds the lock")
    finally:
        other.execute("ROLLBACK")
        other.close()
    with impatient.writing() as connection:
        connection.execute(select(COUNTERS))


@pytest.mark.only_on("sqlite")
def test_a_full_disk_is_told_as_unavailable_and_reading_goes_on(impatient: Store) -> None:
    def fill() -> None:
        with impatient.writing() as connection:
            for number in range(1000):
                rows.add(connection, Counter, counter(f"{number}" * 1000))

    with pytest.raises(StoreUnavailable):
        fill()
    with impatient.reading() as connection:
        assert rows.number(connection, Counter) == 0


@pytest.mark.only_on("postgresql")
def test_a_lost_connection_is_told_as_unavailable_and_the_next_one_works(
    store: Store, postgres: PostgresServer
) -> None:
    def lose() -> None:
        with store.writing() as connection:
            rows.add(connection, Counter, counter())
            backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            postgres.execute(sql.SQL("SELECT pg_terminate_backend(%s, 5000)"), backend)
            rows.add(connection, Counter, counter("other"))

    with pytest.raises(StoreUnavailable):
        lose()
    with store.writing() as connection:
        assert rows.number(connection, Counter) == 0
        rows.add(connection, Counter, counter())
    assert hits(store) == 0


@pytest.mark.only_on("postgresql")
def test_connections_lost_while_idle_are_not_noticed_above(
    store: Store, postgres: PostgresServer
) -> None:
    with store.reading() as connection:
        name = connection.execute(text("SELECT current_database()")).scalar_one()
    kill = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
    assert postgres.execute(sql.SQL(kill), name)
    with store.reading() as connection:
        assert rows.number(connection, Counter) == 0


@pytest.mark.only_on("postgresql")
def test_a_database_that_refuses_to_write_is_told_as_unavailable(store: Store) -> None:
    def write() -> None:
        with store.writing() as connection:
            connection.execute(text("SET TRANSACTION READ ONLY"))
            rows.add(connection, Counter, counter())

    with pytest.raises(StoreUnavailable):
        write()


@pytest.mark.only_on("postgresql")
def test_a_deadlock_is_told_as_unavailable_to_one_and_lets_the_other_go_on(store: Store) -> None:
    with store.writing() as connection:
        connection.execute(insert(COUNTERS), [counter("left"), counter("right")])
    both_hold_one = threading.Barrier(2, timeout=10)

    def lock(first: str, second: str) -> str:
        try:
            with store.writing() as connection:
                connection.execute(text("SET LOCAL deadlock_timeout = '50ms'"))
                connection.execute(update(COUNTERS).where(COUNTERS.c.name == first).values(hits=1))
                both_hold_one.wait()
                connection.execute(update(COUNTERS).where(COUNTERS.c.name == second).values(hits=1))
        except StoreUnavailable:
            return "unavailable"
        return "done"

    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(lock, "left", "right"), pool.submit(lock, "right", "left")]
    assert sorted(job.result() for job in jobs) == ["done", "unavailable"]


@pytest.mark.only_on("postgresql")
def test_every_connection_gives_up_in_seconds_and_thinks_in_utc(store: Store) -> None:
    for use in (store.reading, store.writing):
        with use() as connection:
            found = [
                connection.execute(text(f"SHOW {name}")).scalar_one()
                for name in ("statement_timeout", "lock_timeout", "timezone")
            ]
        assert found == ["5s", "5s", "UTC"]


def test_a_forked_worker_uses_connections_of_its_own(store: Store) -> None:
    with store.writing() as connection:
        rows.add(connection, Counter, counter())
    child = os.fork()
    if child == 0:  # whatever happens, the child must not go on with the tests
        status = 1
        try:
            status = _work_as_a_child(store)
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with store.reading() as connection:
        assert rows.number(connection, Counter) == 2


def _work_as_a_child(store: Store) -> int:
    if store.engine.pool.status() != store.engine.pool.recreate().status():
        return 2  # it has connections that are the parent's
    with store.writing() as connection:
        rows.add(connection, Counter, counter("other"))
    return 0


class Crowded:
    """A new file that others open at the same moment: SQLite refuses some tries at once."""

    def __init__(self, *codes: int) -> None:
        self.codes = list(codes)
        self.done: list[str] = []

    def execute(self, statement: str) -> None:
        if self.codes:
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = self.codes.pop(0)
            raise error
        self.done.append(statement)


def test_a_new_file_is_opened_again_while_others_prepare_it() -> None:
    crowded = Crowded(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY)
    database._prepare_sqlite(crowded, None)
    assert crowded.done[0] == "PRAGMA journal_mode=WAL"
    assert len(crowded.done) == 4
    broken = Crowded(sqlite3.SQLITE_READONLY)
    with pytest.raises(sqlite3.OperationalError):
        database._prepare_sqlite(broken, None)
    assert broken.done == []
