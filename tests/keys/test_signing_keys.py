"""The states of signing keys on a database: who signs, who verifies, what is published."""

import json
from collections import Counter
from collections.abc import Callable

import pytest
from sqlalchemy import select, update

from idp.config import Settings
from idp.crypto.sealing import SealBroken, Sealer
from idp.domain.audit import Audit, Origin
from idp.domain.errors import Invalid, NotFound
from idp.domain.key_rotation import TooEarly
from idp.domain.key_schedule import KeyInfo
from idp.domain.signing_keys import NoSigningKey, SigningKeys
from idp.store.database import Store
from idp.store.errors import Conflict, StoreUnavailable
from idp.store.tables import SigningKey, table
from tests.keys.sealing_keys import KEY, text_of
from tests.support import processes
from tests.support.databases import Database
from tests.support.held_clock import HeldClock

ORIGIN = Origin(address="192.0.2.7")
ACTOR = "operator:ada"
KEYS = table(SigningKey)
PUBLICATION = 25
"""Seconds from a key's publication to its first signature under the settings of these tests."""
KEPT = 900 + 5 + 2 * 10


def states(keys: SigningKeys, algorithm: str = "ES256") -> Counter[str]:
    return Counter(key.state for key in keys.list() if key.algorithm == algorithm)


def key_in(keys: SigningKeys, state: str, algorithm: str = "ES256") -> KeyInfo:
    (found,) = [key for key in keys.list() if (key.state, key.algorithm) == (state, algorithm)]
    return found


def published(keys: SigningKeys) -> set[str]:
    return {key["kid"] for key in json.loads(keys.jwks().body)["keys"]}


def rotate(keys: SigningKeys, algorithm: str | None = "ES256", *, emergency: bool = False) -> None:
    keys.rotate(algorithm, emergency=emergency, origin=ORIGIN, actor=ACTOR)


def retire(keys: SigningKeys, kid: str, *, emergency: bool = False) -> None:
    keys.retire(kid, emergency=emergency, origin=ORIGIN, actor=ACTOR)


def test_an_empty_database_gets_keys_that_sign_and_keys_that_follow(
    signing_keys: SigningKeys,
) -> None:
    for algorithm in ("ES256", "RS256"):
        assert states(signing_keys, algorithm) == {"active": 1, "next": 1}
        assert signing_keys.active(algorithm).kid == key_in(signing_keys, "active", algorithm).kid
    assert published(signing_keys) == {key.kid for key in signing_keys.list()}


def test_making_keys_again_changes_nothing(signing_keys: SigningKeys) -> None:
    before = signing_keys.list()
    signing_keys.ensure()
    assert signing_keys.list() == before
    assert signing_keys.advance() == []


def test_an_algorithm_without_keys_does_not_sign(signing_keys: SigningKeys) -> None:
    with pytest.raises(NoSigningKey) as refusal:
        signing_keys.active("ES384")
    assert refusal.value.retry_after > 0


def test_a_further_algorithm_waits_until_verifiers_know_its_key(
    signing_keys: SigningKeys,
    store: Store,
    sealer: Sealer,
    audit: Audit,
    clock: HeldClock,
    settings: Settings,
) -> None:
    more = settings.model_copy(update={"signing_algorithms": ("ES256", "RS256", "PS256", "none")})
    keys = SigningKeys(store, sealer, audit, clock, more)
    keys.ensure()
    assert keys.algorithms == ("ES256", "RS256", "PS256")
    assert keys.ready() == ("ES256", "RS256")
    with pytest.raises(NoSigningKey):
        keys.active("PS256")
    clock.advance(PUBLICATION)
    keys.advance()
    assert keys.active("PS256").algorithm == "PS256"
    assert keys.ready() == keys.algorithms


def test_the_published_set_is_made_once_and_names_itself(
    signing_keys: SigningKeys, other_node: SigningKeys, clock: HeldClock
) -> None:
    first = signing_keys.jwks()
    assert signing_keys.jwks() is first
    assert first.max_age == 5
    assert other_node.jwks() == first
    assert signing_keys.active("ES256") is signing_keys.active("ES256")
    clock.advance(PUBLICATION)
    rotate(signing_keys)
    assert signing_keys.jwks().etag != first.etag


def test_keys_are_parsed_once(signing_keys: SigningKeys, clock: HeldClock) -> None:
    kid = signing_keys.active("RS256").kid
    signing, verifying = signing_keys.active("RS256"), signing_keys.verification_key(kid)
    clock.advance(60)
    assert signing_keys.active("RS256") is signing
    assert signing_keys.verification_key(kid) is verifying


def test_rotation_waits_until_verifiers_know_the_next_key(
    signing_keys: SigningKeys, clock: HeldClock
) -> None:
    before = signing_keys.list()
    clock.advance(PUBLICATION - 1)
    with pytest.raises(TooEarly, match=r"it can't sign before 2027-01-15 08:00:25 UTC\.") as caught:
        rotate(signing_keys)
    assert caught.value.at == int(clock.now) + 1
    assert signing_keys.list() == before
    clock.advance(1)
    rotate(signing_keys)
    assert states(signing_keys) == {"active": 1, "next": 1, "retiring": 1}
    assert states(signing_keys, "RS256") == {"active": 1, "next": 1}


def test_a_dry_run_changes_nothing(signing_keys: SigningKeys, clock: HeldClock) -> None:
    before = signing_keys.list()
    clock.advance(PUBLICATION)
    steps = signing_keys.rotate(dry_run=True, origin=ORIGIN, actor=ACTOR)
    assert [step.deed for step in steps] == ["retired", "activated", "published"] * 2
    kid = before[0].kid
    assert signing_keys.retire(kid, emergency=True, dry_run=True, origin=ORIGIN, actor=ACTOR)
    assert signing_keys.list() == before


def test_if_one_algorithm_is_too_early_none_is_rotated(
    signing_keys: SigningKeys, clock: HeldClock
) -> None:
    clock.advance(PUBLICATION)
    rotate(signing_keys, "RS256")
    before = signing_keys.list()
    with pytest.raises(TooEarly):
        rotate(signing_keys, None)
    assert signing_keys.list() == before


def test_an_unknown_algorithm_or_key_is_named(signing_keys: SigningKeys) -> None:
    with pytest.raises(NotFound, match="No keys are kept for HS256"):
        rotate(signing_keys, "HS256")
    with pytest.raises(NotFound, match="There is no key nobody"):
        retire(signing_keys, "nobody")


def test_keys_move_on_by_themselves(signing_keys: SigningKeys, clock: HeldClock) -> None:
    first = key_in(signing_keys, "active")
    clock.advance(3599)
    assert signing_keys.advance() == []
    clock.advance(1)
    assert len(signing_keys.advance()) == 6
    assert signing_keys.active("ES256").kid != first.kid
    clock.advance(KEPT)
    archived = [step.kid for step in signing_keys.advance() if step.deed == "archived"]
    assert first.kid in archived


def test_case_057_an_old_key_stays_until_its_last_token_expired_and_then_goes(
    signing_keys: SigningKeys, other_node: SigningKeys, clock: HeldClock
) -> None:
    old = signing_keys.active("ES256")
    other_node.active("ES256")
    clock.advance(PUBLICATION)
    rotate(signing_keys)
    retired_at = clock.now
    clock.now = retired_at + 4.9
    other_node.active("ES256")  # another node may sign with it until its cache ends
    clock.now = retired_at + KEPT - 1
    signing_keys.advance()
    assert old.kid in published(signing_keys)
    assert signing_keys.verification_key(old.kid) is not None
    clock.advance(1)
    signing_keys.advance()
    assert old.kid not in published(signing_keys)
    assert signing_keys.verification_key(old.kid) is None
    assert signing_keys.verification_key(old.kid, archived=True) is not None


def test_case_057_shorter_tokens_do_not_shorten_the_stay_of_keys_that_signed_long_ones(
    store: Store, sealer: Sealer, audit: Audit, clock: HeldClock, settings: Settings
) -> None:
    def node(id_token_lifetime: int) -> SigningKeys:
        changed = settings.model_copy(update={"id_token_lifetime": id_token_lifetime})
        return SigningKeys(store, sealer, audit, clock, changed)

    node(600).ensure()
    node(3600).ensure()
    later = node(600)
    later.ensure()
    clock.advance(PUBLICATION)
    rotate(later, "RS256")
    retiring = key_in(later, "retiring", "RS256")
    assert retiring.keep_until == int(clock.now) + 3600 + 5 + 2 * 10


def test_the_private_half_goes_when_a_key_stops_signing(
    signing_keys: SigningKeys, store: Store, clock: HeldClock
) -> None:
    clock.advance(PUBLICATION)
    rotate(signing_keys)
    rotate(signing_keys, "RS256", emergency=True)
    with store.reading() as connection:
        rows = connection.execute(select(KEYS.c.state, KEYS.c.sealed_private)).all()
    assert {state for state, sealed in rows if sealed} == {"active", "next"}
    assert {state for state, sealed in rows if not sealed} == {"retiring", "withdrawn"}


def test_case_058_an_emergency_withdraws_the_key_at_once_and_on_other_nodes_within_5_s(
    signing_keys: SigningKeys, other_node: SigningKeys, clock: HeldClock
) -> None:
    bad, heir = key_in(signing_keys, "active"), key_in(signing_keys, "next")
    assert other_node.verification_key(bad.kid) is not None
    rotate(signing_keys, emergency=True)
    assert signing_keys.active("ES256").kid == heir.kid
    for archived in (False, True):
        assert signing_keys.verification_key(bad.kid, archived=archived) is None
    assert bad.kid not in published(signing_keys)
    clock.advance(5)
    assert other_node.active("ES256").kid == heir.kid
    assert other_node.verification_key(bad.kid, archived=True) is None
    assert bad.kid not in published(other_node)
    assert states(signing_keys) == {"withdrawn": 1, "active": 1, "next": 1}


def test_case_058_a_second_emergency_in_the_same_second_works(signing_keys: SigningKeys) -> None:
    rotate(signing_keys, None, emergency=True)
    rotate(signing_keys, None, emergency=True)
    assert states(signing_keys) == {"withdrawn": 2, "active": 1, "next": 1}
    assert states(signing_keys, "RS256") == {"withdrawn": 2, "active": 1, "next": 1}


@pytest.mark.parametrize("state", ["next", "active", "retiring", "archived"])
def test_case_058_any_key_can_be_withdrawn(
    signing_keys: SigningKeys, clock: HeldClock, state: str
) -> None:
    clock.advance(PUBLICATION)
    rotate(signing_keys)
    if state == "archived":
        clock.advance(KEPT)
        signing_keys.advance()
    bad = key_in(signing_keys, state)
    retire(signing_keys, bad.kid, emergency=True)
    assert signing_keys.verification_key(bad.kid, archived=True) is None
    assert states(signing_keys)["active"] == states(signing_keys)["next"] == 1
    with pytest.raises(Invalid, match="is not published any more"):
        retire(signing_keys, bad.kid, emergency=True)


def test_a_key_that_signs_is_retired_by_its_successor(
    signing_keys: SigningKeys, clock: HeldClock
) -> None:
    old = key_in(signing_keys, "active")
    with pytest.raises(TooEarly):
        retire(signing_keys, old.kid)
    clock.advance(PUBLICATION)
    retire(signing_keys, old.kid)
    assert key_in(signing_keys, "retiring").kid == old.kid
    with pytest.raises(TooEarly, match="Tokens that this key signed are still valid"):
        retire(signing_keys, old.kid)
    clock.advance(KEPT)
    retire(signing_keys, old.kid)
    assert key_in(signing_keys, "archived").kid == old.kid


def test_a_next_key_that_is_retired_is_replaced(signing_keys: SigningKeys) -> None:
    unwanted = key_in(signing_keys, "next")
    retire(signing_keys, unwanted.kid)
    assert key_in(signing_keys, "withdrawn").kid == unwanted.kid
    assert key_in(signing_keys, "next").kid != unwanted.kid


def test_case_146_every_move_of_a_key_is_recorded(
    signing_keys: SigningKeys, audit: Audit, clock: HeldClock
) -> None:
    first = Counter(entry["event"] for entry in audit.latest())
    assert first == {"signing_key.begun": 2, "signing_key.published": 2}
    clock.advance(PUBLICATION)
    old, heir = key_in(signing_keys, "active").kid, key_in(signing_keys, "next").kid
    rotate(signing_keys)
    entries = {entry["event"]: entry for entry in audit.latest(3)}
    moved = {event: entry["detail"]["kid"] for event, entry in entries.items()}
    assert moved == {
        "signing_key.retired": old,
        "signing_key.activated": heir,
        "signing_key.published": key_in(signing_keys, "next").kid,
    }
    assert {entry["actor"] for entry in entries.values()} == {ACTOR}
    assert {entry["address"] for entry in entries.values()} == {"192.0.2.7"}


def test_case_113_a_private_half_moved_to_another_row_does_not_open(
    signing_keys: SigningKeys, other_node: SigningKeys, store: Store
) -> None:
    rows = {key.kid: key for key in signing_keys.list() if key.algorithm == "ES256"}
    with store.writing() as connection:
        sealed = connection.execute(
            select(KEYS.c.sealed_private).where(KEYS.c.kid.in_(rows), KEYS.c.state == "next")
        ).scalar_one()
        moved = update(KEYS).where(KEYS.c.kid.in_(rows), KEYS.c.state == "active")
        connection.execute(moved.values(sealed_private=sealed))
    with pytest.raises(SealBroken):
        other_node.active("ES256")


def test_the_database_allows_one_active_and_one_next_key(
    signing_keys: SigningKeys, store: Store
) -> None:
    def put_all_into(state: str) -> None:
        with store.writing() as connection:
            everyone = update(KEYS).where(KEYS.c.algorithm == "ES256")
            connection.execute(everyone.values(state=state))

    for state in ("active", "next"):
        with pytest.raises(Conflict):
            put_all_into(state)


def test_the_published_set_is_answered_from_memory_while_the_database_is_away(
    signing_keys: SigningKeys, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signing_keys.jwks()

    def away(_store: Store) -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr(Store, "reading", away)
    clock.advance(3600)
    assert signing_keys.jwks() == before
    with pytest.raises(StoreUnavailable):
        signing_keys.active("ES256")


def test_a_clock_that_is_set_back_does_not_keep_old_keys_alive(
    signing_keys: SigningKeys, other_node: SigningKeys, clock: HeldClock
) -> None:
    bad = other_node.active("ES256").kid
    rotate(signing_keys, emergency=True)
    clock.advance(-3600)
    assert other_node.verification_key(bad) is None


Commands = Callable[[int], list[list[str]]]


@pytest.fixture
def makers(migrated_database: Database) -> Commands:
    """Processes that make the keys of an empty database, as nodes that share one key."""
    database = migrated_database
    arguments = [database.kind, database.url, str(database.data_dir), "keys", text_of(KEY)]
    return lambda number: [["tests.keys.making", *arguments]] * number


@pytest.mark.every_database
def test_processes_that_start_together_make_one_set_of_keys(makers: Commands, store: Store) -> None:
    answers = processes.together(makers(5))
    assert len(set(answers)) == 1
    with store.reading() as connection:
        assert Counter(connection.execute(select(KEYS.c.state)).scalars()) == {
            "active": 5,
            "next": 5,
        }


@pytest.mark.every_database
def test_of_processes_that_rotate_together_one_does(
    signing_keys: SigningKeys, migrated_database: Database, clock: HeldClock
) -> None:
    database = migrated_database
    now = str(clock.now + 7200)
    command = ["tests.keys.rotating", database.kind, database.url, str(database.data_dir), now]
    ends = processes.together([command] * 5)
    assert Counter(end.strip() for end in ends) == {"rotated": 1, "too early": 4}
    for algorithm in ("ES256", "RS256"):
        assert states(signing_keys, algorithm) == {"active": 1, "next": 1, "retiring": 1}
