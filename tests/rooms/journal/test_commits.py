"""A batch: log, history and what is owed in one transaction, and what comes again changes nothing."""

import uuid
from typing import Any

import msgspec
import pytest

from carepost.archive import writing
from carepost.archive.books import book, opener
from carepost.archive.lists import listing
from carepost.audit import reader
from carepost.audit.refusals import SequenceGap
from carepost.audit.verify_log import verify_log
from carepost.ground import ids
from carepost.journal.commits import batch
from carepost.journal.uses import Uses
from carepost.proof import event as events
from carepost.proof import kinds, openings
from carepost.queue.sealing import EVIDENCE, month_key
from carepost.tenancy import scope
from carepost.tenancy.actions import access
from carepost.tenancy.models import ApiKey
from carepost.tenancy.permissions import BOOTSTRAP
from tests.support.outbox import SOURCE, Outbox

pytestmark = pytest.mark.django_db(databases=["default", "records"])


def count(outbox: Outbox, table: str) -> int:
    return int(outbox.store.rows(f"SELECT count(*) FROM {table}")[0][0])


def test_log_and_history_stand_or_fall_together(cast: Any, outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    outbox.accepted(cast.maple)
    rows = list(outbox.waiting)

    def fail(*_arguments: object) -> None:
        raise OSError

    with monkeypatch.context() as broken:
        broken.setattr(writing, "write", fail)
        with pytest.raises(OSError):
            outbox.commit()
    assert count(outbox, "audit_leaf") == count(outbox, "archive_message") == 0
    outbox.commits.commit(rows)
    assert count(outbox, "audit_leaf") == 2
    assert count(outbox, "archive_message") == count(outbox, "archive_delivery") == 1


def test_the_same_rows_again_are_passed_over_and_undo_nothing(cast: Any, outbox: Outbox) -> None:
    message, (delivery,) = outbox.accepted(cast.maple)
    first = list(outbox.waiting)
    outbox.commit()
    outbox.sent(cast.maple, message, delivery)
    outbox.commit()
    before = [count(outbox, t) for t in ("audit_leaf", "archive_block", "archive_message", "archive_message_key")]
    outbox.commits.commit(first)
    after = [count(outbox, t) for t in ("audit_leaf", "archive_block", "archive_message", "archive_message_key")]
    assert before == after
    (line,) = listing(cast.maple, cast.operator).messages
    assert line.deliveries[0].state == "sent"


def test_a_batch_half_known_adds_the_other_half(cast: Any, outbox: Outbox) -> None:
    message, (delivery,) = outbox.accepted(cast.maple)
    rows = list(outbox.waiting)
    outbox.commit()
    outbox.sent(cast.maple, message, delivery)
    outbox.commits.commit(rows + outbox.waiting)
    assert reader.sources(outbox.store) == {SOURCE: 4}
    (line,) = listing(cast.maple, cast.operator).messages
    assert line.deliveries[0].state == "sent"


def test_a_source_with_a_gap_is_refused_alone_and_by_name(cast: Any, outbox: Outbox) -> None:
    """BI-082: nothing of the refused batch is written, others go on, and the drainer is told."""
    outbox.accepted(cast.maple)
    gap = batch(SOURCE, outbox.waiting[1:])
    outbox.commit_office()
    outbox.add(cast.maple, kinds.DELIVERY_HELD, [ids.new(1), ids.new(1)])
    good = batch("again", outbox.waiting[:2])
    outbox.commits._together([gap, good])
    assert isinstance(gap.error, SequenceGap)
    assert gap.done.is_set()
    assert good.done.is_set()
    assert good.error is None
    assert reader.sources(outbox.store)[SOURCE] == 2


def test_what_is_owed_is_written_with_the_commit_and_tells_the_effects(cast: Any, outbox: Outbox) -> None:
    message, (delivery,) = outbox.accepted(cast.maple)
    row = outbox.deposited(cast.maple, message, delivery, "jane@patient.test")
    assert not outbox.owed.is_set()
    rows = list(outbox.waiting)
    outbox.commit()
    assert outbox.owed.is_set()
    outbox.commits.commit(rows)
    assert outbox.store.rows("SELECT kind, source, seq, tries FROM archive_effect") == [("deposit", SOURCE, row.seq, 0)]


def test_the_log_holds_with_the_record_taken_out(cast: Any, outbox: Outbox) -> None:
    message, (delivery,) = outbox.accepted(cast.maple)
    outbox.sent(cast.maple, message, delivery)
    outbox.commit()
    outbox.commit_office()
    report = verify_log(outbox.store, opener=opener().openings)
    assert not report.findings
    assert all(not log.findings for log in report.logs)
    assert sum(log.opened for log in report.logs) > 5


def test_an_opening_taken_out_besides_the_record_is_named(cast: Any, outbox: Outbox) -> None:
    outbox.accepted(cast.maple)
    outbox.commit()
    with outbox.store.writing():
        stored = reader.events_from(outbox.store, cast.maple, 0, 1)[0]
        opened = dict(opener().openings(cast.maple, stored.event, stored.sealed))
        opened.pop("client")
        sealed = outbox_seal(cast.maple, stored, opened)
        outbox.store.rows("UPDATE audit_leaf SET sealed = ? WHERE org = ? AND idx = 0", (sealed, cast.maple))
    report = verify_log(outbox.store, org=cast.maple, opener=opener().openings)
    assert [f.code for log in report.logs for f in log.findings] == ["sealed-damaged"]


def outbox_seal(org: bytes, stored: reader.StoredEvent, opened: dict[str, tuple[bytes, bytes]]) -> bytes:
    version, key = book().current(org, EVIDENCE)
    return openings.seal(month_key(key, stored.event.at), version, org, stored.event.id, opened)


def test_bytes_that_are_no_event_are_refused_and_nothing_else_is_lost(cast: Any, outbox: Outbox) -> None:
    outbox.accepted(cast.maple)
    bad = msgspec.structs.replace(outbox.waiting[0], event=b"{")
    one = batch(SOURCE, [bad])
    outbox.commits._together([one])
    assert one.error is not None
    assert count(outbox, "audit_leaf") == 0
    outbox.commit()
    assert count(outbox, "audit_leaf") == 2


def test_an_opening_that_does_not_open_goes_into_the_log_as_it_came(cast: Any, outbox: Outbox) -> None:
    """Law 12: damaged is kept, not dropped; `carepost audit verify` names it."""
    outbox.accepted(cast.maple)
    damaged = msgspec.structs.replace(outbox.waiting[0], sealed=outbox.waiting[0].sealed[:-1] + b"x")
    outbox.commits.commit([damaged, outbox.waiting[1]])
    assert reader.sources(outbox.store) == {SOURCE: 2}
    assert count(outbox, "archive_message") == 0


def test_who_handed_mail_in_is_noted_once_a_day(cast: Any, outbox: Outbox) -> None:
    made = access.add_key(uuid.UUID(bytes=cast.maple), "EHR", ["send"], actor=BOOTSTRAP).id
    seen = Uses()
    at = 0
    for _ in range(2):
        outbox.accepted(cast.maple, actor=("key", made))
        rows = [events.read(row.event) for row in outbox.waiting]
        seen.look(rows)
        at = next(event.at for event in rows if event.kind == kinds.MESSAGE_ACCEPTED)
        outbox.commit()
    assert (seen.write(), seen.write()) == (1, 0)
    with scope.organisation(uuid.UUID(bytes=cast.maple)):
        assert at - 60_000_000 < ApiKey.objects.get(pk=made).last_used_at <= at
