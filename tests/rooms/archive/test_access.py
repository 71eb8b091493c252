"""One message of the history: who may see it, what it says, and that the looking is on record first (law 7)."""

import pytest

from carepost.archive import proof
from carepost.archive.access import access_message
from carepost.archive.books import opener
from carepost.audit import reader
from carepost.console.timeline import line
from carepost.ground import ids
from carepost.ground.errors import NotFound, Unavailable
from carepost.proof import kinds
from carepost.proof.verify import verify
from carepost.wire.types import DeliveryView, MessageView
from tests.support.outbox import Outbox, office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"])


def test_a_message_with_its_timeline_after_its_shard_forgot_it(cast, outbox: Outbox) -> None:  # type: ignore[no-untyped-def]
    message, (delivery,) = outbox.accepted(cast.maple)
    outbox.sent(cast.maple, message, delivery)
    outbox.commit()
    seen = access_message(cast.maple, message, cast.operator)
    assert (seen.sender, seen.subject) == ("nurse@maple.test", "Results of the Quillfeather panel")
    assert (seen.origin, seen.category, seen.size) == ("api", "transactional", 1234)
    (one,) = seen.deliveries
    assert (one.recipient, one.state, one.method, one.assurance) == (
        "jane.quillfeather@patient.test", "sent", "tls", "VERIFIED",
    )  # fmt: skip
    assert (one.words, one.rule) == ("The server accepted it.", "default-floor")
    (attempt,) = one.attempts
    assert (attempt.number, attempt.result, attempt.reply, attempt.mx) == (
        1,
        "sent",
        "250 2.0.0 Taken",
        "mx.patient.test",
    )
    assert (attempt.required, attempt.achieved, attempt.tls) == ("VERIFIED", "VERIFIED", "TLSv1.3 AES")


def test_the_timeline_tells_a_look_inside_from_an_exception(cast, outbox: Outbox) -> None:  # type: ignore[no-untyped-def]
    message, deliveries = outbox.accepted(cast.maple, to=("a@patient.test", "b@patient.test"))
    outbox.add(cast.maple, kinds.DELIVERY_INSPECTED, [message, deliveries[0]], facts={"content": "none"})
    left_out = {"content": "none", "exception": "newsletter"}
    outbox.add(cast.maple, kinds.DELIVERY_INSPECTED, [message, deliveries[1]], facts=left_out)
    outbox.commit()
    looked, excepted = access_message(cast.maple, message, cast.operator).deliveries
    assert "Its content was looked at, because a rule asks for it" in [e.heading for e in line(looked, None, 0).entries]
    (entry,) = [e for e in line(excepted, None, 0).entries if e.heading == "Its texts were not read"]
    assert entry.texts[0].startswith("Your exception “newsletter” leaves this sender or recipient out")
    assert "looked at" not in str(line(excepted, None, 0).entries)


def test_the_looking_is_an_event_of_who_and_what(cast, outbox: Outbox) -> None:  # type: ignore[no-untyped-def]
    message, _ = outbox.accepted(cast.maple)
    outbox.commit()
    access_message(cast.maple, message, cast.operator)
    (seen,) = office_events(kinds.MESSAGE_VIEWED)
    assert (seen.actor.kind, seen.actor.id, seen.on) == ("staff", cast.operator.id, [ids.text(message)])


@pytest.mark.parametrize("who", ["sender", "stranger", "auditor"])
def test_who_may_not_read_is_told_what_is_told_of_nothing(cast, outbox: Outbox, who: str) -> None:  # type: ignore[no-untyped-def]
    message, _ = outbox.accepted(cast.maple)
    outbox.commit()
    with pytest.raises(NotFound) as refused:
        access_message(cast.maple, message, getattr(cast, who))
    with pytest.raises(NotFound) as absent:
        access_message(cast.maple, ids.new(1), cast.operator)
    assert refused.value.public == absent.value.public
    assert office_events(kinds.MESSAGE_VIEWED) == []


def test_another_organisations_message_is_not_there(cast, outbox: Outbox) -> None:  # type: ignore[no-untyped-def]
    message, _ = outbox.accepted(cast.maple)
    outbox.commit()
    with pytest.raises(NotFound):
        access_message(cast.harbour, message, cast.stranger)


def test_what_the_journal_has_not_seen_stands_with_its_shard(cast, outbox: Outbox, shard) -> None:  # type: ignore[no-untyped-def]
    message = ids.new(1)
    view = MessageView(
        ids.text(message), ids.text(cast.maple), 1, "a@maple.test", "", "", "api", "transactional", 1, ()
    )
    shard.views[cast.maple + message] = view
    assert access_message(cast.maple, message, cast.operator) == view
    assert len(office_events(kinds.MESSAGE_VIEWED)) == 1


def test_what_moves_is_told_as_its_shard_knows_it_and_nothing_as_final_before_the_log(cast, outbox, shard) -> None:  # type: ignore[no-untyped-def]
    message, deliveries = outbox.accepted(cast.maple, ("jane@patient.test", "joan@patient.test"))
    outbox.commit()
    live = [
        DeliveryView(ids.text(d), "x@patient.test", state, "tls", "", "", "", "", due)
        for d, state, due in zip(deliveries, ("deferred", "sent"), (77, 0), strict=True)
    ]
    view = MessageView(ids.text(message), ids.text(cast.maple), 1, "", "", "", "api", "transactional", 1, tuple(live))
    shard.views[cast.maple + message] = view
    seen = access_message(cast.maple, message, cast.operator)
    assert [(d.state, d.due_at) for d in seen.deliveries] == [("deferred", 77), ("queued", 0)]


@pytest.mark.parametrize(
    ("live", "reason", "told"),
    [("retracted", "", "retracted"), ("failed", "refused", "failed"), ("failed", "suppressed", "suppressed")],
)
def test_what_was_taken_back_or_refused_is_told_as_that_before_the_journal_has_read_of_it(  # type: ignore[no-untyped-def]
    cast, outbox, shard, live: str, reason: str, told: str
) -> None:
    """Who took it back was answered so by its shard; and what the log has noted of it stays."""
    message, (delivery,) = outbox.accepted(cast.maple)
    outbox.add(cast.maple, kinds.DESTINATION_WEAKENED, [message, delivery], cause="tls-lost", result="held")
    outbox.commit()
    one = DeliveryView(ids.text(delivery), "x@patient.test", live, "tls", "", reason, "Taken back.", "", 0)
    shard.views[cast.maple + message] = MessageView(
        ids.text(message), ids.text(cast.maple), 1, "", "", "", "api", "transactional", 1, (one,)
    )
    (seen,) = access_message(cast.maple, message, cast.operator).deliveries
    assert (seen.state, seen.words) == (told, "Taken back.")
    assert [note.kind for note in seen.notes] == [kinds.DESTINATION_WEAKENED]


def test_a_silent_engine_does_not_hide_the_history(cast, outbox: Outbox, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    message, _ = outbox.accepted(cast.maple)
    outbox.commit()

    class Away:
        def lookup(self, org: bytes, message: bytes) -> MessageView:
            raise Unavailable("engine-away", "No engine answers.")

    monkeypatch.setattr("carepost.archive.engine.client", lambda: Away())
    assert access_message(cast.maple, message, cast.operator).deliveries[0].state == "queued"
    with pytest.raises(Unavailable):
        access_message(cast.maple, ids.new(1), cast.operator)


def test_a_key_with_the_scope_reads_too(cast, outbox: Outbox) -> None:  # type: ignore[no-untyped-def]
    message, _ = outbox.accepted(cast.maple)
    outbox.commit()
    assert access_message(cast.maple, message, cast.key).id == ids.text(message)


def test_method_changes_and_uncertain_attempts_are_lines_of_their_own(cast, outbox: Outbox) -> None:  # type: ignore[no-untyped-def]
    message, (delivery,) = outbox.accepted(cast.maple)
    on = [message, delivery]
    facts = {"attempt": "1", "method": "portal", "from-method": "tls", "required": "VERIFIED", "state": "queued"}
    outbox.add(cast.maple, kinds.DELIVERY_METHOD_CHANGED, on, facts=facts, cause="no-starttls")
    facts = {"attempt": "2", "method": "tls", "state": "failed"}
    outbox.add(cast.maple, kinds.DELIVERY_UNCERTAIN, on, facts=facts, cause="lost-after-dot", result="uncertain")
    outbox.add(cast.maple, kinds.DELIVERY_FAILED, on, facts=facts, cause="expired-in-queue", result="failed")
    outbox.commit()
    (seen,) = access_message(cast.maple, message, cast.operator).deliveries
    assert [(a.number, a.method, a.result, a.uncertain) for a in seen.attempts] == [
        (1, "tls", "next-method", False),
        (2, "tls", "failed", True),
    ]
    assert (seen.state, seen.reason) == ("failed", "expired-in-queue")


def test_a_proof_is_for_who_may_have_it_and_is_an_event(cast, outbox: Outbox) -> None:  # type: ignore[no-untyped-def]
    message, (delivery, other) = outbox.accepted(cast.maple, ("jane@patient.test", "joan@patient.test"))
    outbox.sent(cast.maple, message, delivery)
    outbox.commit()
    made = proof.build(cast.maple, message, delivery, cast.auditor)
    assert verify(made, None, None).ok
    assert ids.text(other).encode() not in made
    assert b"Quillfeather" not in made
    (seen,) = office_events(kinds.PROOF_EXPORTED)
    assert seen.on == [ids.text(message), ids.text(delivery)]
    for org, who in ((cast.maple, cast.sender), (cast.harbour, cast.stranger), (cast.maple, cast.stranger)):
        with pytest.raises(NotFound):
            proof.build(org, message, delivery, who)
    with pytest.raises(NotFound):
        proof.build(cast.maple, message, ids.new(1), cast.auditor)


def test_what_is_personal_stands_nowhere_in_clear(cast, outbox: Outbox) -> None:  # type: ignore[no-untyped-def]
    """HS-34: not in history, index, log or what is sealed beside it; and the header is not in the evidence."""
    message, (delivery,) = outbox.accepted(cast.maple, tags=("zebrafish",))
    outbox.sent(cast.maple, message, delivery)
    outbox.commit()
    tables = ("archive_message", "archive_delivery", "archive_message_key", "archive_block", "audit_leaf", "audit_on")
    stored = b"".join(
        bytes(cell) if isinstance(cell, bytes | memoryview) else str(cell).encode()
        for table in tables
        for row in outbox.store.rows(f"SELECT * FROM {table}")
        for cell in row
    )
    for word in (b"Quillfeather", b"quillfeather", b"patient.test", b"nurse", b"zebrafish", b"192.0.2.7"):
        assert word not in stored


def test_the_header_lives_with_the_content_not_with_the_evidence(cast, outbox: Outbox) -> None:  # type: ignore[no-untyped-def]
    """DESIGN 5, two lives: after the wrapped key is gone nothing opens the subject, evidence key or not."""
    message, _ = outbox.accepted(cast.maple)
    outbox.commit()
    (accepted, *_) = reader.events_on(outbox.store, cast.maple, ids.text(message))
    assert set(opener().openings(cast.maple, accepted.event, accepted.sealed)) == {"submitted", "mail", "client"}
    assert "record" in accepted.event.commit
    with outbox.store.writing():
        outbox.store.rows("DELETE FROM archive_message_key")
    seen = access_message(cast.maple, message, cast.operator)
    assert (seen.subject, seen.sender, seen.message_id) == ("", "", "")
    assert seen.deliveries[0].recipient == "jane.quillfeather@patient.test"


def test_a_destination_that_became_weaker_is_told_on_the_messages_page(cast, outbox: Outbox) -> None:  # type: ignore[no-untyped-def]
    assert kinds.info(kinds.DESTINATION_WEAKENED).words.startswith("the recipient's side lost protection")
    message, (delivery,) = outbox.accepted(cast.maple)
    outbox.add(cast.maple, kinds.DESTINATION_WEAKENED, [message, delivery], cause="tls-lost", result="held")
    outbox.sent(cast.maple, message, delivery)
    outbox.commit()
    (one,) = access_message(cast.maple, message, cast.operator).deliveries
    assert one.state == "sent" and one.reason != "tls-lost"
    (note,) = one.notes
    assert (note.kind, note.cause) == (kinds.DESTINATION_WEAKENED, "tls-lost")
    entries = line(one, None, 0).entries
    (entry,) = [e for e in entries if "weaker" in e.heading]
    assert "does not any more" in entry.texts[0] and entry.tone == "bad"
