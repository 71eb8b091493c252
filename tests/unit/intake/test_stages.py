"""What goes through the door stage by stage: each in its place, refused alone, decided as it would be by itself."""

import asyncio
from collections.abc import Sequence

import pytest

from carepost.ground import ids
from carepost.ground.errors import NotFound, Refused, Unavailable
from carepost.intake import stages
from carepost.queue.types import NewMessage
from carepost.spool.types import Group, Unit
from carepost.wire.types import Accepted, Origin
from tests.unit.intake.office import CLINIC, Office, submission

pytestmark = pytest.mark.fast


async def test_each_is_answered_in_its_place_and_they_share_a_commit(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups: list[int] = []
    commit = office.queue.shard.backend.commit

    def counted(units: Sequence[Unit]) -> Group:
        groups.append(len(units))
        return commit(units)

    monkeypatch.setattr(office.queue.shard.backend, "commit", counted)
    asked = [submission(f"patient.{n}@unseen.test") for n in range(2 * stages.MOST + 3)]
    begun = office.intake().begin_all(asked)
    taken = [await one for one in begun if isinstance(one, asyncio.Future)]
    assert [one.deliveries[0].recipient for one in taken] == [f"patient.{n}@unseen.test" for n in range(len(asked))]
    assert groups == [len(asked)]
    for one in taken:
        assert (await office.queue.lookup(CLINIC, ids.parse(one.message_id))).deliveries[0].state == "queued"


async def test_each_fails_alone_whatever_the_stage(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    submit = office.queue.submit

    def no_room(new: NewMessage) -> "asyncio.Future[Accepted]":
        if new.deliveries[0].record.recipient.address == "full@unseen.test":
            raise Unavailable("bodies-full", "Too much at once.")
        if new.deliveries[0].record.recipient.address == "broken@unseen.test":
            raise ZeroDivisionError
        return submit(new)

    monkeypatch.setattr(office.queue, "submit", no_room)
    first, foreign, nobody, full, broken, last = office.intake().begin_all(
        [
            submission("a@unseen.test"),
            submission("b@unseen.test", body=b"From: nurse@elsewhere.test\r\n\r\nx\r\n"),
            submission("c@unseen.test", org=bytes(15) + b"\7"),
            submission("full@unseen.test"),
            submission("broken@unseen.test"),
            submission("d@unseen.test"),
        ]
    )
    assert isinstance(foreign, Refused)
    assert foreign.code == "sender-domain"
    assert isinstance(nobody, NotFound)
    assert isinstance(full, Unavailable)
    assert isinstance(broken, ZeroDivisionError)
    for one, address in ((first, "a@unseen.test"), (last, "d@unseen.test")):
        assert isinstance(one, asyncio.Future)
        assert (await one).deliveries[0].recipient == address


async def test_what_has_to_wait_for_more_than_its_commit_is_left_to_accept(office: Office) -> None:
    other, check, plain = office.intake().begin_all(
        [
            submission("a@unseen.test", origin=Origin.MX),
            submission("protection-check@clinic.test", origin=Origin.SMTP),
            submission("b@unseen.test"),
        ]
    )
    assert other is None
    assert check is None
    assert isinstance(plain, asyncio.Future)
    await plain


async def test_bi_083_two_of_one_key_in_one_turn_are_one_message(office: Office) -> None:
    asked = [submission("a@unseen.test", key="k"), submission("a@unseen.test", key="k")]
    first, again = [await one for one in office.intake().begin_all(asked) if isinstance(one, asyncio.Future)]
    assert first.message_id == again.message_id
    assert (first.repeated, again.repeated) == (False, True)
