"""A shard out of a backup sends nothing by itself of what waited in it."""

import pytest

from carepost.policy.types import Method
from carepost.proof import event, kinds
from carepost.queue import restored
from carepost.queue.types import State
from tests.unit.queue import clinic
from tests.unit.queue.clinic import ADA, CLINIC, HARBOUR, House

pytestmark = pytest.mark.fast
AT = 1_795_000_000_000_000


async def test_what_was_ready_waiting_or_under_way_is_held_with_the_reason(house: House) -> None:
    queue = await house.queue()
    under_way = clinic.message("ann@verified.test")
    await queue.accept(under_way)
    await queue.claim(1)
    others = [clinic.message("bea@full.test"), clinic.message("cy@slow.test", due_in_s=3600)]
    for one in others:
        await queue.accept(one)
    queue = await house.again(start=False)
    held = await restored.hold_all(queue.shard, house.keys.book(), AT)
    assert held == {CLINIC: 3}
    await queue.start()
    assert await queue.claim(10, wait_s=0) == []
    for one in (under_way, *others):
        [view] = (await queue.lookup(CLINIC, one.id)).deliveries
        assert (view.state, view.reason) == ("held", "restored")
        assert "2026-11-18 11:06 UTC" in view.words and "may then arrive a second time" in view.words
    told = [event.read(row.event) for row in (await queue.drain(0, 0))[0]]
    assert [(e.kind, e.cause) for e in told if e.cause == "restored"] == [(kinds.DELIVERY_HELD, "restored")] * 3
    assert [e.kind for e in told].count(kinds.DELIVERY_UNCERTAIN) == 1


async def test_one_that_was_under_way_is_bound_to_its_method_when_it_is_released(house: House) -> None:
    """Law 6."""
    queue = await house.queue()
    one = clinic.message("ann@verified.test")
    await queue.accept(one)
    await queue.claim(1)
    queue = await house.again(start=False)
    await restored.hold_all(queue.shard, house.keys.book(), AT)
    await queue.start()
    states = await queue.act("release", CLINIC, (one.deliveries[0].id,), ADA, "the sender was asked")
    assert list(states.values()) == ["queued"]
    [claim] = await queue.claim(1, wait_s=5)
    assert claim.record.bound_to is Method.TLS and claim.record.released


async def test_what_is_final_or_held_already_stays_as_it_is(house: House) -> None:
    queue = await house.queue()
    sent, waits = clinic.message("ann@verified.test"), clinic.message("bea@plain.test", state=State.HELD)
    await queue.accept(sent)
    [claim] = await queue.claim(1)
    await queue.settle(claim, clinic.settlement(claim))
    await queue.accept(waits)
    queue = await house.again(start=False)
    assert await restored.hold_all(queue.shard, house.keys.book(), AT) == {}


async def test_an_organisation_whose_keys_are_gone_sends_nothing_either(house: House) -> None:
    queue = await house.queue()
    one = clinic.message("ann@verified.test", org=HARBOUR)
    await queue.accept(one)
    for place in [place for place in house.keys.wrapped if place[0] == HARBOUR]:
        del house.keys.wrapped[place]
    queue = await house.again(start=False)
    assert await restored.hold_all(queue.shard, house.keys.book(), AT) == {HARBOUR: 1}
    assert queue.shard.backend.standing(10) == []
    row = queue.shard.backend.delivery(one.deliveries[0].id)
    assert row is not None and row.state == "held"
