"""BI-015: whoever tries to send as somebody else is in the organisation's log; a flood is counted there."""

import asyncio

import pytest

from carepost.ground.errors import Refused
from carepost.intake.accept import Intake
from carepost.intake.orgkeys import DirectoryKeys
from carepost.intake.refusals import SINGLY, Refusals, RefusedSender
from carepost.proof import event, kinds
from carepost.proof.event import Event
from carepost.queue.sealing import Opener
from carepost.wire.types import Actor, Origin, Submission
from tests.unit.intake import office as cast
from tests.unit.intake.office import CLINIC, HARBOUR, Office, submission

THIEF = Actor("credential", "c1")


async def refused(intake: Intake, asked: Submission) -> None:
    with pytest.raises(Refused) as error:
        await intake.accept(asked)
    assert (error.value.code, error.value.enhanced) == ("sender-domain", "5.7.1")


async def told(office: Office) -> list[Event]:
    return [event.read(row.event) for row in (await office.queue.drain(0, 0))[0]]


@pytest.mark.parametrize(
    ("asked", "cause", "sender"),
    [
        (submission(sender="boss@harbour.test"), "not-our-domain", b"boss@harbour.test"),
        (submission(body=cast.sent_from("boss@harbour.test")), "not-our-domain", b"boss@harbour.test"),
        (submission(body=cast.sent_from("x@nobody.test"), origin=Origin.API, actor=Actor("key", "k1")),
         "not-our-domain", b"x@nobody.test"),
        (submission(domains=("wards.clinic.test",)), "not-this-credential", b"nurse@clinic.test"),
    ],
)  # fmt: skip
async def test_bi_015_a_refused_sender_is_an_event_of_the_submitters_organisation(
    office: Office, asked: Submission, cause: str, sender: bytes
) -> None:
    intake = office.intake()
    await refused(intake, asked)
    await intake.close()
    (row,) = (await office.queue.drain(0, 0))[0]
    one = event.read(row.event)
    assert (row.org, one.kind, one.result, one.cause) == (CLINIC, kinds.SENDER_REFUSED, "refused", cause)
    assert (one.actor.kind, one.actor.id, one.on) == (asked.actor.kind, asked.actor.id, [asked.actor.id])
    assert one.facts == {"origin": asked.origin.value} and kinds.info(one.kind).level == kinds.STAFF
    opened = Opener(DirectoryKeys(office.directory, office.purposes)).personal(row)
    assert {name: value for name, (_, value) in opened.items()} == {"sender": sender, "client": b"192.0.2.9"}
    assert sender not in row.event, "an address stands sealed beside the event, never in it"


async def test_a_flood_is_counted_and_every_refusal_is_in_the_log(office: Office) -> None:
    intake = office.intake()
    for number in range(SINGLY + 500):
        await refused(intake, submission(sender=f"boss-{number}@harbour.test"))
    other = submission(org=HARBOUR, body=cast.sent_from("a@clinic.test"), actor=Actor("credential", "c2"))
    await refused(intake, other)
    await intake.close()
    found = await told(office)
    clinic = [one for one in found if one.actor.id == "c1"]
    assert [one.facts.get("times", "1") for one in clinic] == ["1"] * SINGLY + ["500"]
    assert [one.org for one in found if one.actor.id == "c2"] == [event_org(HARBOUR)], "nobody's flood hides another's"


def event_org(org: bytes) -> str:
    text = org.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


async def test_the_count_is_written_when_its_window_ends_and_the_next_one_begins_anew(office: Office) -> None:
    refusals = Refusals(lambda: office.queue, window=0.05)
    for _ in range(SINGLY + 2):
        refusals.tell(RefusedSender(CLINIC, THIEF, Origin.SMTP, "boss@harbour.test", "not-our-domain"))
    deadline = asyncio.get_running_loop().time() + 10
    found: list[Event] = []
    while len(found) <= SINGLY:
        assert asyncio.get_running_loop().time() < deadline
        rows, _ = await office.queue.drain(0, 0, wait_s=1.0)
        found = [event.read(row.event) for row in rows]
        await asyncio.sleep(0)
    assert found[-1].facts == {"origin": "smtp", "times": "2"}
    refusals.tell(RefusedSender(CLINIC, THIEF, Origin.SMTP, "boss@harbour.test", "not-our-domain"))
    await refusals.close()
    assert len(await told(office)) == SINGLY + 2


async def test_a_refusal_that_cannot_be_written_is_still_a_refusal(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    intake = office.intake()
    office.shard._watch._limits = type(office.shard._watch._limits)(min_free=1 << 60)
    await refused(intake, submission(sender="boss@harbour.test"))
    await intake.close()
    assert await told(office) == []
    said = capsys.readouterr().err
    assert "sender-refused-unwritten" in said and "harbour" not in said


async def test_a_preview_is_no_attempt(office: Office) -> None:
    intake = office.intake()
    with pytest.raises(Refused):
        await intake.preview(submission(sender="boss@harbour.test"))
    await intake.close()
    assert await told(office) == []
