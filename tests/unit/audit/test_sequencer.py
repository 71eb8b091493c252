"""The sequencer: what it appends, what it passes over, what it refuses by name (HS-36, BI-082)."""

from typing import Any

import pytest

from carepost.audit import reader, sequencer
from carepost.audit.refusals import SequenceChanged, SequenceDamaged, SequenceGap, SequenceReordered
from carepost.ground import ids
from carepost.proof import merkle, note
from carepost.proof.note import Checkpoint, SignerKey
from carepost.wire.types import Drained


def state(hand: Any) -> list[Any]:
    """Everything that is stored, in a comparable form."""
    tables = ("audit_leaf", "audit_node", "audit_on", "audit_checkpoint", "audit_key", "audit_log", "audit_source")
    with hand.store.reading(None):
        return [sorted(hand.store.rows(f"SELECT * FROM {table}")) for table in tables]


def test_events_are_appended_under_one_signed_checkpoint_an_organisation(hand: Any) -> None:
    mine, theirs = hand.rows(5), hand.rows(2, org=hand.other)
    result = hand.sequence([*mine, *theirs])
    assert (result.appended, result.repeated) == (7, 0)
    assert result.sources == {"shard-0001": 7}
    assert result.checkpoints.keys() == {hand.org, hand.other}
    assert hand.signings == 2
    opened = note.open_(result.checkpoints[hand.org], [hand.signer(hand.org).verifier])
    point = Checkpoint.parse(opened.text)
    assert len(opened.verified) == 1
    assert (point.origin, point.size) == (f"carepost/{ids.text(hand.org)}", 5)
    assert point.root == merkle.root([merkle.leaf_hash(row.event) for row in mine])
    assert reader.sources(hand.store) == {"shard-0001": 7}
    assert reader.organisations(hand.store) == sorted([hand.org, hand.other])


def test_batches_of_any_size_make_the_same_tree(hand: Any) -> None:
    rows = hand.rows(60)
    at = 0
    for size in (1, 2, 3, 5, 8, 13, 21, 7):
        hand.sequence(rows[at : at + size])
        at += size
    point = reader.checkpoint(hand.store, hand.org)
    assert point is not None
    assert (point.size, point.root) == (60, merkle.root([merkle.leaf_hash(row.event) for row in rows]))


def test_rows_seen_before_are_passed_over_and_answered_alike(hand: Any) -> None:
    rows = hand.rows(6)
    hand.sequence(rows[:4])
    before = state(hand)
    again = hand.sequence(rows[:4])
    assert (again.appended, again.repeated, again.checkpoints) == (0, 4, {})
    assert again.sources == {"shard-0001": 4}
    assert state(hand) == before
    both = hand.sequence(rows)
    assert (both.appended, both.repeated, both.sources) == (2, 4, {"shard-0001": 6})


def test_nothing_to_do_is_nothing_done(hand: Any) -> None:
    assert hand.sequence([]).appended == 0


def refused(hand: Any, error: type[Exception], rows: list[Drained]) -> Exception:
    before = state(hand)
    with pytest.raises(error) as caught:
        hand.sequence(rows)
    # nothing of the batch was written
    assert state(hand) == before
    return caught.value


def test_a_gap_is_refused_by_name_and_mended_by_what_was_missing(hand: Any) -> None:
    rows = hand.rows(6)
    hand.sequence(rows[:2])
    error = refused(hand, SequenceGap, [rows[2], rows[4]])
    assert "Event 5 of shard-0001" in str(error)
    assert "event 4 should come next" in str(error)
    refused(hand, SequenceGap, rows[3:])
    assert hand.sequence(rows[2:]).appended == 4


def test_a_new_source_begins_with_its_first_event(hand: Any) -> None:
    refused(hand, SequenceGap, [hand.row(source="office", seq=2)])


def test_a_step_back_is_refused_by_name(hand: Any) -> None:
    rows = hand.rows(3)
    refused(hand, SequenceReordered, [rows[0], rows[1], rows[0]])
    refused(hand, SequenceGap, [rows[0], rows[2], rows[1]])


def test_a_changed_repetition_is_refused_by_name(hand: Any) -> None:
    rows = hand.rows(3)
    hand.sequence(rows)
    changed = Drained(2, hand.org, rows[1].event.replace(b'"ok"', b'"no"'), rows[1].sealed)
    refused(hand, SequenceChanged, [rows[0], changed])
    stolen = hand.row(seq=2, org=hand.other)
    refused(hand, SequenceChanged, [stolen])


def test_rows_that_are_not_what_they_say_are_refused(hand: Any) -> None:
    row = hand.row()
    for wrong in (
        Drained(1, hand.org, b"not an event", b""),
        Drained(1, hand.org, row.event[:-2], b""),
        Drained(2, hand.org, row.event, b""),
        Drained(1, hand.other, row.event, b""),
        Drained(1, hand.org, b"\xff" + row.event, b""),
    ):
        refused(hand, SequenceDamaged, [wrong])


def test_a_signer_of_another_name_is_refused(hand: Any) -> None:
    rows = hand.rows(1)
    with pytest.raises(ValueError):
        sequencer.sequence(hand.store, rows, lambda org, _: SignerKey("carepost/other", bytes(32)))
    with pytest.raises(RuntimeError):
        sequencer.sequence(hand.store, rows, lambda *_: no_key())
    assert reader.organisations(hand.store) == []
    assert hand.sequence(rows).appended == 1


def no_key() -> SignerKey:
    raise RuntimeError("the key is not at hand")


def test_a_repeated_migration_changes_nothing(hand: Any) -> None:
    hand.grow(1)
    before = state(hand)
    hand.store.migrate()
    assert state(hand) == before


def test_an_event_may_be_about_anything(hand: Any) -> None:
    assert sequencer.subject_of("018f0000-0000-7000-8000-00000000000a").hex() == "018f0000000070008000" + "00000000000a"
    assert len(sequencer.subject_of("credential frontdesk")) == 16
    assert sequencer.subject_of("z" * 32) != sequencer.subject_of("y" * 32)
    assert len(sequencer.subject_of("aa " * 10 + "aa")) == 16
