"""Clients and resource servers that no database has: for the rules that only look at them."""

from typing import Any, cast

from sqlalchemy import RowMapping

from idp.domain.clients import Client, from_rows
from idp.domain.resources import Resources, ResourceServer
from idp.protocol import registration


def client(*, disabled: bool = False, **metadata: Any) -> Client:
    """A client of the operator with this metadata."""
    metadata.setdefault("redirect_uris", ["https://app.example.com/cb"])
    row = {
        "client_id": "app",
        "details": registration.validate(metadata, operator=True),
        "first_party": metadata.get("first_party", False),
        "sector": None,
        "created_at": 1_800_000_000,
        "disabled_at": 1_800_000_000 if disabled else None,
        "secret_digest": None,
        "secret_expires_at": None,
        "secret_sealed": None,
        "trusted": None,
        "owned": None,
        "owner_id": None,
        "last_used_at": None,
        "logo": None,
    }
    return from_rows([cast(RowMapping, row)])


def resource_server(identifier: str, *scopes: str, disabled: bool = False) -> ResourceServer:
    """A resource server that owns `scopes`."""
    return ResourceServer(
        identifier=identifier,
        name=f"API at {identifier}",
        scopes={scope: f"Use {scope}" for scope in scopes},
        access_token_lifetime=None,
        credential_id=f"resource_{identifier}",
        credential_digest=b"",
        created_at=1_800_000_000,
        disabled=disabled,
    )


class Catalogue(Resources):
    """Resource servers in memory."""

    def __init__(self, *servers: ResourceServer) -> None:
        self._servers = servers

    def find(self, identifier: str) -> ResourceServer | None:
        """As in Resources."""
        return next((one for one in self._servers if one.identifier == identifier), None)

    def owner_of(self, scope: str) -> ResourceServer | None:
        """As in Resources."""
        return next((one for one in self._servers if scope in one.scopes), None)
