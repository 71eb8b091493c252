"""Law 6: what a process that died had claimed is taken up; uncertain only what may have passed its final dot."""

import asyncio

import pytest

from carepost.ground import ids
from carepost.ground.errors import Unavailable
from carepost.policy.types import Method
from carepost.proof import event, kinds
from carepost.queue.queue import Queue
from carepost.queue.types import Claim, LeaseLost, State
from carepost.spool.dots import Dots
from tests.unit.queue import clinic
from tests.unit.queue.clinic import CLINIC, House

pytestmark = pytest.mark.fast


async def claimed(queue: Queue, **changes: object) -> Claim:
    await queue.accept(clinic.message(**changes))  # type: ignore[arg-type]
    (claim,) = await queue.claim(1, per_destination=100)
    return claim


async def last_event(queue: Queue) -> event.Event:
    rows, _ = await queue.drain(0, 0)
    return event.read(rows[-1].event)


async def test_an_attempt_that_died_before_its_dot_is_made_again(house: House) -> None:
    queue = await house.queue()
    before = await claimed(queue)
    queue = await house.again()
    made = await last_event(queue)
    assert (made.kind, made.result, made.cause) == (kinds.DELIVERY_DEFERRED, "deferred", "process-ended")
    (again,) = await queue.claim(1, wait_s=5)
    assert (again.delivery, again.attempt) == (before.delivery, 2)
    assert again.record.bound_to is None
    assert [(v.result, v.uncertain) for v in again.record.attempts] == [("interrupted", False)]


async def test_an_attempt_that_died_after_its_dot_is_uncertain_and_bound_to_its_method(house: House) -> None:
    queue = await house.queue()
    before = await claimed(queue)
    queue.mark_dot(before)
    queue = await house.again()
    made = await last_event(queue)
    assert (made.kind, made.result) == (kinds.DELIVERY_UNCERTAIN, "uncertain")
    assert made.on == [ids.text(before.message), ids.text(before.delivery)]
    (again,) = await queue.claim(1, wait_s=5)
    assert again.record.bound_to is Method.TLS
    assert again.record.attempts[-1].uncertain
    (view,) = (await queue.lookup(CLINIC, before.message)).deliveries
    assert view.reason == "uncertain"


async def test_a_settled_attempt_is_not_taken_up(house: House) -> None:
    queue = await house.queue()
    claim = await claimed(queue)
    queue.mark_dot(claim)
    await queue.settle(claim, clinic.settlement(claim))
    queue = await house.again()
    assert (await last_event(queue)).kind == kinds.DELIVERY_SENT
    assert await queue.claim(1) == []


async def test_after_a_power_cut_every_claimed_attempt_is_uncertain(house: House) -> None:
    """What the kernel kept for us is gone: nobody can say that the dot was not written."""
    queue = await house.queue()
    await claimed(queue)
    await house.close()
    other = Dots(house.folder / "dots", b"the boot before this one")
    other.trust()
    other.close()
    queue = await house.queue()
    (again,) = await queue.claim(1, wait_s=5)
    assert again.record.bound_to is Method.TLS
    queue = await house.again()
    (third,) = await queue.claim(1, wait_s=5)
    assert [v.result for v in third.record.attempts] == ["uncertain", "interrupted"], "now it is known again"


async def test_a_deposit_is_never_uncertain(house: House) -> None:
    queue = await house.queue()
    claim = await claimed(queue)
    await queue.settle(claim, clinic.settlement(claim, State.QUEUED, step=1))
    (deposit,) = await queue.claim(1)
    queue.mark_dot(deposit)
    queue = await house.again()
    (again,) = await queue.claim(1, wait_s=5)
    assert again.record.bound_to is None


async def test_an_uncertain_attempt_stays_bound_when_a_later_one_dies_early(house: House) -> None:
    queue = await house.queue()
    first = await claimed(queue)
    queue.mark_dot(first)
    queue = await house.again()
    (second,) = await queue.claim(1, wait_s=5)
    assert second.attempt == 2
    queue = await house.again()
    (third,) = await queue.claim(1, wait_s=5)
    assert third.record.bound_to is Method.TLS
    assert [v.uncertain for v in third.record.attempts] == [True, False]


async def test_a_lease_that_runs_out_is_taken_up_and_its_worker_is_told(house: House) -> None:
    queue = await house.queue(lease_s=0.05)
    claim = await claimed(queue)
    await asyncio.sleep(0.06)
    while await queue._abandoned.sweep(claim.lease_until):
        pass
    with pytest.raises(LeaseLost):
        await queue.settle(claim, clinic.settlement(claim))
    (again,) = await queue.claim(1, wait_s=5)
    assert (again.delivery, again.attempt, again.record.bound_to) == (claim.delivery, 2, None)


async def test_hundreds_of_claims_of_a_dead_process_are_all_taken_up(house: House) -> None:
    queue = await house.queue()
    queue.taker = clinic.Worker(slots=250)
    await queue.accept(clinic.message(*[f"p{i}@d{i}.test" for i in range(250)]))
    queue = await house.again()
    claims = await queue.claim(1000)
    assert len(claims) == 250
    assert {c.attempt for c in claims} == {2}


async def test_with_the_office_away_a_dead_processs_claims_wait_and_stay_judged_as_they_were(house: House) -> None:
    queue = await house.queue()
    before, past = await claimed(queue), await claimed(queue)
    queue.mark_dot(past)
    house.keys.away = True
    queue = await house.again()
    assert await queue.claim(10) == []
    # and it dies again before the office is back
    queue = await house.again()
    house.keys.away = False
    while await queue._abandoned.sweep(0):
        pass
    claims = {c.delivery: c for c in await queue.claim(10)}
    assert claims[before.delivery].record.bound_to is None
    assert claims[past.delivery].record.bound_to is Method.TLS


async def test_a_group_of_unknown_fate_is_found_out_later(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commit landed, the store could not be read again: told as Unavailable. When it can, what it claimed is
    taken up and what it made ready has its turn."""
    monkeypatch.setattr("carepost.queue.queue.AGAIN_S", 0.01)
    queue = await house.queue()
    queue.taker = clinic.Worker(slots=1)
    backend = queue.shard.backend
    real = backend._open_writer  # type: ignore[attr-defined]

    class After:
        def at(self, point: str) -> None:
            if point == "commit.after":
                backend._faults = None  # type: ignore[attr-defined]
                backend._open_writer = broken  # type: ignore[attr-defined]
                raise OSError(5, "Input/output error")

    def broken() -> None:
        raise OSError(5, "Input/output error")

    backend._faults = After()  # type: ignore[attr-defined]
    new = clinic.message("a@one.test", "b@two.test")
    with pytest.raises(Unavailable):
        await queue.accept(new)
    queue.taker = None
    monkeypatch.setattr(backend, "_open_writer", real)
    assert queue._doubt is not None
    await queue._doubt
    claims = await queue.claim(10, wait_s=5)
    assert {c.delivery for c in claims} == {d.id for d in new.deliveries}
