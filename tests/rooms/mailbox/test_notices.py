"""Notices say nothing of the message, come once, and stop at ten an hour."""

import re
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from carepost.ground import ids
from carepost.ground.errors import NotFound, Unavailable
from carepost.intake import agreed
from carepost.mailbox import notify, sessions
from carepost.mailbox.models import Deposit, Recipient
from carepost.policy.types import Kind
from carepost.proof import kinds
from carepost.tenancy.models import Organisation
from carepost.wire.types import Origin
from tests.support.mailroom import MINUTE, KeptDoor, again, happened, lay

JANE = "jane.quillfeather@patient.test"


def sent(door: KeptDoor, number: int = -1) -> EmailMessage:
    read = message_from_bytes(door.taken[number].body, policy=policy.default)
    assert isinstance(read, EmailMessage)
    return read


def test_a_notice_has_everything_it_needs_and_nothing_else(maple: Organisation, door: KeptDoor) -> None:
    row = lay(maple)
    assert notify.notice(maple.pk.bytes, row.delivery.bytes, door=door)
    (one,) = door.taken
    assert (one.kind, one.origin, one.key) == (Kind.NOTICE, Origin.NOTICE, f"notice:{row.delivery}:1")
    assert one.envelope.sender == "notice@maple.test"
    mail = sent(door)
    assert mail["From"] == "Maple Clinic <notice@maple.test>"
    assert mail["Subject"] == "You have a secure message"
    assert mail["Auto-Submitted"] == "auto-generated"
    plain, page = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert page is not None
    url = f"https://portal.test/m/{row.link}"
    for text in (plain.get_content(), page.get_content()):
        assert url in text
        assert "Maple Clinic has sent you a secure message" in text
        assert "555-0100" in text
        assert re.search(r"can be read until \d+ \w+ 20\d\d", text)
    whole = one.body.decode().lower()
    for word in ("quillfeather panel", "results", "zebrafish", "owl"):
        assert word not in whole
    assert "<img" not in whole
    # the recipient's address stands in To alone
    assert whole.count("jane.quillfeather") == 1


def test_a_sender_is_told_once_that_somebody_gave_their_message_a_code(maple: Organisation, door: KeptDoor) -> None:
    """How it opens and what to do, and neither the code nor anything of the message or its recipient."""
    row = lay(maple, access=agreed.proof("Xylo-7714", "", "", late=True))
    assert notify.tell_agreed(maple.pk.bytes, row.delivery.bytes, door=door)
    assert not notify.tell_agreed(maple.pk.bytes, row.delivery.bytes, door=door)
    (one,) = door.taken
    assert one.envelope.recipients[0].address == "dr.owl@maple.test"
    (text,) = door.mails("dr.owl@maple.test")
    assert "by telephone or face to face, never by e-mail" in " ".join(text.split())
    assert str(row.delivery) in text
    whole = one.body.decode().lower()
    for word in ("xylo", "argon2", "quillfeather", "zebrafish", row.link.lower()):
        assert word not in whole
    theirs = lay(maple, to="kim@patient.test", access=agreed.proof("Xylo-7714", "", ""))
    assert not notify.tell_agreed(maple.pk.bytes, theirs.delivery.bytes, door=door), "they gave it themselves"
    with pytest.raises(NotFound):
        notify.tell_agreed(maple.pk.bytes, ids.new(0), door=door)


def test_the_same_notice_is_sent_once(maple: Organisation, door: KeptDoor) -> None:
    row = lay(maple)
    assert notify.notice(maple.pk.bytes, row.delivery.bytes, door=door)
    assert not notify.notice(maple.pk.bytes, row.delivery.bytes, door=door)
    # and when the process died between the door and its own commit
    Deposit.objects.filter(id=row.id).update(notices=0)
    assert notify.notice(maple.pk.bytes, row.delivery.bytes, door=door)
    assert len(door.taken) == 1
    assert again(row).notices == 1


def test_no_engine_means_no_notice_is_on_record(maple: Organisation, door: KeptDoor) -> None:
    row = lay(maple)
    door.closed = True
    with pytest.raises(Unavailable):
        notify.notice(maple.pk.bytes, row.delivery.bytes, door=door)
    assert again(row).notices == 0
    assert happened(maple.pk, kinds.PORTAL_NOTIFIED) == []


def test_ten_notices_an_hour_go_to_one_address(
    maple: Organisation, door: KeptDoor, pass_time: Callable[[int], None]
) -> None:
    rows = [lay(maple, subject=f"number {n}") for n in range(12)]
    results = [notify.notice(maple.pk.bytes, row.delivery.bytes, door=door) for row in rows]
    assert results == [True] * 10 + [False] * 2
    assert [e.cause for e in happened(maple.pk, kinds.PORTAL_NOTIFIED)][-2:] == ["notice-limit"] * 2
    # somebody else's address is not touched by it, and an hour later the address is free again
    other = lay(maple, to="tom.quillfeather@patient.test")
    assert notify.notice(maple.pk.bytes, other.delivery.bytes, door=door)
    pass_time(61 * MINUTE)
    late = lay(maple)
    assert notify.notice(maple.pk.bytes, late.delivery.bytes, door=door)


def test_who_opted_out_gets_none(maple: Organisation, door: KeptDoor) -> None:
    row = lay(maple)
    Recipient.objects.update(quiet=True)
    assert not notify.notice(maple.pk.bytes, row.delivery.bytes, door=door)
    assert door.taken == []
    assert [e.cause for e in happened(maple.pk, kinds.PORTAL_NOTIFIED)] == ["opted-out"]


def test_another_organisation_cannot_have_it_sent(maple: Organisation, harbour: Organisation, door: KeptDoor) -> None:
    row = lay(maple)
    for org, delivery in ((harbour, row.delivery.bytes), (maple, ids.new())):
        with pytest.raises(NotFound):
            notify.notice(org.pk.bytes, delivery, door=door)
    assert sessions.find("nonsense") is None


def test_a_unit_speaks_under_its_own_name(maple: Organisation, door: KeptDoor) -> None:
    from carepost.tenancy.models import SenderDomain

    SenderDomain.objects.filter(org=maple).update(notice_name="Maple Desk", phone="555-0177")
    row = lay(maple)
    notify.notice(maple.pk.bytes, row.delivery.bytes, door=door)
    assert sent(door)["From"] == "Maple Desk <notice@maple.test>"
    assert "555-0177" in door.mails(JANE)[0]
