"""What follows a commit: the deposit, then its notice; once, though tried many times; the body kept until then."""

from collections.abc import Iterator
from threading import Event as Flag
from typing import Any

import pytest

from carepost.archive.books import book
from carepost.ground import clock, ids
from carepost.ground.errors import NotFound, Unavailable
from carepost.journal.effects import HOPELESS, Effects
from carepost.journal.status import Status
from carepost.mailbox import bodies, sealing
from carepost.mailbox.course import courses
from carepost.mailbox.models import Body, Deposit
from carepost.mailbox.records import DepositRecord
from carepost.proof import kinds
from carepost.queue.sealing import MessageSeal, seal_body
from carepost.queue.types import MessageRecord, StoredBody
from carepost.tenancy import scope
from carepost.wire.types import Actor
from tests.support.mailroom import KeptDoor
from tests.support.outbox import SOURCE, Outbox, office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"])

RAW = (
    b"From: Nurse Heron <nurse@maple.test>\r\nTo: jane@patient.test\r\nSubject: Results of the Quillfeather panel\r\n"
    b"Message-ID: <m1@maple.test>\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\n\r\nThe zebrafish titre is normal.\r\n"
)


class Engine(KeptDoor):
    """Keeps bodies as a shard does, and what enters by the one door."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: dict[bytes, StoredBody] = {}
        self.away = False
        self.asked = 0

    def keep(self, org: bytes, message: bytes) -> None:
        chunks, wrapped = seal_body(book(), org, message, RAW)
        record = MessageRecord(
            "nurse@maple.test", "Results of the Quillfeather panel", "<m1@maple.test>", "nurse@maple.test",
            Actor("key", "k"), "", None, False, False, "message", "transactional", "ordinary", "treatment", "api",
        )  # fmt: skip
        self.bodies[message] = StoredBody(chunks, wrapped, MessageSeal(book(), org, message).message(record))

    def body(self, org: bytes, message: bytes) -> StoredBody:
        self.asked += 1
        if self.away:
            raise Unavailable("engine-away", "No engine answers.")
        if message not in self.bodies:
            raise NotFound
        return self.bodies[message]


@pytest.fixture(autouse=True)
def eyes() -> Iterator[None]:
    """A test sees all rows; what it calls must ask for its own organisation."""
    with scope.every("the test's own eyes"):
        yield


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def effects(outbox: Outbox, engine: Engine, tmp_path: Any) -> Effects:
    return Effects(outbox.store, book(), engine, Status(tmp_path), outbox.owed, Flag())


@pytest.fixture
def owed(cast: Any, outbox: Outbox, engine: Engine) -> tuple[bytes, bytes, int]:
    """A deposit that the log tells of: (message, delivery, its event's number)."""
    message, (delivery,) = outbox.accepted(cast.maple, ("jane@patient.test",))
    row = outbox.deposited(cast.maple, message, delivery, "jane@patient.test")
    engine.keep(cast.maple, message)
    outbox.commit()
    return message, delivery, row.seq


def later(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    at = clock.now() + seconds * 1_000_000
    clock.set_source(lambda: at)


@pytest.fixture(autouse=True)
def _clock() -> Any:
    yield
    clock.set_source(None)


def test_a_deposit_is_laid_in_and_its_recipient_told(cast: Any, effects: Effects, engine: Engine, owed: Any) -> None:
    _, delivery, _ = owed
    assert effects.step() == 1
    row = Deposit.objects.get()
    assert (row.delivery.bytes, row.rule, row.proof) == (delivery, "portal-by-mail", "none")
    record = sealing.open_record(cast.maple, row.id, row.record, DepositRecord)
    assert (record.recipient, record.sender, record.sender_name) == (
        "jane@patient.test", "nurse@maple.test", "Nurse Heron",
    )  # fmt: skip
    assert (record.subject, record.header_id) == ("Results of the Quillfeather panel", "<m1@maple.test>")
    assert bodies.opened(Body.objects.get(), b"") == RAW
    assert engine.taken == []
    assert effects.step() == 1
    (told,) = engine.taken
    assert told.envelope.recipients[0].address == "jane@patient.test"
    assert told.key == f"notice:{row.delivery}:1"
    assert b"uillfeather" not in told.body
    assert told.hold is None
    assert effects.step() == 0


def test_a_notice_owed_when_the_backup_was_made_waits_for_a_person(
    outbox: Outbox, engine: Engine, owed: Any, tmp_path: Any
) -> None:
    """The home that was lost may have sent it; one owed after the restore goes out."""
    restored = Effects(outbox.store, book(), engine, Status(tmp_path), outbox.owed, Flag(), clock.now() + 60_000_000)
    assert (restored.step(), restored.step()) == (1, 1)
    (told,) = engine.taken
    assert told.hold is not None and told.hold[0] == "restored" and "a second time" in told.hold[1]
    assert Deposit.objects.get().notices == 1


def test_the_body_stays_with_its_shard_until_it_lies_in_the_portal(effects: Effects, owed: Any) -> None:
    *_, seq = owed
    assert effects.acknowledged(SOURCE, seq + 5) == seq - 1
    assert effects.acknowledged("shard-0002", 9) == 9
    effects.step()
    assert effects.acknowledged(SOURCE, seq + 5) == seq + 5


def test_done_twice_is_done_once(outbox: Outbox, effects: Effects, engine: Engine, owed: Any) -> None:
    """As after a crash between the act and the row that says it is done."""
    rows = outbox.store.rows("SELECT kind, source, seq, org_id, due_at, tries FROM archive_effect")
    effects.step()
    effects.step()
    again = "INSERT INTO archive_effect (kind, source, seq, org_id, due_at, tries) VALUES (?, ?, ?, ?, ?, ?)"
    outbox.store.many(again, rows)
    effects.step()
    effects.step()
    assert Deposit.objects.count() == Body.objects.count() == 1
    assert len(engine.taken) == 1


def test_an_engine_that_is_away_is_asked_again(
    effects: Effects, engine: Engine, owed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.away = True
    assert effects.step() == 1
    assert effects.step() == 0
    assert Deposit.objects.count() == 0
    engine.away = False
    later(monkeypatch, 1)
    assert effects.step() == 1
    assert Deposit.objects.count() == 1


def test_a_closed_door_delays_the_notice_not_the_deposit(
    effects: Effects, engine: Engine, owed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.closed = True
    effects.step()
    assert Deposit.objects.count() == 1
    effects.step()
    assert engine.taken == []
    engine.closed = False
    later(monkeypatch, 1)
    effects.step()
    assert len(engine.taken) == 1


def test_a_body_that_is_gone_does_not_hold_its_shard_up_for_ever(
    outbox: Outbox, effects: Effects, engine: Engine, owed: Any
) -> None:
    message, _, seq = owed
    del engine.bodies[message]
    for _ in range(HOPELESS):
        outbox.store.rows("UPDATE archive_effect SET due_at = 0")
        effects.step()
    assert effects.acknowledged(SOURCE, seq) == seq
    assert outbox.store.rows("SELECT tries FROM archive_effect") == [(HOPELESS,)]


def test_two_recipients_of_one_message_share_one_body(
    cast: Any, outbox: Outbox, effects: Effects, engine: Engine
) -> None:
    message, deliveries = outbox.accepted(cast.maple, ("jane@patient.test", "joan@patient.test"))
    engine.keep(cast.maple, message)
    for delivery, who in zip(deliveries, ("jane", "joan"), strict=True):
        outbox.deposited(cast.maple, message, delivery, f"{who}@patient.test")
    outbox.commit()
    assert effects.step() == 2
    assert (Deposit.objects.count(), Body.objects.count()) == (2, 1)
    assert ids.text(message) == str(Body.objects.get().message)


def test_a_notice_that_could_not_be_delivered_is_told_where_somebody_looks(
    cast: Any, effects: Effects, engine: Engine, outbox: Outbox, owed: Any
) -> None:
    message, delivery, _ = owed
    effects.step()
    effects.step()
    row = Deposit.objects.get()
    (mail,) = row.mails.all()
    # the notice is a message of its own: what becomes of it comes as its own events
    outbox.add(cast.maple, kinds.DELIVERY_FAILED, [mail.message.bytes, ids.new(1)], cause="no-such-mailbox",
               facts={"attempt": "1", "state": "failed"})  # fmt: skip
    outbox.commit()
    assert effects.step() == 1
    assert effects.step() == 0
    (event,) = office_events(kinds.PORTAL_NOTICE_FAILED)
    assert event.on == [ids.text(message), ids.text(delivery)]
    assert (event.cause, event.result, event.facts) == ("no-such-mailbox", "failed", {"notice": "waiting"})
    found = courses(cast.maple, row.message)[str(row.delivery)]
    (step,) = [s for s in found.steps if s.tone == "bad"]
    assert "was not told that a message waits" in step.text and "no-such-mailbox" in step.text


def test_a_failed_delivery_of_ordinary_mail_is_looked_at_again_only_while_it_is_young(
    cast: Any, effects: Effects, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    message, (delivery,) = outbox.accepted(cast.maple)
    outbox.add(
        cast.maple, kinds.DELIVERY_FAILED, [message, delivery], cause="no-such-mailbox", facts={"state": "failed"}
    )
    outbox.commit()
    assert effects.step() == 1
    later(monkeypatch, 5)
    assert (effects.step(), effects.step()) == (1, 0)
    assert office_events(kinds.PORTAL_NOTICE_FAILED) == []
