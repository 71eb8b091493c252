"""A worker that dies, hangs, or takes all it can: the message is unknown, the engine goes on, the next one is read.

At a whole engine's delivery: the copy waits for the look, nothing of it leaves unlooked, and the queue goes on."""

import asyncio
import os
import signal

import pytest

from carepost.inspection.inspector import Inspector
from carepost.inspection.pool import Limits, Pool
from carepost.inspection.process import Start
from carepost.inspection.types import Report, Unknown
from carepost.policy.types import Level, Rule
from carepost.proof import kinds
from carepost.wire.types import Accepted
from tests.support import papers
from tests.support.delivering import SENDER, Delivering, body, side
from tests.support.mailhost import Ca, MailHost
from tests.support.waiting import gone

PLAIN = papers.mail("The car park is closed on Monday.")
#: some seconds of elements without a word
EMPTY = papers.docx(**{"word/document.xml": f"<w:document {papers.W}>{'<w:x/>' * 800_000}</w:document>"})
LONG = papers.mail("", *((f"{n}.docx", EMPTY) for n in range(20)))
NO_OCR = Start(ocr=False)


def known(answer: Report | Unknown) -> Report:
    assert isinstance(answer, Report), answer
    return answer


async def struck(pool: Pool, message: bytes, number: signal.Signals) -> Report | Unknown:
    """`message` is with a worker when the signal reaches it."""
    asked = asyncio.ensure_future(pool.inspect(message))
    while not pool._busy:
        await asyncio.sleep(0.005)
    await asyncio.sleep(0.1)
    assert not asked.done()
    os.kill(pool.pids[0], number)
    return await asked


async def test_a_worker_killed_in_the_middle_is_unknown_and_the_next_message_is_read() -> None:
    pool = Pool(Limits(workers=1), NO_OCR)
    try:
        known(await pool.inspect(PLAIN))
        assert await struck(pool, LONG, signal.SIGKILL) == Unknown("worker-died")
        known(await pool.inspect(PLAIN))
        assert pool.started == 2
    finally:
        await pool.close()


async def test_a_worker_that_hangs_is_killed_at_its_time() -> None:
    pool = Pool(Limits(workers=1, seconds=0.5), NO_OCR)
    try:
        known(await pool.inspect(PLAIN))
        pid = pool.pids[0]
        os.kill(pid, signal.SIGSTOP)
        assert await pool.inspect(PLAIN) == Unknown("too-slow")
        assert gone(pid, 5)
        known(await pool.inspect(PLAIN))
        assert pool.started == 2
    finally:
        await pool.close()


async def test_a_worker_out_of_memory_is_answered_and_others_go_on() -> None:
    pool = Pool(Limits(workers=1), Start(memory=300_000_000, ocr=False))
    try:
        known(await pool.inspect(PLAIN))
        heavy = papers.zipped({"z": os.urandom(40_000_000)}, stored=True)
        answer = await pool.inspect(papers.mail("", ("z.zip", heavy)))
        reason = answer.unread if isinstance(answer, Report) else (answer.reason,)
        assert reason and set(reason) <= {"memory", "worker-died", "too-large"}, answer
        known(await pool.inspect(PLAIN))
    finally:
        await pool.close()


async def test_processor_time_is_bounded_by_the_kernel() -> None:
    pool = Pool(Limits(workers=1, seconds=60, file_seconds=60), Start(cpu=1, ocr=False))
    try:
        known(await pool.inspect(PLAIN))
        assert await pool.inspect(LONG) == Unknown("worker-died")
    finally:
        await pool.close()


HOLD = Rule("review", levels=(Level.PHI_HIGH, Level.PHI_LIKELY), action="hold")
#: 110 MB once it is unpacked
HUGE = papers.zipped({"notes.txt": b"The car park " * 8_500_000})


def letter(*files: tuple[str, bytes]) -> bytes:
    return papers.mail("The car park is closed on Monday.", *files).replace(b"nurse@clinic.test", SENDER.encode())


async def looked(willow: Delivering, number: int) -> list[str]:
    """What the first so many looks came to."""
    return [one.facts["content"] for one in await willow.events(kinds.DELIVERY_INSPECTED)][:number]


async def passes(willow: Delivering) -> None:
    """The next message is read, and goes."""
    view = await willow.ended(await willow.submit("jane.roe@there.test", raw=body("Lunch", text="It opens at noon.")))
    assert (view.state, view.method) == ("sent", "tls")
    assert len(willow.hosts["mx.there.test"].bodies) == 1


async def test_a_copy_waits_for_a_look_whose_worker_is_killed_and_is_held(ca: Ca) -> None:
    pool = Pool(Limits(workers=1), NO_OCR)
    hosts = {"mx.there.test": MailHost(ca.leaf("mx.there.test").context())}
    try:
        async with Delivering(hosts, side("there.test"), ca, rules=(HOLD,), inspector=Inspector(pool)) as willow:
            files = [(f"{n}.docx", EMPTY) for n in range(20)]
            sent: Accepted = await willow.submit("jane.roe@there.test", raw=letter(*files))
            while not pool._busy:
                await asyncio.sleep(0.005)
            await asyncio.sleep(0.1)
            waiting = await willow.view(sent)
            assert (waiting.state, waiting.reason) == ("claimed", "content-pending")
            os.kill(pool.pids[0], signal.SIGKILL)
            view = await willow.ended(sent)
            assert (view.state, view.reason, view.rule) == ("held", "rule-holds", "review")
            assert await looked(willow, 1) == ["unknown"] and not willow.hosts["mx.there.test"].bodies
            await passes(willow)
    finally:
        await pool.close()


@pytest.mark.parametrize(
    ("files", "limits"),
    [
        ([("notes.zip", HUGE)], Limits(workers=1)),
        ([(f"{n}.docx", EMPTY) for n in range(20)], Limits(workers=1, seconds=1.0, file_seconds=0.4)),
    ],
    ids=["110 MB unpacked", "longer than there is time"],
)
async def test_what_is_too_much_to_read_is_held_and_the_next_message_goes(
    files: list[tuple[str, bytes]], limits: Limits, ca: Ca
) -> None:
    pool = Pool(limits, NO_OCR)
    hosts = {"mx.there.test": MailHost(ca.leaf("mx.there.test").context())}
    try:
        async with Delivering(hosts, side("there.test"), ca, rules=(HOLD,), inspector=Inspector(pool)) as willow:
            view = await willow.ended(await willow.submit("jane.roe@there.test", raw=letter(*files)))
            assert (view.state, view.reason, view.rule) == ("held", "rule-holds", "review")
            assert await looked(willow, 1) == ["unknown"] and not willow.hosts["mx.there.test"].bodies
            await passes(willow)
    finally:
        await pool.close()
