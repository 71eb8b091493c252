"""The worker: how much it takes, and what becomes of a delivery when queue, office or disk say no."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from carepost.crypto.rest import Damaged
from carepost.delivery.schedule import Schedule
from carepost.delivery.worker import Worker
from carepost.directory.types import OrgSnapshot
from carepost.ground import ids
from carepost.ground.errors import Unavailable
from carepost.policy.types import Assurance, Rule
from carepost.proof import kinds
from carepost.queue.types import Claim, LeaseLost, Settlement
from carepost.wire.types import Actor
from tests.support.delivering import WILLOW, Delivering, side
from tests.support.mailhost import Ca, MailHost


@pytest.fixture
async def willow(ca: Ca) -> AsyncIterator[Delivering]:
    host = MailHost(ca.leaf("mx.there.test").context())
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as made:
        yield made


async def test_slots_are_counted_in_all_and_by_destination(willow: Delivering) -> None:
    worker = Worker(willow.queue, willow.world, most=3, per_destination=2)
    assert [worker.reserve(b"a"), worker.reserve(b"a"), worker.reserve(b"a")] == [True, True, False]
    assert [worker.reserve(b"b"), worker.reserve(b"b")] == [True, False]
    worker.cancel(b"a")
    assert worker.reserve(b"b")
    assert worker.held == 3


async def test_a_worker_that_stops_takes_nothing_more(willow: Delivering) -> None:
    await willow.worker.stop(1.0)
    assert not willow.worker.reserve(b"a")
    accepted = await willow.submit("jane.roe@there.test")
    assert (await willow.view(accepted)).state == "queued"


async def test_what_waits_in_the_queue_is_claimed_and_sent(ca: Ca) -> None:
    host = MailHost(ca.leaf("mx.there.test").context())
    async with Delivering({"mx.there.test": host}, side("there.test"), ca, worker=False) as willow:
        accepted = [await willow.submit("jane.roe@there.test") for _ in range(5)]
        assert not host.messages
        willow.worker.start()
        assert {(await willow.ended(one)).state for one in accepted} == {"sent"}


async def test_a_settlement_the_disk_did_not_take_is_tried_until_it_does(
    willow: Delivering, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the server answered is never forgotten, and the message is not sent again."""
    monkeypatch.setattr("carepost.delivery.worker.AGAIN", 0.01)
    real, failures = willow.queue.settle, [Unavailable("disk", "The disk is full.")] * 3

    async def settle(claim: Claim, settlement: Settlement) -> None:
        if failures:
            raise failures.pop()
        await real(claim, settlement)

    monkeypatch.setattr(willow.queue, "settle", settle)
    assert (await willow.ended(await willow.submit("jane.roe@there.test"))).state == "sent"
    assert not failures
    assert len(willow.hosts["mx.there.test"].messages) == 1


async def test_a_lost_lease_is_dropped(willow: Delivering, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = asyncio.Event()

    async def settle(claim: Claim, settlement: Settlement) -> None:
        lost.set()
        raise LeaseLost

    monkeypatch.setattr(willow.queue, "settle", settle)
    await willow.submit("jane.roe@there.test")
    await asyncio.wait_for(lost.wait(), 10)
    for _ in range(100):
        if not willow.worker.held:
            break
        await asyncio.sleep(0.01)
    assert willow.worker.held == 0


async def test_a_body_that_does_not_open_is_held_with_its_reason(ca: Ca, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law 12."""
    host = MailHost(ca.leaf("mx.there.test").context())
    async with Delivering({"mx.there.test": host}, side("there.test"), ca, worker=False) as willow:

        async def plain(claim: Claim) -> bytes:
            raise Damaged("a chunk of the body does not open in its place")

        monkeypatch.setattr(willow.queue, "plain", plain)
        accepted = await willow.submit("jane.roe@there.test")
        willow.worker.start()
        view = await willow.ended(accepted)
        assert (view.state, view.reason) == ("held", "cannot-be-opened")
        assert not host.bodies
        assert [event.cause for event in await willow.events(kinds.DELIVERY_HELD)] == ["cannot-be-opened"]


async def test_nothing_is_sealed_while_the_office_cannot_be_read(willow: Delivering) -> None:
    """DESIGN 2, directory: unreadable for 60 s, nothing is sealed."""

    class Away:
        def snapshot(self, org: bytes) -> OrgSnapshot:
            raise Unavailable("directory-stale", "The office database cannot be read; try again later.")

    willow.worker._world = msgspec.structs.replace(willow.world, directory=Away())
    accepted = await willow.submit("jane.roe@there.test")
    view = await willow.until(accepted, lambda view: view.state == "deferred")
    assert view.attempts == ()
    assert not willow.hosts["mx.there.test"].commands
    (event,) = await willow.events(kinds.DELIVERY_DEFERRED)
    assert event.cause == "directory-stale"


async def test_an_error_of_ours_is_said_without_its_text_and_tried_again(
    willow: Delivering, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No PHI in a log: the class and place of an exception, never its text."""

    def broken(*_: object, **__: object) -> None:
        raise KeyError("jane.roe@there.test")

    monkeypatch.setattr("carepost.delivery.methods.tls.Preparer.prepare", broken)
    accepted = await willow.submit("jane.roe@there.test")
    view = await willow.until(accepted, lambda view: view.state == "deferred")
    assert view.attempts == ()
    said = capsys.readouterr().err
    assert "attempt-broken" in said and "KeyError" in said
    assert "jane.roe" not in said


async def test_a_rule_that_changed_since_the_door_holds_at_the_attempt(ca: Ca) -> None:
    """Law 3: decided again for the act; the stricter of both plans, and the difference is an event."""
    host = MailHost(ca.leaf("mx.there.test").context())
    async with Delivering({"mx.there.test": host}, side("there.test"), ca, worker=False) as willow:
        accepted = await willow.submit("jane.roe@there.test")
        willow.change(rules=(Rule("strict", floor=Assurance.AUTHENTICATED),))
        willow.worker.start()
        view = await willow.ended(accepted)
        assert (view.state, view.attempts[0].required) == ("held", "AUTHENTICATED")
        assert not host.messages
        (changed,) = await willow.events(kinds.DELIVERY_PLAN_CHANGED)
        assert changed.facts["required"] == "AUTHENTICATED"


async def test_a_rule_that_was_relaxed_since_the_door_relaxes_nothing(ca: Ca) -> None:
    strict = Rule("strict", floor=Assurance.AUTHENTICATED)
    host = MailHost(ca.leaf("mx.there.test").context())
    async with Delivering({"mx.there.test": host}, side("there.test"), ca, worker=False, rules=(strict,)) as willow:
        accepted = await willow.submit("jane.roe@there.test")
        willow.change(rules=())
        willow.worker.start()
        view = await willow.ended(accepted)
        assert view.state == "held"
        assert not host.messages


async def test_a_person_who_retries_makes_it_due_at_once(ca: Ca) -> None:
    host = MailHost(ca.leaf("mx.there.test").context(), says={"RCPT": ["450 later", "250 ok"]})
    slow = Schedule(first=600.0, longest=600.0)
    async with Delivering({"mx.there.test": host}, side("there.test"), ca, schedule=slow) as willow:
        accepted = await willow.submit("jane.roe@there.test")
        view = await willow.deferred(accepted)
        await willow.queue.act("retry", WILLOW, (ids.parse(view.id),), Actor("staff", "ada"), "the mailbox was emptied")
        assert (await willow.ended(accepted)).state == "sent"
