"""Entries are sealed after they were committed, once each, whichever node does it."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from idp.crypto import merkle
from idp.crypto.merkle import leaf_hash
from idp.crypto.notes import NoteKey
from idp.domain import leasing
from idp.domain.audit import Entry
from idp.domain.audit_log import checkpoints, sealing
from idp.domain.audit_log.sealing import BATCH, KEEP_EVERY, LogBroken
from idp.store import audit_tree
from tests.audit.conftest import ORIGIN, Log

Nodes = Callable[[], Log]


def keys(log: Log) -> list[NoteKey]:
    with log.store.reading() as connection:
        return [NoteKey(row["origin"], row["public"]) for row in audit_tree.keys(connection)]


@pytest.mark.every_database
def test_what_waits_is_sealed_in_the_order_of_its_ids(log: Log) -> None:
    log.add(3)
    assert log.verdict().unsealed == 3
    assert log.seal() == 3
    assert log.seal() == 0
    log.grown(BATCH + 100, 700, 1)
    verdict = log.verdict()
    assert (verdict.sealed, verdict.unsealed, verdict.faults) == (BATCH + 804, 0, [])
    with log.store.reading() as connection:
        entries = audit_tree.between(connection, 0, 10_000)
    assert [entry["position"] for entry in entries] == list(range(BATCH + 804))
    assert [entry["id"] for entry in entries] == sorted(entry["id"] for entry in entries)


def test_a_leaf_is_the_hash_of_bytes_that_anyone_can_make_again(log: Log) -> None:
    """As docs/explanation/audit-log.md tells it, without the code that made it."""
    hostile = {"user_agent": "=cmd\r\n\x1b[31m ü \U0001f511", "tries": 3, "kept": None}
    with log.store.writing() as connection:
        log.audit.record(connection, ORIGIN, Entry("e", "account:1", "1", None, "done", hostile))
    log.seal()
    (found,) = log.audit.latest()
    entry = {name: value for name, value in found.items() if name != "position"}
    line = json.dumps(entry, sort_keys=True, separators=(",", ":"))
    assert line.isascii()
    leaf = leaf_hash(b"doorward-audit-entry/v1\n" + line.encode())
    assert checkpoints.read(log.head()["checkpoint"], keys(log)).root == leaf


def test_the_checkpoint_is_the_one_of_the_leaves(log: Log) -> None:
    log.grown(1, 255, 1, 300)
    with log.store.reading() as connection:
        tiles = audit_tree.tiles(connection, 0, 0, 100)
    hashes = b"".join(tile["hashes"] for tile in tiles.values())
    frontier = merkle.Frontier()
    for at in range(0, len(hashes), 32):
        frontier.append(hashes[at : at + 32])
    said = checkpoints.read(log.head()["checkpoint"], keys(log))
    assert (said.size, said.root) == (557, frontier.root())
    assert said.origin.startswith("id.example.test/audit/")
    assert log.head()["checkpoint"].splitlines()[-1].startswith(f"\u2014 {said.origin} ")


@pytest.mark.every_database
def test_nodes_that_seal_at_once_make_one_tree(
    node: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease only spares work: without it one of two has to begin anew."""
    first, second = node(), node()
    first.grown(10)
    first.add(BATCH)
    write = first.parts.sealer._write

    def overtaken(*parts: Any) -> None:
        monkeypatch.undo()
        assert second.parts.sealer.seal(1) == BATCH
        write(*parts)

    monkeypatch.setattr(first.parts.sealer, "_write", overtaken)
    assert first.parts.sealer.seal(1) == 0
    assert second.verdict().sealed == BATCH + 10
    first.add(1)
    assert first.parts.sealer.seal(1) == 1
    assert second.verdict().faults == []


@pytest.mark.every_database
def test_two_nodes_that_begin_at_once_begin_one_tree(
    node: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = node(), node()
    first.add(1)
    fresh = first.parts.sealer._keys.fresh

    def later(origin: str) -> object:
        monkeypatch.undo()
        assert second.parts.sealer.seal(1) == 1
        return fresh(origin)

    monkeypatch.setattr(first.parts.sealer._keys, "fresh", later)
    assert first.parts.sealer.seal(1) == 0
    assert first.verdict().faults == []
    assert len(keys(first)) == 1


def test_one_node_has_the_lease_and_another_takes_over(node: Nodes) -> None:
    first, second = node(), node()
    for _ in range(3):
        first.add(1)
        assert second.seal() + first.seal() == 1
        first.clock.advance(leasing.SECONDS / 3)
    first.add(1)
    first.clock.advance(leasing.SECONDS + 1)
    assert second.seal() == 1
    first.add(1)
    first.clock.advance(1)
    assert first.seal() == 0
    assert second.seal() == 1
    second.parts.sealer._lease.give_back()
    first.add(1)
    assert first.seal() == 1


def test_a_round_is_bounded(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "BATCH", 2)
    monkeypatch.setattr(sealing, "MOST_BATCHES", 3)
    log.add(7)
    assert [log.seal(), log.seal()] == [6, 1]


def test_a_checkpoint_is_kept_each_hour(log: Log) -> None:
    log.grown(1, 1)
    log.clock.advance(KEEP_EVERY)
    log.grown(1, 1)
    with log.store.reading() as connection:
        assert [row["size"] for row in audit_tree.checkpoints(connection)] == [1, 3]
    assert log.verdict().checkpoints == 3


@pytest.mark.only_on("sqlite")
def test_an_entry_that_nobody_can_read_is_sealed_as_it_is(log: Log) -> None:
    log.add(2)
    log.run("UPDATE audit_entries SET detail = '{' WHERE id = (SELECT min(id) FROM audit_entries)")
    assert log.seal() == 2
    assert log.verdict().faults == []


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE audit_tree SET peaks = zeroblob(32 * 2)",
        "UPDATE audit_tree SET size = 2, peaks = zeroblob(32)",
        "UPDATE audit_tree SET checkpoint = 'none'",
        "UPDATE audit_tiles SET hashes = zeroblob(32)",
        "DELETE FROM audit_tiles",
    ],
)
@pytest.mark.only_on("sqlite")
def test_nothing_is_signed_on_top_of_a_forgery(
    log: Log, forgery: str, caplog: pytest.LogCaptureFixture
) -> None:
    log.grown(3)
    log.run(forgery)
    log.add(1)
    with pytest.raises(LogBroken):
        log.seal()
    with caplog.at_level(logging.ERROR):
        log.parts.sealer._round()
        log.parts.sealer._round()
    assert caplog.text.count("idp audit verify") == 1
    assert log.verdict().unsealed == 1
    assert not log.verdict().intact


@pytest.mark.every_database
def test_a_batch_of_other_entries_does_not_go_to_a_place_that_is_taken(
    node: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry that began earlier is committed later, and another node seals that one."""
    first, second = node(), node()
    first.grown(3)
    first.add(2)
    monkeypatch.setattr(sealing, "BATCH", 1)
    write = first.parts.sealer._write

    def overtaken(*parts: Any) -> None:
        monkeypatch.setattr(first.parts.sealer, "_write", write)
        early = "00000000-0000-7000-8000-000000000000"
        newest = max(str(each["id"]) for each in first.audit.latest())
        first.run("UPDATE audit_entries SET id = :early WHERE id = :id", early=early, id=newest)
        assert second.parts.sealer.seal(1) == 1
        write(*parts)

    monkeypatch.setattr(first.parts.sealer, "_write", overtaken)
    assert first.parts.sealer.seal(1) == 0
    assert first.parts.sealer.seal(5) == 1
    assert second.verdict().faults == []
