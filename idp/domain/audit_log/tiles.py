"""The tree's hashes in tiles of 256 (as C2SP tlog-tiles cuts it), read and grown.

Level 0 holds the leaves, each level above it the roots of the full tiles below.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from idp.crypto.merkle import HASH_BYTES, perfect_root
from idp.domain.audit_log.leaves import SEAL_BYTES
from idp.store import audit_tree as rows
from idp.store.database import Connection

HEIGHT = 8
WIDTH = 1 << HEIGHT
_MOST_REMEMBERED = 64


class TileReader:
    """Finds hashes for proofs over the first `size` leaves."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[tuple[int, int], list[bytes]] = {}

    def subtree(self, height: int, number: int) -> bytes:
        """Return the hash of a perfect subtree. Raises KeyError when a tile lacks it."""
        level, rest = divmod(height, HEIGHT)
        first, count = number << rest, 1 << rest
        tile, at = divmod(first, WIDTH)
        hashes = self._tile(level, tile)[at : at + count]
        if len(hashes) < count:
            raise KeyError((height, number))
        return perfect_root(hashes)

    def _tile(self, level: int, number: int) -> list[bytes]:
        found = self._known.get((level, number))
        if found is None:
            row = rows.tiles(self._connection, level, number, number + 1).get(number)
            found = cut(row["hashes"], HASH_BYTES) if row else []
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[level, number] = found
        return found


class GrowingTiles:
    """The tiles at the right edge of a tree of `size` leaves; `changed` are those to be written."""

    def __init__(self, connection: Connection, size: int) -> None:
        self._size = size
        self._open: list[tuple[bytearray, bytearray]] = []
        self._counts: list[int] = []
        self.changed: dict[tuple[int, int], tuple[bytes, bytes]] = {}
        level = 0
        while size >> (HEIGHT * level):
            count = size >> (HEIGHT * level)
            self._open.append(_edge(connection, level, count))
            self._counts.append(count)
            level += 1

    def append(self, leaf: bytes, seal: bytes) -> None:
        """Add one leaf."""
        self._add(0, leaf, seal)

    def rows(self) -> list[Mapping[str, Any]]:
        """Return the rows of the tiles that changed."""
        for level, (hashes, seals) in enumerate(self._open):
            if hashes:
                self.changed[level, self._counts[level] // WIDTH] = (bytes(hashes), bytes(seals))
        return [
            {"level": level, "number": number, "hashes": hashes, "seals": seals}
            for (level, number), (hashes, seals) in sorted(self.changed.items())
        ]

    def _add(self, level: int, node: bytes, seal: bytes) -> None:
        if level == len(self._open):
            self._open.append((bytearray(), bytearray()))
            self._counts.append(0)
        hashes, seals = self._open[level]
        hashes += node
        seals += seal
        self._counts[level] += 1
        if self._counts[level] % WIDTH == 0:
            full = bytes(hashes)
            self.changed[level, self._counts[level] // WIDTH - 1] = (full, bytes(seals))
            self._open[level] = (bytearray(), bytearray())
            self._add(level + 1, perfect_root(cut(full, HASH_BYTES)), b"")


class BrokenTile(Exception):
    """A tile at the edge of the tree is not there, or not as long as it has to be."""


def _edge(connection: Connection, level: int, count: int) -> tuple[bytearray, bytearray]:
    number, filled = divmod(count, WIDTH)
    if not filled:
        return bytearray(), bytearray()
    row = rows.tiles(connection, level, number, number + 1).get(number)
    seals = filled * SEAL_BYTES if level == 0 else 0
    if row is None or (len(row["hashes"]), len(row["seals"])) != (filled * HASH_BYTES, seals):
        raise BrokenTile(f"tile {number} of level {level}")
    return bytearray(row["hashes"]), bytearray(row["seals"])


def cut(joined: bytes, size: int) -> list[bytes]:
    """Return what stands side by side in `joined`, `size` bytes each."""
    return [joined[at : at + size] for at in range(0, len(joined), size)]


def upper_tiles(roots: Sequence[bytes]) -> list[list[bytes]]:
    """Return the hashes of each level from 1 on, given the roots of the full tiles of level 0."""
    levels = []
    below = list(roots)
    while below:
        levels.append(below)
        full = len(below) // WIDTH
        below = [perfect_root(below[at * WIDTH : (at + 1) * WIDTH]) for at in range(full)]
    return levels
