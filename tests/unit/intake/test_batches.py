"""Many at once: each answered for itself and in its place, few commits, and the loop goes on meanwhile."""

import asyncio
from collections.abc import Sequence

import pytest

from carepost.ground import ids
from carepost.ground.errors import NotFound, Refused, Unavailable
from carepost.intake import batches
from carepost.intake.stages import Begun
from carepost.wire.types import Accepted, Submission
from tests.unit.intake.office import CLINIC, Office, submission

pytestmark = pytest.mark.fast


async def test_each_is_answered_in_its_place_and_is_there(office: Office) -> None:
    asked = [submission(f"patient.{n}@unseen.test") for n in range(40)]
    taken = await office.intake().accept_many(asked)
    assert [one.deliveries[0].recipient for one in taken if isinstance(one, Accepted)] == [
        f"patient.{n}@unseen.test" for n in range(40)
    ]
    assert all(isinstance(one, Accepted) for one in taken)
    for one in taken:
        assert isinstance(one, Accepted)
        view = await office.queue.lookup(CLINIC, ids.parse(one.message_id))
        assert [d.state for d in view.deliveries] == ["queued"]


async def test_what_is_refused_spoils_no_other(office: Office) -> None:
    asked = [
        submission("a@unseen.test"),
        submission("b@unseen.test", body=b"From: nurse@elsewhere.test\r\n\r\nx\r\n"),
        submission("c@unseen.test", org=bytes(15) + b"\7"),
        submission("d@unseen.test"),
    ]
    first, foreign, nobody, last = await office.intake().accept_many(asked)
    assert isinstance(first, Accepted)
    assert isinstance(last, Accepted)
    assert isinstance(foreign, Refused)
    assert foreign.code == "sender-domain"
    assert isinstance(nobody, NotFound)


async def test_bi_083_two_of_one_key_in_one_batch_are_one_message(office: Office) -> None:
    asked = [submission("a@unseen.test", key="k"), submission("a@unseen.test", key="k"), submission("b@unseen.test")]
    first, again, other = await office.intake().accept_many(asked)
    assert isinstance(first, Accepted)
    assert isinstance(again, Accepted)
    assert isinstance(other, Accepted)
    assert again.message_id == first.message_id != other.message_id
    assert (first.repeated, again.repeated) == (False, True)


async def test_when_the_doors_are_closed_each_is_told(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def admit(size: int) -> None:
        raise Unavailable("disk-low", "The disk is nearly full.")

    monkeypatch.setattr(office.queue.shard, "admit", admit)
    taken = await office.intake().accept_many([submission(), submission("b@unseen.test")])
    assert [type(one) for one in taken] == [Unavailable, Unavailable]


async def test_a_fault_of_ours_about_one_is_that_ones_alone(office: Office) -> None:
    intake = office.intake()

    def begin_all(some: Sequence[Submission]) -> list[Begun]:
        return [RuntimeError("broken"), *intake.begin_all(some[1:])]

    asked = [submission("bad@unseen.test"), submission("good@unseen.test")]
    bad, good = await batches.accept(asked, begin_all, intake.accept)
    assert isinstance(bad, Unavailable)
    assert isinstance(good, Accepted)


async def test_what_must_be_waited_for_is_taken_by_the_other_door(office: Office) -> None:
    intake = office.intake()
    asked: list[Submission] = []

    async def otherwise(one: Submission) -> Accepted:
        asked.append(one)
        return await intake.accept(one)

    def begin_all(some: Sequence[Submission]) -> list[Begun]:
        return [None for _ in some]

    taken = await batches.accept([submission()], begin_all, otherwise)
    assert len(asked) == 1
    assert isinstance(taken[0], Accepted)
    assert await batches.accept([], begin_all, otherwise) == []


async def test_others_have_their_turn_while_a_batch_is_made_ready(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "SLICE", -1.0)
    turns = 0
    stop = False

    async def other() -> None:
        nonlocal turns
        while not stop:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.ensure_future(other())
    begun: list[Begun] = []
    parts = 0

    def begin_all(some: Sequence[Submission]) -> list[Begun]:
        nonlocal parts
        assert turns >= parts
        parts += 1
        made: list[Begun] = [Unavailable("x", "x") for _ in some]
        begun.extend(made)
        return made

    asked = [submission()] * (4 * batches.TOGETHER + 1)
    assert await batches.accept(asked, begin_all, office.intake().accept) == begun
    assert parts == 5
    stop = True
    await task
