"""The tree of RFC 9162 section 2.1, against its definition word by word."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.crypto import merkle

# The leaves and roots that RFC 6962's reference implementation is tested with.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def mth(hashes: Sequence[bytes]) -> bytes:
    """MTH(D[n]) as section 2.1.1 defines it, over leaf hashes."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return hashlib.sha256(b"\x01" + mth(hashes[:k]) + mth(hashes[k:])).digest()


def tree(size: int) -> list[bytes]:
    return [merkle.leaf_hash(str(each).encode()) for each in range(size)]


def subtrees(hashes: Sequence[bytes]) -> merkle.Subtree:
    return lambda height, number: mth(hashes[number << height : (number + 1) << height])


def test_the_reference_tree() -> None:
    frontier = merkle.Frontier()
    assert frontier.root() == hashlib.sha256(b"").digest()
    for leaf, root in zip(LEAVES, ROOTS, strict=True):
        frontier.append(merkle.leaf_hash(leaf))
        assert frontier.root().hex() == root


def test_every_tree_of_up_to_40_leaves() -> None:
    hashes, frontier = tree(40), merkle.Frontier()
    subtree = subtrees(hashes)
    for size in range(1, 41):
        frontier.append(hashes[size - 1])
        frontier = merkle.Frontier(frontier.size, frontier.peaks)
        root = mth(hashes[:size])
        assert frontier.root() == merkle.root(size, subtree) == root
        for position in range(size):
            path = merkle.inclusion(position, size, subtree)
            assert merkle.is_included(hashes[position], position, size, path, root)
            for other in (position - 1, position + 1, size):
                assert not merkle.is_included(hashes[position], other, size, path, root)
        for old in range(1, size + 1):
            proof = merkle.consistency(old, size, subtree)
            former = mth(hashes[:old])
            assert merkle.is_consistent(old, former, size, root, proof)
            if old < size:
                assert not merkle.is_consistent(old, root, size, root, proof)
                assert not merkle.is_consistent(old, former, size, former, proof)
                assert not merkle.is_consistent(old, former, size, root, proof[:-1])


@given(st.integers(2, 300), st.data())
def test_a_proof_with_another_hash_in_it_proves_nothing(size: int, data: st.DataObject) -> None:
    hashes = tree(size)
    subtree, root = subtrees(hashes), mth(hashes)
    position, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size - 1))

    def included(path: Sequence[bytes]) -> bool:
        return merkle.is_included(hashes[position], position, size, path, root)

    def consistent(proof: Sequence[bytes]) -> bool:
        return merkle.is_consistent(old, mth(hashes[:old]), size, root, proof)

    for path, holds in (
        (merkle.inclusion(position, size, subtree), included),
        (merkle.consistency(old, size, subtree), consistent),
    ):
        assert holds(path)
        at = data.draw(st.integers(0, len(path) - 1))
        assert not holds([*path[:at], b"\0" * 32, *path[at + 1 :]])
        assert not holds([*path, b"\0" * 32])


def test_a_frontier_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="subtrees"):
        merkle.Frontier(3, b"\0" * 32)
