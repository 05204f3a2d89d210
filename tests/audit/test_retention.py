"""Entries go when their time is over; what is proved of them stays."""

import logging

import pytest

from idp.crypto.merkle import leaf_hash
from idp.domain.audit_log import proof_texts, retention
from idp.domain.audit_log.proof_texts import BadProof
from idp.domain.errors import NotFound
from tests.audit.conftest import Log

RETENTION = 400 * 86400


def left(log: Log) -> int:
    return len(log.audit.latest(10_000))


@pytest.fixture
def aged(log: Log) -> Log:
    """600 entries whose time is over, and 10 whose time is not."""
    log.grown(300, 300)
    log.clock.advance(RETENTION)
    return log.grown(10)


@pytest.mark.every_database
def test_what_is_over_goes_and_everything_still_verifies(aged: Log) -> None:
    log, note, first = aged, aged.parts.proofs.newest().note, aged.entry_id(0)
    before = log.parts.proofs.inclusion(first)
    assert log.parts.retention.run() == 600
    assert left(log) == 10 + 3
    assert log.parts.retention.run() == 0
    assert log.seal() == 3
    verdict = log.verdict(note)
    assert (verdict.faults, verdict.dropped, verdict.sealed) == ([], 600, 613)
    expired = [each for each in log.audit.latest(3) if each["event"] == "audit.expired"]
    assert sorted(each["detail"]["before"] for each in expired) == [256, 512, 600]
    assert sum(each["detail"]["entries"] for each in expired) == 600
    with pytest.raises(NotFound):
        log.parts.proofs.inclusion(first)
    content = proof_texts.check(before, log.parts.proofs.newest().keys).content
    text, keys = log.parts.proofs.inclusion("0"), log.parts.proofs.newest().keys
    assert proof_texts.check(text, keys, leaf=leaf_hash(content)).position == 0
    with pytest.raises(BadProof):
        proof_texts.check(text, keys, leaf=leaf_hash(b"another"))
    proof_texts.check(log.parts.proofs.consistency(note), keys, old=note)
    log.grown(600)
    assert log.verdict(note).intact


def test_what_is_not_sealed_stays(log: Log) -> None:
    log.add(5)
    log.clock.advance(RETENTION + 1)
    assert log.parts.retention.run() == 0
    assert left(log) == 5


def test_one_run_is_bounded(aged: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "MOST_BATCHES", 1)
    assert [aged.parts.retention.run() for _ in range(4)] == [256, 256, 88, 0]


@pytest.mark.parametrize(
    ("statement", "first"),
    [
        ("DELETE FROM audit_entries WHERE position = 3", 3),
        ("UPDATE audit_entries SET event = 'x' WHERE position = 3", 3),
        ("UPDATE audit_entries SET at_ms = 1 WHERE position = 605", 605),
        ("DELETE FROM audit_entries WHERE position >= 605", 605),
        ("UPDATE audit_tree SET dropped = 400", 0),
    ],
)
def test_no_deletion_is_confirmed_that_is_not_ours(
    aged: Log, statement: str, first: int, caplog: pytest.LogCaptureFixture
) -> None:
    aged.run(statement)
    aged.clock.advance(-1)
    with caplog.at_level(logging.ERROR):
        aged.parts.retention.run()
    assert aged.verdict().faults[0].position == (None if "dropped" in statement else first)
    if first == 3:
        assert "audit entries stay: the one at 3" in caplog.text
