"""A worker that dies, hangs, or takes all it can: the message is unknown, the engine goes on, the next one is read."""

import asyncio
import os
import signal

from carepost.inspection.pool import Limits, Pool
from carepost.inspection.process import Start
from carepost.inspection.types import Report, Unknown
from tests.support import papers
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
