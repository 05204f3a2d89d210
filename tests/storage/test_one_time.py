"""Values that work once: one winner, no mixing of kinds, and a tombstone for who comes later."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from idp.crypto import secrets
from idp.crypto.sealing import SealBroken, Sealer
from idp.domain.one_time import TOMBSTONE_SECONDS, OneTimeValues
from idp.store.database import Store
from idp.store.errors import Conflict
from idp.store.tables import OneTime, table
from tests.storage import rows, taking
from tests.support import processes
from tests.support.databases import Database
from tests.support.held_clock import HeldClock

pytestmark = pytest.mark.every_database

KINDS = ("code", "interaction", "magic_link", "device_code", "pushed_request", "session")
PAYLOAD = {"client_id": "webapp", "scope": ["openid"], "name": "Ada ✓"}


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock(rows.NOW)


@pytest.fixture
def one_time(clock: HeldClock) -> OneTimeValues:
    return OneTimeValues(Sealer([taking.KEY]), clock)


def put(store: Store, one_time: OneTimeValues, kind: str = "code", value: str = "v1") -> None:
    with store.writing() as connection:
        one_time.put(connection, kind, value, PAYLOAD, 60)


def take(
    store: Store, one_time: OneTimeValues, kind: str = "code", value: str = "v1"
) -> dict[str, object] | None:
    with store.writing() as connection:
        return one_time.take(connection, kind, value)


def test_a_value_is_taken_once(store: Store, one_time: OneTimeValues) -> None:
    put(store, one_time)
    assert take(store, one_time) == PAYLOAD
    assert take(store, one_time) is None


def test_a_value_that_was_never_put_is_not_there(store: Store, one_time: OneTimeValues) -> None:
    assert take(store, one_time) is None
    with store.reading() as connection:
        assert one_time.find(connection, "code", "v1") is None


def test_looking_does_not_use(store: Store, one_time: OneTimeValues) -> None:
    put(store, one_time)
    with store.reading() as connection:
        found = one_time.find(connection, "code", "v1")
    assert found is not None
    assert (found.payload, found.used_at, found.expires_at) == (PAYLOAD, None, rows.NOW + 60)
    assert take(store, one_time) == PAYLOAD


def test_a_used_value_leaves_a_tombstone(
    store: Store, one_time: OneTimeValues, clock: HeldClock
) -> None:
    with store.writing() as connection:
        one_time.put(connection, "code", "v1", PAYLOAD, 60, authorization_id="a1")
    clock.advance(5)
    take(store, one_time)
    clock.advance(600)
    with store.reading() as connection:
        found = one_time.find(connection, "code", "v1")
        kept = connection.execute(select(table(OneTime).c.keep_until)).scalar_one()
    assert found is not None
    assert (found.used_at, found.authorization_id) == (rows.NOW + 5, "a1")
    assert kept == rows.NOW + 60 + TOMBSTONE_SECONDS


@pytest.mark.parametrize(("seconds", "works"), [(59, True), (59.9, True), (60, False), (61, False)])
def test_a_value_works_until_it_expires(
    store: Store, one_time: OneTimeValues, clock: HeldClock, seconds: float, works: bool
) -> None:
    put(store, one_time)
    clock.advance(seconds)
    assert (take(store, one_time) is not None) is works


def test_a_use_that_is_undone_did_not_happen(store: Store, one_time: OneTimeValues) -> None:
    put(store, one_time)

    def take_and_fail() -> None:
        with store.writing() as connection:
            assert one_time.take(connection, "code", "v1") == PAYLOAD
            raise KeyError("the rest failed")

    with pytest.raises(KeyError):
        take_and_fail()
    assert take(store, one_time) == PAYLOAD


def test_a_value_cannot_be_put_again_used_or_not(store: Store, one_time: OneTimeValues) -> None:
    put(store, one_time)
    with pytest.raises(Conflict):
        put(store, one_time)
    take(store, one_time)
    with pytest.raises(Conflict):
        put(store, one_time)
    assert take(store, one_time) is None


@pytest.mark.parametrize("kind", KINDS)
def test_case_024_a_value_of_one_kind_is_nothing_of_another(
    store: Store, one_time: OneTimeValues, kind: str
) -> None:
    put(store, one_time, kind)
    for other in set(KINDS) - {kind}:
        assert take(store, one_time, other) is None
        with store.writing() as connection:
            assert one_time.find(connection, other, "v1") is None
            assert not one_time.bind(connection, other, "v1", b"browser")
            one_time.rewrite(connection, other, "v1", {"stolen": True})
    assert take(store, one_time, kind) == PAYLOAD


def test_the_first_browser_binds(store: Store, one_time: OneTimeValues) -> None:
    put(store, one_time)
    with store.writing() as connection:
        assert one_time.bind(connection, "code", "v1", b"first")
        assert not one_time.bind(connection, "code", "v1", b"second")
        assert not one_time.bind(connection, "code", "v1", b"first")
        found = one_time.find(connection, "code", "v1")
    assert found is not None
    assert found.binding == b"first"


def test_a_payload_is_rewritten_in_place(store: Store, one_time: OneTimeValues) -> None:
    with store.writing() as connection:
        one_time.put(connection, "interaction", "v1", PAYLOAD, 60, binding=b"before")
        one_time.rewrite(connection, "interaction", "v1", {"step": 2})
        kept = one_time.find(connection, "interaction", "v1")
        one_time.rewrite(connection, "interaction", "v1", {"step": 3}, binding=b"after")
        changed = one_time.find(connection, "interaction", "v1")
    assert kept is not None
    assert changed is not None
    assert (kept.payload, kept.binding) == ({"step": 2}, b"before")
    assert (changed.payload, changed.binding) == ({"step": 3}, b"after")
    assert changed.expires_at == rows.NOW + 60


def test_rewriting_does_not_revive_a_used_value(store: Store, one_time: OneTimeValues) -> None:
    put(store, one_time)
    take(store, one_time)
    with store.writing() as connection:
        one_time.rewrite(connection, "code", "v1", {"again": True})
    assert take(store, one_time) is None


def test_case_160_neither_value_nor_payload_can_be_read_in_a_dump(
    store: Store, one_time: OneTimeValues, migrated_database: Database
) -> None:
    value = secrets.random_token()
    with store.writing() as connection:
        one_time.put(connection, "code", value, {"nonce": "n-0S6_WzA2Mj"}, 60, binding=b"b" * 32)
    dump = migrated_database.dump()
    assert "interaction" not in dump
    assert secrets.digest("code", value).hex() in dump.lower()
    for secret in (value, "n-0S6_WzA2Mj", json.dumps({"nonce": "n-0S6_WzA2Mj"})):
        assert secret not in dump
        assert secret.encode().hex() not in dump.lower()


def test_a_payload_moved_to_another_row_does_not_open(
    store: Store, one_time: OneTimeValues
) -> None:
    put(store, one_time, value="mine")
    put(store, one_time, value="theirs")
    sealed = table(OneTime).c.sealed
    digest = table(OneTime).c.digest
    with store.writing() as connection:
        mine = select(sealed).where(digest == secrets.digest("code", "mine")).scalar_subquery()
        theirs = digest == secrets.digest("code", "theirs")
        connection.execute(table(OneTime).update().where(theirs).values(sealed=mine))
    with pytest.raises(SealBroken):
        take(store, one_time, value="theirs")
    with store.reading() as connection, pytest.raises(SealBroken):
        one_time.find(connection, "code", "theirs")


@pytest.mark.parametrize("kind", KINDS[:4])
def test_of_fifty_threads_one_takes_it(store: Store, one_time: OneTimeValues, kind: str) -> None:
    put(store, one_time, kind)
    assert taking.wins(store, kind, "v1", 50) == 1


def test_of_two_processes_with_25_threads_one_thread_takes_it(
    store: Store, one_time: OneTimeValues, migrated_database: Database
) -> None:
    put(store, one_time)
    database = (migrated_database.kind, migrated_database.url, str(migrated_database.data_dir))
    command = ["tests.storage.taking", *database, "code", "v1", "25"]
    assert sorted(processes.together([command] * 2)) == ["0", "1"]


def test_of_fifty_threads_one_binds_it(store: Store, one_time: OneTimeValues) -> None:
    put(store, one_time)
    bound = taking.at_once(50, lambda number: _bind(store, one_time, number))
    assert sum(bound) == 1


def _bind(store: Store, one_time: OneTimeValues, number: int) -> bool:
    with store.writing() as connection:
        return one_time.bind(connection, "code", "v1", f"browser {number}".encode())


@given(
    purposes=st.lists(st.text(), min_size=2, max_size=2, unique=True),
    values=st.lists(st.text(), min_size=2, max_size=2),
)
def test_digests_of_two_purposes_never_meet(purposes: list[str], values: list[str]) -> None:
    assert secrets.digest(purposes[0], values[0]) != secrets.digest(purposes[1], values[1])
