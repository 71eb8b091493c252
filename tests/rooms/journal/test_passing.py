"""Mail by SMTP whose bounce came back here: its sender is told, once, and of nothing but the failure."""

from email import message_from_bytes
from threading import Event as Flag
from typing import Any

import pytest

from carepost.archive.books import book
from carepost.archive.models import MessageKey
from carepost.destinations.models import Bounce
from carepost.ground import ids
from carepost.journal.effects import Effects
from carepost.journal.status import Status
from carepost.proof import kinds
from carepost.rfc import dsn
from carepost.tenancy import scope
from carepost.wire import bounces as wire
from tests.support.mailroom import KeptDoor
from tests.support.outbox import Outbox

pytestmark = pytest.mark.django_db(databases=["default", "records"])

JANE = "jane.roe@patient.test"


@pytest.fixture
def door() -> KeptDoor:
    return KeptDoor()


@pytest.fixture
def effects(outbox: Outbox, tmp_path: Any, door: KeptDoor) -> Effects:
    return Effects(outbox.store, book(), door, Status(tmp_path), outbox.owed, Flag())


def bounced(
    outbox: Outbox, org: bytes, origin: str, *, sender: str = "nurse@maple.test", action: str = "failed",
    form: str = "dsn",
) -> bytes:  # fmt: skip
    message, (delivery,) = outbox.accepted(org, (JANE,), origin=origin, sender=sender, subject="Canary results")
    outbox.sent(org, message, delivery)
    came = wire.Came(form, delivery, "", (wire.Of(JANE, action, "user-unknown", "hard", "5.1.1"),))
    for _ in range(2):
        # the same report twice, as a server that lost our 250 sends it
        outbox.add(org, kinds.BOUNCE_RECEIVED, [delivery], values={"bounce": wire.encode(came)})
    outbox.commit()
    return delivery


def test_the_sender_is_told_once_by_a_report_another_reader_understands(
    cast: Any, outbox: Outbox, effects: Effects, door: KeptDoor
) -> None:
    delivery = bounced(outbox, cast.maple, "smtp")
    while effects.step():
        pass
    (sent,) = door.taken
    assert (sent.envelope.sender, sent.envelope.recipients[0].address) == ("", "nurse@maple.test")
    assert sent.key == f"dsn:{ids.text(delivery)}:came-back" and sent.kind.value == "dsn"
    read = message_from_bytes(sent.body)
    assert read.get_content_type() == "multipart/report" and read["From"].endswith("<mailer-daemon@maple.test>")
    (status,) = [part for part in read.walk() if part.get_content_type() == "message/delivery-status"]
    fields = status.get_payload()[1]
    assert (fields["Action"], fields["Status"], fields["Final-Recipient"]) == ("failed", "5.1.1", f"rfc822; {JANE}")
    assert b"Canary" not in sent.body
    assert dsn.read(sent.body) is not None
    with scope.every("a test counts rows"):
        assert Bounce.objects.count() == 1


@pytest.mark.parametrize(
    ("origin", "sender", "action"),
    [
        ("api", "nurse@maple.test", "failed"),
        ("smtp", "", "failed"),
        ("smtp", "nurse@maple.test", "delayed"),
        ("api", "nurse@maple.test", "delivered"),
    ],
    ids=["api", "null-sender", "delay-in-a-sentence", "api-delivered"],
)
def test_nobody_else_is_told(
    cast: Any, outbox: Outbox, effects: Effects, door: KeptDoor, origin: str, sender: str, action: str
) -> None:
    bounced(outbox, cast.maple, origin, sender=sender, action=action, form="text" if action == "delayed" else "dsn")
    while effects.step():
        pass
    assert door.taken == []


@pytest.mark.parametrize(
    ("action", "status", "words"),
    [("delayed", "4.1.1", "has not delivered it yet"), ("delivered", "2.1.1", "delivered it to the mailbox"),
     ("relayed", "2.1.1", "sends no reports"), ("expanded", "2.1.1", "members of a list")],
)  # fmt: skip
def test_a_sender_who_asked_for_other_reports_gets_each_once_and_success_is_called_relayed(
    cast: Any, outbox: Outbox, effects: Effects, door: KeptDoor, action: str, status: str, words: str
) -> None:
    """The next system was told NOTIFY as the sender gave it; what it reports comes to the return path."""
    delivery = bounced(outbox, cast.maple, "smtp", action=action)
    while effects.step():
        pass
    (sent,) = door.taken
    assert sent.key == f"dsn:{ids.text(delivery)}:{action}"
    fields = dsn.read(sent.body)
    assert fields is not None
    told = "delayed" if action == "delayed" else "relayed"
    assert [(one.action, one.status) for one in fields.recipients] == [(told, status)]
    assert words.encode() in sent.body and b"Canary" not in sent.body


def test_without_an_engine_it_waits_and_with_the_content_gone_nobody_is_told(
    cast: Any, outbox: Outbox, effects: Effects, door: KeptDoor
) -> None:
    bounced(outbox, cast.maple, "smtp")
    door.closed = True
    effects.step()
    with scope.every("a test counts rows"):
        assert Bounce.objects.count() == 1, "the address is on record all the same"
        MessageKey.objects.all().delete()
    door.closed = False
    effects.step()
    assert door.taken == []
