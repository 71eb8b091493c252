"""What comes out of the log: events of a delivery, proofs a stranger can verify, consistency between checkpoints."""

from typing import Any

import pytest

from carepost.audit import reader
from carepost.ground.errors import NotFound
from carepost.proof import kinds, merkle
from carepost.proof.verify import verify

RAW = b"From: a@clinic.test\r\nTo: bo@verified.test\r\nMessage-ID: <1@clinic.test>\r\nSubject: Hi\r\n\r\nHello Bo\r\n"


def two_deliveries(hand: Any) -> None:
    hand.grow(3)
    hand.sequence([
        hand.row(kinds.MESSAGE_ACCEPTED, ("mail",), values=kinds.commit_message(RAW)),
        hand.row(kinds.DELIVERY_QUEUED, ("mail", "first"), values=kinds.commit_recipient("bo@verified.test")),
        hand.row(kinds.DELIVERY_QUEUED, ("mail", "second"), values=kinds.commit_recipient("cy@x.test")),
        hand.row(kinds.MESSAGE_VIEWED, ("mail", "first")),
    ])  # fmt: skip
    wire = kinds.commit_wire(mx="mx.verified.test", reply="250 ok")
    facts = {"required": "VERIFIED", "achieved": "VERIFIED"}
    hand.sequence(hand.rows(9))
    hand.sequence([hand.row(kinds.DELIVERY_SENT, ("mail", "first"), values=kinds.commit_sent(RAW) | wire, facts=facts)])


def test_the_events_of_a_message_and_of_a_delivery(hand: Any) -> None:
    two_deliveries(hand)
    of_message = reader.events_on(hand.store, hand.org, hand.id("mail"))
    assert [e.event.kind for e in of_message] == [
        "message.accepted", "delivery.queued", "delivery.queued", "message.viewed", "delivery.sent",
    ]  # fmt: skip
    assert [e.index for e in of_message] == sorted(e.index for e in of_message)
    assert [e.event.kind for e in reader.events_on(hand.store, hand.org, hand.id("second"))] == ["delivery.queued"]
    assert reader.events_on(hand.store, hand.org, hand.id("nothing")) == []


def test_another_organisation_sees_nothing(hand: Any) -> None:
    two_deliveries(hand)
    assert reader.events_on(hand.store, hand.other, hand.id("mail")) == []
    with pytest.raises(NotFound):
        reader.proof(hand.store, hand.other, hand.id("mail"), hand.id("first"), hand.opener)
    assert reader.checkpoint(hand.store, hand.third) is None
    assert reader.keys(hand.store, hand.third) == []


def test_a_proof_out_of_the_log_is_verified_by_a_stranger(hand: Any) -> None:
    two_deliveries(hand)
    raw = reader.proof(hand.store, hand.org, hand.id("mail"), hand.id("first"), hand.opener)
    published = "\n".join(key.text for key in reader.keys(hand.store, hand.org))
    verdict = verify(raw, RAW, published)
    assert verdict.ok, verdict.words
    assert (verdict.words, verdict.recipient) == (
        "proven, and the mail is the one of this proof",
        "bo@verified.test",
    )
    assert b"cy@x.test" not in raw
    assert not verify(raw, RAW.replace(b"Hello", b"Hullo"), published).ok


def test_there_is_no_proof_before_its_events(hand: Any) -> None:
    two_deliveries(hand)
    for message, delivery in (("mail", "third"), ("nothing", "first"), ("m1", "first")):
        with pytest.raises(NotFound):
            reader.proof(hand.store, hand.org, hand.id(message), hand.id(delivery), hand.opener)


def test_inclusion_and_consistency_of_every_size(hand: Any) -> None:
    rows = hand.rows(37)
    hand.sequence(rows)
    leaves = [merkle.leaf_hash(row.event) for row in rows]
    for size in (1, 2, 9, 32, 37):
        root = merkle.root(leaves[:size])
        paths = reader.inclusion(hand.store, hand.org, range(size), size)
        assert all(merkle.check_inclusion(leaves[i], i, size, paths[i], root) for i in range(size))
        proof = reader.consistency(hand.store, hand.org, size, 37)
        assert merkle.check_consistency(size, root, 37, merkle.root(leaves), proof)
