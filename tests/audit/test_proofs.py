"""Proofs of inclusion and consistency, and what they prove to who has the key alone."""

from collections.abc import Callable

import pytest

from idp.crypto.notes import NoteKey
from idp.domain.audit import Origin
from idp.domain.audit_log import key_rotation, proof_texts
from idp.domain.audit_log.proof_texts import BadProof, Inclusion
from idp.domain.audit_log.proofs import NotProvable
from idp.domain.errors import Invalid, NotFound
from tests.audit.conftest import Log


def keys(log: Log) -> list[NoteKey]:
    return list(log.parts.proofs.newest().keys)


@pytest.mark.every_database
def test_entries_of_a_log_with_three_levels_of_tiles_are_proved(log: Log) -> None:
    log.grown(1, 254, 1, 1, 700)
    trusted = keys(log)
    for position in (0, 1, 254, 255, 256, 257, 600, 956):
        text = log.parts.proofs.inclusion(str(position))
        assert text == log.parts.proofs.inclusion(log.entry_id(position))
        proved = proof_texts.check(text, trusted)
        assert (proved.position, proved.checkpoint.size) == (position, 957)
        assert log.entry_id(position).encode() in proved.content


@pytest.mark.every_database
def test_the_log_goes_on_from_every_checkpoint_that_it_gave(log: Log) -> None:
    notes = []
    for count in (1, 1, 5, 249, 1, 255, 300):
        log.grown(count)
        notes.append(log.parts.proofs.newest().note)
    trusted = keys(log)
    for note in notes:
        text = log.parts.proofs.consistency(note)
        proved = proof_texts.check(text, trusted, old=note)
        assert proved.checkpoint.size == 812
        for other in {*notes} - {note}:
            with pytest.raises(BadProof):
                proof_texts.check(text, trusted, old=other)
    with pytest.raises(BadProof, match="is needed"):
        proof_texts.check(log.parts.proofs.consistency(notes[0]), trusted)


def test_a_proof_that_was_changed_proves_nothing(log: Log) -> None:
    log.grown(5, 6)
    trusted, text = keys(log), log.parts.proofs.inclusion("3")
    lines = text.split("\n")
    for changed in (
        text.replace("index 3", "index 4"),
        text.replace("index 3", "index 03"),
        text.replace("index 3", "old 3"),
        text.replace(lines[1], "extra " + lines[1][6:].replace("A", "B")),
        "\n".join([*lines[:3], *lines[4:]]),
        text.replace(lines[3], lines[4]),
        text.replace(lines[3], "AAAA"),
        text.replace("\n11\n", "\n12\n"),
        text.replace("c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v2"),
        "",
        "c2sp.org/tlog-proof@v1",
        "c2sp.org/tlog-proof@v1\n\n",
        "c2sp.org/tlog-proof@v1\nextra !\nindex 0\n\n",
    ):
        with pytest.raises(BadProof):
            proof_texts.check(changed, trusted)
    with pytest.raises(BadProof, match="No key"):
        proof_texts.check(text, [])
    with pytest.raises(BadProof, match="another entry"):
        proof_texts.check(text, trusted, leaf=b"x" * 32)


def test_without_the_entry_its_hash_is_needed(log: Log) -> None:
    """As after its time is over: the hash stays, the entry is gone."""
    log.grown(9)
    proof = proof_texts.read(log.parts.proofs.inclusion("2"))
    assert isinstance(proof, Inclusion)
    text = proof_texts.written(Inclusion(proof.position, proof.hashes, proof.note, b""))
    with pytest.raises(BadProof, match="has to be given"):
        proof_texts.check(text, keys(log))


@pytest.mark.parametrize("entry", ["9", "-1", "x", "²", "", "0" * 400, "0" * 36])
def test_what_is_not_there_is_not_proved(log: Log, entry: str) -> None:
    with pytest.raises(NotFound):
        log.parts.proofs.newest()
    log.grown(9)
    with pytest.raises(NotFound):
        log.parts.proofs.inclusion(entry)
    log.add(1)
    newest = str(log.audit.latest(1)[0]["id"])
    with pytest.raises(NotFound, match="not sealed yet"):
        log.parts.proofs.inclusion(newest)


def test_no_false_proof_is_handed_out(log: Log) -> None:
    log.grown(300)
    note = log.parts.proofs.newest().note
    log.grown(300)
    log.run("UPDATE audit_entries SET event = 'other' WHERE position = 3")
    with pytest.raises(NotProvable):
        log.parts.proofs.inclusion("3")
    log.run("UPDATE audit_tiles SET hashes = :none WHERE level = 1", none=b"x" * 64)
    with pytest.raises(NotProvable, match="No proof"):
        log.parts.proofs.inclusion("4")
    with pytest.raises(NotProvable, match="No proof"):
        log.parts.proofs.consistency(note)
    log.run("DELETE FROM audit_tiles")
    with pytest.raises(NotProvable, match="missing"):
        log.parts.proofs.inclusion("5")
    with pytest.raises(NotProvable, match="missing"):
        log.parts.proofs.consistency(note)


def test_a_checkpoint_of_another_log_or_a_later_one_is_refused(
    log: Log, node: Callable[[], Log]
) -> None:
    log.grown(2)
    early = log.parts.proofs.newest().note
    log.run("DELETE FROM audit_tiles")
    log.run("DELETE FROM audit_tree")
    log.run("DELETE FROM audit_entries")
    log.grown(5)
    with pytest.raises(Invalid, match="another log"):
        log.parts.proofs.consistency(early)
    late = log.parts.proofs.newest().note
    with pytest.raises(Invalid):
        log.parts.proofs.consistency(late.replace("\n5\n", "\n6\n"))


def test_a_new_key_is_vouched_for_by_the_former_one(log: Log) -> None:
    log.grown(3)
    early, (former,) = log.parts.proofs.newest().note, keys(log)
    both = log.parts.key_rotation.rotate(Origin(), "operator:ada")
    assert len(keys(log)) == 2
    for key in keys(log):
        proof_texts.check(log.parts.proofs.consistency(early), keys(log), old=early)
        assert f"\u2014 {key.name}" in both
    log.seal()
    late = log.parts.proofs.newest().note
    with pytest.raises(BadProof, match="No key"):
        proof_texts.check(log.parts.proofs.consistency(early), [former], old=early)
    assert log.verdict(early, both, late).faults == []
    assert log.verdict(early, both, late).kept == 3
    (entry,) = [entry for entry in log.audit.latest() if entry["event"] == "audit_key.rotated"]
    assert entry["detail"] == {"former": former.id.hex(), "key": keys(log)[-1].id.hex()}
    assert entry["actor"] == "operator:ada"


def test_a_key_signs_for_a_year(log: Log) -> None:
    assert log.parts.key_rotation.run_due() is False
    log.grown(1)
    assert log.parts.key_rotation.run_due() is False
    log.clock.advance(key_rotation.PERIOD)
    assert log.parts.key_rotation.run_due() is True
    assert log.parts.key_rotation.run_due() is False
    log.seal()
    assert log.verdict().faults == []
