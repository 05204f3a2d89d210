"""Whatever somebody does to the database: `verify` finds it, and names the first bad entry."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from sqlalchemy import delete, insert, select

from idp.crypto.merkle import Frontier, leaf_hash
from idp.domain.audit_log import leaves
from idp.domain.audit_log.tiles import WIDTH
from idp.store import audit_tree
from idp.store.tables import (
    AuditCheckpoint,
    AuditEntry,
    AuditKey,
    AuditTile,
    AuditTree,
    table,
)
from tests.audit.conftest import SECRET, Log

SIZE = 700
BAD = 300


@dataclass(frozen=True)
class Before:
    """What the intruder, or the operator, took aside before."""

    log: Log
    note: str
    ids: list[str]


@pytest.fixture
def before(log: Log) -> Before:
    """A log of 700 entries, sealed in batches, with its checkpoint kept elsewhere."""
    log.grown(100, 200, 157, 243)
    with log.store.reading() as connection:
        ids = [row["id"] for row in audit_tree.between(connection, 0, SIZE)]
    return Before(log, str(log.head()["checkpoint"]), ids)


def edit_event(b: Before) -> None:
    b.log.run("UPDATE audit_entries SET event = 'signed_in' WHERE position = 300")


def edit_detail(b: Before) -> None:
    b.log.run("""UPDATE audit_entries SET detail = '{"number": -1}' WHERE position = 300""")


def edit_time(b: Before) -> None:
    b.log.run("UPDATE audit_entries SET at_ms = at_ms + 1 WHERE position = 300")


def break_detail(b: Before) -> None:
    broken = '"' if b.log.store.embedded else "7"  # PostgreSQL takes nothing that is no JSON
    b.log.run("UPDATE audit_entries SET detail = :broken WHERE position = 300", broken=broken)


def remove(b: Before) -> None:
    b.log.run("DELETE FROM audit_entries WHERE position = 300")


def remove_and_close_the_gap(b: Before) -> None:
    remove(b)
    b.log.run("UPDATE audit_entries SET position = position - 1 WHERE position > 300")


def put_between(b: Before) -> None:
    """Another entry, at a place that is taken."""
    copy(b, BAD, "00000000-0000-7000-8000-000000000000")


def put_between_and_make_room(b: Before) -> None:
    b.log.run("UPDATE audit_entries SET position = position + 1 WHERE position >= 300")
    copy(b, BAD, "00000000-0000-7000-8000-000000000000", 301)


def reorder(b: Before) -> None:
    for old, new in ((300, -1), (301, 300), (-1, 301)):
        b.log.run(
            "UPDATE audit_entries SET position = :new WHERE position = :old", old=old, new=new
        )


def swap_whole_leaves(b: Before) -> None:
    """Entries and their leaves and seals, so that only the place is wrong."""
    reorder(b)
    hashes, seals = tile(b)
    at = BAD % WIDTH
    for part, size in ((hashes, 32), (seals, 16)):
        one, other = slice(at * size, (at + 1) * size), slice((at + 1) * size, (at + 2) * size)
        part[one], part[other] = part[other], part[one]
    put_tile(b, hashes, seals)


def edit_with_its_leaf(b: Before) -> None:
    edit_event(b)
    hashes, seals = tile(b)
    put_leaf(b, hashes)
    put_tile(b, hashes, seals)


def take_a_place_at_the_end(b: Before) -> None:
    copy(b, SIZE + 5, "ffffffff-ffff-7fff-bfff-ffffffffffff")


def say_they_expired(b: Before) -> None:
    b.log.run("DELETE FROM audit_entries WHERE position <= 300")
    b.log.run("UPDATE audit_tree SET dropped = 301")


TAMPERINGS: dict[Callable[[Before], None], int] = {
    edit_event: BAD,
    edit_detail: BAD,
    edit_time: BAD,
    break_detail: BAD,
    remove: BAD,
    remove_and_close_the_gap: BAD,
    put_between: BAD,
    put_between_and_make_room: BAD,
    reorder: BAD,
    swap_whole_leaves: BAD,
    edit_with_its_leaf: BAD,
    take_a_place_at_the_end: SIZE + 5,
    say_they_expired: 0,
}


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda each: each.__name__)
def test_the_first_bad_entry_is_named(before: Before, tamper: Callable[[Before], None]) -> None:
    assert before.log.verdict(before.note).intact
    tamper(before)
    first = before.log.verdict().faults[0]
    assert (first.position, first.exact) == (TAMPERINGS[tamper], True)
    named = {remove: None, say_they_expired: None}
    assert (first.entry_id is None) == (tamper in named)


def roll_back(b: Before, size: int) -> None:
    """Put back everything as it was, all of it signed by the server: a checkpoint of that size."""
    b.log.run("DELETE FROM audit_entries WHERE position >= :size", size=size)
    hashes, seals = tile(b, 0)
    b.log.run("DELETE FROM audit_tiles WHERE level = 1 OR number > 0")
    put_tile(b, hashes[: size * 32], seals[: size * 16], 0)
    with b.log.store.reading() as connection:
        (kept,) = [row for row in audit_tree.checkpoints(connection) if row["size"] == size]
    frontier = Frontier()
    for at in range(size):
        frontier.append(bytes(hashes[at * 32 : at * 32 + 32]))
    b.log.run("DELETE FROM audit_checkpoints WHERE size > :size", size=size)
    values = {"size": size, "peaks": frontier.peaks, "note": kept["note"]}
    b.log.run("UPDATE audit_tree SET size = :size, peaks = :peaks, checkpoint = :note", **values)


def test_a_roll_back_is_seen_by_who_kept_a_checkpoint(before: Before) -> None:
    roll_back(before, 100)
    assert before.log.verdict().intact, "nothing inside can tell"
    first = before.log.verdict(before.note).faults[0]
    assert first.position == 100
    assert "rolled back" in first.said


def test_so_is_one_over_which_new_entries_have_grown(before: Before) -> None:
    roll_back(before, 100)
    before.log.grown(SIZE)
    assert before.log.verdict().intact
    with before.log.store.reading() as connection:
        small = audit_tree.checkpoints(connection)[0]["note"]
    first = before.log.verdict(small, before.note).faults[0]
    assert (first.position, first.exact) == (100, False)
    assert f"to {SIZE - 1}" in first.said


def test_and_a_log_that_was_emptied(before: Before) -> None:
    with before.log.store.writing() as connection:
        for model in (AuditEntry, AuditTree, AuditTile, AuditCheckpoint, AuditKey):
            connection.execute(delete(table(model)))
    assert before.log.verdict().intact
    assert "rolled back" in before.log.verdict(before.note).faults[0].said
    before.log.grown(SIZE)
    assert not before.log.verdict(before.note).intact


def test_a_checkpoint_that_was_replaced(before: Before) -> None:
    before.log.run("UPDATE audit_tree SET checkpoint = replace(checkpoint, '700', '699')")
    assert "signature is wrong" in before.log.verdict().faults[0].said


def test_a_key_that_we_did_not_make_counts_for_nothing(
    before: Before, node: Callable[[], Log]
) -> None:
    """Who has the database but not the key-encryption key signs a log of their own."""
    before.log.run("UPDATE audit_keys SET seal = :seal", seal=b"x" * 32)
    assert "No key that is known here" in before.log.verdict().faults[0].said


@pytest.mark.parametrize(("level", "number", "position"), [(0, 1, 256), (1, 0, 0)])
def test_a_tile_that_is_gone(before: Before, level: int, number: int, position: int) -> None:
    named = {"level": level, "number": number}
    before.log.run("DELETE FROM audit_tiles WHERE level = :level AND number = :number", **named)
    assert before.log.verdict().faults[0].position == position


def test_an_upper_tile_of_which_proofs_are_made(before: Before) -> None:
    before.log.run("UPDATE audit_tiles SET hashes = :hashes WHERE level = 1", hashes=b"x" * 64)
    assert "hash 0 of level 1" in before.log.verdict().faults[0].said


def copy(b: Before, position: int, entry_id: str, source: int = BAD) -> None:
    """Put a copy of an entry at another position."""
    entries = table(AuditEntry)
    with b.log.store.writing() as connection:
        found = connection.execute(select(entries).where(entries.c.position == source)).mappings()
        row = {**found.one(), "id": entry_id, "position": position}
        connection.execute(insert(entries), row)


def tile(b: Before, number: int = BAD // WIDTH) -> tuple[bytearray, bytearray]:
    with b.log.store.reading() as connection:
        row = audit_tree.tiles(connection, 0, number, number + 1)[number]
    return bytearray(row["hashes"]), bytearray(row["seals"])


def put_tile(b: Before, hashes: bytearray, seals: bytearray, number: int = BAD // WIDTH) -> None:
    row = {"level": 0, "number": number, "hashes": bytes(hashes), "seals": bytes(seals)}
    with b.log.store.writing() as connection:
        audit_tree.put_tiles(connection, [row])


def put_leaf(b: Before, hashes: bytearray) -> None:
    """The right hash of the wrong entry."""
    with b.log.store.reading() as connection:
        (entry,) = audit_tree.between(connection, BAD, BAD + 1)
    at = BAD % WIDTH * 32
    hashes[at : at + 32] = leaves.hash_of(entry)


def test_the_seal_is_what_an_intruder_lacks(before: Before) -> None:
    """With the server's secret the same forgery passes the seals, and the checkpoint finds it."""
    edit_with_its_leaf(before)
    hashes, seals = tile(before)
    at = BAD % WIDTH
    leaf = bytes(hashes[at * 32 : at * 32 + 32])
    assert leaf != leaf_hash(b"")
    seals[at * 16 : at * 16 + 16] = leaves.seal_of(SECRET, BAD, leaf)
    put_tile(before, hashes, seals)
    first = before.log.verdict().faults[0]
    assert (first.position, first.exact) == (100, False)
    assert "from here to 699" in first.said
