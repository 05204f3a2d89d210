"""Entries for other programs: one line each, whatever is in them."""

import json
import re

import pytest

from idp.crypto.merkle import leaf_hash
from idp.domain.audit import Entry, Origin
from idp.domain.audit_log import proof_texts
from idp.domain.audit_log.formats import cef_line, json_line
from idp.domain.audit_search import Wanted
from idp.store.statements import Row
from tests.audit.conftest import ORIGIN, Log

ANYTHING = Wanted()
HOSTILE = "=cmd|' /C calc'!A0\r\nCEF:0|x \x1b[31m\u2028 \\ {\"a\": 1} \u202e"


def exported(log: Log, wanted: Wanted = ANYTHING) -> list[Row]:
    return list(log.parts.export.run(wanted, ORIGIN, "operator:ada"))


def add(log: Log, address: str = "192.0.2.7", outcome: str = "done") -> None:
    entry = Entry("client.changed", HOSTILE, "a1", HOSTILE, outcome, {"name": HOSTILE, "n": 1})
    with log.store.writing() as connection:
        log.audit.record(connection, Origin(address, HOSTILE), entry)


@pytest.mark.every_database
def test_everything_is_exported_in_the_order_of_the_tree_and_that_is_recorded(log: Log) -> None:
    log.grown(1500)
    log.add(3)
    rows = exported(log)
    assert [row["position"] for row in rows] == list(range(1504))
    (entry,) = [row for row in rows if row["event"] == "audit.exported"]
    assert (entry["actor"], entry["detail"]) == ("operator:ada", "{}")
    assert log.verdict().unsealed == 0


def test_what_is_wanted_alone(log: Log) -> None:
    log.add(3, "first")
    log.clock.advance(10)
    since = int(log.clock())
    log.add(4, "second")
    assert {row["event"] for row in exported(log, Wanted(event="first"))} == {"first"}
    later = exported(log, Wanted(since=since, actor="client:webapp"))
    assert [row["event"] for row in later] == ["second"] * 4
    assert len(exported(log, Wanted(until=since))) == 3
    told = [each["detail"] for each in log.audit.latest() if each["event"] == "audit.exported"]
    assert {"event": "first"} in told


def test_a_json_line_is_what_the_leaf_is_made_of(log: Log) -> None:
    add(log)
    row = exported(log)[0]
    line = json_line(row)
    assert line.isascii()
    assert "\n" not in line
    entry = json.loads(line)
    position = entry.pop("position")
    made = json.dumps(entry, sort_keys=True, separators=(",", ":")).encode()
    proof, keys = log.parts.proofs.inclusion(str(position)), log.parts.proofs.newest().keys
    leaf = leaf_hash(b"doorward-audit-entry/v1\n" + made)
    assert proof_texts.check(proof, keys, leaf=leaf).position == position == 0


def test_case_144_a_cef_line_is_one_event_and_its_fields_stay_apart(log: Log) -> None:
    add(log, outcome="refused")
    line = cef_line(exported(log)[0])
    assert line.isprintable()
    header = re.split(r"(?<!\\)\|", line, maxsplit=7)
    assert header[:3] == ["CEF:0", "Doorward", "Doorward"]
    assert header[4:7] == ["client.changed", "client changed", "6"]
    fields = dict(re.findall(r"(\w+)(?<!\\)=(.*?)(?= \w+=|$)", header[7]))
    assert fields["src"] == "192.0.2.7"
    assert fields["outcome"] == "refused"
    assert (fields["cs1Label"], fields["cs5Label"], fields["cn1"]) == ("actor", "detail", "0")
    said = "\\=cmd|' /C calc'!A0\\r\\nCEF:0|x "
    assert fields["cs1"].startswith(said)
    assert "\\u001b[31m" in fields["cs1"]
    assert set(fields) >= {"rt", "externalId", "cs2", "cs3", "cs4"}


def test_an_address_of_the_new_kind_has_a_field_of_its_own(log: Log) -> None:
    for address in ("2001:db8::1", "", "unknown"):
        add(log, address)
    first, *others = [cef_line(row) for row in exported(log, Wanted(event="client.changed"))]
    lines = sorted([first, *others], key=lambda line: "c6a2=" in line)
    assert "c6a2=2001:db8::1" in lines[-1]
    assert not [line for line in lines if "src=" in line]
