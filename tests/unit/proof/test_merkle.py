"""The tree against RFC 6962 written down plainly, and against the published test vectors (HS-36, BI-082)."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepost.proof import merkle

pytestmark = pytest.mark.fast

#: the leaves and roots that Certificate Transparency implementations publish
DATA = [
    bytes.fromhex(h)
    for h in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]  # fmt: skip


def mth(leaves: list[bytes]) -> bytes:
    """RFC 6962 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 6962 2.1.1."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """RFC 6962 2.1.2."""
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*subproof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


class Stored:
    """Leaf hashes and nodes as a store keeps them, counting what a proof reads."""

    def __init__(self, count: int) -> None:
        self.leaves = [merkle.leaf_hash(b"%d" % i) for i in range(count)]
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.reads = 0
        frontier = merkle.Frontier()
        for i, leaf in enumerate(self.leaves):
            self.nodes[0, i] = leaf
            for level, index, node in frontier.append(leaf):
                assert (level, index) not in self.nodes
                self.nodes[level, index] = node
        self.frontier = frontier

    def read(self, wanted: object) -> dict[tuple[int, int], bytes]:
        found = {node: self.nodes[node] for node in wanted}  # type: ignore[attr-defined]
        self.reads += len(found)
        return found


def test_the_published_roots() -> None:
    leaves = [merkle.leaf_hash(d) for d in DATA]
    for size, wanted in enumerate(ROOTS, 1):
        assert merkle.root(leaves[:size]).hex() == wanted == mth(leaves[:size]).hex()
    assert merkle.root([]) == merkle.EMPTY_ROOT == sha256(b"").digest()


@settings(max_examples=60, deadline=None)
@given(count=st.integers(1, 200), data=st.data())
def test_inclusion_proofs_are_those_of_the_rfc_and_read_few_nodes(count: int, data: st.DataObject) -> None:
    stored = Stored(count)
    size = data.draw(st.integers(1, count))
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.prove(merkle.inclusion_ranges(index, size), stored.read)
    assert proof == path(index, stored.leaves[:size])
    assert stored.reads <= 2 * size.bit_length()
    tree = mth(stored.leaves[:size])
    assert merkle.check_inclusion(stored.leaves[index], index, size, proof, tree)
    # nothing else fits: another leaf, another place, another size's root, a changed or cut or longer path
    assert not merkle.check_inclusion(merkle.leaf_hash(b"no"), index, size, proof, tree)
    assert not merkle.check_inclusion(stored.leaves[index], index, size, [*proof, tree], tree)
    if proof:
        assert not merkle.check_inclusion(stored.leaves[index], index, size, proof[:-1], tree)
        assert not merkle.check_inclusion(stored.leaves[index], index, size, [bytes(32), *proof[1:]], tree)
        assert not merkle.check_inclusion(stored.leaves[index], index, size, [proof[0][:31], *proof[1:]], tree)
    other = data.draw(st.integers(0, size - 1))
    if other != index:
        assert not merkle.check_inclusion(stored.leaves[index], other, size, proof, tree)


@settings(max_examples=60, deadline=None)
@given(count=st.integers(1, 200), data=st.data())
def test_consistency_proofs_are_those_of_the_rfc(count: int, data: st.DataObject) -> None:
    stored = Stored(count)
    old = data.draw(st.integers(1, count))
    proof = merkle.prove(merkle.consistency_ranges(old, count), stored.read)
    assert proof == subproof(old, stored.leaves, True)
    old_root, new_root = mth(stored.leaves[:old]), mth(stored.leaves)
    assert merkle.check_consistency(old, old_root, count, new_root, proof)
    assert not merkle.check_consistency(old, bytes(32), count, new_root, proof)
    assert not merkle.check_consistency(old, old_root, count, bytes(32), proof)
    assert not merkle.check_consistency(old, old_root, count, new_root, [*proof, bytes(32)])
    if proof:
        assert not merkle.check_consistency(old, old_root, count, new_root, proof[:-1])


@settings(max_examples=60, deadline=None)
@given(count=st.integers(2, 120), data=st.data())
def test_a_rewritten_past_has_no_consistency_proof(count: int, data: st.DataObject) -> None:
    """BI-082: two heads that share a beginning only in part."""
    old = data.draw(st.integers(1, count - 1))
    changed = data.draw(st.integers(0, old - 1))
    leaves = [merkle.leaf_hash(b"%d" % i) for i in range(count)]
    forged = [*leaves[:changed], merkle.leaf_hash(b"forged"), *leaves[changed + 1 :]]
    assert not merkle.check_consistency(old, mth(leaves[:old]), count, mth(forged), subproof(old, forged, True))


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 9, 100, 257])
def test_a_frontier_goes_on_from_stored_nodes(size: int) -> None:
    stored = Stored(size)
    nodes = merkle.nodes_of(0, size)
    again = merkle.Frontier(size, [stored.nodes[n] for n in nodes])
    assert again.root() == stored.frontier.root() == mth(stored.leaves)
    again.append(b"x" * 32)
    assert again.root() == mth([*stored.leaves, b"x" * 32])


def test_impossible_questions_are_refused() -> None:
    for index, size in ((0, 0), (1, 1), (-1, 3)):
        with pytest.raises(ValueError):
            merkle.inclusion_ranges(index, size)
        assert not merkle.check_inclusion(bytes(32), index, size, [], bytes(32))
    for old, new in ((0, 1), (2, 1)):
        with pytest.raises(ValueError):
            merkle.consistency_ranges(old, new)
    assert not merkle.check_consistency(2, bytes(32), 1, bytes(32), [])
    assert merkle.check_consistency(0, merkle.EMPTY_ROOT, 3, bytes(32), [])
    assert not merkle.check_consistency(0, bytes(32), 3, bytes(32), [])
    with pytest.raises(ValueError):
        merkle.Frontier(3, [bytes(32)])


def test_leaf_and_node_cannot_be_confused() -> None:
    """RFC 6962's prefixes: the two hashes of a node are not a leaf with the same hash."""
    a, b = merkle.leaf_hash(b"a"), merkle.leaf_hash(b"b")
    assert merkle.leaf_hash(a + b) != merkle.node_hash(a, b)
