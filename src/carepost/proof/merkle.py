"""The Merkle tree of RFC 6962 section 2.1 (the same in RFC 9162): hashing, proofs, and both verifiers.

A tree is kept as the hashes of its perfect subtrees: node (level, index) covers the leaves `index << level` up to
`(index + 1) << level`; level 0 are the leaf hashes. Such a node never changes, so every proof of every past size can be
made from O(log n) of them. `Frontier` appends; `inclusion_ranges` and `consistency_ranges` say which ranges a proof
holds; `nodes_of` which nodes make up a range; `fold` makes the hash of a range out of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final

HASH: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()

Range = tuple[int, int]
Node = tuple[int, int]


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


def nodes_of(begin: int, end: int) -> list[Node]:
    """The perfect subtrees, left to right, whose leaves are exactly `begin` up to `end`. `begin` must be a left edge of
    an RFC 6962 subtree with this end, as those of the `*_ranges` functions are."""
    found: list[Node] = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        found.append((level, begin >> level))
        begin += 1 << level
    return found


def fold(hashes: Sequence[bytes]) -> bytes:
    """The hash of a range from its perfect subtrees, left to right; EMPTY_ROOT of none."""
    if not hashes:
        return EMPTY_ROOT
    done = hashes[-1]
    for left in reversed(hashes[:-1]):
        done = node_hash(left, done)
    return done


class Frontier:
    """The right edge of a growing tree: its perfect subtrees, largest first. Appends a leaf in O(log n)."""

    __slots__ = ("_stack", "size")

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        """`hashes`: the nodes `nodes_of(0, size)`. Raises ValueError when their number does not fit."""
        if len(hashes) != size.bit_count():
            raise ValueError("a frontier has as many nodes as its size has bits")
        self.size = size
        self._stack = list(hashes)

    def append(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Adds a leaf hash; returns the nodes above level 0 that it completes, as (level, index, hash)."""
        index = self.size
        made: list[tuple[int, int, bytes]] = []
        done, level = leaf, 0
        while index >> level & 1:
            done = sha256(b"\1" + self._stack.pop() + done).digest()
            level += 1
            made.append((level, index >> level, done))
        self._stack.append(done)
        self.size = index + 1
        return made

    def root(self) -> bytes:
        return fold(self._stack)

    def hashes(self) -> list[bytes]:
        return list(self._stack)


def root(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def _split(n: int) -> int:
    """The largest power of two smaller than `n` (n > 1)."""
    return 1 << ((n - 1).bit_length() - 1)


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """PATH(index, D[size]): the ranges whose hashes prove the leaf, nearest first. Raises ValueError."""
    if not 0 <= index < size:
        raise ValueError("the leaf is not in the tree")
    ranges: list[Range] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((begin, middle))
            begin = middle
    return ranges[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """PROOF(old, D[new]): the ranges whose hashes prove that the tree of `old` leaves is the beginning of that of
    `new`. Raises ValueError."""
    if not 0 < old <= new:
        raise ValueError("a consistency proof goes from a smaller tree that is not empty to a larger one")
    ranges: list[Range] = []
    begin, end, whole = 0, new, True
    while old != end:
        middle = begin + _split(end - begin)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((begin, middle))
            begin, whole = middle, False
    if not whole:
        ranges.append((begin, end))
    return ranges[::-1]


Reader = Callable[[Sequence[Node]], Mapping[Node, bytes]]


def prove(ranges: Sequence[Range], read: Reader) -> list[bytes]:
    """The hashes of `ranges`; `read` is asked once for all nodes needed."""
    wanted = [nodes_of(*r) for r in ranges]
    known = read([node for nodes in wanted for node in nodes])
    return [fold([known[node] for node in nodes]) for nodes in wanted]


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], tree_root: bytes) -> bool:
    """RFC 9162 2.1.3.2. `leaf` is a leaf hash."""
    if not 0 <= index < size or any(len(p) != HASH for p in proof):
        return False
    fn, sn, done = index, size - 1, leaf
    for step in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            done = node_hash(step, done)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            done = node_hash(done, step)
        fn >>= 1
        sn >>= 1
    return sn == 0 and done == tree_root


def check_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """RFC 9162 2.1.4.2; the empty tree is the beginning of every other, with an empty proof."""
    if any(len(p) != HASH for p in proof) or not 0 <= old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    steps = list(proof) if old & (old - 1) else [old_root, *proof]
    if not steps:
        return False
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn >>= 1
        sn >>= 1
    fr = sr = steps[0]
    for step in steps[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node_hash(step, fr), node_hash(step, sr)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            sr = node_hash(sr, step)
        fn >>= 1
        sn >>= 1
    return sn == 0 and fr == old_root and sr == new_root
