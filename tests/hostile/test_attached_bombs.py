"""BI-058 through the door: every bomb in turn to one pool, which answers each in its time and goes on."""

import time
from pathlib import Path

import pytest

from carepost.inspection.pool import Limits, Pool
from carepost.inspection.process import Start
from carepost.inspection.types import Report
from tests.support import papers
from tests.support.bombs import DOCUMENTS

#: seconds a message may take, and octets a worker may hold
SECONDS = 8.0
HELD = 1_000_000_000
#: bombs that are read to their end without harm
HARMLESS = {"tables in a circle", "form that draws itself", "braces", "tags without end"}


@pytest.mark.timeout(300)
async def test_bi_058_bombs_in_a_row() -> None:
    pool = Pool(Limits(workers=1, seconds=SECONDS, file_seconds=SECONDS / 2), Start(ocr=False))
    try:
        assert isinstance(await pool.inspect(papers.mail("first")), Report)
        for name, (make, file, _) in DOCUMENTS.items():
            raw = papers.mail("Dear Ms Roe", (file, make()))
            began = time.monotonic()
            answer = await pool.inspect(raw, deadline=90)
            took = time.monotonic() - began
            assert isinstance(answer, Report), (name, answer)
            assert took < SECONDS + 4, (name, took)
            assert answer.unread or name in HARMLESS, name
        status = Path(f"/proc/{pool.pids[0]}/status").read_text()
        peak = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))
        assert peak < HELD
        assert pool.started == 1
    finally:
        await pool.close()
