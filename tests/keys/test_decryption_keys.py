"""The keys that others encrypt to: OpenID Connect Core section 10.2.1."""

import json
from typing import Any

import pytest
from sqlalchemy import select

from idp.config import Settings
from idp.crypto import jwe
from idp.crypto.compact import BadToken
from idp.crypto.sealing import Sealer
from idp.domain.audit import Audit, Origin
from idp.domain.decryption_keys import DecryptionKeys
from idp.domain.errors import NotFound
from idp.domain.key_rotation import TooEarly
from idp.domain.keyring import Keyring
from idp.domain.signing_keys import SigningKeys
from idp.store.database import Store
from idp.store.errors import StoreUnavailable
from idp.store.tables import SigningKey, table
from tests.support.held_clock import HeldClock

BY: dict[str, Any] = {"origin": Origin(address="192.0.2.7"), "actor": "operator:ada"}
KEYS = table(SigningKey)
PUBLICATION = 25
KEPT = 5 + 5 + 5 + 2 * 10
"""JWKS max-age and publication margin, late nodes, clocks: under the settings of these tests."""


@pytest.fixture
def node(
    store: Store, sealer: Sealer, audit: Audit, clock: HeldClock, settings: Settings
) -> DecryptionKeys:
    """The keys of one node, made."""
    keys = DecryptionKeys(store, sealer, audit, clock, settings)
    keys.ensure()
    return keys


@pytest.fixture
def late(
    store: Store, sealer: Sealer, audit: Audit, clock: HeldClock, settings: Settings
) -> DecryptionKeys:
    """Another node, which may be 5 s behind."""
    return DecryptionKeys(store, sealer, audit, clock, settings)


def sent(keys: DecryptionKeys, algorithm: str = "RSA-OAEP-256") -> str:
    """Return what somebody sends who has just fetched the published set."""
    (key,) = [key for key in keys.published() if key["alg"] == algorithm]
    assert key["use"] == "enc"
    return jwe.encrypt(b"{}", key, algorithm, "A128GCM", "JWT", key["kid"])


def opens(keys: DecryptionKeys, token: str) -> bool:
    try:
        return jwe.decrypt(token, keys.find) == b"{}"
    except BadToken:
        return False


def private_halves(store: Store) -> dict[str, bool]:
    with store.reading() as connection:
        found = connection.execute(select(KEYS.c.kid, KEYS.c.sealed_private)).all()
    return {kid: sealed is not None for kid, sealed in found}


def test_what_is_encrypted_to_a_published_key_opens_on_every_node(
    node: DecryptionKeys, late: DecryptionKeys
) -> None:
    assert [key["alg"] for key in node.published()] == ["ECDH-ES", "RSA-OAEP-256"]
    assert all("d" not in key and "p" not in key for key in node.published())
    for algorithm in jwe.OURS:
        token = sent(node, algorithm)
        assert opens(node, token)
        assert opens(late, token)
    assert not node.find("nobody", "ECDH-ES")
    assert not node.find(node.published()[0]["kid"], "RSA-OAEP-256")
    assert {key.algorithm for key in node.find(None, "ECDH-ES")} == {"ECDH-ES"}


def test_a_retired_key_opens_as_long_as_it_may_be_cached_and_then_loses_its_private_half(
    node: DecryptionKeys, late: DecryptionKeys, store: Store, clock: HeldClock
) -> None:
    token, kid = sent(node), node.published()[1]["kid"]
    clock.advance(PUBLICATION - 1)
    with pytest.raises(TooEarly, match="the next RSA-OAEP-256 key yet: it can't be published"):
        node.rotate("RSA-OAEP-256", **BY)
    clock.advance(1)
    assert opens(late, token)
    node.rotate("RSA-OAEP-256", **BY)
    assert kid not in {key["kid"] for key in node.published()}
    fresh = sent(node)
    # This node read the keys before they changed: it knows the next one.
    assert opens(late, fresh)
    assert opens(late, token)
    assert opens(node, token)
    with pytest.raises(TooEarly, match="may still come"):
        node.retire(kid, **BY)
    clock.advance(KEPT - 1)
    node.advance()
    assert opens(node, token)
    assert private_halves(store)[kid]
    clock.advance(1)
    node.advance()
    assert not opens(node, token)
    assert not private_halves(store)[kid]
    assert opens(node, fresh)


def test_keys_take_turns_by_themselves(node: DecryptionKeys, clock: HeldClock) -> None:
    before = sent(node)
    clock.advance(3600)
    assert [step.deed for step in node.advance()] == ["retired", "activated", "published"] * 2
    assert opens(node, before)
    assert opens(node, sent(node))


def test_case_058_a_key_in_the_wrong_hands_opens_nothing_any_more(
    node: DecryptionKeys, late: DecryptionKeys, store: Store, audit: Audit, clock: HeldClock
) -> None:
    token, kid = sent(node), node.published()[1]["kid"]
    assert opens(late, token)
    node.rotate("RSA-OAEP-256", emergency=True, **BY)
    assert not opens(node, token)
    assert not private_halves(store)[kid]
    assert opens(late, sent(node))
    clock.advance(5)
    assert not opens(late, token)
    assert {entry["event"] for entry in audit.latest(3)} == {
        "decryption_key.withdrawn",
        "decryption_key.activated",
        "decryption_key.published",
    }


def test_longer_caching_lengthens_the_stay(
    node: DecryptionKeys,
    store: Store,
    sealer: Sealer,
    audit: Audit,
    clock: HeldClock,
    settings: Settings,
) -> None:
    patient = settings.model_copy(update={"jwks_max_age": 600})
    DecryptionKeys(store, sealer, audit, clock, patient).ensure()
    assert {key.longest_token for key in node.list()} == {605}


def test_one_ring_of_both(
    signing_keys: SigningKeys, node: DecryptionKeys, settings: Settings, clock: HeldClock
) -> None:
    ring = Keyring(signing_keys, node, settings)
    assert ring.algorithms == ("ES256", "RS256", "RSA-OAEP-256", "ECDH-ES")
    published = json.loads(ring.jwks().body)["keys"]
    assert [key["use"] for key in published] == ["sig"] * 4 + ["enc"] * 2
    assert ring.jwks() is ring.jwks()
    assert ring.jwks().etag != signing_keys.jwks().etag
    assert {(key.use, key.state) for key in ring.list()} == {
        (use, state) for use in ("sig", "enc") for state in ("active", "next")
    }
    assert {key.use for key in signing_keys.list()} == {"sig"}
    # Nothing is rotated where one is too early: the keys that decrypt were rotated just now.
    clock.advance(PUBLICATION)
    ring.rotate("ECDH-ES", **BY)
    before = ring.list()
    with pytest.raises(TooEarly):
        ring.rotate(**BY)
    assert ring.list() == before
    clock.advance(PUBLICATION)
    steps = [(step.deed, step.algorithm) for step in ring.rotate(dry_run=True, **BY)]
    assert len(steps) == 12
    assert ring.list() == before
    assert [(step.deed, step.algorithm) for step in ring.rotate(**BY)] == steps
    for kid in {key.kid for key in before if key.state == "next"}:
        ring.retire(kid, emergency=True, **BY)
    with pytest.raises(NotFound, match="No keys are kept for HS256"):
        ring.rotate("HS256", **BY)
    with pytest.raises(NotFound, match="There is no key nobody"):
        ring.retire("nobody", **BY)


def test_the_ring_answers_from_memory_while_the_database_is_away(
    signing_keys: SigningKeys,
    node: DecryptionKeys,
    settings: Settings,
    clock: HeldClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ring = Keyring(signing_keys, node, settings)
    before, token = ring.jwks(), sent(node)

    def away(_store: Store) -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr(Store, "reading", away)
    clock.advance(3600)
    assert ring.jwks() == before
    # Whether a key was withdrawn meanwhile is not known, so nothing is opened.
    with pytest.raises(StoreUnavailable):
        opens(node, token)
