"""Complaints and unsubscribes by provider and day: counted once, shown to who may see them, and told by letter."""

import uuid
from typing import Any

import pytest

from carepost.archive import complaints as days
from carepost.archive import tallies
from carepost.archive.marks import Marks
from carepost.crypto import index
from carepost.ground import ids
from carepost.ground.errors import NotFound, Refused
from carepost.proof import kinds
from carepost.senders import complaints, reading
from carepost.tenancy.actions import organisations
from carepost.tenancy.permissions import BOOTSTRAP
from tests.support.cast import cast, fresh_books, outbox, shard
from tests.support.mailroom import KeptDoor
from tests.support.noon import DAY, NOON, at
from tests.support.outbox import Outbox

__all__ = ["at", "cast", "fresh_books", "outbox", "shard"]

pytestmark = pytest.mark.django_db(databases=["default", "records"])


def count(outbox: Outbox, org: bytes, provider: str, at: int, **numbers: int) -> None:
    """So many of a measure, on the day of `at`."""
    delivery = (at // 1000).to_bytes(6, "big") + b"\x70\x00" + uuid.uuid4().bytes[8:]
    measures = [measure for measure, number in numbers.items() for _ in range(number)]
    with outbox.store.writing():
        one = tallies.Count(org, delivery, f"{provider}.test", provider, measures)
        tallies.write(outbox.store, None, {delivery: one})  # type: ignore[arg-type]  # the domain is known: no book


def told(cast: Any, who: Any, org: bytes | None = None) -> list[tuple[str, str, int, int, int, str]]:
    found = days.days(org or cast.maple, who, since=NOON - 7 * DAY, until=NOON + DAY)
    return [(one.date, one.provider, one.sent, one.complaints, one.unsubscribes, one.level) for one in found.rows]


def test_a_complaint_and_an_unsubscribe_count_on_the_day_and_provider_of_their_message(
    cast: Any, outbox: Outbox, at: list[int]
) -> None:
    one, (first,) = outbox.accepted(cast.maple, ("jane@patient.test",))
    outbox.sent(cast.maple, one, first, provider="yahoo")
    outbox.commit()
    at[0] += DAY
    outbox.add(cast.maple, kinds.DELIVERY_COMPLAINED, [one, first], cause="abuse")
    outbox.add(cast.maple, kinds.UNSUBSCRIBED, [first], actor=("recipient", ids.text(first)))
    outbox.commit()
    assert told(cast, cast.auditor) == [("2026-11-21", "yahoo", 1, 1, 1, "")]
    # the link is followed again, twice in one batch and once in another
    for _ in range(2):
        outbox.add(cast.maple, kinds.UNSUBSCRIBED, [first], actor=("recipient", ids.text(first)))
        outbox.add(cast.maple, kinds.UNSUBSCRIBED, [first], actor=("recipient", ids.text(first)))
        outbox.commit()
    assert told(cast, cast.auditor) == [("2026-11-21", "yahoo", 1, 1, 1, "")]


def test_who_may_not_search_and_another_organisation_are_told_nothing(cast: Any, outbox: Outbox, at: list[int]) -> None:
    count(outbox, cast.maple, "yahoo", NOON, sent=2_000, complaint=3)
    for who in (cast.sender, cast.stranger):
        with pytest.raises(NotFound):
            told(cast, who)
    with pytest.raises(NotFound):
        told(cast, cast.auditor, cast.harbour)
    with pytest.raises(Refused):
        days.days(cast.maple, cast.auditor, since=NOON - 400 * DAY, until=NOON)


@pytest.mark.parametrize(
    ("sent", "complained", "level"),
    [(1_000, 1, ""), (2_000, 2, ""), (1_999, 2, "warn"), (10_000, 29, "warn"), (1_000, 3, "act"), (499, 40, ""),
     (500, 2, "act"), (0, 5, "")],
)  # fmt: skip
def test_from_where_on_a_day_is_said_to_be_bad(sent: int, complained: int, level: str) -> None:
    """BS-02: below 0.10 %, never 0.30 %."""
    assert days.Day(index.day_of(NOON), "yahoo", sent, complained).level == level


def test_a_letter_once_a_day_for_a_provider_and_at_once_when_it_gets_worse(
    cast: Any, outbox: Outbox, at: list[int]
) -> None:
    organisations.change_settings(uuid.UUID(bytes=cast.maple), actor=BOOTSTRAP, reason="r", alerts="it@maple.test")
    door, marks = KeptDoor(), Marks(outbox.store)

    def look() -> int:
        return complaints.mail(outbox.store, marks, door, at[0], "https://console.maple.test")

    count(outbox, cast.maple, "yahoo", NOON, sent=2_000, complaint=2)
    count(outbox, cast.harbour, "yahoo", NOON, sent=2_000, complaint=2)
    assert look() == 0, "exactly 0.1 % is not above it"
    count(outbox, cast.maple, "yahoo", NOON, complaint=1)
    door.closed = True
    with pytest.raises(Exception, match="No engine"):
        look()
    door.closed = False
    assert [look(), look()] == [1, 0]
    assert door.taken[-1].envelope.recipients[0].address == "it@maple.test"
    assert b"more than 0.1 % did: 1" in door.taken[-1].body and b"yahoo" not in door.taken[-1].body
    count(outbox, cast.maple, "yahoo", NOON, complaint=1)
    at[0] += 3_600_000_000
    assert look() == 0, "told within a day"
    count(outbox, cast.maple, "yahoo", NOON, complaint=2)
    assert [look(), look()] == [1, 0], "now it is 0.3 %"
    assert b"0.3 % or more complained on a day: 1" in door.taken[-1].body
    at[0] += DAY
    assert look() == 0, "nobody has complained since"
    count(outbox, cast.maple, "yahoo", at[0], sent=900, complaint=2)
    count(outbox, cast.maple, "microsoft-consumer", at[0], sent=900, complaint=3)
    assert look() == 1
    assert len(door.taken) == 3, "nothing went to the other organisation"


def test_the_worst_day_stands_beside_the_rules_of_providers(cast: Any, outbox: Outbox, at: list[int]) -> None:
    count(outbox, cast.maple, "yahoo", NOON - 2 * DAY, sent=1_000, complaint=4)
    count(outbox, cast.maple, "yahoo", NOON, sent=20_000, complaint=4)
    found = reading.volumes(uuid.UUID(bytes=cast.maple))
    assert found is not None
    assert (found["yahoo"].worst, found["yahoo"].worst_day) == (0.004, "2026-11-19")
