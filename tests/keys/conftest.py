"""Signing keys on a database, with a clock that stands still and verifiers that cache for 5 s."""

from pathlib import Path

import pytest

from idp.config import Settings
from idp.crypto.sealing import Sealer
from idp.domain.audit import Audit
from idp.domain.signing_keys import SigningKeys
from idp.store.database import Store
from tests.keys.sealing_keys import KEY
from tests.support.databases import Database
from tests.support.held_clock import HeldClock


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def settings(migrated_database: Database, tmp_path: Path) -> Settings:
    """Short periods: a key is published 5 + 5 + 5 + 10 s before it signs."""
    return Settings(
        database_url=migrated_database.url,
        data_dir=migrated_database.data_dir,
        keys_dir=tmp_path / "keys",
        jwks_max_age=5,
        key_publication_margin=5,
        key_rotation_period=3600,
        signing_algorithms=("ES256", "RS256"),
    )


@pytest.fixture
def sealer() -> Sealer:
    return Sealer([KEY])


@pytest.fixture
def audit(store: Store, clock: HeldClock) -> Audit:
    return Audit(store, clock)


@pytest.fixture
def signing_keys(
    store: Store, sealer: Sealer, audit: Audit, clock: HeldClock, settings: Settings
) -> SigningKeys:
    """The keys of one node, made."""
    keys = SigningKeys(store, sealer, audit, clock, settings)
    keys.ensure()
    return keys


@pytest.fixture
def other_node(
    store: Store, sealer: Sealer, audit: Audit, clock: HeldClock, settings: Settings
) -> SigningKeys:
    """Another node's view of the same keys."""
    return SigningKeys(store, sealer, audit, clock, settings)
