"""Small messages that wait go to a worker together: each has its own answer, and none suffers for another."""

import asyncio
import os
import signal

import pytest

from carepost.inspection import together
from carepost.inspection.frames import Job
from carepost.inspection.pool import Limits, Pool
from carepost.inspection.process import Start, WorkerProcess
from carepost.inspection.types import Level, Report, Unknown
from tests.support import papers

PLAIN = papers.mail("The car park is closed on Monday.")
RESULT = papers.mail("Dear Ms Roe, your A1c is 8.4% and your diagnosis is E11.9. SSN 536-22-1234")
WITH_FILE = papers.mail("The car park.", ("a.docx", papers.docx("Monday")))
NO_OCR = Start(ocr=False)


def level(answer: Report | Unknown) -> Level:
    assert isinstance(answer, Report), answer
    assert answer.findings is not None
    return answer.findings.level_individual


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many each worker was given at a time."""
    sizes: list[int] = []
    tell = WorkerProcess.tell

    def noted(self: WorkerProcess, jobs: tuple[Job, ...]) -> bool:
        sizes.append(len(jobs))
        return tell(self, jobs)

    monkeypatch.setattr(WorkerProcess, "tell", noted)
    return sizes


async def test_each_of_many_has_its_own_answer(told: list[int]) -> None:
    pool = Pool(Limits(workers=1), NO_OCR)
    try:
        level(await pool.inspect(PLAIN))
        letters = [RESULT if n % 3 == 0 else WITH_FILE if n % 7 == 0 else PLAIN for n in range(60)]
        answers = await asyncio.gather(*[pool.inspect(raw) for raw in letters])
        assert [level(a) is Level.PHI_HIGH for a in answers] == [raw is RESULT for raw in letters]
        found = [len(a.files or ()) for a in answers if isinstance(a, Report)]
        assert found == [int(raw is WITH_FILE) for raw in letters]
        assert max(told) == together.MOST
        assert pool.started == 1
    finally:
        await pool.close()


@pytest.mark.parametrize("seconds", [25.0, 0.5], ids=["killed", "hung"])
async def test_those_beside_one_that_a_worker_died_of_are_asked_about_again(told: list[int], seconds: float) -> None:
    pool = Pool(Limits(workers=1, seconds=seconds), NO_OCR)
    try:
        level(await pool.inspect(PLAIN))
        os.kill(pool.pids[0], signal.SIGSTOP)
        asked = [asyncio.ensure_future(pool.inspect(PLAIN)) for _ in range(5)]
        while told[-1] != 5:
            await asyncio.sleep(0)
        if seconds > 1:
            os.kill(pool.pids[0], signal.SIGKILL)
        assert [level(a) for a in await asyncio.gather(*asked)] == [Level.NONE] * 5
        assert told[-5:] == [1] * 5
        assert pool.started == 2
    finally:
        await pool.close()


async def test_who_leaves_or_runs_out_of_time_takes_nobody_along() -> None:
    pool = Pool(Limits(workers=1), NO_OCR)
    try:
        level(await pool.inspect(PLAIN))
        os.kill(pool.pids[0], signal.SIGSTOP)
        late = asyncio.ensure_future(pool.inspect(PLAIN, deadline=0.3))
        asked = [asyncio.ensure_future(pool.inspect(raw)) for raw in (PLAIN, RESULT, PLAIN)]
        await asyncio.sleep(0)
        asked[0].cancel()
        assert await late == Unknown("too-slow")
        behind = asyncio.ensure_future(pool.inspect(PLAIN, deadline=0.1))
        assert await behind == Unknown("busy")
        os.kill(pool.pids[0], signal.SIGCONT)
        assert level(await asked[1]) is Level.PHI_HIGH
        assert level(await asked[2]) is Level.NONE
        assert pool.started == 1
    finally:
        await pool.close()


async def test_closing_answers_those_that_wait_for_a_place() -> None:
    pool = Pool(Limits(workers=1), NO_OCR)
    level(await pool.inspect(PLAIN))
    os.kill(pool.pids[0], signal.SIGSTOP)
    asked = [asyncio.ensure_future(pool.inspect(PLAIN)) for _ in range(together.MOST + 3)]
    await asyncio.sleep(0.1)
    await pool.close()
    assert {type(a) for a in await asyncio.gather(*asked)} == {Unknown}


@pytest.mark.fast
@pytest.mark.parametrize(
    ("job", "goes"),
    [
        (Job(PLAIN), True),
        (Job(PLAIN, show=b"k" * 32), False),
        (Job(WITH_FILE), False),
        (Job(papers.mail("a" * together.SMALL)), False),
    ],
    ids=["small", "shown", "with a file", "large"],
)
def test_what_may_go_with_others(job: Job, goes: bool) -> None:
    assert together.fits(job) is goes
