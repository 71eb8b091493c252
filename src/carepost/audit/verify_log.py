"""The whole log, verified: every leaf, node, checkpoint and number against each other, and against checkpoints kept
elsewhere (HS-36, BI-082). Reads only; holds O(1) of the log in memory."""

from collections.abc import Sequence

from carepost.audit.findings import Finding, Report
from carepost.audit.reader import Opener
from carepost.audit.sequencer import origin
from carepost.audit.store import Store
from carepost.audit.walk import Outside, Walk
from carepost.proof import note
from carepost.proof.note import Checkpoint, VerifierKey


def outside(raw: bytes) -> Outside:
    """A signed note as it was kept. Raises NoteError."""
    return Outside(Checkpoint.parse(note.parse(raw).text), raw)


def verify_log(
    store: Store, kept: Sequence[Outside] = (), org: bytes | None = None, opener: Opener | None = None,
    known: Sequence[VerifierKey] = (),
) -> Report:  # fmt: skip
    """Every log of the store, or that of `org`. `kept`: checkpoints from elsewhere. `known`: keys as they were once
    published: a log of which one is given must be signed by it, or by one it leads to. `opener`: opens what is sealed
    beside the events, where the keys are at hand; without it the sealed parts are not looked into."""
    findings: list[Finding] = []
    with store.reading(None):
        orgs = [org] if org is not None else _organisations(store)
        logs = [
            Walk(
                store,
                one,
                [k for k in kept if k.checkpoint.origin == origin(one) and k.checkpoint.size],
                opener,
                [key for key in known if key.name == origin(one)],
            )
            for one in orgs
        ]
        reports = [log.verify() for log in logs]
        if org is None:
            findings += _sources(store)
    there = {origin(one) for one in orgs}
    for k in kept:
        if k.checkpoint.origin not in there:
            words = (
                f"there is no log {k.checkpoint.origin}, of which a checkpoint of {k.checkpoint.size} events is kept"
            )
            findings.append(Finding("tail-missing", words))
    return Report(reports, findings)


def _organisations(store: Store) -> list[bytes]:
    """Also those whose entry in the list of logs was taken away."""
    tables = ("audit_log", "audit_leaf", "audit_checkpoint")
    union = " UNION ".join(f"SELECT org FROM {table}" for table in tables)  # noqa: S608 three names of ours
    return sorted(bytes(org) for (org,) in store.rows(union))


def _sources(store: Store) -> list[Finding]:
    """Each source's numbers run from 1 to the last one taken, over all organisations."""
    findings = []
    taken = {source: int(seq) for source, seq in store.rows("SELECT source, seq FROM audit_source")}
    held = {
        source: (int(count), int(low), int(high))
        for source, count, low, high in store.rows(
            "SELECT source, count(*), min(seq), max(seq) FROM audit_leaf GROUP BY source"
        )
    }
    for source in sorted(taken.keys() | held.keys()):
        count, low, high = held.get(source, (0, 1, 0))
        last = taken.get(source, 0)
        if (count, low, high) == (last, 1, last):
            continue
        at = _first_gap(store, source)
        words = f"{source}: {last} events were taken, {count} stand in the logs ({low} to {high})"
        if at is not None and at <= last:
            words += f"; event {at} is missing, or one stands twice before it"
        findings.append(Finding("gap", words))
    return findings


def _first_gap(store: Store, source: str) -> int | None:
    """The first number at which a source's events do not go on by one."""
    rows = store.rows(
        "SELECT n FROM (SELECT seq, row_number() OVER (ORDER BY seq) AS n FROM audit_leaf WHERE source = ?) AS numbers "
        "WHERE seq <> n ORDER BY n LIMIT 1",
        (source,),
    )
    return int(rows[0][0]) if rows else None
