"""A log's key changes: the old key signs the introduction of the new one, and who knows the old one can follow
(DESIGN 4, 5; decision 0023)."""

import json
from typing import Any

import pytest

from carepost.audit import reader, sequencer
from carepost.audit.findings import Report
from carepost.audit.verify_log import outside, verify_log
from carepost.proof import canonical, file, kinds, note, published
from carepost.proof.note import Checkpoint
from carepost.proof.verify import verify

RAW = b"From: a@clinic.test\r\nTo: bo@verified.test\r\nMessage-ID: <1@clinic.test>\r\nSubject: Hi\r\n\r\nHello Bo\r\n"


def codes(report: Report) -> set[str]:
    return {f.code for f in report.findings} | {f.code for log in report.logs for f in log.findings}


def message(hand: Any, name: str) -> list[Any]:
    wire = kinds.commit_wire(mx="mx.verified.test", reply="250 ok")
    facts = {"required": "VERIFIED", "achieved": "VERIFIED"}
    return [
        hand.row(kinds.MESSAGE_ACCEPTED, (name,), values=kinds.commit_message(RAW)),
        hand.row(kinds.DELIVERY_QUEUED, (name, "to-" + name), values=kinds.commit_recipient("bo@verified.test")),
        hand.row(kinds.DELIVERY_SENT, (name, "to-" + name), values=kinds.commit_sent(RAW) | wire, facts=facts),
    ]


def proof(hand: Any, name: str) -> bytes:
    return reader.proof(hand.store, hand.org, hand.id(name), hand.id("to-" + name), hand.opener)


def page(hand: Any) -> str:
    return published.page([reader.terms(hand.store, hand.org)])


def failed(raw: bytes, key: str | None = None) -> str:
    verdict = verify(raw, None, key)
    assert not verdict.ok
    return verdict.words


def rotated(hand: Any) -> list[str]:
    """Messages before, in the batch of the change, and after it; the texts of the two keys."""
    hand.sequence(message(hand, "before"))
    hand.sequence([*message(hand, "during"), hand.introduce(), *message(hand, "meanwhile")])
    hand.sequence(message(hand, "after"))
    return [one.verifier.text for one in hand.signers[hand.org]]


def test_messages_before_during_and_after_are_proven_to_who_knows_either_key(hand: Any) -> None:
    hand.sequence(message(hand, "earliest"))
    early, early_page = proof(hand, "earliest"), page(hand)
    old, new = rotated(hand)
    assert verify_log(hand.store, opener=hand.opener).ok
    for name in ("earliest", "before", "during", "meanwhile", "after"):
        raw = proof(hand, name)
        assert new.encode() in raw and b'"carepost-proof/2"' in raw
        for known in (old, new, early_page, page(hand)):
            verdict = verify(raw, RAW, known)
            assert verdict.ok and verdict.signer == "identified", (name, verdict.words)
        assert verify(raw).words == "consistent, signer not identified"
    for known in (old, early_page, page(hand)):
        assert verify(early, RAW, known).signer == "identified", "a proof made before keeps holding"
    assert b'"carepost-proof/1"' in early
    assert "not the one given" in failed(early, new)


def test_the_old_key_signs_the_introduction_as_its_last_leaf_and_nothing_after(hand: Any) -> None:
    old, new = rotated(hand)
    with hand.store.reading(hand.org):
        points = hand.store.rows("SELECT size, note FROM audit_checkpoint WHERE org = ? ORDER BY size", (hand.org,))
    keys = reader.keys(hand.store, hand.org)
    by = {int(size): note.open_(raw.encode(), keys).verified[0][0].text for size, raw in points}
    assert by == {3: old, 7: old, 10: new, 13: new}
    assert [(term.key, term.since) for term in reader.terms(hand.store, hand.org)] == [(old, 0), (new, 7)]
    with hand.store.reading(hand.org):
        assert sequencer.signing_key(hand.store, hand.org) == new
    assert hand.signings < 9


def test_keys_follow_each_other_also_within_one_batch_and_from_an_empty_log(hand: Any) -> None:
    hand.sequence([hand.introduce(), hand.introduce(), *message(hand, "one"), hand.introduce()])
    hand.sequence(message(hand, "two"))
    assert verify_log(hand.store).ok
    texts = [one.verifier.text for one in hand.signers[hand.org]]
    assert [term.key for term in reader.terms(hand.store, hand.org)] == texts
    raw = proof(hand, "one")
    assert len(json.loads(raw)["introductions"]) == 3
    for text in texts:
        assert verify(raw, None, text).signer == "identified"


def test_rows_that_come_again_change_no_key_twice(hand: Any) -> None:
    rows = [*message(hand, "one"), hand.introduce(), *message(hand, "two")]
    hand.sequence(rows)
    again = hand.sequence(rows)
    assert (again.appended, again.repeated) == (0, 7)
    assert len(reader.keys(hand.store, hand.org)) == 2
    assert verify_log(hand.store).ok


def test_a_key_introduced_by_an_engine_or_in_anothers_name_does_not_sign(hand: Any) -> None:
    hand.sequence(message(hand, "one"))
    (first,) = reader.keys(hand.store, hand.org)
    hand.sequence([hand.introduce(source="shard-0001")])
    assert verify_log(hand.store).ok
    hand.sequence([hand.introduce(before=hand.signers[hand.org][1])])
    assert reader.keys(hand.store, hand.org) == [first]
    assert codes(verify_log(hand.store)) == {"key-introduction"}


def changed(raw: bytes, place: str, value: Any) -> bytes:
    """A proof whose introduction was edited, in the one byte form."""
    made = json.loads(raw)
    made["introductions"][0][place] = value(made["introductions"][0][place])
    return file.encode(file._decoder.decode(json.dumps(made).encode()))


def forged(hand: Any, raw: bytes) -> dict[str, bytes]:
    """What somebody without the old key can make of a proof's introduction."""
    other = hand._signer(hand.org, 99)

    def resigned(text: str) -> str:
        return note.sign(note.parse(text.encode()).text, other).decode()

    def flipped(text: str) -> str:
        leaf = canonical.unb64(text, ValueError, "it")
        return canonical.b64(leaf.replace(b'"result":"ok"', b'"result":"no"'))

    return {
        "an introduction that was changed": changed(raw, "event", flipped),
        "under a checkpoint the old key did not sign": changed(raw, "checkpoint", resigned),
        "without its path": changed(raw, "inclusion", lambda path: path[1:]),
        "out of another history": changed(raw, "consistency", lambda path: [path[-1], *path[1:]]),
    }


def test_an_introduction_that_was_tampered_with_is_named(embedded: Any) -> None:
    old, new = rotated(embedded)
    raw = proof(embedded, "after")
    words = {name: failed(bad, old) for name, bad in forged(embedded, raw).items()}
    assert "was changed" in words["an introduction that was changed"]
    assert "did not sign" in words["under a checkpoint the old key did not sign"]
    assert "was changed" in words["without its path"]
    assert "not the beginning of this log" in words["out of another history"]
    for bad in forged(embedded, raw).values():
        assert not verify(bad).ok and not verify(bad, None, new).ok


def test_without_the_introduction_the_old_key_says_nothing_of_the_new(embedded: Any) -> None:
    old, new = rotated(embedded)
    made = json.loads(proof(embedded, "after"))
    del made["introductions"]
    bare = file.encode(file._decoder.decode(json.dumps(made | {"format": file.FORMAT}).encode()))
    assert "not the one given" in failed(bare, old)
    assert verify(bare, None, new).ok
    made["introductions"] = []
    with pytest.raises(file.ProofError):
        file.read(json.dumps(made).encode())


def test_a_checkpoint_of_a_retired_key_made_after_its_retirement_is_named(embedded: Any) -> None:
    """Whoever took the old key signs the log as it is now: a stored checkpoint, one from elsewhere, a proof."""
    hand = embedded
    old, _ = rotated(hand)
    point = reader.checkpoint(hand.store, hand.org)
    assert point is not None
    stolen = hand.signers[hand.org][0]
    signed = note.sign(Checkpoint(sequencer.origin(hand.org), point.size, point.root).text, stolen)
    report = verify_log(hand.store, [outside(signed)])
    assert codes(report) == {"key-retired"}
    assert "retired at 7 events" in report.logs[0].findings[0].words
    made = json.loads(proof(hand, "after")) | {"checkpoint": signed.decode(), "key": old}
    with_chain = file.encode(file._decoder.decode(json.dumps(made).encode()))
    assert "a key that was retired at 7 events" in failed(with_chain, old)
    del made["introductions"]
    bare = file.encode(file._decoder.decode(json.dumps(made | {"format": file.FORMAT}).encode()))
    assert "a key that was retired at 7 events" in failed(bare, page(hand)), "the page says up to where a key signed"
    hand.edit("UPDATE audit_checkpoint SET note = ? WHERE org = ? AND size = ?", signed.decode(), hand.org, point.size)
    assert codes(verify_log(hand.store)) == {"key-retired"}


def test_a_key_that_nothing_introduced_is_named(hand: Any) -> None:
    """HS-36, BI-082: somebody with the database writes a key of their own into the table of keys, and signs."""
    rotated(hand)
    other = hand._signer(hand.org, 99)
    point = reader.checkpoint(hand.store, hand.org)
    assert point is not None
    signed = note.sign(Checkpoint(sequencer.origin(hand.org), point.size, point.root).text, other).decode()
    hand.edit(
        "INSERT INTO audit_key (org, vkey, at, since) VALUES (?, ?, 1, ?)", hand.org, other.verifier.text, point.size
    )
    assert codes(verify_log(hand.store)) == {"key-unintroduced"}
    hand.edit("UPDATE audit_checkpoint SET note = ? WHERE org = ? AND size = ?", signed, hand.org, point.size)
    assert codes(verify_log(hand.store)) == {"key-unintroduced"}


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        (
            "UPDATE audit_leaf SET event = CAST(replace(CAST(event AS TEXT), '\"ok\"', '\"no\"') AS BLOB) "
            "WHERE '' = ? OR org = ? AND idx = 6",
            "leaf-changed",
        ),
        ("DELETE FROM audit_checkpoint WHERE '' = ? OR org = ? AND size = 7", "key-introduction"),
        ("UPDATE audit_key SET since = 8 WHERE '' = ? OR org = ? AND since = 7", "key-introduction"),
        ("DELETE FROM audit_key WHERE '' = ? OR org = ? AND since = 7", "key-introduction"),
    ],
    ids=["the event", "its checkpoint", "the size it begins with", "the key"],
)
def test_each_change_to_an_introduction_is_named(embedded: Any, sql: str, code: str) -> None:
    rotated(embedded)
    embedded.edit(sql, "ok", embedded.org)
    assert code in codes(verify_log(embedded.store))


def test_a_log_is_held_against_the_key_that_was_published(hand: Any) -> None:
    rotated(hand)
    before, after = (one.verifier for one in hand.signers[hand.org])
    for known in ([before], [after], [before, after]):
        assert verify_log(hand.store, known=known).ok
    assert codes(verify_log(hand.store, known=[hand._signer(hand.org, 99).verifier])) == {"key-unknown"}
    assert verify_log(hand.store, known=[hand._signer(hand.other, 1).verifier]).ok, "of another log: says nothing"


def test_the_page_says_from_where_to_where_each_key_signs(hand: Any) -> None:
    old, new = rotated(hand)
    first, key, second, other = page(hand).splitlines()
    assert (key, other) == (old, new)
    assert first.startswith("# since 0 at 20") and " until 7 at 20" in first
    assert second.startswith("# since 7 at 20") and "until" not in second
    read = published.read(page(hand) + "# a comment\n\n" + old)
    assert [(one.key.text, one.since, one.until) for one in read] == [(old, 0, 7), (new, 7, None), (old, 0, None)]
