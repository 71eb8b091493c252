"""Laying a message into the portal and taking it out."""

import uuid
from collections.abc import Callable

import pytest

from carepost.ground import ids
from carepost.ground.errors import NotFound
from carepost.mailbox import deposits
from carepost.mailbox.models import Body, Deposit
from carepost.proof import kinds
from carepost.tenancy.models import Organisation
from carepost.wire.types import Actor
from tests.support.mailroom import MINUTE, SECRET_SUBJECT, SECRET_TEXT, again, happened, lay

OLGA = Actor("staff", str(uuid.uuid4()))


def test_a_delivery_is_deposited_once_however_often_it_is_told(maple: Organisation) -> None:
    row = lay(maple)
    new = deposits.NewDeposit(maple.pk.bytes, row.delivery.bytes, row.message.bytes, _record(row), [b"other"], b"other")
    told = deposits.deposit(new)
    assert (told.id, told.link, told.fresh) == (row.id, row.link, False)
    assert Deposit.objects.filter(org=maple).count() == 1


def _record(row: Deposit) -> deposits.DepositRecord:
    return deposits.DepositRecord("a@maple.test", "", "b@patient.test", "", "", 0)


def test_nothing_personal_stands_in_clear(maple: Organisation) -> None:
    """Law 9: every column of every row of the portal, as bytes."""
    row = lay(maple, question=("Name of your first zebrafish?", "Bubbles"))
    seen = b""
    for one in (row, row.recipient, row.body, row.thread):
        for field in one._meta.concrete_fields:
            value = getattr(one, field.attname)
            seen += bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
    for word in (SECRET_SUBJECT, SECRET_TEXT, "quillfeather", "zebrafish", "Bubbles", "Olive"):
        assert word.lower().encode() not in seen.lower()


def test_two_recipients_share_one_body_and_the_last_to_end_takes_it_along(maple: Organisation) -> None:
    message = ids.new(1)
    first = lay(maple, message=message)
    second = lay(maple, message=message, to="tom.quillfeather@patient.test")
    assert first.body_id == second.body_id
    assert deposits.retract(maple.pk.bytes, first.delivery.bytes, actor=OLGA, reason="wrong person") == "retracted"
    assert Body.objects.filter(id=second.body_id).exists()
    deposits.retract(maple.pk.bytes, second.delivery.bytes, actor=OLGA)
    assert not Body.objects.filter(org=maple).exists()


def test_retracting_is_an_event_with_its_reason_sealed(maple: Organisation) -> None:
    row = lay(maple)
    deposits.retract(maple.pk.bytes, row.delivery.bytes, actor=OLGA, reason="Ms Quillfeather moved")
    (told,) = happened(maple.pk, kinds.DELIVERY_RETRACTED)
    assert told.on == [str(row.message), str(row.delivery)]
    assert told.actor.id == OLGA.id
    assert set(told.commit) == {"reason"}
    assert "Quillfeather" not in repr(told)
    # a second time nothing happens
    assert deposits.retract(maple.pk.bytes, row.delivery.bytes, actor=OLGA) == "retracted"
    assert len(happened(maple.pk, kinds.DELIVERY_RETRACTED)) == 1


def test_another_organisation_and_a_stranger_retract_nothing(maple: Organisation, harbour: Organisation) -> None:
    row = lay(maple)
    with pytest.raises(NotFound):
        deposits.retract(harbour.pk.bytes, row.delivery.bytes, actor=OLGA)
    with pytest.raises(NotFound):
        deposits.retract(maple.pk.bytes, ids.new(), actor=OLGA)
    with pytest.raises(NotFound):
        deposits.deposit(_stolen(row), actor=OLGA)
    assert again(row).state == "open"


def _stolen(row: Deposit) -> deposits.NewDeposit:
    return deposits.NewDeposit(row.org_id.bytes, ids.new(1), ids.new(1), _record(row), [b""], b"")


def test_expiry_ends_what_is_due_and_nothing_else(maple: Organisation, pass_time: Callable[[int], None]) -> None:
    short = lay(maple, expires_at=deposits.clock.now() + MINUTE)
    long = lay(maple)
    assert deposits.expire(maple.pk.bytes) == 0
    pass_time(2 * MINUTE)
    assert deposits.expire(maple.pk.bytes) == 1
    assert (again(short).state, again(long).state) == ("expired", "open")
    assert [e.on[1] for e in happened(maple.pk, kinds.PORTAL_EXPIRED)] == [str(short.delivery)]
    assert not Body.objects.filter(message=short.message).exists()


def test_a_message_without_a_date_can_be_read_for_28_days(maple: Organisation) -> None:
    row = lay(maple)
    assert abs(row.expires_at - row.created_at - 28 * 86_400_000_000) < MINUTE
