"""The question of the front desk, and who looked: each look is on record, and strangers are told nothing."""

from typing import Any

import pytest

from carepost.archive.access import access_message
from carepost.archive.arrivals import asked
from carepost.archive.search import Wanted, search
from carepost.ground import ids
from carepost.ground.errors import NotFound, Refused
from carepost.proof import kinds
from tests.support.noon import DAY, NOON
from tests.support.outbox import Outbox, office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"])


def test_the_recipient_asked_about_and_no_other(cast: Any, outbox: Outbox, at: list[int]) -> None:
    one, (mine, other) = outbox.accepted(cast.maple, ("jane@patient.test", "joan@family.test"))
    outbox.sent(cast.maple, one, mine)
    outbox.failed(cast.maple, one, other)
    at[0] += DAY
    outbox.accepted(cast.maple, ("jane@patient.test",), origin="notice")
    outbox.accepted(cast.harbour, ("jane@patient.test",))
    outbox.commit()
    found = asked(cast.maple, cast.operator, "Jane@patient.test")
    (answer,) = found.answers
    assert (answer.message, answer.delivery, answer.state) == (ids.text(one), ids.text(mine), "sent")
    assert answer.said.headline.startswith("Yes, it reached their mail server: accepted by mx.patient.test on 21 Nov")
    assert not found.more
    assert [event.on for event in office_events(kinds.MESSAGE_VIEWED)] == [[ids.text(one)]]
    assert len(office_events(kinds.MESSAGE_SEARCHED)) == 1


def test_roughly_when(cast: Any, outbox: Outbox, at: list[int]) -> None:
    made = []
    for back in (30, 10, 0):
        at[0] = NOON - back * DAY
        made.append(ids.text(outbox.accepted(cast.maple, ("jane@patient.test",))[0]))
    at[0] = NOON + 60_000_000
    outbox.commit()

    def found(**when: int) -> list[str]:
        return [one.message for one in asked(cast.maple, cast.operator, "jane@patient.test", **when).answers]

    assert found() == made[::-1]
    assert found(around=NOON - 9 * DAY, days=3) == [made[1]]
    assert found(around=NOON - 20 * DAY, days=3) == []
    with pytest.raises(Refused):
        asked(cast.maple, cast.operator, "patient.test")


@pytest.mark.parametrize("who", ["sender", "stranger", "auditor"])
def test_who_may_not_read_is_told_nothing(cast: Any, outbox: Outbox, who: str) -> None:
    outbox.accepted(cast.maple, ("jane@patient.test",))
    outbox.commit()
    with pytest.raises(NotFound):
        asked(cast.maple, getattr(cast, who), "jane@patient.test")
    assert office_events(kinds.MESSAGE_SEARCHED) == office_events(kinds.MESSAGE_VIEWED) == []


def test_the_timeline_tells_who_looked_and_what_people_did(cast: Any, outbox: Outbox) -> None:
    one, (mine,) = outbox.accepted(cast.maple, ("jane@patient.test",))
    outbox.add(cast.maple, kinds.DELIVERY_HELD, [one, mine], facts={"state": "held"}, cause="asked-by-a-person")
    outbox.add(cast.maple, kinds.DELIVERY_RELEASED, [one, mine], facts={"state": "queued"}, cause="asked-by-a-person")
    outbox.sent(cast.maple, one, mine)
    outbox.commit()
    access_message(cast.maple, one, cast.operator)
    outbox.commit_office()
    view = access_message(cast.maple, one, cast.operator)
    assert [note.kind for note in view.deliveries[0].notes] == [kinds.DELIVERY_HELD, kinds.DELIVERY_RELEASED]
    assert [(look.kind, look.by) for look in view.looked] == [(kinds.MESSAGE_VIEWED, f"staff:{cast.operator.id}")]


def test_a_forwarded_copy_that_came_back_is_told(cast: Any, outbox: Outbox) -> None:
    """`forward.returned` names the delivery alone."""
    one, (mine,) = outbox.accepted(cast.maple, ("jane@patient.test",), forwarded=True)
    outbox.sent(cast.maple, one, mine)
    outbox.add(cast.maple, kinds.FORWARD_RETURNED, [mine], facts={"origin": "mx", "size": "10", "to": "forward"})
    outbox.commit()
    view = access_message(cast.maple, one, cast.operator)
    assert [note.kind for note in view.deliveries[0].notes] == [kinds.FORWARD_RETURNED]


def test_a_suppressed_address_is_a_state_of_its_own(cast: Any, outbox: Outbox) -> None:
    """In lists, search, the message and the answer; nothing was sent, so nothing failed."""
    one, (mine,) = outbox.accepted(cast.maple, ("jane@patient.test",))
    facts = {"state": "failed", "rule": "suppression-list"}
    outbox.add(cast.maple, kinds.DELIVERY_REFUSED, [one, mine], facts=facts, cause="suppressed", result="refused")
    outbox.commit()
    assert access_message(cast.maple, one, cast.operator).deliveries[0].state == "suppressed"
    assert [m.id for m in search(cast.maple, cast.operator, Wanted(state="suppressed")).messages] == [ids.text(one)]
    assert search(cast.maple, cast.operator, Wanted(state="failed")).messages == ()
    (answer,) = asked(cast.maple, cast.operator, "jane@patient.test").answers
    assert (answer.state, answer.said.verdict) == ("suppressed", "no")
