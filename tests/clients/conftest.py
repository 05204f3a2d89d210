"""Clients and resource servers on a database, with a clock that stands still."""

from typing import Any

import pytest

from idp.crypto.sealing import Sealer
from idp.domain.audit import Audit
from idp.domain.client_secrets import ClientSecrets
from idp.domain.clients import Clients
from idp.domain.resources import Resources
from idp.protocol import registration
from idp.store.database import Store
from tests.support.held_clock import HeldClock

CACHE_SECONDS = 5
ISSUER = "https://id.example.com"
SEALER = Sealer([b"\1" * 32])


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def audit(store: Store, clock: HeldClock) -> Audit:
    return Audit(store, clock)


@pytest.fixture
def clients(store: Store, audit: Audit, clock: HeldClock) -> Clients:
    return Clients(store, audit, clock, CACHE_SECONDS, ClientSecrets(SEALER))


@pytest.fixture
def other_node(store: Store, audit: Audit, clock: HeldClock) -> Clients:
    """Another node's view of the same database."""
    return Clients(store, audit, clock, CACHE_SECONDS, ClientSecrets(SEALER))


@pytest.fixture
def resources(store: Store, audit: Audit, clock: HeldClock) -> Resources:
    return Resources(store, audit, clock, CACHE_SECONDS, ISSUER)


@pytest.fixture
def details() -> dict[str, Any]:
    """The metadata of a web client, validated."""
    metadata = {"client_name": "Invoices", "redirect_uris": ["https://app.example.com/cb"]}
    return registration.validate(metadata, operator=True)
