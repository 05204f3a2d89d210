"""Writers of one process share SQLite's transactions, and notice nothing but its speed."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from idp.store.database import Store
from idp.store.errors import Conflict, StoreUnavailable
from idp.store.shared_transaction import SharedTransaction
from idp.store.tables import Counter
from tests.storage import rows
from tests.support.databases import Database, opened

pytestmark = pytest.mark.only_on("sqlite")
WRITERS = 6
PATIENCE_SECONDS = 10


class Watched:
    """A Store whose statements are seen, and whose first writer can be kept waiting."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.store._shared.longest_seconds = PATIENCE_SECONDS
        self.seen: list[str] = []

    def prepare(self, raw: Any, _record: object) -> None:
        """Watch a new connection."""
        raw.set_trace_callback(self.seen.append)

    def commits(self) -> int:
        """How many transactions were committed."""
        return self.seen.count("COMMIT")

    def add(self, name: str, *, then: BaseException | None = None) -> None:
        """Write one row; `then` fail."""
        with self.store.writing() as connection:
            rows.add(connection, Counter, row(name))
            if then is not None:
                raise then

    @contextmanager
    def gathering(self, *jobs: Any) -> Iterator[list[Future[None]]]:
        """Let `jobs` wait for the turn of a writer; they go on when the block ends."""
        with ThreadPoolExecutor(len(jobs)) as pool, self.store.writing() as connection:
            rows.add(connection, Counter, row("first"))
            started = [pool.submit(job) for job in jobs]
            self._until_waiting(len(jobs))
            yield started

    def _until_waiting(self, number: int) -> None:
        shared: SharedTransaction = self.store._shared
        end = threading.Event()
        for _ in range(PATIENCE_SECONDS * 100):
            if shared._waiting == number:
                return
            end.wait(0.01)
        raise AssertionError(f"{shared._waiting} writers wait, not {number}")


def row(name: str) -> dict[str, Any]:
    return {"name": name, "hits": 0, "open_at": 0, "expires_at": rows.NOW}


@pytest.fixture
def watched(migrated_database: Database) -> Iterator[Watched]:
    with opened(migrated_database) as store:
        watched = Watched(store)
        event.listen(store.engine, "connect", watched.prepare)
        yield watched


def number(watched: Watched) -> int:
    with watched.store.reading() as connection:
        return rows.number(connection, Counter)


def test_writers_that_wait_share_one_commit(watched: Watched) -> None:
    jobs = [lambda name=f"{n}": watched.add(name) for n in range(WRITERS)]
    with watched.gathering(*jobs) as started:
        pass
    for job in started:
        job.result()
    assert number(watched) == WRITERS + 1
    assert watched.commits() == 1


def test_nobody_returns_before_the_commit(watched: Watched) -> None:
    """What a writer wrote is in the file, for other processes too, when its block is left."""
    with watched.gathering(lambda: watched.add("second")) as started:
        assert number(watched) == 0
        assert not started[0].done()
    assert number(watched) == 2


def test_who_fails_undoes_only_what_it_did_itself(watched: Watched) -> None:
    jobs = [
        lambda: watched.add("a"),
        lambda: watched.add("b", then=KeyError("changed my mind")),
        lambda: watched.add("c"),
        lambda: watched.add("first"),
    ]
    with watched.gathering(*jobs) as started:
        pass
    outcomes = [job.exception() for job in started]
    assert [type(outcome) for outcome in outcomes] == [type(None), KeyError, type(None), Conflict]
    assert number(watched) == 3


def test_a_transaction_that_is_lost_is_told_to_everybody(watched: Watched) -> None:
    """SQLite ends it by itself when the disk is full, whoever's turn it is."""

    def lose() -> None:
        with watched.store.writing() as connection:
            connection.exec_driver_sql("ROLLBACK")
            raise KeyError("a statement failed")

    with pytest.raises(StoreUnavailable), watched.gathering(lose) as started:
        pass
    assert isinstance(started[0].exception(), KeyError)
    assert number(watched) == 0
    watched.add("later")
    assert number(watched) == 1


def test_who_does_not_notice_that_it_is_lost_is_told(watched: Watched) -> None:
    def lose() -> None:
        with watched.store.writing() as connection:
            rows.add(connection, Counter, row("first"))
            connection.exec_driver_sql("ROLLBACK")

    with pytest.raises(StoreUnavailable):
        lose()
    assert number(watched) == 0


def test_a_commit_that_fails_is_told_to_everybody(watched: Watched) -> None:
    """A reference that is only checked at the end stands for a disk that fails then."""

    def promise() -> None:
        with watched.store.writing() as connection:
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
            connection.exec_driver_sql("INSERT INTO passwords VALUES ('nobody', '', 0)")

    with pytest.raises(StoreUnavailable), watched.gathering(promise) as started:
        pass
    assert isinstance(started[0].exception(), StoreUnavailable)
    assert number(watched) == 0
    watched.add("later")
    assert number(watched) == 1


def test_who_waits_too_long_is_told_and_the_others_go_on(watched: Watched) -> None:
    watched.store._shared._wait_seconds = 0.05
    with ThreadPoolExecutor(1) as pool, watched.store.writing() as connection:
        rows.add(connection, Counter, row("first"))
        late = pool.submit(watched.add, "late").exception(PATIENCE_SECONDS)
    assert isinstance(late, StoreUnavailable)
    assert number(watched) == 1


def test_a_migration_begins_when_the_open_transaction_has_ended(watched: Watched) -> None:
    def migrate() -> None:
        with watched.store.writing(foreign_keys=False) as connection:
            assert rows.number(connection, Counter) == 1
            rows.add(connection, Counter, row("migrated"))

    with watched.gathering(migrate) as started:
        pass
    started[0].result()
    assert number(watched) == 2
    assert watched.commits() == 2
