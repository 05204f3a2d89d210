"""Valid rows for tests that need some, with as little in them as the tables allow."""

from typing import Any

from sqlalchemy import Connection, func, insert, select

from idp.crypto.secrets import uuid7
from idp.store.tables import Account, Base, Client, Consent, Password, table

NOW = 1_800_000_000


def account(name: str = "ada") -> dict[str, Any]:
    """Return an account's row."""
    email = f"{name}@example.test"
    return {
        "id": uuid7(),
        "subject": f"subject-{name}",
        "email": email,
        "email_key": email,
        "email_verified": True,
        "name": name,
        "profile": {"nickname": name},
        "created_at": NOW,
        "updated_at": NOW,
        "disabled_at": None,
        "deletes_at": None,
        "language": None,
        "theme": None,
        "passkey_quiet_until": None,
    }


def client(client_id: str = "webapp") -> dict[str, Any]:
    """Return a client's row."""
    return {
        "id": uuid7(),
        "client_id": client_id,
        "details": {"client_name": client_id},
        "first_party": False,
        "created_at": NOW,
        "updated_at": NOW,
        "disabled_at": None,
    }


def family(connection: Connection) -> dict[str, Any]:
    """Add an account with rows that refer to it, and return the account's row."""
    parent = account()
    add(connection, Account, parent)
    add(connection, Client, client())
    add(connection, Password, {"account_id": parent["id"], "hash": "$argon2id$", "changed_at": NOW})
    consent = {"account_id": parent["id"], "client_id": "webapp", "resource": "", "scope": "openid"}
    add(connection, Consent, {**consent, "granted_at": NOW})
    return parent


def add(connection: Connection, model: type[Base], row: dict[str, Any]) -> None:
    """Add one row."""
    connection.execute(insert(table(model)).values(**row))


def number(connection: Connection, model: type[Base]) -> int:
    """Return how many rows a table has."""
    return int(connection.execute(select(func.count()).select_from(table(model))).scalar_one())
