"""What recurs: one node at a time, in small batches, keys included, and a thread that survives."""

import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from idp.config import Settings
from idp.crypto.secrets import uuid7
from idp.domain import housekeeping
from idp.domain.audit import Audit
from idp.domain.background import Background
from idp.domain.housekeeping import BATCH, GRACE, MOST_BATCHES, Housekeeping
from idp.domain.signing_keys import SigningKeys
from idp.store import leases, purge
from idp.store.database import Store
from idp.store.errors import StoreUnavailable
from idp.store.tables import (
    Account,
    Authorization,
    Base,
    Client,
    Counter,
    OneTime,
    RefreshToken,
    RevokedToken,
    Session,
)
from tests.storage import rows
from tests.support.held_clock import HeldClock

Node = Callable[[], Housekeeping]
RETENTION = 400 * 86400


@pytest.fixture
def node(
    store: Store, clock: HeldClock, settings: Settings, signing_keys: SigningKeys, audit: Audit
) -> Iterator[Node]:
    """Makes nodes; their threads end with the test."""
    made = []

    def make() -> Housekeeping:
        made.append(Housekeeping(store, clock, settings, signing_keys))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def add(store: Store, model: type[Base], *values: dict[str, Any]) -> None:
    with store.writing() as connection:
        for value in values:
            rows.add(connection, model, value)


def number(store: Store, model: type[Base]) -> int:
    with store.reading() as connection:
        return rows.number(connection, model)


def revoked(count: int, expires_at: float) -> list[dict[str, Any]]:
    return [{"jti_digest": os.urandom(32), "expires_at": int(expires_at)} for _ in range(count)]


def family(store: Store, expires_at: int) -> None:
    """An account with a session, an authorization in it and a refresh token of that."""
    account = rows.account()
    dates = {"created_at": rows.NOW, "expires_at": expires_at}
    proof: dict[str, Any] = {"auth_time": rows.NOW, "amr": ["pwd"], "acr": "1"}
    session = {
        "id": uuid7(),
        "cookie_digest": b"cookie",
        "account_id": account["id"],
        **proof,
        **dates,
        "proofs": {},
        "kept": False,
        "chosen_at": rows.NOW,
        "seen_at": rows.NOW,
        "idle_expires_at": expires_at,
        "address": "",
        "user_agent": "",
    }
    authorization = {
        "id": "a1",
        "account_id": account["id"],
        "client_id": "webapp",
        "session_id": session["id"],
        "session_bound": True,
        "scopes": [],
        **proof,
        **dates,
    }
    add(store, Account, account)
    add(store, Client, rows.client())
    add(store, Session, session)
    add(store, Authorization, authorization)
    add(store, RefreshToken, {"digest": b"r1", "authorization_id": "a1", **dates})


def test_what_expired_goes_and_the_rest_stays(store: Store, node: Node, clock: HeldClock) -> None:
    now = int(clock.now)
    family(store, now)
    once = {"kind": "code", "sealed": b"", "created_at": now, "expires_at": now}
    add(store, OneTime, {"digest": b"o1", **once, "keep_until": now})
    add(store, OneTime, {"digest": b"o2", **once, "keep_until": now + 2 * GRACE})
    add(store, RevokedToken, *revoked(1, now))
    add(store, Counter, {"name": "c1", "hits": 1, "open_at": 0, "expires_at": now})
    expiring = (Session, Authorization, RefreshToken, RevokedToken, Counter)
    clock.advance(GRACE)
    assert node().run_once()
    assert {number(store, model) for model in expiring} == {1}
    clock.advance(1 + 60)
    assert node().run_once()
    assert {number(store, model) for model in expiring} == {0}
    assert number(store, OneTime) == 1
    assert number(store, Account) == 1


def test_every_table_with_an_end_is_purged() -> None:
    """A new table with `expires_at` must be named in the purge, or here with a reason."""
    never_many = {"leases"}  # one row for each task
    expiring = {
        table.name
        for table in Base.metadata.sorted_tables
        if {"expires_at", "keep_until"} & set(table.columns.keys())
    } - {"signing_keys"}
    assert expiring - never_many == set(purge.EXPIRING)


def test_a_backlog_goes_in_batches(
    store: Store, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "BATCH", 10)
    sizes: list[int] = []
    expired = purge.expired

    def counted(connection: Any, name: str, before: int, batch: int) -> int:
        deleted = expired(connection, name, before, batch)
        if name == "revoked_tokens":
            sizes.append(deleted)
        return deleted

    monkeypatch.setattr(purge, "expired", counted)
    add(store, RevokedToken, *revoked(25, 0), *revoked(3, 4_000_000_000))
    assert node().run_once()
    assert sizes == [10, 10, 5]
    assert number(store, RevokedToken) == 3


def test_one_run_is_bounded(store: Store, node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "BATCH", 1)
    add(store, RevokedToken, *revoked(MOST_BATCHES + 5, 0))
    assert BATCH > 1
    assert node().run_once()
    assert number(store, RevokedToken) == 5


def test_keys_move_on_with_it(node: Node, signing_keys: SigningKeys, clock: HeldClock) -> None:
    old = signing_keys.active("ES256").kid
    clock.advance(3600)
    assert node().run_once()
    assert signing_keys.active("ES256").kid != old


def test_keys_that_nobody_asks_for_are_forgotten_in_the_end(
    node: Node, signing_keys: SigningKeys, clock: HeldClock
) -> None:
    clock.advance(3600)
    old = signing_keys.active("ES256").kid
    for pause in (0, 1000, RETENTION, 1000):
        clock.advance(pause)
        assert node().run_once()
        clock.advance(60)
    assert old not in {key.kid for key in signing_keys.list()}
    assert {key.state for key in signing_keys.list()} >= {"active", "next"}


@pytest.mark.every_database
def test_one_node_works_at_a_time_and_another_goes_on_when_it_dies(
    node: Node, clock: HeldClock
) -> None:
    first, second = node(), node()
    assert first.run_once()
    assert not second.run_once()
    clock.advance(2)
    assert first.run_once()
    clock.advance(7)
    assert not second.run_once()
    clock.advance(1)
    assert second.run_once()
    assert not first.run_once()


@pytest.mark.every_database
def test_of_many_that_want_a_lease_one_gets_it(store: Store) -> None:
    wins: list[bool] = []

    def want(holder: str) -> None:
        with store.writing() as connection:
            wins.append(leases.take(connection, "task", holder, 100, 10))

    threads = [threading.Thread(target=want, args=(f"node{n}",)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(wins) == [False] * 15 + [True]


@pytest.mark.parametrize(
    ("max_age", "rotation", "interval"), [(300, 86400, 60), (2, 86400, 1), (1, 1, 0.5)]
)
def test_it_is_done_often_enough_for_the_keys(
    store: Store,
    clock: HeldClock,
    settings: Settings,
    signing_keys: SigningKeys,
    audit: Audit,
    max_age: int,
    rotation: int,
    interval: float,
) -> None:
    update = {"jwks_max_age": max_age, "key_rotation_period": rotation}
    changed = settings.model_copy(update=update)
    assert Housekeeping(store, clock, changed, signing_keys).interval == interval


class Task:
    """Counts its calls, and fails as it is told."""

    def __init__(self) -> None:
        self.calls = 0
        self.thread: threading.Thread | None = None
        self.called = threading.Event()
        self.failure: Exception | None = None
        self.ended = threading.Event()

    def __call__(self) -> None:
        self.calls += 1
        self.thread = threading.current_thread()
        self.called.set()
        if self.failure:
            raise self.failure

    def wait(self) -> None:
        self.called.clear()
        assert self.called.wait(30)


@pytest.fixture
def task() -> Task:
    return Task()


@pytest.fixture
def background(task: Task) -> Iterator[Background]:
    made = Background(task, 0.01, (StoreUnavailable,), task.ended.set)
    yield made
    made.stop()


def test_the_thread_starts_once_and_ends_when_told(task: Task, background: Background) -> None:
    background.ensure_started()
    threads = threading.active_count()
    background.ensure_started()
    assert threading.active_count() == threads
    task.wait()
    background.stop()
    assert task.ended.is_set()
    calls = task.calls
    background.ensure_started()
    assert task.calls == calls


def test_a_failure_is_logged_and_tried_again(
    task: Task, background: Background, caplog: pytest.LogCaptureFixture
) -> None:
    task.failure = StoreUnavailable("away")
    background.ensure_started()
    for _ in range(3):
        task.wait()
    task.failure = None
    task.wait()
    assert "it will try again: StoreUnavailable: away" in caplog.text


def test_a_thread_that_is_woken_takes_its_turn_at_once(task: Task) -> None:
    rare = Background(task, 3600, (), task.ended.set)
    rare.ensure_started()
    for _ in range(2):
        rare.wake()
        assert task.called.wait(30)
        task.called.clear()
    rare.stop()
    assert task.ended.is_set()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_died_is_started_again_by_a_later_request(
    task: Task, background: Background
) -> None:
    task.failure = ZeroDivisionError("a mistake of ours")
    background.ensure_started()
    # Not `wait`, which asks for one more call: of this thread there is but one.
    assert task.called.wait(30)
    dead = task.thread
    assert dead is not None
    dead.join(30)
    assert not dead.is_alive()
    task.failure = None
    while task.calls == 1:
        background.ensure_started()
    assert task.thread is not dead


def test_a_forked_process_gets_a_thread_of_its_own(task: Task, background: Background) -> None:
    background.ensure_started()
    task.wait()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        task.calls = 0
        background.ensure_started()
        task.wait()
        os.write(writing, b"alive" if task.calls else b"dead")
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        assert answer.read() == b"alive"
    os.waitpid(child, 0)
