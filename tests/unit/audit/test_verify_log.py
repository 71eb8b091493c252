"""The tamper matrix: each thing somebody can do to the stored log is named (HS-36, BI-082)."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from carepost.audit import reader, sequencer
from carepost.audit.findings import Report
from carepost.audit.verify_log import outside, verify_log
from carepost.ground import ids
from carepost.proof import merkle, note
from carepost.proof.note import Checkpoint, NoteError, SignerKey


def codes(report: Report) -> set[str]:
    return {f.code for f in report.findings} | {f.code for log in report.logs for f in log.findings}


def kept_of(hand: Any, org: bytes | None = None) -> Any:
    point = reader.checkpoint(hand.store, org or hand.org)
    assert point is not None
    return outside(point.note)


def test_an_untouched_log_holds_and_says_how_much_was_checked(hand: Any) -> None:
    hand.grow()
    report = verify_log(hand.store, opener=hand.opener)
    assert report.ok, report
    assert not report.outside
    assert "Only inner consistency was checked" in report.words()
    assert {log.org: log.size for log in report.logs} == {ids.text(hand.org): 28, ids.text(hand.other): 12}
    assert sum(log.opened for log in report.logs) == 40
    kept = kept_of(hand)
    hand.grow(1)
    against = verify_log(hand.store, [kept])
    assert against.ok
    assert against.outside
    assert "kept elsewhere saw" in against.words()
    assert verify_log(hand.store, [kept], org=hand.org).logs[0].outside == [28]


def test_an_empty_log_holds(hand: Any) -> None:
    assert verify_log(hand.store).ok


#: (name, statements by somebody with the database, the code that must be among the findings)
MATRIX = [
    ("an event's byte", ["UPDATE audit_leaf SET event = ? WHERE org = ? AND idx = 9"], "leaf-changed"),
    ("a leaf's hash", ["UPDATE audit_leaf SET hash = ? WHERE org = ? AND idx = 9"], "leaf-changed"),
    ("a sealed part", ["UPDATE audit_leaf SET sealed = ? WHERE org = ? AND idx = 9"], "sealed-damaged"),
    ("a leaf taken out", ["DELETE FROM audit_leaf WHERE org = ? AND idx = 9"], "leaf-missing"),
    ("the first leaf taken out", ["DELETE FROM audit_leaf WHERE org = ? AND idx = 0"], "leaf-missing"),
    ("the last leaf taken out", ["DELETE FROM audit_leaf WHERE org = ? AND idx = 27"], "tail-missing"),
    ("a node", ["UPDATE audit_node SET hash = ? WHERE org = ? AND level = 1 AND idx = 4"], "tree-changed"),
    ("a node taken out", ["DELETE FROM audit_node WHERE org = ? AND level = 2 AND idx = 1"], "tree-changed"),
    ("a node too many", ["UPDATE audit_node SET level = 9 WHERE org = ? AND level = 3 AND idx = 0"], "tree-changed"),
    ("a checkpoint's root", ["UPDATE audit_checkpoint SET root = ? WHERE org = ? AND size = 14"], "checkpoint-wrong"),
    ("the last checkpoint", ["DELETE FROM audit_checkpoint WHERE org = ? AND size = 28"], "checkpoint-missing"),
    ("the count", ["UPDATE audit_log SET size = 27 WHERE org = ?"], "checkpoint-missing"),
    ("the entry in the list of logs", ["DELETE FROM audit_log WHERE org = ?"], "checkpoint-missing"),
    ("the source's number", ["UPDATE audit_source SET seq = 27 WHERE source = 'shard-0001'"], "gap"),
    ("the source taken out", ["DELETE FROM audit_source WHERE source = 'shard-0001'"], "gap"),
    ("a row's number", ["UPDATE audit_leaf SET seq = 99 WHERE org = ? AND idx = 9"], "event-foreign"),
    ("a row's source", ["UPDATE audit_leaf SET source = 'shard-0002' WHERE org = ? AND idx = 9"], "gap"),
    ("an index row taken out", ["DELETE FROM audit_on WHERE org = ? AND idx = 9"], "index-changed"),
    ("an index row moved", ["UPDATE audit_on SET idx = 8 WHERE org = ? AND idx = 9"], "index-changed"),
    ("the signing key", ["UPDATE audit_key SET vkey = 'x' WHERE org = ?"], "checkpoint-signature"),
    ("the signing key taken out", ["DELETE FROM audit_key WHERE org = ?"], "checkpoint-signature"),
]  # fmt: skip


@pytest.mark.parametrize(("statements", "code"), [m[1:] for m in MATRIX], ids=[m[0] for m in MATRIX])
def test_each_change_is_named(hand: Any, statements: list[str], code: str) -> None:
    hand.grow()
    with hand.store.reading(hand.org):
        event = bytes(hand.store.rows("SELECT event FROM audit_leaf WHERE org = ? AND idx = 9", (hand.org,))[0][0])
    for sql in statements:
        if "audit_on SET" in sql:
            hand.edit("DELETE FROM audit_on WHERE org = ? AND idx = 8", hand.org)
        values: list[object] = []
        if "event = ?" in sql:
            values.append(event.replace(b'"ok"', b'"no"'))
        elif "hash = ?" in sql or "root = ?" in sql or "sealed = ?" in sql:
            values.append(bytes(60) if "sealed" in sql else bytes(32))
        if "org = ?" in sql:
            values.append(hand.org)
        hand.edit(sql, *values)
    report = verify_log(hand.store, opener=hand.opener)
    assert not report.ok
    assert report.words() == "the log does not hold"
    assert code in codes(report), report


def test_the_finding_says_which_event(hand: Any) -> None:
    hand.grow()
    hand.edit("UPDATE audit_leaf SET event = ? WHERE org = ? AND idx = 9", b"{}", hand.org)
    report = verify_log(hand.store)
    assert any("leaf 9 (event 10 of shard-0001)" in f.words for log in report.logs for f in log.findings)
    hand.edit("DELETE FROM audit_leaf WHERE org = ? AND idx = 9", hand.org)
    again = verify_log(hand.store)
    assert any("leaf 9 is missing" in f.words for log in again.logs for f in log.findings)
    assert any("event 10 is missing" in f.words for f in again.findings)


def test_two_events_that_changed_places_are_named(hand: Any) -> None:
    hand.grow()
    for was, now in ((9, 1000), (10, 9), (1000, 10)):
        hand.edit("UPDATE audit_leaf SET idx = ? WHERE org = ? AND idx = ?", now, hand.org, was)
    assert {"order", "tree-changed", "checkpoint-wrong"} <= codes(verify_log(hand.store))


def test_openings_exchanged_between_events_are_named(hand: Any) -> None:
    hand.grow()
    with hand.store.reading(hand.org):
        other = hand.store.rows("SELECT sealed FROM audit_leaf WHERE org = ? AND idx = 3", (hand.org,))[0][0]
    hand.edit("UPDATE audit_leaf SET sealed = ? WHERE org = ? AND idx = 9", bytes(other), hand.org)
    assert codes(verify_log(hand.store, opener=hand.opener)) == {"sealed-damaged"}
    hand.edit("UPDATE audit_leaf SET sealed = ? WHERE org = ? AND idx = 9", b"", hand.org)
    assert codes(verify_log(hand.store, opener=hand.opener)) == {"sealed-damaged"}


def rebuilt(hand: Any, keep: int, changed: int | None = None) -> None:
    """Somebody with the database and the signing key writes a whole new history: leaves, tree, checkpoints, counts."""
    org = hand.org
    with hand.store.reading(org):
        leaves = hand.store.rows("SELECT idx, event FROM audit_leaf WHERE org = ? ORDER BY idx", (org,))
    with hand.store.writing():
        for table in ("audit_node", "audit_checkpoint"):
            hand.store.rows(f"DELETE FROM {table} WHERE org = ?", (org,))
        hand.store.rows("DELETE FROM audit_leaf WHERE org = ? AND idx >= ?", (org, keep))
        hand.store.rows("DELETE FROM audit_on WHERE org = ? AND idx >= ?", (org, keep))
        edge = merkle.Frontier()
        for index, raw in leaves[:keep]:
            event = bytes(raw).replace(b'"ok"', b'"no"') if index == changed else bytes(raw)
            hashed = merkle.leaf_hash(event)
            hand.store.rows(
                "UPDATE audit_leaf SET event = ?, hash = ? WHERE org = ? AND idx = ?", (event, hashed, org, index)
            )
            nodes = [(org, *node) for node in edge.append(hashed)]
            hand.store.many("INSERT INTO audit_node (org, level, idx, hash) VALUES (?, ?, ?, ?)", nodes)
        point = Checkpoint(sequencer.origin(org), keep, edge.root())
        signed = note.sign(point.text, hand.signer(org)).decode()
        hand.store.rows(
            "INSERT INTO audit_checkpoint (org, size, root, note, at) VALUES (?, ?, ?, ?, 1)",
            (org, keep, point.root, signed),
        )
        hand.store.rows("UPDATE audit_log SET size = ? WHERE org = ?", (keep, org))
        hand.store.rows("UPDATE audit_source SET seq = ? WHERE source = 'shard-0001'", (keep,))


def test_an_edited_row_with_a_recomputed_and_signed_tree_is_named_against_a_kept_checkpoint(hand: Any) -> None:
    hand.grow()
    kept = kept_of(hand)
    rebuilt(hand, 28, changed=9)
    alone = verify_log(hand.store)
    # this is what a checkpoint kept elsewhere is for
    assert alone.ok
    assert "Only inner consistency was checked" in alone.words()
    assert codes(verify_log(hand.store, [kept])) == {"history-rewritten"}


def test_a_truncated_tail_with_a_signed_tree_is_named_against_a_kept_checkpoint(hand: Any) -> None:
    hand.grow()
    kept = kept_of(hand)
    rebuilt(hand, 20)
    assert verify_log(hand.store).ok
    report = verify_log(hand.store, [kept])
    assert codes(report) == {"tail-missing"}
    assert any("saw 28 events, the log holds 20" in f.words for log in report.logs for f in log.findings)


def test_a_log_taken_away_whole_is_named_against_a_kept_checkpoint(hand: Any) -> None:
    hand.grow()
    kept = kept_of(hand, hand.other)
    for table in ("leaf", "node", "on", "checkpoint", "key", "log"):
        hand.edit(f"DELETE FROM audit_{table} WHERE org = ?", hand.other)
    hand.edit("DELETE FROM audit_source WHERE source = 'office'")
    assert verify_log(hand.store).ok
    assert codes(verify_log(hand.store, [kept])) == {"tail-missing"}


def test_two_heads_of_one_log_are_named(hand: Any) -> None:
    """BI-082, fork: a checkpoint of the same size with another root, signed by the log's own key."""
    hand.grow()
    forked = Checkpoint(sequencer.origin(hand.org), 14, hashlib.sha256(b"other").digest())
    signed = note.sign(forked.text, hand.signer(hand.org))
    assert codes(verify_log(hand.store, [outside(signed)])) == {"history-rewritten"}


def test_a_kept_checkpoint_by_a_stranger_is_named(hand: Any) -> None:
    hand.grow()
    point = reader.checkpoint(hand.store, hand.org)
    text = note.parse(point.note).text
    stranger = SignerKey(sequencer.origin(hand.org), bytes(range(32)))
    assert codes(verify_log(hand.store, [outside(note.sign(text, stranger))])) == {"checkpoint-signature"}
    with pytest.raises(NoteError):
        outside(b"not a note")


def test_events_past_retention_leave_a_log_that_holds(hand: Any) -> None:
    """DESIGN 4: after retention the leaf hash stays."""
    hand.grow()
    kept = kept_of(hand)
    hand.edit("UPDATE audit_leaf SET event = NULL, sealed = ? WHERE org = ? AND idx < 5", b"", hand.org)
    report = verify_log(hand.store, [kept], opener=hand.opener)
    assert report.ok, report
    assert [log.past_retention for log in report.logs if log.org == ids.text(hand.org)] == [5]


def test_every_flipped_byte_of_a_leaf_is_named(embedded: Any) -> None:
    embedded.sequence(embedded.rows(3))
    with embedded.store.reading(embedded.org):
        raw = bytes(embedded.store.rows("SELECT event FROM audit_leaf WHERE idx = 1")[0][0])
    for position in range(0, len(raw), 7):
        broken = bytearray(raw)
        broken[position] ^= 1
        embedded.edit("UPDATE audit_leaf SET event = ? WHERE idx = 1", bytes(broken))
        assert "leaf-changed" in codes(verify_log(embedded.store)), position


def test_a_long_log_is_walked_in_pieces(embedded: Any, tmp_path: Path) -> None:
    rows = embedded.rows(4500)
    for start in range(0, len(rows), 1500):
        embedded.sequence(rows[start : start + 1500])
    kept = kept_of(embedded)
    embedded.sequence(embedded.rows(10))
    assert verify_log(embedded.store, [kept]).ok
    embedded.edit("UPDATE audit_leaf SET event = ? WHERE idx = 4100", b"{}")
    assert {"leaf-changed", "event-damaged"} <= codes(verify_log(embedded.store))
