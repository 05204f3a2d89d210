"""Audit entries stand and fall with the transaction of what they record; a refusal has its own."""

import pytest

from idp.domain.audit import Audit, Entry, Origin
from idp.store.database import Store
from idp.store.tables import AuditEntry, Counter
from tests.storage import rows
from tests.support.held_clock import HeldClock

pytestmark = pytest.mark.every_database

ORIGIN = Origin("192.0.2.7", "r-1", "Browser/1")


@pytest.fixture
def audit(store: Store) -> Audit:
    return Audit(store, HeldClock(rows.NOW + 0.25))


def test_an_entry_says_who_what_when_where_and_how_it_ended(store: Store, audit: Audit) -> None:
    entry = Entry("client.changed", "operator:ada", None, "webapp", detail={"field": "name"})
    with store.writing() as connection:
        audit.record(connection, ORIGIN, entry)
    (found,) = audit.latest()
    assert {**found, "id": ""} == {
        "id": "",
        "at_ms": rows.NOW * 1000 + 250,
        "event": "client.changed",
        "outcome": "done",
        "actor": "operator:ada",
        "account_id": None,
        "client_id": "webapp",
        "address": "192.0.2.7",
        "request_id": "r-1",
        "detail": {"field": "name"},
        "position": None,
    }


def test_what_is_undone_is_not_recorded(store: Store, audit: Audit) -> None:
    def record_and_fail() -> None:
        with store.writing() as connection:
            audit.record(connection, ORIGIN, Entry("client.changed"))
            raise KeyError("the rest failed")

    with pytest.raises(KeyError):
        record_and_fail()
    assert audit.latest() == []


def test_a_refusal_is_recorded_by_itself(audit: Audit) -> None:
    audit.refuse(ORIGIN, Entry("code.redeemed", client_id="webapp", detail={"reason": "used"}))
    (found,) = audit.latest()
    assert (found["event"], found["outcome"]) == ("code.redeemed", "refused")


def test_what_outsiders_wrote_is_bounded_and_storable(store: Store, audit: Audit) -> None:
    strange = "\x00" + "x" * 100_000
    with store.writing() as connection:
        audit.record(connection, ORIGIN, Entry("e", strange, None, strange, "done", {"d": strange}))
    (found,) = audit.latest()
    assert max(len(found["actor"]), len(found["client_id"]), len(found["detail"]["d"])) <= 300
    assert "\x00" not in found["actor"] + found["client_id"] + found["detail"]["d"]


def test_case_144_line_breaks_and_commands_stay_inside_their_entry(
    store: Store, audit: Audit
) -> None:
    hostile = "=cmd|' /C calc'!A0\r\nevent=signed_in \x1b[31m {\"a\": 1}"
    with store.writing() as connection:
        audit.record(connection, ORIGIN, Entry("e", detail={"user_agent": hostile}))
        assert rows.number(connection, AuditEntry) == 1
        assert rows.number(connection, Counter) == 0
    assert audit.latest()[0]["detail"] == {"user_agent": hostile}


def test_the_newest_entries_come_first(store: Store) -> None:
    clock = HeldClock(rows.NOW)
    audit = Audit(store, clock)
    for name in ("first", "second", "third"):
        clock.advance(1)
        audit.refuse(ORIGIN, Entry(name))
    assert [entry["event"] for entry in audit.latest(2)] == ["third", "second"]
