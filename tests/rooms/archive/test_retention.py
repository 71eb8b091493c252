"""Disposal takes key and index in one act; legal hold wins; the evidence stays."""

from typing import Any

import pytest

from carepost.archive import proof, retention
from carepost.archive.access import access_message
from carepost.archive.search import Wanted, search
from carepost.ground import ids
from carepost.proof import kinds
from carepost.proof.verify import verify
from carepost.wire.types import Actor
from tests.support.outbox import Outbox, office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"])
JOURNAL = Actor("system", "journal")


def test_after_disposal_nothing_opens_or_finds_the_content_and_the_proof_holds(cast: Any, outbox: Outbox) -> None:
    message, (delivery,) = outbox.accepted(cast.maple, tags=("panel",))
    kept, _ = outbox.accepted(cast.maple)
    outbox.sent(cast.maple, message, delivery)
    outbox.commit()
    assert retention.dispose(outbox.store, cast.maple, message, actor=JOURNAL, reason="seven years are over")
    seen = access_message(cast.maple, message, cast.operator)
    assert (seen.subject, seen.sender) == ("", "")
    assert seen.deliveries[0].attempts[0].reply == "250 2.0.0 Taken"
    found = search(cast.maple, cast.operator, Wanted(subject="quillfeather"))
    assert [m.id for m in found.messages] == [ids.text(kept)]
    index = b"".join(bytes(entries) for (entries,) in outbox.store.rows("SELECT entries FROM archive_block"))
    assert kept in index
    assert message not in index
    assert outbox.store.rows("SELECT count(*) FROM archive_message_key WHERE id = ?", (message.hex(),))[0][0] == 0
    assert verify(proof.build(cast.maple, message, delivery, cast.auditor), None, None).ok
    (event,) = office_events(kinds.MESSAGE_DISPOSED)
    assert event.on == [ids.text(message)]
    assert not retention.dispose(outbox.store, cast.maple, message, actor=JOURNAL, reason="again")
    assert len(office_events(kinds.MESSAGE_DISPOSED)) == 1


def test_a_hold_keeps_a_message_until_it_is_lifted(cast: Any, outbox: Outbox) -> None:
    message, _ = outbox.accepted(cast.maple)
    outbox.commit()
    assert retention.hold(outbox.store, cast.maple, message, actor=JOURNAL, reason="a law suit")
    with pytest.raises(retention.Held):
        retention.dispose(outbox.store, cast.maple, message, actor=JOURNAL, reason="over")
    assert office_events(kinds.MESSAGE_DISPOSED) == []
    assert access_message(cast.maple, message, cast.operator).subject
    assert retention.lift(outbox.store, cast.maple, message, actor=JOURNAL, reason="settled")
    assert retention.dispose(outbox.store, cast.maple, message, actor=JOURNAL, reason="over")
    assert [len(office_events(kind)) for kind in (retention.HOLD_PLACED, retention.HOLD_LIFTED)] == [1, 1]


def test_another_organisations_message_is_not_touched(cast: Any, outbox: Outbox) -> None:
    message, _ = outbox.accepted(cast.maple)
    outbox.commit()
    assert not retention.hold(outbox.store, cast.harbour, message, actor=JOURNAL, reason="x")
    assert not retention.dispose(outbox.store, cast.harbour, message, actor=JOURNAL, reason="x")
    assert access_message(cast.maple, message, cast.operator).subject
