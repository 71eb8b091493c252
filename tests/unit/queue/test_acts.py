"""What a person does with a waiting delivery: possible or not, on record with their words sealed, for their
organisation alone."""

import asyncio

import msgspec
import pytest

from carepost.ground import clock, ids
from carepost.ground.errors import NotFound, Refused
from carepost.proof import event, kinds
from carepost.queue.acts import Wish
from carepost.queue.sealing import Opener
from carepost.queue.types import NewMessage, State
from carepost.wire.types import Actor
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


@pytest.mark.parametrize("approvals", [0, 1], ids=["released", "approved"])
async def test_the_time_of_a_delivery_runs_from_its_release_not_from_acceptance(house: House, approvals: int) -> None:
    """What is held may wait longer for a person than a delivery is tried: it is not given up for that."""
    queue = await house.queue()
    new = waiting_for(approvals) if approvals else clinic.message(state=State.HELD)
    [held] = new.deliveries
    early = msgspec.structs.replace(held.record, first_due=1)
    await queue.accept(msgspec.structs.replace(new, deliveries=(msgspec.structs.replace(held, record=early),)))
    before = clock.now()
    await queue.act("release", CLINIC, (held.id,), ADA, "looked at it")
    (claim,) = await queue.claim(10)
    assert claim.record.first_due >= before


@pytest.mark.parametrize(
    ("changes", "goes"),
    [
        ({"reason": "key-changed"}, True),
        # somebody must look at it, whatever became of the key
        ({"reason": "key-changed", "approvals": 1}, False),
        ({"reason": "rule-holds"}, False),
    ],
    ids=["key", "approval", "rule"],
)
async def test_what_waited_for_a_key_is_tried_again_and_is_not_released(
    house: House, changes: dict[str, object], goes: bool
) -> None:
    queue = await house.queue()
    new = clinic.message(state=State.HELD)
    [one] = new.deliveries
    waiting = msgspec.structs.replace(one.record, held_until=clock.now() + 10**12, held_then="refuse", **changes)
    await queue.accept(msgspec.structs.replace(new, deliveries=(msgspec.structs.replace(one, record=waiting),)))
    said = await queue.act("retry", CLINIC, (one.id,), Actor("system", "journal"), "")
    assert said == {ids.text(one.id): "queued" if goes else "not-possible"}
    claims = await queue.claim(10)
    assert [(c.record.released, c.record.held_until, c.record.reason) for c in claims] == (
        [(False, 0, clinic.PLAN.reason)] if goes else []
    )


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


BOB, EVE = Actor("staff", "bob-1"), Actor("staff", "eve-1")


def waiting_for(approvals: int) -> NewMessage:
    new = clinic.message(state=State.HELD)
    (one,) = new.deliveries
    record = msgspec.structs.replace(one.record, plan=None, approvals=approvals, reason="approval-needed")
    return msgspec.structs.replace(new, deliveries=(msgspec.structs.replace(one, record=record),))


async def test_approval_is_anothers_and_each_persons_once(house: House) -> None:
    queue = await house.queue()
    new = waiting_for(2)
    await queue.accept(new)
    delivery = new.deliveries[0].id
    (name,) = (ids.text(delivery),)

    async def release(actor: Actor, *also: str) -> str:
        return (await queue.act("release", CLINIC, (delivery,), actor, "looked at it", also))[name]

    assert await release(clinic.NURSE) == "needs-another"  # no person
    assert await release(Actor("system", "command-line")) == "needs-another"
    assert await release(ADA, new.record.header_from.upper()) == "needs-another"  # the sender
    assert await release(ADA, "credential:nurse-1") == "needs-another"  # whose credential sent it
    assert await release(ADA, "someone.else@clinic.test") == "held"
    assert await release(ADA) == "needs-another"
    queue = await house.again()
    assert "1 of 2" in (await queue.lookup(CLINIC, new.id)).deliveries[0].words
    assert await queue.act("release", CLINIC, (delivery,), ADA, "again") == {name: "needs-another"}
    assert await queue.act("release", CLINIC, (delivery,), BOB, "fine") == {name: "queued"}
    (claim,) = await queue.claim(10)
    assert claim.record.approved == ("staff:ada-1", "staff:bob-1")
    assert not claim.record.released, "an approval releases from no other hold"
    drained, _ = await queue.drain(0, 0)
    said = [event.read(one.event) for one in drained]
    assert [one.kind for one in said][-3:] == [
        kinds.DELIVERY_APPROVED,
        kinds.DELIVERY_RELEASED,
        kinds.DELIVERY_ATTEMPTED,
    ]


async def test_an_approval_of_who_may_not_approve_any_more_does_not_count(house: House) -> None:
    queue = await house.queue()
    new = waiting_for(2)
    await queue.accept(new)
    delivery = new.deliveries[0].id
    name, of = ids.text(delivery), {one: f"staff:{one.id}" for one in (ADA, BOB, EVE)}

    async def release(actor: Actor, *entitled: Actor) -> str:
        wish = Wish(approvers=tuple(of[one] for one in entitled))
        return (await queue.act("release", CLINIC, (delivery,), actor, "looked at it", (), wish))[name]

    assert await release(ADA, ADA, BOB) == "held"
    # Ada has left meanwhile
    assert await release(BOB, BOB, EVE) == "held"
    said = (await queue.lookup(CLINIC, new.id)).deliveries[0].words
    assert "1 of 2" in said and "does not count" in said
    assert await release(EVE, BOB, EVE) == "queued"
    (claim,) = await queue.claim(10)
    assert claim.record.approved == (of[BOB], of[EVE])


async def test_one_approval_may_be_enough_and_taking_back_needs_none(house: House) -> None:
    queue = await house.queue()
    one, other = waiting_for(1), waiting_for(3)
    await queue.accept(one)
    await queue.accept(other)
    assert set((await queue.act("release", CLINIC, (one.deliveries[0].id,), EVE, "fine")).values()) == {"queued"}
    assert set((await queue.act("retract", CLINIC, (other.deliveries[0].id,), EVE, "no")).values()) == {"failed"}
