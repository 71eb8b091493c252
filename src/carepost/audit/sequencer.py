"""Drained events in, longer logs and signed checkpoints out (DESIGN, step 12)."""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256

import msgspec

from carepost.audit.refusals import SequenceChanged, SequenceDamaged, SequenceGap, SequenceReordered
from carepost.audit.store import Store, hashes, size_of
from carepost.ground import clock, ids
from carepost.proof import succession
from carepost.proof.event import Event, read
from carepost.proof.merkle import Frontier, leaf_hash, nodes_of
from carepost.proof.note import Checkpoint, SignerKey, sign
from carepost.proof.succession import ORIGIN
from carepost.wire.types import Drained

#: (organisation, text of a verifier key, or "" for a log that nobody has signed yet) -> the key; NotFound, Unavailable
Signers = Callable[[bytes, str], SignerKey]


class Leaf(msgspec.Struct):
    """A row on its way into a log."""

    event: Event
    raw: bytes
    sealed: bytes
    hash: bytes


class SequenceResult(msgspec.Struct, frozen=True):
    appended: int
    #: rows that were in the log already
    repeated: int
    #: organisation -> its new checkpoint, a signed note
    checkpoints: Mapping[bytes, bytes]
    #: source -> the last number now in the log: what may be acknowledged
    sources: Mapping[str, int]


def origin(org: bytes) -> str:
    """The origin line of an organisation's checkpoints, and the name of the key that signs them."""
    return ORIGIN + ids.text(org)


def subject_of(id: str) -> bytes:
    """The 16 bytes under which the index knows what an event is `on`: of a UUID itself, of another text its hash."""
    raw = id.replace("-", "")
    try:
        found = bytes.fromhex(raw) if len(raw) == 32 else b""
    except ValueError:
        found = b""
    return found if len(found) == 16 else sha256(id.encode()).digest()[:16]


def sequence(
    store: Store, rows: Sequence[Drained], signer_for_org: Signers, events: Sequence[Event | None] | None = None
) -> SequenceResult:
    """Appends the events of `rows` to the logs of their organisations, in one transaction, and signs one checkpoint for
    each organisation that grew; where an event introduces another key of the log, one more, by the key before it, that
    ends with this event. Rows seen before are passed over when they are the same. `signer_for_org(org, key)` gives the
    key named `origin(org)` that has this text. `events`: what each row's bytes say, where the caller has read them
    already (None: they are no event).

    Raises a `refusals.SequenceRefused` for a gap, a step back, a changed repetition or a damaged row: then nothing of
    `rows` is written."""
    with store.writing():
        fresh, sources, repeated = _fresh(store, rows, events)
        by_org: dict[bytes, list[Leaf]] = {}
        for org, leaf in fresh:
            by_org.setdefault(org, []).append(leaf)
        checkpoints = {org: _extend(store, org, leaves, signer_for_org) for org, leaves in by_org.items()}
        store.many(
            "INSERT INTO audit_source (source, seq) VALUES (?, ?) "
            "ON CONFLICT (source) DO UPDATE SET seq = excluded.seq",
            list(sources.items()) if fresh else [],
        )
        # COMMIT POINT: a crash before it leaves the logs as they were, and the journal, which acknowledges a source
        # only with `SequenceResult.sources`, brings the same rows again. A crash after it leaves the logs longer, with
        # their checkpoints; the same rows come again, are passed over, and what they answer is acknowledged then.
    return SequenceResult(len(fresh), repeated, checkpoints, sources)


def _fresh(
    store: Store, rows: Sequence[Drained], events: Sequence[Event | None] | None
) -> tuple[list[tuple[bytes, Leaf]], dict[str, int], int]:
    """(organisation and leaf of each new row, last number of each source seen, rows known before)."""
    fresh: list[tuple[bytes, Leaf]] = []
    last: dict[str, int] = {}
    known: dict[str, int] = {}
    names: dict[bytes, str] = {}
    repeated = 0
    for number, row in enumerate(rows):
        name = names.get(row.org)
        if name is None:
            name = names[row.org] = ids.text(row.org)
        event = _event(row, name, events[number] if events is not None else None)
        source, seq = event.source, row.seq
        if source not in last:
            last[source] = known[source] = _last(store, source)
        hashed = leaf_hash(row.event)
        if seq <= known[source]:
            _same(store, row, source, hashed)
            repeated += 1
            continue
        if seq <= last[source]:
            raise SequenceReordered(source, seq)
        if seq != last[source] + 1:
            raise SequenceGap(source, seq, last[source] + 1)
        last[source] = seq
        fresh.append((row.org, Leaf(event, row.event, row.sealed, hashed)))
    return fresh, last, repeated


def _event(row: Drained, org: str, known: Event | None) -> Event:
    try:
        event = known if known is not None else read(row.event)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise SequenceDamaged("a source", row.seq) from None
    if event.seq != row.seq or event.org != org:
        raise SequenceDamaged(event.source, row.seq)
    return event


def _last(store: Store, source: str) -> int:
    found = store.rows("SELECT seq FROM audit_source WHERE source = ?", (source,))
    return int(found[0][0]) if found else 0


def _same(store: Store, row: Drained, source: str, hashed: bytes) -> None:
    found = store.rows(
        "SELECT hash FROM audit_leaf WHERE org = ? AND source = ? AND seq = ?", (row.org, source, row.seq)
    )
    if not found or bytes(found[0][0]) != hashed:
        raise SequenceChanged(source, row.seq)


def frontier(store: Store, org: bytes) -> Frontier:
    """The right edge of an organisation's stored tree. Raises KeyError when nodes are missing: `verify_log` names
    them."""
    size = size_of(store, org)
    nodes = nodes_of(0, size)
    known = hashes(store, org, nodes)
    return Frontier(size, [known[node] for node in nodes])


def signing_key(store: Store, org: bytes) -> str:
    """The verifier key that signs an organisation's log now; "" while it has no checkpoint."""
    rows = store.rows("SELECT vkey FROM audit_key WHERE org = ? ORDER BY since DESC, at DESC LIMIT 1", (org,))
    return str(rows[0][0]) if rows else ""


def _extend(store: Store, org: bytes, leaves: Sequence[Leaf], signer_for_org: Signers) -> bytes:
    """Appends to one log; returns its new checkpoint."""
    begun = signing_key(store, org)
    signer = signer_for_org(org, begun)
    if signer.verifier.name != origin(org) or (begun and signer.verifier.text != begun):
        raise ValueError("a log is signed by the key that has its name, and follows the one before")
    if not begun:
        _sign_from(store, org, signer, 0)
    start, note = 0, b""
    for end, leaf in enumerate(leaves, 1):
        said = succession.change(leaf.event)
        if said is None or said.before.text != signer.verifier.text:
            continue
        following = signer_for_org(org, said.new.text)
        if following.verifier != said.new:
            raise ValueError("the key that was introduced is not the one at hand")
        note = _append(store, org, leaves[start:end], signer)
        # the checkpoint above is the last of the old key, and this event its last leaf
        _sign_from(store, org, following, size_of(store, org))
        start, signer = end, following
    return _append(store, org, leaves[start:], signer) if start < len(leaves) else note


def _sign_from(store: Store, org: bytes, signer: SignerKey, size: int) -> None:
    store.rows(
        "INSERT INTO audit_key (org, vkey, at, since) VALUES (?, ?, ?, ?)",
        (org, signer.verifier.text, clock.now(), size),
    )


def _append(store: Store, org: bytes, leaves: Sequence[Leaf], signer: SignerKey) -> bytes:
    edge = frontier(store, org)
    index = edge.size
    leaf_rows: list[tuple[object, ...]] = []
    nodes: list[tuple[int, int, bytes]] = []
    on: list[tuple[bytes, int]] = []
    # bound as it is (`ground.database`)
    owner = bytearray(org)
    #: a message is named by three events and more
    subjects: dict[str, bytes] = {}
    for leaf in leaves:
        event, hashed = leaf.event, leaf.hash
        leaf_rows.append(
            (owner, index, bytearray(hashed), event.source, event.seq, bytearray(leaf.raw), bytearray(leaf.sealed))
        )
        for id in event.on:
            if id not in subjects:
                subjects[id] = subject_of(id)
        on += [(subject, index) for subject in {subjects[id] for id in event.on}]
        nodes += edge.append(hashed)
        index += 1
    # in the order of their keys: neighbours go to one page, half the cost
    nodes.sort()
    on.sort()
    store.many(
        "INSERT INTO audit_leaf (org, idx, hash, source, seq, event, sealed) VALUES (?, ?, ?, ?, ?, ?, ?)", leaf_rows
    )
    store.many(
        "INSERT INTO audit_node (org, level, idx, hash) VALUES (?, ?, ?, ?)",
        [(owner, level, at, bytearray(hashed)) for level, at, hashed in nodes],
    )
    store.many(
        "INSERT INTO audit_on (org, subject, idx) VALUES (?, ?, ?)",
        [(owner, bytearray(subject), at) for subject, at in on],
    )
    point = Checkpoint(origin(org), edge.size, edge.root())
    note = sign(point.text, signer)
    at = clock.now()
    store.rows(
        "INSERT INTO audit_log (org, size) VALUES (?, ?) ON CONFLICT (org) DO UPDATE SET size = excluded.size",
        (org, edge.size),
    )
    store.rows(
        "INSERT INTO audit_checkpoint (org, size, root, note, at) VALUES (?, ?, ?, ?, ?)",
        (org, edge.size, point.root, note.decode(), at),
    )
    return note
