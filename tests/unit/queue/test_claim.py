"""Claiming and settling: under a lease or not at all, by turn, when due, never more than a destination may have."""

import asyncio
import os

import msgspec
import pytest

from carepost.ground import clock, ids
from carepost.proof import event, kinds
from carepost.queue.sealing import MessageSeal
from carepost.queue.types import LeaseLost, State
from tests.unit.queue import clinic
from tests.unit.queue.clinic import CLINIC, HARBOUR, House

pytestmark = pytest.mark.fast


async def test_a_claim_is_on_record_with_its_attempt_before_it_is_given(house: House) -> None:
    queue = await house.queue()
    new = clinic.message()
    await queue.accept(new)
    (claim,) = await queue.claim(10)
    assert (claim.delivery, claim.attempt, claim.alone) == (new.deliveries[0].id, 1, True)
    assert claim.record == new.deliveries[0].record
    assert await queue.message(claim) == new.record
    rows, _ = await queue.drain(2, 0)
    (attempted,) = [event.read(r.event) for r in rows]
    assert attempted.kind == kinds.DELIVERY_ATTEMPTED
    assert attempted.on == [ids.text(new.id), ids.text(claim.delivery)]
    assert attempted.facts == {"attempt": "1", "method": "tls", "required": "VERIFIED"}
    assert await queue.claim(10) == []


async def test_a_settled_delivery_is_what_it_was_settled_to(house: House) -> None:
    queue = await house.queue()
    new = clinic.message()
    await queue.accept(new)
    (claim,) = await queue.claim(1)
    await queue.settle(claim, clinic.settlement(claim, assurance="VERIFIED"))
    queue = await house.again()
    (delivery,) = (await queue.lookup(CLINIC, new.id)).deliveries
    assert (delivery.state, delivery.assurance, len(delivery.attempts)) == ("sent", "VERIFIED", 1)
    assert [event.read(r.event).kind for r in (await queue.drain(3, 0))[0]] == [kinds.DELIVERY_SENT]
    assert await queue.claim(10) == []


async def test_a_lease_settles_once(house: House) -> None:
    queue = await house.queue()
    await queue.accept(clinic.message())
    (claim,) = await queue.claim(1)
    outcomes = await asyncio.gather(
        *[queue.settle(claim, clinic.settlement(claim)) for _ in range(3)], return_exceptions=True
    )
    assert sum(isinstance(o, LeaseLost) for o in outcomes) == 2
    with pytest.raises(LeaseLost):
        await queue.settle(claim, clinic.settlement(claim))
    assert (await queue.drain(3, 0))[1] == 4, "one event, not three"


async def test_a_lease_that_is_not_the_rows_settles_nothing(house: House) -> None:
    queue = await house.queue()
    await queue.accept(clinic.message())
    (claim,) = await queue.claim(1)
    claim.lease = os.urandom(16)
    with pytest.raises(LeaseLost):
        await queue.settle(claim, clinic.settlement(claim))


async def test_a_deferred_delivery_is_claimed_when_it_is_due(house: House) -> None:
    queue = await house.queue()
    await queue.accept(clinic.message())
    (claim,) = await queue.claim(1)
    await queue.settle(claim, clinic.settlement(claim, State.DEFERRED, due_in_s=0.2))
    assert await queue.claim(1) == []
    began = clock.monotonic()
    (again,) = await queue.claim(1, wait_s=20)
    assert clock.monotonic() - began < 5
    assert again.attempt == 2
    assert len(again.record.attempts) == 1


async def test_the_plans_next_method_is_due_at_once(house: House) -> None:
    queue = await house.queue()
    await queue.accept(clinic.message())
    (claim,) = await queue.claim(1)
    await queue.settle(claim, clinic.settlement(claim, State.QUEUED, step=1))
    (again,) = await queue.claim(1)
    assert again.record.step == 1
    rows, _ = await queue.drain(4, 0)
    assert event.read(rows[0].event).facts["method"] == "portal"


async def test_a_scheduled_delivery_waits_for_its_time_also_across_a_restart(house: House) -> None:
    queue = await house.queue()
    await queue.accept(clinic.message(due_in_s=2.0))
    queue = await house.again()
    assert await queue.claim(1) == []
    assert len(await queue.claim(1, wait_s=20)) == 1


async def test_a_waiting_claim_wakes_for_what_is_accepted(house: House) -> None:
    queue = await house.queue()
    waiting = asyncio.ensure_future(queue.claim(5, wait_s=20))
    await asyncio.sleep(0.01)
    await queue.accept(clinic.message())
    assert len(await waiting) == 1


async def test_a_held_settlement_waits_for_a_person(house: House) -> None:
    queue = await house.queue()
    new = clinic.message()
    await queue.accept(new)
    (claim,) = await queue.claim(1)
    await queue.settle(claim, clinic.settlement(claim, State.HELD))
    queue = await house.again()
    assert await queue.claim(10) == []
    assert (await queue.lookup(CLINIC, new.id)).deliveries[0].state == "held"


# how many at once


async def test_a_destination_has_no_more_under_way_than_it_may(house: House) -> None:
    queue = await house.queue()
    await asyncio.gather(*[queue.accept(clinic.message("a@one.test")) for _ in range(9)])
    await asyncio.gather(*[queue.accept(clinic.message("b@two.test")) for _ in range(2)])
    claims = await queue.claim(100, per_destination=3)
    assert sorted(c.record.recipient.domain for c in claims) == ["one.test"] * 3 + ["two.test"] * 2
    assert await queue.claim(100, per_destination=3) == []
    first = next(c for c in claims if c.record.recipient.domain == "one.test")
    await queue.settle(first, clinic.settlement(first))
    (more,) = await queue.claim(100, per_destination=3, wait_s=5)
    assert more.record.recipient.domain == "one.test"


async def test_born_claimed_deliveries_count_for_their_destination(house: House) -> None:
    queue = await house.queue()
    queue.taker = clinic.Worker(slots=2)
    for _ in range(5):
        await queue.accept(clinic.message("a@one.test"))
    assert len(await queue.claim(100, per_destination=3)) == 1


async def test_every_delivery_of_a_large_backlog_is_claimed_once(house: House) -> None:
    queue = await house.queue()
    recipients = [f"p{i}@d{i % 40}.test" for i in range(300)]
    await queue.accept(clinic.message(*recipients))
    await queue.accept(clinic.message(*recipients, org=HARBOUR, stream="bulk"))
    queue = await house.again()
    seen: list[bytes] = []
    while claims := await queue.claim(37):
        seen += [c.delivery for c in claims]
        await asyncio.gather(*[queue.settle(claim, clinic.settlement(claim)) for claim in claims])
    assert len(seen) == len(set(seen)) == 600


# fairness


async def backlog(house: House, org: bytes, rows: int, stream: str = "bulk") -> None:
    """`rows` ready deliveries of one organisation, written as they would lie there, without the time it takes."""
    queue = await house.queue(start=False)
    new = clinic.message(org=org, stream=stream)
    await queue.accept(new)
    template = queue.shard.backend.delivery(new.deliveries[0].id)
    assert template is not None
    seal = MessageSeal(house.keys.book(), org, new.id)
    found = []
    for _ in range(rows):
        id_ = ids.new(0)
        found.append(msgspec.structs.replace(template, id=id_, record=seal.delivery(id_, new.deliveries[0].record)))
    house.lay(queue, found)
    await house.close()


async def test_a_large_backlog_of_one_organisation_does_not_delay_another(house: House) -> None:
    """DESIGN 2, queue: a million rows of one organisation delay another's message by at most a second."""
    await backlog(house, HARBOUR, 20_000)
    queue = await house.queue()
    assert await queue.claim(20)
    new = clinic.message("ann@urgent.test")
    await queue.accept(new)
    began = clock.monotonic()
    claims = await queue.claim(50, per_destination=1000)
    took = clock.monotonic() - began
    assert new.deliveries[0].id in [c.delivery for c in claims]
    assert took < 1.0
    assert len(claims) == 50, "and the other organisation goes on"


async def test_two_organisations_share_what_there_is(house: House) -> None:
    await backlog(house, HARBOUR, 500, "transactional")
    await backlog(house, CLINIC, 500, "transactional")
    queue = await house.queue()
    claims = await queue.claim(200, per_destination=10_000)
    mine = sum(c.org == CLINIC for c in claims)
    assert 80 <= mine <= 120


# what cannot be opened


async def test_a_damaged_record_is_held_and_the_others_go_on(house: House) -> None:
    """Law 12."""
    queue = await house.queue()
    damaged, sound = clinic.message(), clinic.message()
    await queue.accept(damaged)
    await queue.accept(sound)
    house.spoil(queue, damaged.deliveries[0].id)
    (claim,) = await queue.claim(10, wait_s=5)
    assert claim.delivery == sound.deliveries[0].id
    view = await queue.lookup(CLINIC, damaged.id)
    assert (view.deliveries[0].state, view.deliveries[0].reason) == ("held", "damaged")
    held = [event.read(r.event) for r in (await queue.drain(0, 0))[0]]
    assert (kinds.DELIVERY_HELD, "damaged") in [(e.kind, e.cause) for e in held]
    answer = await queue.act("release", CLINIC, (damaged.deliveries[0].id,), clinic.ADA, "try")
    assert set(answer.values()) == {"not-possible"}
    answer = await queue.act("retract", CLINIC, (damaged.deliveries[0].id,), clinic.ADA, "give it up")
    assert set(answer.values()) == {"failed"}


async def test_with_the_office_away_what_is_under_way_is_settled_and_the_rest_waits(house: House) -> None:
    queue = await house.queue()
    await queue.accept(clinic.message())
    (claim,) = await queue.claim(1)
    house.keys.away = True
    await queue.settle(claim, clinic.settlement(claim))
    house.keys.away = False
    await queue.accept(clinic.message())
    house.keys.away = True
    queue = await house.again()
    assert await queue.claim(10, wait_s=0.05) == []


async def test_rotated_keys_still_open_what_they_sealed(house: House) -> None:
    queue = await house.queue()
    old = clinic.message()
    await queue.accept(old)
    house.keys.rotate()
    queue = await house.again()
    new = clinic.message()
    await queue.accept(new)
    claims = await queue.claim(10)
    assert {await queue.plain(c) for c in claims} == {old.body, new.body}
