"""Workers as real processes: lazy, bounded, replaced, and the loop goes on whatever they do."""

import asyncio
import gzip
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pypdf
import pytest
import pytest_asyncio

from carepost.ground import log
from carepost.inspection import examine
from carepost.inspection.pool import Limits, Pool
from carepost.inspection.process import Start
from carepost.inspection.types import Report, Unknown
from carepost.phi.documents import read
from carepost.phi.documents.types import Kind, Reading
from carepost.phi.types import Custom, Level, Word
from tests.support import papers
from tests.support.waiting import gone

PLAIN = papers.mail("The car park is closed on Monday.")
RESULT = papers.mail(
    "Dear Ms Roe, your A1c is 8.4% and your diagnosis is E11.9.", ("chart.docx", papers.docx("SSN 536-22-1234"))
)
#: one that a worker is still at work on when the test strikes: some seconds of elements without a word
EMPTY = papers.docx(**{"word/document.xml": f"<w:document {papers.W}>{'<w:x/>' * 600_000}</w:document>"})
LONG = papers.mail("", *((f"{n}.docx", EMPTY) for n in range(2)))
NO_OCR = Start(ocr=False)


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    made = Pool(Limits(workers=1), NO_OCR)
    yield made
    pids = made.pids
    await made.close()
    assert all(gone(pid, 60) for pid in pids)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[Pool]:
    """For tests that leave it as it was: a worker takes a second to load its vocabularies."""
    made = Pool(Limits(workers=1), NO_OCR)
    yield made
    await made.close()


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


@pytest.mark.asyncio(loop_scope="module")
async def test_words_of_the_organisation_count(shared: Pool) -> None:
    raw = papers.mail("Jane Roe comes to the Blue Door on Monday; her date of birth is 3 May 1971.")
    custom = Custom(words=(Word("w1", "Blue Door"),))
    without = known(await shared.inspect(raw)).findings
    found = known(await shared.inspect(raw, custom)).findings
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


@pytest.mark.asyncio(loop_scope="module")
async def test_a_deadline_ends_the_wait_for_a_busy_worker(shared: Pool) -> None:
    known(await shared.inspect(PLAIN))
    first = asyncio.ensure_future(shared.inspect(LONG))
    await asyncio.sleep(0)
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await shared.inspect(PLAIN, deadline=0.2) == Unknown("busy")
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


@pytest.mark.asyncio(loop_scope="module")
async def test_the_loop_runs_while_a_message_is_read(shared: Pool) -> None:
    known(await shared.inspect(PLAIN))
    asked = asyncio.ensure_future(shared.inspect(LONG))
    began = last = asyncio.get_running_loop().time()
    longest = 0.0
    while not asked.done():
        await asyncio.sleep(0.005)
        now = asyncio.get_running_loop().time()
        longest, last = max(longest, now - last), now
    assert longest < (last - began) / 2
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
        # on a slow machine the second may have had its three jobs too
        assert pool.started in (2, 3)
        assert gone(first, 60)
    finally:
        await pool.close()


async def test_a_worker_that_grew_is_replaced_however_few_messages_it_had() -> None:
    large = papers.mail("All of this is invented text. " * 12_000)
    # what any worker holds is more than this
    pool = Pool(Limits(workers=1, resident=20_000_000), NO_OCR)
    try:
        known(await pool.inspect(PLAIN))
        first = pool.pids[0]
        known(await pool.inspect(PLAIN))
        # not looked at yet
        assert pool.pids == (first,)
        known(await pool.inspect(large, detect=False))
        while first in pool.pids:
            await asyncio.sleep(0.02)
        known(await pool.inspect(PLAIN))
        assert pool.started == 2
    finally:
        await pool.close()


async def test_an_idle_worker_is_let_go() -> None:
    pool = Pool(Limits(workers=1, idle=0.1), NO_OCR)
    try:
        known(await pool.inspect(PLAIN))
        pid = pool.pids[0]
        while pool.pids:
            await asyncio.sleep(0.02)
        assert gone(pid, 60)
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
    assert all(gone(pid, 60) for pid in pids)
    assert await pool.inspect(PLAIN) == Unknown("busy")


@pytest.mark.asyncio(loop_scope="module")
async def test_one_who_leaves_loses_no_worker(shared: Pool) -> None:
    known(await shared.inspect(PLAIN))
    for _ in range(5):
        asked = [asyncio.ensure_future(shared.inspect(PLAIN)) for _ in range(4)]
        await asyncio.sleep(0)
        for one in asked[1:3]:
            one.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
    known(await shared.inspect(PLAIN, deadline=20))


async def test_a_message_too_large_is_unknown(pool: Pool) -> None:
    assert await pool.inspect(bytes(65 * 1024 * 1024)) == Unknown("too-large")
    assert pool.started == 0


PROBE = """
import asyncio, os, sys
from carepost.inspection.pool import Limits, Pool
from carepost.inspection.process import Start
async def main():
    held = os.open(sys.argv[1], os.O_RDONLY)
    os.set_inheritable(held, True)
    pool = Pool(Limits(workers=1), Start(ocr=False))
    await pool.inspect(b"From: a@clinic.test\\r\\nSubject: a\\r\\n\\r\\nx\\r\\n")
    folder = f"/proc/{pool.pids[0]}"
    print(sorted(int(fd) for fd in os.listdir(folder + "/fd")))
    print({os.readlink(f"{folder}/fd/{fd}") for fd in os.listdir(folder + "/fd")})
    print(open(folder + "/environ").read())
    await pool.close()
if sys.argv[2] == "uvloop":
    import uvloop
    uvloop.run(main())
else:
    asyncio.run(main())
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_worker_has_no_environment_no_keys_and_no_descriptor_but_its_pipe(tmp_path: Path, loop: str) -> None:
    secret = tmp_path / "keyring"
    secret.write_text("x")
    environ = {**os.environ, "CAREPOST_SECRET_OF_THE_TEST": "hunter2"}
    command = [sys.executable, "-c", PROBE, str(secret), loop]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environ)
    assert done.returncode == 0, done.stderr[-500:]
    assert done.stdout.startswith("[0, 1, 2, 3, 4]"), done.stdout
    assert "keyring" not in done.stdout
    assert "hunter2" not in done.stdout and "CAREPOST" not in done.stdout


@pytest.mark.asyncio(loop_scope="module")
async def test_every_kind_of_file_is_read_alike_inside_the_confines(shared: Pool) -> None:
    """Nothing that a reader loads late is missing in there."""
    locked = io.BytesIO()
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(papers.pdf_page("Jane Roe")))
    writer.encrypt("", "owner", algorithm="AES-256")
    writer.write(locked)
    files = [
        ("a.docx", papers.docx("Jane")), ("a.xlsx", papers.xlsx([["Jane", "1"]])), ("a.pptx", papers.pptx("Jane")),
        ("a.odt", papers.odt("Jane")), ("a.pdf", papers.pdf_page("Jane")), ("b.pdf", locked.getvalue()),
        ("a.rtf", rb"{\rtf1\ansi\ansicpg1251 Jane \'d0}"), ("a.txt", "größe".encode("cp1252")),
        ("a.csv", "a".encode("utf-16")), ("a.html", b"<html><meta charset=koi8-r><p>Jane"),
        ("a.zip", papers.zipped({"a.txt": "J"})),
        ("a.tar.gz", gzip.compress(b"Jane")), ("winmail.dat", papers.tnef("Jane")), ("a.doc", papers.ole("Jane Roe")),
        ("a.xml", b"<?xml version='1.0' encoding='iso-8859-2'?><a>J</a>"), ("a.eml", papers.mail("Jane")),
        ("a.bin", bytes(range(256))),
        ("smime.p7s", b"\x30\x80\x06\x09" + bytes.fromhex("2a864886f70d010702") + bytes(9)),
    ]  # fmt: skip
    raw = papers.mail("x", *files)
    here = read.message(raw)
    there = known(await shared.inspect(raw))
    assert there.files == examine.files(here)
    assert [f.reason for f in there.files or ()].count("") >= 15


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
    assert "Roe" not in lines and "536-22" not in lines
    assert all(isinstance(json.loads(line), dict) for line in written)
