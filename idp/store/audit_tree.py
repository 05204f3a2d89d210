"""Queries on the Merkle tree over the audit log: its head, tiles, checkpoints and keys."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    RowMapping,
    Select,
    Text,
    bindparam,
    cast,
    delete,
    func,
    insert,
    literal_column,
    select,
    text,
    update,
)

from idp.store.statements import Row, Statement
from idp.store.tables import (
    AuditCheckpoint,
    AuditEntry,
    AuditKey,
    AuditTile,
    AuditTree,
    table,
)

_ENTRIES = table(AuditEntry)
_HEAD = table(AuditTree)
_TILES = table(AuditTile)
_CHECKPOINTS = table(AuditCheckpoint)
_KEYS = table(AuditKey)
_ONE = 1

# `detail` as it stands there: what somebody broke must not keep the rest from being read.
_PARTS = [
    cast(column, Text).label("detail") if column.name == "detail" else column
    for column in _ENTRIES.c
]


def _entries() -> Select[Any]:
    return select(*_PARTS)


_READ_HEAD = Statement(select(_HEAD).limit(1))
_READ_KEYS = Statement(select(_KEYS).order_by(_KEYS.c.created_at, _KEYS.c.id))
_UNSEALED = Statement(
    _entries()
    .where(_ENTRIES.c.position.is_(None))
    .order_by(_ENTRIES.c.position, _ENTRIES.c.id)
    .limit(bindparam("most"))
)
_ANY_UNSEALED = Statement(
    select(_ENTRIES.c.id).where(_ENTRIES.c.position.is_(None)).limit(literal_column("1"))
)
_BETWEEN = Statement(
    _entries()
    .where(_ENTRIES.c.position >= bindparam("start"), _ENTRIES.c.position < bindparam("end_"))
    .order_by(_ENTRIES.c.position, _ENTRIES.c.id)
)
_GROW = (
    update(_HEAD)
    .where(_HEAD.c.id == _ONE, _HEAD.c.size == bindparam("former_size"))
    .values(
        {name: bindparam(f"new_{name}") for name in ("size", "peaks", "checkpoint", "sealed_at")}
    )
)
_NUMBER = (
    update(_ENTRIES)
    .where(_ENTRIES.c.id == bindparam("id_"), _ENTRIES.c.position.is_(None))
    .values(position=bindparam("new_position"))
)
_PUT_TILE = text(
    """
    INSERT INTO audit_tiles (level, number, hashes, seals)
    VALUES (:level, :number, :hashes, :seals)
    ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes, seals = excluded.seals
    """
)
_PUT_CHECKPOINT = text(
    """
    INSERT INTO audit_checkpoints (size, note, created_at) VALUES (:size, :note, :created_at)
    ON CONFLICT (size) DO UPDATE SET note = excluded.note
    """
)
_TILES_OF = Statement(
    select(_TILES)
    .where(
        _TILES.c.level == bindparam("level_"),
        _TILES.c.number >= bindparam("start"),
        _TILES.c.number < bindparam("end_"),
    )
    .order_by(_TILES.c.number)
)


def head(connection: Connection) -> Row | None:
    """Return the tree's head; None before anything was sealed."""
    return _READ_HEAD.first(connection, {})


def begin(connection: Connection, row: Mapping[str, Any]) -> None:
    """Write the head of an empty tree. Raises Conflict when there is one."""
    connection.execute(insert(_HEAD), {"id": _ONE, **row})


def grow(connection: Connection, former_size: int, new: Mapping[str, Any]) -> bool:
    """Replace the head, unless it has another size by now."""
    values = {f"new_{name}": value for name, value in new.items()}
    return connection.execute(_GROW, {"former_size": former_size, **values}).rowcount == 1


def any_unsealed(connection: Connection) -> bool:
    """Tell whether there is anything to seal."""
    return _ANY_UNSEALED.first(connection, {}) is not None


def unsealed(connection: Connection, most: int) -> list[Row]:
    """Return the first entries that have no position; `detail` is text."""
    return _UNSEALED.all(connection, {"most": most})


def count_unsealed(connection: Connection) -> int:
    """Return how many entries have no position."""
    counted = select(func.count()).select_from(_ENTRIES).where(_ENTRIES.c.position.is_(None))
    return int(connection.execute(counted).scalar_one())


def number(connection: Connection, ids: Sequence[str], first: int) -> bool:
    """Give entries their positions, from `first` on; False when one of them is not there any more
    or has one.
    """
    positions = [{"id_": each, "new_position": first + at} for at, each in enumerate(ids)]
    return connection.execute(_NUMBER, positions).rowcount == len(ids)


def between(connection: Connection, start: int, end: int) -> list[Row]:
    """Return the entries at positions from `start` to before `end`, in order; `detail` is text."""
    return _BETWEEN.all(connection, {"start": start, "end_": end})


def entry(connection: Connection, entry_id: str) -> Row | None:
    """Return one entry; `detail` is text."""
    found = connection.execute(_entries().where(_ENTRIES.c.id == entry_id)).mappings().first()
    return dict(found) if found else None


def outside(connection: Connection) -> RowMapping | None:
    """Return `id` and `position` of the first entry with a position that no leaf has.

    One statement, because the tree grows meanwhile.
    """
    size = func.coalesce(select(_HEAD.c.size).scalar_subquery(), 0)
    statement = (
        select(_ENTRIES.c.id, _ENTRIES.c.position)
        .where((_ENTRIES.c.position < 0) | (_ENTRIES.c.position >= size))
        .order_by(_ENTRIES.c.position, _ENTRIES.c.id)
        .limit(1)
    )
    return connection.execute(statement).mappings().first()


def drop(connection: Connection, first: int, end: int, seal: bytes) -> bool:
    """Delete the entries from `first`, where the last deletion ended, to before `end`; False when
    another node did.
    """
    moved = (
        update(_HEAD)
        .where(_HEAD.c.id == _ONE, _HEAD.c.dropped == first)
        .values(dropped=end, dropped_seal=seal)
    )
    if connection.execute(moved).rowcount != 1:
        return False
    gone = delete(_ENTRIES).where(_ENTRIES.c.position >= first, _ENTRIES.c.position < end)
    connection.execute(gone)
    return True


def tiles(connection: Connection, level: int, start: int, end: int) -> dict[int, Row]:
    """Return the tiles of a level from number `start` to before `end`, by number."""
    found = _TILES_OF.all(connection, {"level_": level, "start": start, "end_": end})
    return {row["number"]: row for row in found}


def put_tiles(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write tiles, whether they were there or not."""
    connection.execute(_PUT_TILE, [dict(row) for row in rows])


def put_checkpoint(connection: Connection, size: int, note: str, now: int) -> None:
    """Keep a signed note for ever."""
    connection.execute(_PUT_CHECKPOINT, {"size": size, "note": note, "created_at": now})


def newest_checkpoint_at(connection: Connection) -> int | None:
    """Return when the last note was kept."""
    return connection.execute(select(func.max(_CHECKPOINTS.c.created_at))).scalar()


def checkpoints(connection: Connection) -> Sequence[RowMapping]:
    """Return the notes that were kept, the smallest tree first."""
    return connection.execute(select(_CHECKPOINTS).order_by(_CHECKPOINTS.c.size)).mappings().all()


def keys(connection: Connection) -> list[Row]:
    """Return the keys of checkpoints, the oldest first."""
    return _READ_KEYS.all(connection, {})


def add_key(connection: Connection, row: Mapping[str, Any]) -> None:
    """Add a key."""
    connection.execute(insert(_KEYS), dict(row))


def retire_key(connection: Connection, key_id: str, now: int) -> bool:
    """Delete a key's private half; False when somebody else did."""
    statement = (
        update(_KEYS)
        .where(_KEYS.c.id == key_id, _KEYS.c.retired_at.is_(None))
        .values(sealed_private=None, retired_at=now)
    )
    return connection.execute(statement).rowcount == 1
