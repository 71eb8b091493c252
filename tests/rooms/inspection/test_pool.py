"""Workers as real processes: lazy, bounded, replaced, and the loop goes on whatever they do."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from carepost.ground import log
from carepost.inspection.pool import Limits, Pool
from carepost.inspection.process import Start
from carepost.inspection.types import Report, Unknown
from carepost.phi.documents.types import Kind, Reading
from carepost.phi.types import Custom, Level, Word
from tests.support import papers
from tests.support.waiting import gone

PLAIN = papers.mail("The car park is closed on Monday.")
RESULT = papers.mail(
    "Dear Ms Roe, your A1c is 8.4% and your diagnosis is E11.9.", ("chart.docx", papers.docx("SSN 536-22-1234"))
)
#: one that a worker is still at work on when the test strikes: some seconds of elements without a word
EMPTY = papers.docx(**{"word/document.xml": f"<w:document {papers.W}>{'<w:x/>' * 800_000}</w:document>"})
LONG = papers.mail("", *((f"{n}.docx", EMPTY) for n in range(3)))
NO_OCR = Start(ocr=False)


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    made = Pool(Limits(workers=1), NO_OCR)
    yield made
    pids = made.pids
    await made.close()
    assert all(gone(pid, 5) for pid in pids)


def known(answer: Report | Unknown) -> Report:
    assert isinstance(answer, Report), answer
    return answer


async def test_none_runs_until_one_is_needed(pool: Pool) -> None:
    assert pool.pids == () and pool.started == 0
    found = known(await pool.inspect(RESULT))
    assert pool.started == 1 and len(pool.pids) == 1
    assert found.findings is not None and found.findings.level_individual is Level.PHI_HIGH
    assert [(f.kind, f.reading) for f in found.files or ()] == [(Kind.DOCX, Reading.READ)]
    plain = known(await pool.inspect(PLAIN)).findings
    assert plain is not None and plain.level_individual is Level.NONE
    assert pool.started == 1


async def test_words_of_the_organisation_count(pool: Pool) -> None:
    raw = papers.mail("Jane Roe comes to the Blue Door on Monday; her date of birth is 3 May 1971.")
    custom = Custom(words=(Word("w1", "Blue Door"),))
    without = known(await pool.inspect(raw)).findings
    found = known(await pool.inspect(raw, custom)).findings
    assert found is not None and without is not None
    assert "word:w1" in {f.kind for f in found.found} - {f.kind for f in without.found}


async def test_what_takes_too_long_is_read_as_far_as_time_goes() -> None:
    """The worker gives up by itself before it is killed, and says what it found."""
    pool = Pool(Limits(workers=1, seconds=1.0, file_seconds=0.3), NO_OCR)
    try:
        known(await pool.inspect(PLAIN))
        answer = known(await pool.inspect(LONG))
        assert "too-slow" in answer.unread
        assert pool.started == 1
    finally:
        await pool.close()


async def test_a_deadline_ends_the_wait_for_a_busy_worker(pool: Pool) -> None:
    known(await pool.inspect(PLAIN))
    first = asyncio.ensure_future(pool.inspect(LONG))
    await asyncio.sleep(0)
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await pool.inspect(PLAIN, deadline=0.2) == Unknown("busy")
    assert loop.time() - began < 2
    await first


async def test_beyond_the_queue_the_answer_is_immediate() -> None:
    pool = Pool(Limits(workers=1, waiting=3), NO_OCR)
    try:
        asked = [asyncio.ensure_future(pool.inspect(PLAIN)) for _ in range(5)]
        answers = await asyncio.gather(*asked)
        assert [isinstance(a, Report) for a in answers] == [True, True, True, False, False]
        assert answers[4] == Unknown("busy")
    finally:
        await pool.close()


async def test_the_loop_runs_while_a_message_is_read(pool: Pool) -> None:
    known(await pool.inspect(PLAIN))
    asked = asyncio.ensure_future(pool.inspect(LONG))
    longest, last = 0.0, asyncio.get_running_loop().time()
    while not asked.done():
        await asyncio.sleep(0.005)
        now = asyncio.get_running_loop().time()
        longest, last = max(longest, now - last), now
    assert longest < 1.0
    known(await asked)


async def test_a_used_up_worker_serves_until_its_successor_is_there() -> None:
    pool = Pool(Limits(workers=1, jobs=3), NO_OCR)
    try:
        known(await pool.inspect(PLAIN))
        first = pool.pids[0]
        for _ in range(4):
            known(await pool.inspect(PLAIN))
        while first in pool.pids:
            await asyncio.sleep(0.02)
        known(await pool.inspect(PLAIN))
        assert pool.started == 2 and len(pool.pids) == 1
        assert gone(first, 5)
    finally:
        await pool.close()


async def test_an_idle_worker_is_let_go() -> None:
    pool = Pool(Limits(workers=1, idle=0.1), NO_OCR)
    try:
        known(await pool.inspect(PLAIN))
        pid = pool.pids[0]
        while pool.pids:
            await asyncio.sleep(0.02)
        assert gone(pid, 5)
    finally:
        await pool.close()


async def test_one_that_cannot_start_is_said_and_not_tried_for_every_message() -> None:
    pool = Pool(Limits(workers=1), Start(module="carepost.inspection.nothing", ocr=False))
    try:
        assert await pool.inspect(PLAIN) == Unknown("not-started")
        began = asyncio.get_running_loop().time()
        assert await pool.inspect(PLAIN) == Unknown("not-started")
        assert asyncio.get_running_loop().time() - began < 0.1
    finally:
        await pool.close()


async def test_two_at_a_time_share_two_workers() -> None:
    pool = Pool(Limits(workers=2), NO_OCR)
    try:
        answers = await asyncio.gather(*(pool.inspect(PLAIN) for _ in range(20)))
        assert all(isinstance(a, Report) for a in answers)
        assert 1 <= len(pool.pids) <= 2
    finally:
        await pool.close()


async def test_closing_answers_who_waits_and_leaves_no_process() -> None:
    pool = Pool(Limits(workers=1), NO_OCR)
    known(await pool.inspect(PLAIN))
    pids = pool.pids
    asked = [asyncio.ensure_future(pool.inspect(LONG)) for _ in range(3)]
    await asyncio.sleep(0.1)
    await pool.close()
    answers = await asyncio.gather(*asked)
    assert all(isinstance(a, Unknown) for a in answers)
    assert all(gone(pid, 5) for pid in pids)
    assert await pool.inspect(PLAIN) == Unknown("busy")


async def test_one_who_leaves_loses_no_worker(pool: Pool) -> None:
    known(await pool.inspect(PLAIN))
    for _ in range(5):
        asked = [asyncio.ensure_future(pool.inspect(PLAIN)) for _ in range(4)]
        await asyncio.sleep(0)
        for one in asked[1:3]:
            one.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
    known(await pool.inspect(PLAIN, deadline=20))


async def test_a_message_too_large_is_unknown(pool: Pool) -> None:
    assert await pool.inspect(bytes(65 * 1024 * 1024)) == Unknown("too-large")
    assert pool.started == 0


async def test_a_worker_has_no_environment_no_keys_and_no_descriptor_but_its_pipe(pool: Pool, tmp_path: Path) -> None:
    os.environ["CAREPOST_SECRET_OF_THE_TEST"] = "hunter2"
    try:
        with open(tmp_path / "held", "w"):
            await pool.inspect(PLAIN)
            pid = pool.pids[0]
    finally:
        del os.environ["CAREPOST_SECRET_OF_THE_TEST"]
    if os.geteuid() == 0:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        assert b"hunter2" not in environment and b"CAREPOST" not in environment
        held = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
        assert all(one == "/dev/null" or one.startswith(("pipe:", "socket:")) for one in held), held


async def test_nothing_of_a_message_reaches_the_log(
    pool: Pool, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    class Page:
        def write(self, line: str) -> int:
            written.append(line)
            return len(line)

        def flush(self) -> None: ...

    monkeypatch.setattr(log, "_stream", Page())
    broken = papers.mail("Jane Roe", ("Roe-Jane.pdf", b"%PDF-1.7 Jane Roe SSN 536-22-1234"), subject="Roe, Jane")
    known(await pool.inspect(broken))
    os.kill(pool.pids[0], signal.SIGKILL)
    await pool.inspect(broken)
    lines = "".join(written) + "".join(capfd.readouterr())
    assert "inspection-started" in lines
    assert "Roe" not in lines and "536" not in lines
    assert all(isinstance(json.loads(line), dict) for line in written)
