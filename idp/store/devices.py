"""Queries on the browsers from which people signed in."""

from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from idp.store.statements import Row, Statement
from idp.store.tables import Account, Device, table

_DEVICES = table(Device)
_ACCOUNTS = table(Account)
_FIND = Statement(
    select(_DEVICES).where(
        _DEVICES.c.cookie_digest == bindparam("cookie_digest_"),
        _DEVICES.c.account_id == bindparam("account_id_"),
        _DEVICES.c.expires_at > bindparam("now"),
    )
)
_OF_BROWSER = Statement(
    select(_DEVICES.c.last_factor, _DEVICES.c.id.label("device_id"), _ACCOUNTS)
    .join_from(_DEVICES, _ACCOUNTS)
    .where(
        _DEVICES.c.cookie_digest == bindparam("cookie_digest_"),
        _DEVICES.c.expires_at > bindparam("now"),
    )
    .order_by(_DEVICES.c.seen_at.desc(), _DEVICES.c.id)
)
_OF_ACCOUNT = Statement(
    select(_DEVICES)
    .where(
        _DEVICES.c.account_id == bindparam("account_id_"),
        _DEVICES.c.expires_at > bindparam("now"),
    )
    .order_by(_DEVICES.c.seen_at.desc(), _DEVICES.c.id)
)

_ANY = Statement(
    select(_DEVICES.c.id)
    .where(
        _DEVICES.c.account_id == bindparam("account_id_"),
        _DEVICES.c.expires_at > bindparam("now"),
    )
    .limit(1)
)
_INSERT = Statement(insert(_DEVICES))


def find(connection: Connection, cookie_digest: bytes, account_id: str, now: int) -> Row | None:
    """Return what is known of a browser and an account."""
    values = {"cookie_digest_": cookie_digest, "account_id_": account_id, "now": now}
    return _FIND.first(connection, values)


def of_browser(connection: Connection, cookie_digest: bytes, now: int) -> list[Row]:
    """Return the accounts that signed in from a browser, the latest first."""
    return _OF_BROWSER.all(connection, {"cookie_digest_": cookie_digest, "now": now})


def of_account(connection: Connection, account_id: str, now: int) -> list[Row]:
    """Return the browsers of an account, the latest first."""
    return _OF_ACCOUNT.all(connection, {"account_id_": account_id, "now": now})


def is_any(connection: Connection, account_id: str, now: int) -> bool:
    """Whether an account has a browser that is known."""
    return _ANY.first(connection, {"account_id_": account_id, "now": now}) is not None


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Add a browser of an account. Raises Conflict when it is known."""
    _INSERT.run(connection, row)


def change(connection: Connection, device_id: str, values: dict[str, Any]) -> None:
    """Change columns of a device."""
    connection.execute(update(_DEVICES).where(_DEVICES.c.id == device_id).values(**values))


def move(connection: Connection, old: bytes, new: bytes) -> None:
    """Know a browser by its new cookie."""
    statement = update(_DEVICES).where(_DEVICES.c.cookie_digest == old)
    connection.execute(statement.values(cookie_digest=new))


def remove(connection: Connection, device_id: str, account_id: str) -> bool:
    """Forget a browser of this account; tell whether it was known."""
    statement = delete(_DEVICES).where(
        _DEVICES.c.id == device_id, _DEVICES.c.account_id == account_id
    )
    return connection.execute(statement).rowcount == 1


def distrust(connection: Connection, account_id: str, device_id: str = "") -> int:
    """Let one browser of this account, or all, stand in for nothing; return how many did."""
    statement = update(_DEVICES).where(
        _DEVICES.c.account_id == account_id, _DEVICES.c.trusted_until.is_not(None)
    )
    if device_id:
        statement = statement.where(_DEVICES.c.id == device_id)
    return connection.execute(statement.values(trusted_until=None)).rowcount
