"""One log, walked once from its first leaf to its last, everything stored about it compared on the way."""

from collections.abc import Iterator, Sequence
from hashlib import sha256

import msgspec

from carepost.audit.chain import Chain
from carepost.audit.findings import LogReport
from carepost.audit.reader import Opener, StoredCheckpoint
from carepost.audit.sequencer import origin, subject_of
from carepost.audit.store import Store, size_of
from carepost.crypto.rest import Damaged
from carepost.ground import ids
from carepost.ground.errors import CarepostError
from carepost.proof.event import Event, read
from carepost.proof.kinds import TAKEN_OUT
from carepost.proof.merkle import Frontier, leaf_hash
from carepost.proof.note import Checkpoint, VerifierKey

_BATCH = 2000


class Leaf(msgspec.Struct, frozen=True):
    index: int
    hash: bytes
    source: str
    seq: int
    event: bytes | None
    sealed: bytes


class Outside(msgspec.Struct, frozen=True):
    """A checkpoint kept elsewhere: its own words, and the note it came in."""

    checkpoint: Checkpoint
    note: bytes


class Walk:
    """`verify` once; the report names every place that does not hold."""

    def __init__(
        self, store: Store, org: bytes, kept: Sequence[Outside], opener: Opener | None,
        known: Sequence[VerifierKey] = (),
    ) -> None:  # fmt: skip
        """`known`: keys of this log as they were published; empty: none are given."""
        self._store = store
        self._org = org
        self._name = ids.text(org)
        self._kept = sorted(kept, key=lambda k: k.checkpoint.size)
        self._opener = opener
        self._report = LogReport(self._name)
        self._edge = Frontier()
        self._last: dict[str, int] = {}
        self._subjects = 0
        self._subject_sum = 0
        self._chain = Chain(store, org, self._report, known)

    def verify(self) -> LogReport:
        report = self._report
        points = _checkpoints(self._store, self._org)
        point = next(points, None)
        kept = list(self._kept)
        last: StoredCheckpoint | None = None
        for batch in self._batches():
            made: list[tuple[int, int, bytes]] = []
            for leaf in batch:
                self._leaf(leaf)
                made += self._edge.append(leaf.hash)
                size = self._edge.size
                while point is not None and point.size <= size:
                    self._checkpoint(point, size)
                    last, point = point, next(points, None)
                while kept and kept[0].checkpoint.size <= size:
                    self._outside(kept.pop(0), size)
                self._chain.turn(size)
            self._nodes(made)
        report.size = self._edge.size
        self._end(last, point)
        self._chain.end()
        for missing in kept:
            words = f"the tail is missing: a checkpoint kept elsewhere saw {missing.checkpoint.size} events"
            report.add("tail-missing", f"{words}, the log holds {report.size}")
        return report

    def _batches(self) -> Iterator[list[Leaf]]:
        expected = 0
        while True:
            rows = self._store.rows(
                "SELECT idx, hash, source, seq, event, sealed FROM audit_leaf WHERE org = ? AND idx >= ? "
                "ORDER BY idx LIMIT ?",
                (self._org, expected, _BATCH),
            )
            batch = []
            for index, hashed, source, seq, event, sealed in rows:
                if index != expected:
                    self._report.add("leaf-missing", f"leaf {expected} is missing; the next one there is {index}")
                raw = None if event is None else bytes(event)
                batch.append(Leaf(int(index), bytes(hashed), source, int(seq), raw, bytes(sealed)))
                expected = int(index) + 1
            yield batch
            if len(rows) < _BATCH:
                return

    def _leaf(self, leaf: Leaf) -> None:
        where = f"leaf {leaf.index} (event {leaf.seq} of {leaf.source})"
        if leaf.seq <= self._last.get(leaf.source, 0):
            self._report.add("order", f"{where} comes after event {self._last[leaf.source]} of its source")
        self._last[leaf.source] = leaf.seq
        if leaf.event is None:
            self._report.past_retention += 1
            return
        whole = leaf_hash(leaf.event) == leaf.hash
        if not whole:
            self._report.add("leaf-changed", f"{where}: its bytes or its hash were changed")
        try:
            event = read(leaf.event)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self._report.add("event-damaged", f"{where}: its bytes are no event")
            return
        if (event.org, event.source, event.seq) != (self._name, leaf.source, leaf.seq):
            self._report.add("event-foreign", f"{where}: its bytes name another organisation, source or number")
        elif whole:
            self._chain.introduces(event, where)
        for subject in {subject_of(id) for id in event.on}:
            self._subjects += 1
            self._subject_sum += _mark(subject, leaf.index)
        if self._opener is not None:
            self._sealed(event, leaf, where)

    def _sealed(self, event: Event, leaf: Leaf, where: str) -> None:
        """What is personal opens, and is what the event committed to."""
        assert self._opener is not None
        try:
            opened = self._opener(self._org, event, leaf.sealed) if leaf.sealed else {}
        except Damaged:
            self._report.add("sealed-damaged", f"{where}: what is sealed beside it does not open")
            return
        except CarepostError:
            self._report.unopened += 1
            return
        digests = {field: sha256(salt + value).hexdigest() for field, (salt, value) in opened.items()}
        # what the journal took out is not there to be compared
        expected = {f: digest for f, digest in event.commit.items() if f in digests or f not in TAKEN_OUT}
        if digests != expected:
            self._report.add("sealed-damaged", f"{where}: what is sealed beside it is not what the event committed to")
        self._report.opened += len(opened)

    def _nodes(self, made: list[tuple[int, int, bytes]]) -> None:
        """The stored nodes are those the leaves make."""
        levels: dict[int, dict[int, bytes]] = {}
        for level, index, value in made:
            levels.setdefault(level, {})[index] = value
        for level, wanted in levels.items():
            rows = self._store.rows(
                "SELECT idx, hash FROM audit_node WHERE org = ? AND level = ? AND idx BETWEEN ? AND ?",
                (self._org, level, min(wanted), max(wanted)),
            )
            stored = {int(index): bytes(value) for index, value in rows}
            for index in wanted.keys() | stored.keys():
                if wanted.get(index) != stored.get(index):
                    first, end = index << level, (index + 1) << level
                    words = f"the stored hash over leaves {first} to {end - 1} is missing or not what the leaves make"
                    self._report.add("tree-changed", words)

    def _checkpoint(self, point: StoredCheckpoint, size: int) -> None:
        self._report.checkpoints += 1
        if point.size != size or point.root != self._edge.root():
            self._report.add(
                "checkpoint-wrong", f"the checkpoint of {point.size} events has a root the leaves do not make"
            )
        stated = self._chain.signed(point.note, f"the checkpoint of {point.size} events")
        if stated is None:
            return
        if (stated.origin, stated.size, stated.root) != (origin(self._org), point.size, point.root):
            words = f"the checkpoint of {point.size} events says something else than its row"
            self._report.add("checkpoint-wrong", words)

    def _outside(self, kept: Outside, size: int) -> None:
        stated = kept.checkpoint
        self._chain.signed(kept.note, f"the checkpoint of {stated.size} events kept elsewhere", stored=False)
        if stated.size == size and stated.root == self._edge.root():
            self._report.outside.append(stated.size)
        else:
            words = (
                f"history was rewritten: the first {stated.size} events are not those a checkpoint kept elsewhere saw"
            )
            self._report.add("history-rewritten", words)

    def _end(self, last: StoredCheckpoint | None, later: StoredCheckpoint | None) -> None:
        """Nothing stands beyond the last leaf, and the last leaf is under a checkpoint."""
        report, size = self._report, self._report.size
        stated = size_of(self._store, self._org)
        if later is not None:
            report.add("tail-missing", f"a checkpoint covers {later.size} events, the log holds {size}")
        elif stated != size or (last.size if last else 0) != size:
            seen = last.size if last else 0
            words = f"the log holds {size} events; its own count says {stated}, its last checkpoint covers {seen}"
            report.add("tail-missing" if max(stated, seen) > size else "checkpoint-missing", words)
        nodes = self._store.rows("SELECT count(*) FROM audit_node WHERE org = ?", (self._org,))[0][0]
        if nodes != size - size.bit_count():
            report.add("tree-changed", f"{nodes} hashes of subtrees are stored where {size - size.bit_count()} belong")
        count = total = 0
        for subject, index in _index_rows(self._store, self._org):
            count += 1
            total += _mark(subject, index)
        if report.past_retention == 0 and (count, total) != (self._subjects, self._subject_sum):
            report.add("index-changed", "the index from messages and deliveries to events is not what the events say")


def _mark(subject: bytes, index: int) -> int:
    """A number whose sum over rows tells two sets of rows apart, in any order."""
    return int.from_bytes(sha256(subject + index.to_bytes(8, "big")).digest()[:16], "big")


def _checkpoints(store: Store, org: bytes) -> Iterator[StoredCheckpoint]:
    after = -1
    while True:
        rows = store.rows(
            "SELECT size, root, note, at FROM audit_checkpoint WHERE org = ? AND size > ? ORDER BY size LIMIT ?",
            (org, after, _BATCH),
        )
        for size, root, text, at in rows:
            after = int(size)
            yield StoredCheckpoint(after, bytes(root), text.encode(), int(at))
        if len(rows) < _BATCH:
            return


def _index_rows(store: Store, org: bytes) -> Iterator[tuple[bytes, int]]:
    subject, index = b"", -1
    while True:
        rows = store.rows(
            "SELECT subject, idx FROM audit_on WHERE org = ? AND (subject, idx) > (?, ?) ORDER BY subject, idx LIMIT ?",
            (org, subject, index, _BATCH),
        )
        for found, at in rows:
            subject, index = bytes(found), int(at)
            yield subject, index
        if len(rows) < _BATCH:
            return
