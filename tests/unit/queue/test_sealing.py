"""Sealing: bound to organisation, message and part; by month; opened elsewhere than where it was sealed (BI-077)."""

import msgspec
import pytest

from carepost.crypto.rest import Damaged
from carepost.ground import clock, ids
from carepost.ground.errors import NotFound
from carepost.proof import kinds
from carepost.proof.event import finish
from carepost.queue import sealing
from carepost.queue.sealing import MessageSeal, Opener
from carepost.queue.types import EventDraft, StoredBody
from carepost.wire.types import Drained
from tests.unit.queue import clinic
from tests.unit.queue.clinic import CLINIC, HARBOUR

pytestmark = pytest.mark.fast

MONTH_US = 31 * 86_400_000_000


@pytest.fixture
def keys() -> clinic.Keys:
    return clinic.Keys()


def test_records_open_where_they_belong_and_nowhere_else(keys: clinic.Keys) -> None:
    new, other = clinic.message(), clinic.message()
    seal = MessageSeal(keys.book(), CLINIC, new.id)
    delivery = new.deliveries[0]
    sealed = seal.delivery(delivery.id, delivery.record)
    opener = Opener(keys.book())
    assert opener.delivery_record(CLINIC, new.id, delivery.id, sealed) == delivery.record
    assert opener.message_record(CLINIC, new.id, seal.message(new.record)) == new.record
    for org, message, part in (
        (HARBOUR, new.id, delivery.id),
        (CLINIC, other.id, delivery.id),
        (CLINIC, new.id, other.deliveries[0].id),
    ):
        with pytest.raises(Damaged):
            opener.delivery_record(org, message, part, sealed)
    with pytest.raises(Damaged):
        opener.message_record(CLINIC, new.id, sealed)


@pytest.mark.parametrize("cut", [0, 3, 4, 20])
def test_a_cut_or_flipped_record_does_not_open(keys: clinic.Keys, cut: int) -> None:
    new = clinic.message()
    sealed = MessageSeal(keys.book(), CLINIC, new.id).message(new.record)
    opener = Opener(keys.book())
    with pytest.raises(Damaged):
        opener.message_record(CLINIC, new.id, sealed[:cut])
    for at in range(len(sealed)):
        flipped = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(Damaged):
            opener.message_record(CLINIC, new.id, flipped)


def test_bodies_open_with_their_own_wrapped_key_only(keys: clinic.Keys) -> None:
    one, two = clinic.message(body=b"x" * 200_000), clinic.message(body=b"y" * 10)
    opener = Opener(keys.book())
    stored = [
        StoredBody(*sealing.seal_body(keys.book(), CLINIC, m.id, m.body), b"") for m in (one, two)
    ]  # fmt: skip
    assert [opener.body(CLINIC, m.id, s) for m, s in zip((one, two), stored, strict=True)] == [one.body, two.body]
    swapped = msgspec.structs.replace(stored[0], wrapped_key=stored[1].wrapped_key)
    for org, message, body in ((CLINIC, one.id, swapped), (CLINIC, two.id, stored[0]), (HARBOUR, one.id, stored[0])):
        with pytest.raises(Damaged):
            opener.body(org, message, body)
    short = msgspec.structs.replace(stored[0], chunks=stored[0].chunks[:-1])
    with pytest.raises(Damaged):
        opener.body(CLINIC, one.id, short)


def test_every_month_has_its_own_evidence_key() -> None:
    key = b"k" * 32
    now = clock.now()
    months = {sealing.month_key(key, now + i * MONTH_US) for i in range(12)}
    assert len(months) == 12
    assert sealing.month_key(key, 1_798_761_599_999_999) == sealing.month_key(key, 1_798_700_000_000_000)
    assert sealing.month_key(key, 1_798_761_600_000_000) != sealing.month_key(key, 1_798_761_599_999_999)


def test_an_event_opens_by_the_month_it_happened_in(keys: clinic.Keys) -> None:
    new = clinic.message()
    later = ids.made_at(new.id) + 3 * MONTH_US
    draft = EventDraft(
        *kinds.make(
            kinds.DELIVERY_SENT, id=ids.text(ids.new()), org=ids.text(CLINIC), at=later, actor=("system", "t"), on=(),
            values={"wire": b"their reply"},
        )
    )  # fmt: skip
    seal = MessageSeal(keys.book(), CLINIC, new.id)
    row = Drained(1, CLINIC, finish(draft.draft, "shard-0000", 1), seal.openings(draft))
    assert Opener(keys.book()).personal(row)["wire"][1] == b"their reply"
    moved = Drained(1, HARBOUR, row.event, row.sealed)
    with pytest.raises(Damaged):
        Opener(keys.book()).personal(moved)


def test_a_key_that_is_gone_is_damage_and_not_a_missing_message(keys: clinic.Keys) -> None:
    new = clinic.message()
    sealed = MessageSeal(keys.book(), CLINIC, new.id).message(new.record)
    keys.wrapped.clear()
    with pytest.raises(Damaged):
        Opener(keys.book()).message_record(CLINIC, new.id, sealed)
    with pytest.raises(NotFound):
        MessageSeal(keys.book(), CLINIC, new.id)
