"""SECURITY case 32: of many who bring the same assertion at once, one is the first."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from idp.crypto.sealing import Sealer
from idp.domain.one_time import OneTimeValues
from idp.domain.seen_once import SeenOnce
from idp.store.database import Store
from tests.storage import rows, taking
from tests.support.held_clock import HeldClock

pytestmark = pytest.mark.every_database
AT_ONCE = 8


def test_case_032_of_many_at_once_one_is_the_first(store: Store) -> None:
    """Each with a memory of its own, as nodes have; the database alone decides."""
    clock = HeldClock(rows.NOW)

    def node() -> SeenOnce:
        return SeenOnce(store, OneTimeValues(Sealer([taking.KEY]), clock), clock)

    for jti in ("one", "another", "\ud800"):
        start = threading.Barrier(AT_ONCE, timeout=30)

        def bring(seen: SeenOnce, jti: str = jti, start: threading.Barrier = start) -> bool:
            start.wait()
            return seen.first("client_assertion", "signer", jti, rows.NOW + 60)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            assert sum(pool.map(bring, [node() for _ in range(AT_ONCE)])) == 1
    assert node().first("client_assertion", "stranger", "one", rows.NOW + 60)
    assert node().first("another kind", "signer", "one", rows.NOW + 60)
    assert not node().first("client_assertion", "signer", "one", rows.NOW + 60)
