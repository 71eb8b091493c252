"""What a person does with a waiting delivery: possible or not, on record with their words sealed, for their
organisation alone."""

import asyncio

import pytest

from carepost.ground import ids
from carepost.ground.errors import NotFound, Refused
from carepost.proof import kinds
from carepost.queue.sealing import Opener
from carepost.queue.types import State
from tests.unit.queue import clinic
from tests.unit.queue.clinic import ADA, CANARY, CLINIC, HARBOUR, House

pytestmark = pytest.mark.fast

VERBS = {
    ("hold", "queued"): "held",
    ("hold", "deferred"): "held",
    ("release", "held"): "queued",
    ("retry", "queued"): "queued",
    ("retry", "deferred"): "queued",
    ("retract", "queued"): "failed",
    ("retract", "deferred"): "failed",
    ("retract", "held"): "failed",
}


@pytest.mark.parametrize("verb", ["hold", "release", "retry", "retract"])
@pytest.mark.parametrize("state", ["queued", "deferred", "held", "claimed", "sent", "failed", "deposited"])
async def test_every_verb_in_every_state(house: House, verb: str, state: str) -> None:
    queue = await house.queue()
    new = clinic.message(state=State.HELD if state == "held" else State.QUEUED)
    await queue.accept(new)
    if state not in ("queued", "held"):
        (claim,) = await queue.claim(1)
        if state != "claimed":
            await queue.settle(claim, clinic.settlement(claim, State(state), due_in_s=900))
    delivery = new.deliveries[0].id
    expected = VERBS.get((verb, state), "not-possible")
    assert await queue.act(verb, CLINIC, (delivery,), ADA, "a reason") == {ids.text(delivery): expected}
    after = state if expected == "not-possible" else expected
    assert (await queue.lookup(CLINIC, new.id)).deliveries[0].state == after


@pytest.mark.parametrize(
    ("verb", "kind", "state"),
    [
        ("hold", kinds.DELIVERY_HELD, State.QUEUED),
        ("release", kinds.DELIVERY_RELEASED, State.HELD),
        ("retry", kinds.DELIVERY_RETRIED, State.QUEUED),
        ("retract", kinds.DELIVERY_RETRACTED, State.QUEUED),
    ],
)
async def test_an_act_is_an_event_with_the_person_and_their_words_sealed(
    house: House, verb: str, kind: str, state: State
) -> None:
    queue = await house.queue()
    new = clinic.message(state=state)
    await queue.accept(new)
    await queue.act(verb, CLINIC, (new.deliveries[0].id,), ADA, f"because of {CANARY}")
    rows, _ = await queue.drain(2, 0)
    opener = Opener(house.keys.book())
    made = opener.event(rows[0])
    assert (made.kind, made.actor.kind, made.actor.id) == (kind, "staff", ADA.id)
    assert made.on == [ids.text(new.id), ids.text(new.deliveries[0].id)]
    assert CANARY.encode() not in rows[0].event
    assert opener.personal(rows[0])["reason"][1] == f"because of {CANARY}".encode()


async def test_another_organisations_delivery_and_an_absent_one_are_the_same(house: House) -> None:
    queue = await house.queue()
    new = clinic.message()
    await queue.accept(new)
    absent = ids.new(0)
    for org, delivery in ((HARBOUR, new.deliveries[0].id), (CLINIC, absent)):
        assert await queue.act("hold", org, (delivery,), ADA, "") == {ids.text(delivery): "not-found"}
    with pytest.raises(NotFound):
        await queue.lookup(HARBOUR, new.id)
    with pytest.raises(NotFound):
        await queue.lookup(CLINIC, absent)
    with pytest.raises(NotFound):
        await queue.body(HARBOUR, new.id)
    assert await queue.listing(HARBOUR) == ()
    assert (await queue.drain(0, 0))[1] == 2, "no event"


async def test_an_unknown_verb_is_refused(house: House) -> None:
    queue = await house.queue()
    new = clinic.message()
    await queue.accept(new)
    with pytest.raises(Refused):
        await queue.act("destroy", CLINIC, (new.deliveries[0].id,), ADA, "")


async def test_a_held_delivery_stays_and_a_released_one_goes_and_says_that_it_was(house: House) -> None:
    queue = await house.queue()
    new = clinic.message()
    await queue.accept(new)
    delivery = new.deliveries[0].id
    await queue.act("hold", CLINIC, (delivery,), ADA, "")
    assert await queue.claim(10) == []
    queue = await house.again()
    assert (await queue.lookup(CLINIC, new.id)).deliveries[0].reason == "held-by-person"
    await queue.act("release", CLINIC, (delivery,), ADA, "")
    (claim,) = await queue.claim(10)
    assert claim.record.released
    assert claim.record.reason == clinic.PLAN.reason


async def test_retry_makes_a_deferred_delivery_due_at_once(house: House) -> None:
    queue = await house.queue()
    new = clinic.message()
    await queue.accept(new)
    (claim,) = await queue.claim(1)
    await queue.settle(claim, clinic.settlement(claim, State.DEFERRED, due_in_s=3600))
    waiting = asyncio.ensure_future(queue.claim(1, wait_s=20))
    await asyncio.sleep(0.01)
    await queue.act("retry", CLINIC, (claim.delivery,), ADA, "their server is back")
    (again,) = await waiting
    assert again.attempt == 2


async def test_acting_and_claiming_at_once_one_of_them_wins(house: House) -> None:
    queue = await house.queue()
    for _ in range(20):
        new = clinic.message()
        await queue.accept(new)
        delivery = new.deliveries[0].id
        acted, claims = await asyncio.gather(
            queue.act("retract", CLINIC, (delivery,), ADA, ""), queue.claim(1, per_destination=1000)
        )
        state = (await queue.lookup(CLINIC, new.id)).deliveries[0].state
        if claims:
            assert (acted[ids.text(delivery)], state) == ("not-possible", "claimed")
        else:
            assert (acted[ids.text(delivery)], state) == ("failed", "failed")


async def test_what_waits_is_listed_newest_first(house: House) -> None:
    queue = await house.queue()
    held, queued = clinic.message(state=State.HELD), clinic.message("a@one.test", "b@two.test")
    other = clinic.message(org=HARBOUR, state=State.HELD)
    for new in (held, queued, other):
        await queue.accept(new)
    sent = clinic.message("z@sent.test")
    queue.taker = clinic.Worker()
    await queue.accept(sent)
    views = await queue.listing(CLINIC)
    assert {v.id for v in views} == {ids.text(held.id), ids.text(queued.id)}
    assert sorted(len(v.deliveries) for v in views) == [1, 2]
    assert [v.id for v in await queue.listing(CLINIC, "held")] == [ids.text(held.id)]
    assert len(await queue.listing(b"", "held")) == 2
    assert len(await queue.listing(CLINIC, "", 1)) == 1
