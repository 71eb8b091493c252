"""What the log holds of a message, a delivery or a log as a whole: events, proofs, checkpoints, keys.

Reads only, one organisation at a time. What is personal comes out sealed; whoever holds the evidence key opens it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from carepost.audit.sequencer import subject_of
from carepost.audit.store import Store, hashes
from carepost.ground import ids
from carepost.ground.errors import NotFound
from carepost.proof import file, merkle
from carepost.proof.canonical import b64
from carepost.proof.event import Event, read
from carepost.proof.note import VerifierKey, open_
from carepost.proof.published import Term

#: events of one subject that are read at most
_MOST: Final = 10_000


class StoredEvent(msgspec.Struct, frozen=True):
    """`index`: the leaf's number in its log. `sealed`: `proof.openings`, under the evidence key."""

    index: int
    raw: bytes
    event: Event
    sealed: bytes


class StoredCheckpoint(msgspec.Struct, frozen=True):
    size: int
    root: bytes
    #: the signed note
    note: bytes
    at: int


#: (organisation, event, sealed) -> field -> (salt, value)
Opener = Callable[[bytes, Event, bytes], Mapping[str, tuple[bytes, bytes]]]


def events_on(store: Store, org: bytes, id: str) -> list[StoredEvent]:
    """The events about a message, a delivery or another thing (its id as the events name it), in the log's order."""
    with store.reading(org):
        return _events_on(store, org, id)


def events_within(store: Store, org: bytes, id: str) -> list[StoredEvent]:
    """As `events_on`, inside a transaction of the caller's."""
    return _events_on(store, org, id)


def _events_on(store: Store, org: bytes, id: str) -> list[StoredEvent]:
    rows = store.rows(
        "SELECT l.idx, l.event, l.sealed FROM audit_on o JOIN audit_leaf l ON l.org = o.org AND l.idx = o.idx "
        "WHERE o.org = ? AND o.subject = ? AND l.event IS NOT NULL ORDER BY o.idx LIMIT ?",
        (org, subject_of(id), _MOST),
    )
    return [StoredEvent(int(index), bytes(raw), read(bytes(raw)), bytes(sealed)) for index, raw, sealed in rows]


def events_from(store: Store, org: bytes, first: int, limit: int) -> list[StoredEvent]:
    """The events of a log from leaf `first` on, in its order; those past retention are left out."""
    with store.reading(org):
        rows = store.rows(
            "SELECT idx, event, sealed FROM audit_leaf WHERE org = ? AND idx >= ? AND event IS NOT NULL "
            "ORDER BY idx LIMIT ?",
            (org, first, min(limit, _MOST)),
        )
    return [StoredEvent(int(index), bytes(raw), read(bytes(raw)), bytes(sealed)) for index, raw, sealed in rows]


def checkpoint(store: Store, org: bytes) -> StoredCheckpoint | None:
    """The latest; None while the log is empty."""
    with store.reading(org):
        return _checkpoint(store, org)


def _checkpoint(store: Store, org: bytes) -> StoredCheckpoint | None:
    rows = store.rows(
        "SELECT size, root, note, at FROM audit_checkpoint WHERE org = ? ORDER BY size DESC LIMIT 1", (org,)
    )
    if not rows:
        return None
    size, root, note, at = rows[0]
    return StoredCheckpoint(int(size), bytes(root), note.encode(), int(at))


def keys(store: Store, org: bytes) -> list[VerifierKey]:
    """The keys that have signed this log, the first one first: what /.well-known/carepost-log publishes."""
    with store.reading(org):
        return _keys(store, org)


def _keys(store: Store, org: bytes) -> list[VerifierKey]:
    return [VerifierKey.parse(term.key) for term in _terms(store, org)]


def terms(store: Store, org: bytes) -> list[Term]:
    """The same keys, with the leaf and the time from which on each signs."""
    with store.reading(org):
        return _terms(store, org)


def _terms(store: Store, org: bytes) -> list[Term]:
    rows = store.rows("SELECT vkey, since, at FROM audit_key WHERE org = ? ORDER BY since, at", (org,))
    return [Term(str(vkey), int(since), int(at)) for vkey, since, at in rows]


def inclusion(store: Store, org: bytes, indices: Iterable[int], size: int) -> dict[int, list[bytes]]:
    """The audit path of each leaf under the tree of `size` leaves; O(log size) look-ups a leaf, shared ones once."""
    with store.reading(org):
        return _inclusion(store, org, indices, size)


def _inclusion(store: Store, org: bytes, indices: Iterable[int], size: int) -> dict[int, list[bytes]]:
    ranges = {index: merkle.inclusion_ranges(index, size) for index in indices}
    wanted = [node for path in ranges.values() for r in path for node in merkle.nodes_of(*r)]
    known = hashes(store, org, wanted)
    return {index: merkle.prove(path, lambda _: known) for index, path in ranges.items()}


def consistency(store: Store, org: bytes, old: int, new: int) -> list[bytes]:
    """That the tree of `old` leaves is the beginning of that of `new` (RFC 6962 2.1.2)."""
    with store.reading(org):
        return merkle.prove(merkle.consistency_ranges(old, new), lambda nodes: hashes(store, org, nodes))


def proof(store: Store, org: bytes, message: str, delivery: str, opener: Opener) -> bytes:
    """The proof file about one delivery, under the latest checkpoint. `message`, `delivery`: UUID text.
    Raises NotFound when the log has no event of that delivery (also: not yet), crypto.rest.Damaged."""
    with store.reading(org):
        stored = _events_on(store, org, message)
        point = _checkpoint(store, org)
        chosen = [s for s in stored if file.concerns(s.event, message, delivery)]
        if point is None or not any(delivery in s.event.on for s in chosen):
            raise NotFound("There is no such delivery in the log, or its events are still on their way.")
        paths = _inclusion(store, org, [s.index for s in chosen], point.size)
        signed = _signed_by(_keys(store, org), point.note)
        introduced = _introductions(store, org, point.size)
    leaves = [
        file.Leaf(s.index, s.raw, s.event, paths[s.index], opener(org, s.event, s.sealed) if s.sealed else {})
        for s in chosen
    ]
    return file.build(ids.text(org), message, delivery, leaves, point.note, signed, introduced)


def _introductions(store: Store, org: bytes, size: int) -> list[file.Introduction]:
    """Of each key that signs after another, under a tree of `size` leaves. Raises NotFound where the log lacks one."""
    found = []
    for since in [term.since for term in _terms(store, org) if 0 < term.since < size]:
        leaf = store.rows("SELECT event FROM audit_leaf WHERE org = ? AND idx = ?", (org, since - 1))
        point = store.rows("SELECT note FROM audit_checkpoint WHERE org = ? AND size = ?", (org, since))
        if not leaf or leaf[0][0] is None or not point:
            raise NotFound("The introduction of a key of the log is missing; run: carepost audit verify")
        path = _inclusion(store, org, [since - 1], since)[since - 1]
        joined = merkle.prove(merkle.consistency_ranges(since, size), lambda nodes: hashes(store, org, nodes))
        found.append(
            file.Introduction(b64(bytes(leaf[0][0])), [b64(one) for one in path], point[0][0], [b64(n) for n in joined])
        )
    return found


def _signed_by(known: Sequence[VerifierKey], signed: bytes) -> str:
    """The text of the key whose signature the checkpoint carries (a log's key may have changed)."""
    verified = [key for key, _ in open_(signed, known).verified]
    if not verified:
        raise NotFound("The key that signed the checkpoint is not on record; run: carepost audit verify")
    return verified[0].text


def sources(store: Store) -> dict[str, int]:
    """The last number taken from each source: where the journal goes on draining."""
    with store.reading(None):
        return {source: int(seq) for source, seq in store.rows("SELECT source, seq FROM audit_source ORDER BY source")}


def organisations(store: Store) -> list[bytes]:
    """Whose logs there are."""
    with store.reading(None):
        return [bytes(org) for (org,) in store.rows("SELECT org FROM audit_log ORDER BY org")]
