"""Acceptance: durable, sealed, one message for one key, repeats marked, born claimed where the worker has room."""

import asyncio
import hashlib
import os

import msgspec
import pytest

from carepost.ground import clock, ids
from carepost.ground.errors import NotFound, Refused, Unavailable
from carepost.proof import event, kinds
from carepost.queue.sealing import Opener
from carepost.queue.types import LeaseLost, State
from carepost.spool.limits import Limits
from carepost.wire.pacing import HeldBack
from tests.unit.queue import clinic
from tests.unit.queue.clinic import CANARY, CLINIC, HARBOUR, House

pytestmark = pytest.mark.fast


async def test_what_was_accepted_is_there_in_the_next_process(house: House) -> None:
    queue = await house.queue()
    new = clinic.message("jane.roe@verified.test", "john.doe@dane.test")
    accepted = await queue.accept(new)
    assert accepted.message_id == ids.text(new.id)
    assert [(d.recipient, d.state, d.method) for d in accepted.deliveries] == [
        ("jane.roe@verified.test", "queued", "tls"),
        ("john.doe@dane.test", "queued", "tls"),
    ]
    queue = await house.again()
    view = await queue.lookup(CLINIC, new.id)
    assert (view.subject, view.sender, view.size) == (new.record.subject, "nurse@clinic.test", len(new.body))
    assert [d.recipient for d in view.deliveries] == ["jane.roe@verified.test", "john.doe@dane.test"]
    claims = await queue.claim(10)
    assert [await queue.plain(claim) for claim in claims] == [new.body, new.body]


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 400_000])
async def test_bodies_of_every_size_come_back_whole(house: House, size: int) -> None:
    queue = await house.queue()
    body = b"From: nurse@clinic.test\r\n\r\n" + os.urandom(size)
    new = clinic.message(body=body)
    await queue.accept(new)
    queue = await house.again()
    (claim,) = await queue.claim(1)
    assert await queue.plain(claim) == body


async def test_nothing_personal_stands_in_any_file(house: House) -> None:
    """DESIGN law 9: bodies, subjects, addresses, metadata, client addresses, replies; small and large bodies."""
    queue = await house.queue()
    large = f"From: nurse@clinic.test\r\n\r\n{CANARY}\r\n".encode() * 4000
    await queue.accept(clinic.message("jane.roe@verified.test", key=clinic.key()))
    await queue.accept(clinic.message("john.doe@dane.test", body=large))
    first, second = await queue.claim(2)
    await queue.settle(first, clinic.settlement(first))
    await queue.settle(second, clinic.settlement(second, State.DEFERRED, due_in_s=900))
    await queue.act("hold", CLINIC, (second.delivery,), clinic.ADA, f"waiting for {CANARY}")
    for _ in range(2):
        files = house.files()
        for word in (*CANARY.split(), "jane.roe", "john.doe", "verified.test", "nurse@", "192.0.2.7"):
            assert word.encode() not in files, word
        await house.close()


async def test_events_are_sealed_and_open_with_the_keys(house: House) -> None:
    queue = await house.queue()
    await queue.accept(clinic.message("jane.roe@verified.test"))
    rows, head = await queue.drain(0, 0)
    assert [r.seq for r in rows] == [1, 2] and head == 2
    opener = Opener(house.keys.book())
    accepted, queued = rows
    assert event.read(accepted.event).kind == kinds.MESSAGE_ACCEPTED
    assert opener.personal(accepted)["client"][1] == f"client of {CANARY}".encode()
    salt, value = opener.personal(queued)["recipient"]
    assert (len(salt), value) == (16, b"jane.roe@verified.test")
    assert opener.event(queued).commit["recipient"] == hashlib.sha256(salt + value).hexdigest()


async def test_an_organisation_without_keys_is_not_accepted(house: House) -> None:
    queue = await house.queue()
    with pytest.raises(NotFound):
        await queue.accept(clinic.message(org=ids.new()))
    assert (await queue.drain(0, 0))[1] == 0
    assert house.budget.held == 0


async def test_with_the_office_away_and_no_key_seen_nothing_is_sealed(house: House) -> None:
    queue = await house.queue()
    house.keys.away = True
    with pytest.raises(Unavailable):
        await queue.accept(clinic.message())


# idempotency keys (BI-083)


async def test_bi_083_the_same_key_and_payload_is_the_same_message(house: House) -> None:
    queue = await house.queue()
    token = os.urandom(16)
    first = await queue.accept(clinic.message(key=clinic.key(token)))
    again = await queue.accept(clinic.message(key=clinic.key(token)))
    assert again == msgspec.structs.replace(first, repeated=True)
    queue = await house.again()
    assert (await queue.accept(clinic.message(key=clinic.key(token)))).message_id == first.message_id
    assert await queue.find_key(CLINIC, token, b"payload") == again
    assert len(await queue.claim(10)) == 1


async def test_bi_083_the_same_key_with_another_payload_is_refused(house: House) -> None:
    queue = await house.queue()
    token = os.urandom(16)
    await queue.accept(clinic.message(key=clinic.key(token)))
    with pytest.raises(Refused) as error:
        await queue.accept(clinic.message(key=clinic.key(token, b"another payload")))
    assert error.value.status == 422
    with pytest.raises(Refused):
        await queue.find_key(CLINIC, token, b"another payload")


async def test_bi_083_two_equal_keys_at_once_are_one_message(house: House) -> None:
    queue = await house.queue()
    token = os.urandom(16)
    answers = await asyncio.gather(*[queue.accept(clinic.message(key=clinic.key(token))) for _ in range(20)])
    assert len({a.message_id for a in answers}) == 1
    assert sorted(a.repeated for a in answers) == [False] + [True] * 19
    assert len(await queue.claim(50)) == 1
    assert house.budget.held == 0


# repeats (BI-023)


async def test_bi_023_a_resubmission_is_marked_also_by_the_next_process(house: House) -> None:
    queue = await house.queue()
    token = os.urandom(16)
    assert queue.repeated(token) is None
    new = clinic.message(repeat=token)
    await queue.accept(new)
    assert queue.repeated(token) == new.id
    # the table is lost with a power cut; the token in the message's row is not
    (house.folder.parent / "repeats").unlink()
    queue = await house.again()
    assert queue.repeated(token) == new.id
    marked = await queue.accept(clinic.message(repeat=token, repeats=queue.repeated(token)))
    assert marked.repeats == ids.text(new.id)
    assert not marked.repeated


# limits


async def test_bodies_in_memory_are_bounded_and_let_go(house: House) -> None:
    house.budget.limit = 250_000
    queue = await house.queue()
    body = b"From: nurse@clinic.test\r\n\r\n" + b"x" * 100_000
    results = await asyncio.gather(*[queue.accept(clinic.message(body=body)) for _ in range(3)], return_exceptions=True)
    refused = [r for r in results if isinstance(r, Unavailable)]
    assert len(refused) == 1 and refused[0].code == "bodies-full"
    assert house.budget.held == 0
    await queue.accept(clinic.message(body=body))


async def test_a_disk_nearly_full_closes_the_door_and_deliveries_go_on(house: House) -> None:
    queue = await house.queue()
    await queue.accept(clinic.message())
    await house.close()
    queue = await house.queue(limits=Limits(min_free=1 << 60))
    with pytest.raises(Unavailable) as error:
        await queue.accept(clinic.message())
    assert error.value.code == "disk-low"
    (claim,) = await queue.claim(1)
    await queue.settle(claim, clinic.settlement(claim))


# born claimed


async def test_a_delivery_due_now_is_born_claimed_when_the_worker_has_room(house: House) -> None:
    queue = await house.queue()
    worker = queue.taker = clinic.Worker(slots=2)
    new = clinic.message("jane.roe@verified.test", "john.doe@dane.test", "jo@third.test")
    accepted = await queue.accept(new)
    assert {d.state for d in accepted.deliveries} == {"queued"}
    assert [(c.delivery, c.attempt, body) for c, _, body in worker.given] == [
        (new.deliveries[0].id, 1, new.body),
        (new.deliveries[1].id, 1, new.body),
    ]
    view = await queue.lookup(CLINIC, new.id)
    assert [d.state for d in view.deliveries] == ["claimed", "claimed", "queued"]
    told = [event.read(r.event) for r in (await queue.drain(0, 0))[0]]
    begun = [e.on[1] for e in told if e.facts.get("attempt") == "1"]
    assert begun == [ids.text(d.id) for d in new.deliveries[:2]], "the attempt is on record before it begins"
    assert {e.kind for e in told} == {kinds.MESSAGE_ACCEPTED, kinds.DELIVERY_QUEUED}, "and needs no event of its own"
    (third,) = await queue.claim(10)
    assert third.delivery == new.deliveries[2].id
    for claim, _, _ in worker.given:
        assert house.budget.held == len(new.body)
        await queue.settle(claim, clinic.settlement(claim))
    assert house.budget.held == 0


async def test_what_is_held_scheduled_or_failed_is_not_born_claimed(house: House) -> None:
    queue = await house.queue()
    worker = queue.taker = clinic.Worker()
    await queue.accept(clinic.message(state=State.HELD))
    await queue.accept(clinic.message(state=State.FAILED))
    await queue.accept(clinic.message(due_in_s=60))
    assert worker.given == []
    assert worker.slots == 100
    assert await queue.claim(10) == []


async def test_a_new_delivery_goes_behind_those_of_its_flow_that_wait(house: House) -> None:
    queue = await house.queue()
    await queue.accept(clinic.message())
    worker = queue.taker = clinic.Worker()
    await queue.accept(clinic.message())
    await queue.accept(clinic.message("jo@elsewhere.test"))
    await queue.accept(clinic.message(org=HARBOUR))
    assert len(worker.given) == 2, "another destination and another organisation do not wait for the first"


async def test_a_failed_commit_gives_the_slot_back(house: House) -> None:
    queue = await house.queue()
    worker = queue.taker = clinic.Worker(slots=1)
    new = clinic.message()
    await queue.accept(new)
    claim, _, _ = worker.given.pop()
    await queue.settle(claim, clinic.settlement(claim))
    worker.slots = 1
    with pytest.raises(Unavailable):
        await queue.accept(new)  # the same ids again: cannot be stored
    assert worker.slots == 1
    assert house.budget.held == 0
    with pytest.raises(LeaseLost):
        await queue.settle(claim, clinic.settlement(claim))


async def test_who_gives_up_waiting_does_not_lose_the_worker_its_delivery(house: House) -> None:
    """BI-023: the connection is lost between the final dot and our 250."""
    queue = await house.queue()
    worker = queue.taker = clinic.Worker()
    task = asyncio.ensure_future(queue.accept(clinic.message()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await queue.accept(clinic.message("jo@elsewhere.test"))
    assert len(worker.given) == 2


async def test_figures_are_counted(house: House) -> None:
    queue = await house.queue()
    await queue.accept(clinic.message())
    await queue.accept(clinic.message(state=State.HELD))
    (claim,) = await queue.claim(1)
    figures = queue.stats()
    assert (figures["accepted"], figures["claimed"], figures["outbox"]) == (2, 1, 5)
    await queue.settle(claim, clinic.settlement(claim))
    assert (queue.stats()["claimed"], queue.stats()["sent"]) == (0, 1)
    queue = await house.again()
    assert (queue.stats()["held"], queue.stats()["queued"]) == (1, 0)


async def test_a_shard_that_another_may_have_or_a_full_disk_takes_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = await house.queue()
    assert queue.taking() and queue.stats()["cut_off"] == 0
    monkeypatch.setattr(queue.shard.backend, "valid_until", clock.monotonic() - 1, raising=False)
    assert not queue.taking() and queue.stats()["cut_off"] == 1
    monkeypatch.undo()
    queue = await house.again(limits=Limits(min_free=1 << 62))
    assert not queue.taking() and queue.stats()["cut_off"] == 0


async def test_what_is_held_is_counted_within_seconds(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("carepost.queue.queue.COUNT_EVERY", 0.02)
    queue = await house.queue()
    await queue.accept(clinic.message(state=State.HELD))
    async with asyncio.timeout(5):
        while queue.stats()["held"] != 1:
            await asyncio.sleep(0.01)


async def test_how_long_what_is_due_waits_is_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not how far the journal is behind: nothing here is, but for an event that waits all the time."""
    queue = await house.queue()
    await queue.accept(clinic.message(state=State.HELD))
    await queue.accept(clinic.message(due_in_s=3600))
    queue = await house.again()
    assert queue.stats()["oldest_s"] == 0, "what is held waits for somebody, what is scheduled for its time"
    later = clock.now() + 7_200_000_000
    monkeypatch.setattr(clock, "now", lambda: later)
    assert 3590 <= queue.stats()["oldest_s"] <= 3600


async def test_what_a_warm_up_keeps_back_is_not_late(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """An administrator decided that it waits; what a provider asked for is none of theirs and goes on to count."""
    queue = await house.queue()
    await queue.accept(clinic.message())
    held = [HeldBack("warm-up", "the warm-up")]
    queue.paced_by(lambda flow, destination: 0, lambda flow, destination: held[0])
    later = clock.now() + 7_200_000_000
    monkeypatch.setattr(clock, "now", lambda: later)
    await queue._desk.count()
    assert queue.stats()["queued"] == 1 and queue.stats()["oldest_s"] == 0
    assert queue._desk.late, "it is asked again, also while nothing changes"
    held[0] = HeldBack("rate", "a lower rate")
    await queue._desk.count()
    assert 7190 <= queue.stats()["oldest_s"] <= 7210
