"""The Merkle tree is that of RFC 6962: its known roots, and proofs of trees computed as the RFC defines them."""

import hashlib

import pytest

from ledger.merkle import Growing, consistency, inclusion, leaf_hash, node_hash, perfect_root, root

# The leaves and roots that implementations of Certificate Transparency share as test vectors.
LEAVES = [bytes.fromhex(one) for one in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "60" * 16)]
LEAVES[7] = bytes(range(0x60, 0x70))
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def defined_root(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word by word."""
    if len(leaves) < 2:
        return leaf_hash(leaves[0]) if leaves else hashlib.sha256(b"").digest()
    middle = 1
    while 2 * middle < len(leaves):
        middle *= 2
    return node_hash(defined_root(leaves[:middle]), defined_root(leaves[middle:]))


def stored(leaves: list[bytes], height: int, number: int) -> bytes:
    return perfect_root(b"".join(map(leaf_hash, leaves[number << height : (number + 1) << height])))


def led_to(index: int, size: int, node: bytes, path: list[bytes]) -> bytes:
    """RFC 9162, section 2.1.3.2: the root that a proof of inclusion leads to."""
    place, last = index, size - 1
    for step in path:
        assert last
        if place & 1 or place == last:
            node = node_hash(step, node)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            node = node_hash(node, step)
        place, last = place >> 1, last >> 1
    assert last == 0
    return node


def both_roots(first: int, second: int, first_root: bytes, path: list[bytes]) -> tuple[bytes, bytes]:
    """RFC 9162, section 2.1.4.2: the roots that a proof of consistency leads to."""
    steps = [first_root, *path] if first & (first - 1) == 0 else list(path)
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        assert last
        if place & 1 or place == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, step)
        place, last = place >> 1, last >> 1
    assert last == 0
    return old, new


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_known_vectors(size: int) -> None:
    assert root(size, lambda height, number: stored(LEAVES, height, number)).hex() == ROOTS[size - 1]


def test_the_root_of_nothing_is_the_hash_of_nothing() -> None:
    assert root(0, lambda *_: b"") == hashlib.sha256(b"").digest()


def test_a_tree_goes_on_from_its_peaks_to_the_roots_as_they_are_defined() -> None:
    leaves = [bytes([number]) for number in range(70)]
    tree = Growing()
    for size, leaf in enumerate(leaves, start=1):
        tree = Growing(tree.size, tree.peaks)
        tree.append(leaf_hash(leaf))
        assert (tree.size, tree.root()) == (size, defined_root(leaves[:size]))
    assert Growing().root() == hashlib.sha256(b"").digest()


@pytest.mark.parametrize("peaks", [[], [b"x" * 32], [b"x" * 32] * 3, [b"x" * 32, b"x" * 31]])
def test_peaks_that_are_none_of_a_tree_of_that_size_are_refused(peaks: list[bytes]) -> None:
    with pytest.raises(ValueError, match="a tree of 6 leaves has 2 peaks of 32 bytes each"):
        Growing(6, peaks)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 21, 32, 33])
def test_every_leaf_is_proved_in_every_tree(size: int) -> None:
    leaves = [bytes([number]) for number in range(size)]
    perfect = lambda height, number: stored(leaves, height, number)  # noqa: E731
    assert root(size, perfect) == defined_root(leaves)
    for index in range(size):
        path = inclusion(index, size, perfect)
        assert led_to(index, size, leaf_hash(leaves[index]), path) == defined_root(leaves)


@pytest.mark.parametrize("second", [1, 2, 6, 8, 13, 16])
def test_every_tree_is_proved_to_begin_with_every_smaller_one(second: int) -> None:
    leaves = [bytes([number]) for number in range(second)]
    for first in range(1, second + 1):
        path = consistency(first, second, lambda height, number: stored(leaves, height, number))
        roots = defined_root(leaves[:first]), defined_root(leaves)
        if first == second:
            assert path == []
        else:
            assert both_roots(first, second, roots[0], path) == roots
