"""The Merkle tree of RFC 9162 section 2.1 over SHA-256: hashes, proofs, and checking them.

Nothing here knows where hashes are kept: who makes a proof passes in how to read them.
"""

import hashlib
from collections.abc import Callable, Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
_LEAF, _NODE = b"\x00", b"\x01"
_sha256 = hashlib.sha256

Subtree = Callable[[int, int], bytes]
"""Returns the hash of the perfect subtree of that height, by its number among those of the height
from the left.
"""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of one entry (section 2.1.1)."""
    return _sha256(_LEAF + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node (section 2.1.1)."""
    return _sha256(_NODE + left + right).digest()


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """Return the root over hashes whose number is a power of two."""
    row = list(hashes)
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


class Frontier:
    """What is needed to go on with a tree: the roots of its perfect subtrees, the largest first."""

    def __init__(self, size: int = 0, peaks: bytes = b"") -> None:
        """Raises ValueError when `peaks` are not those of a tree of `size` leaves."""
        if len(peaks) != size.bit_count() * HASH_BYTES:
            raise ValueError("a tree of this size has another number of subtrees")
        self.size = size
        self._peaks = [peaks[at : at + HASH_BYTES] for at in range(0, len(peaks), HASH_BYTES)]

    @property
    def peaks(self) -> bytes:
        """The roots, one behind the other."""
        return b"".join(self._peaks)

    def append(self, leaf: bytes) -> None:
        """Add the hash of one more entry."""
        node, size = leaf, self.size
        while size & 1:
            node = _sha256(_NODE + self._peaks.pop() + node).digest()
            size >>= 1
        self._peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        """Return the hash of the whole tree."""
        if not self._peaks:
            return EMPTY_ROOT
        node = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            node = node_hash(peak, node)
        return node


def root(size: int, subtree: Subtree) -> bytes:
    """Return the hash of the first `size` leaves."""
    return _range_hash(0, size, subtree) if size else EMPTY_ROOT


def inclusion(position: int, size: int, subtree: Subtree) -> list[bytes]:
    """Return the path from a leaf to the root of the first `size` leaves (section 2.1.3.1)."""
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if position < middle:
            path.append(_range_hash(middle, end, subtree))
            end = middle
        else:
            path.append(_range_hash(start, middle, subtree))
            start = middle
    return path[::-1]


def consistency(old: int, size: int, subtree: Subtree) -> list[bytes]:
    """Return the proof that the first `old` leaves are still those (section 2.1.4.1)."""
    proof: list[bytes] = []
    start, end, whole = 0, size, True
    while start + old != end:
        middle = _split(end - start)
        if old <= middle:
            proof.append(_range_hash(start + middle, end, subtree))
            end = start + middle
        else:
            proof.append(_range_hash(start, start + middle, subtree))
            start, old, whole = start + middle, old - middle, False
    if not whole:
        proof.append(_range_hash(start, end, subtree))
    return proof[::-1]


def is_included(
    leaf: bytes, position: int, size: int, path: Sequence[bytes], expected: bytes
) -> bool:
    """Tell whether a path leads from a leaf to the root `expected` (section 2.1.3.2)."""
    sides = _sides(position, size - 1, len(path)) if 0 <= position < size else None
    if sides is None:
        return False
    node = leaf
    for sibling, on_the_left in zip(path, sides, strict=True):
        node = node_hash(sibling, node) if on_the_left else node_hash(node, sibling)
    return node == expected


def is_consistent(
    old: int, old_root: bytes, size: int, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Tell whether a proof shows the one tree to begin with the other (section 2.1.4.2)."""
    if old == size:
        return not proof and old_root == new_root
    if not 0 < old < size or not proof:
        return False
    hashes = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    turns = (old ^ (old - 1)).bit_length() - 1
    sides = _sides((old - 1) >> turns, (size - 1) >> turns, len(hashes) - 1)
    if sides is None:
        return False
    former = present = hashes[0]
    for sibling, on_the_left in zip(hashes[1:], sides, strict=True):
        if on_the_left:
            former, present = node_hash(sibling, former), node_hash(sibling, present)
        else:
            present = node_hash(present, sibling)
    return (former, present) == (old_root, new_root)


def _sides(at: int, last: int, count: int) -> list[bool] | None:
    """Tell of each of `count` siblings on the way from `at` to the root whether it stands on the
    left; None when that is not how many there are.
    """
    sides = []
    for _ in range(count):
        if last == 0:
            return None
        on_the_left = bool(at & 1) or at == last
        if on_the_left and at:
            level = (at & -at).bit_length() - 1
            at, last = at >> level, last >> level
        sides.append(on_the_left)
        at, last = at >> 1, last >> 1
    return sides if last == 0 else None


def _split(size: int) -> int:
    """Return the largest power of two that is smaller than `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _range_hash(start: int, end: int, subtree: Subtree) -> bytes:
    """Return the hash over the leaves from `start`, where a perfect subtree of theirs may begin."""
    size = end - start
    if size & (size - 1) == 0:
        height = size.bit_length() - 1
        return subtree(height, start >> height)
    middle = start + _split(size)
    return node_hash(_range_hash(start, middle, subtree), _range_hash(middle, end, subtree))
