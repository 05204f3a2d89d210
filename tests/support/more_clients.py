"""Clients that only some tests need, registered and changed as an operator does it."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from idp.domain.services import Services
from idp.store.tables import Client as Row
from idp.store.tables import table
from tests.support import seeds
from tests.support.deployment import Deployment
from tests.support.discovery import Discovery
from tests.support.token_client import TokenClient

CLIENTS = table(Row)
Register = Callable[..., TokenClient]


@pytest.fixture
def register(services: Services, deployment: Deployment) -> Register:
    """`register("optional", require_pkce=False)` adds a client like `webapp`, but for that."""

    def add(client_id: str, **metadata: Any) -> TokenClient:
        uris = metadata.setdefault("redirect_uris", [f"https://{client_id}.example.test/callback"])
        metadata.setdefault("grant_types", ["authorization_code", "refresh_token"])
        metadata.setdefault("scope", "openid profile email offline_access notes:read files:read")
        http = deployment.new_http()
        return TokenClient(
            http,
            Discovery(http, deployment.issuer),
            client_id,
            seeds.add_client(services, metadata, client_id),
            redirect_uri=uris[0] if uris else "",
            method=metadata.get("token_endpoint_auth_method", "client_secret_basic"),
        )

    return add


def change(services: Services, client_id: str, **metadata: Any) -> None:
    """Change registered metadata in the database; it counts once caches have aged."""
    with services.store.writing() as connection:
        row = CLIENTS.c.client_id == client_id
        details = connection.execute(select(CLIENTS.c.details).where(row)).scalar_one()
        connection.execute(update(CLIENTS).where(row).values(details={**details, **metadata}))
