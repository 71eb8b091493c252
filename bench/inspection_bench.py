"""What looking into messages costs: milliseconds a message at the pool's door, and how much of that is not the work.

    python bench/inspection_bench.py [MESSAGES]

One worker; the work is measured in the worker itself (`Report.cpu`), the rest is pipe, event loop and encoding."""

import asyncio
import resource
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from carepost.inspection.pool import Limits, Pool
from carepost.inspection.process import Start
from carepost.inspection.types import Report
from tests.support import papers

SENTENCE = "Dear Ms Roe, thank you for your call about the car park and the opening hours on Monday. "


def letters() -> dict[str, bytes]:
    page = SENTENCE * 115
    return {
        "1 kB text": papers.mail(SENTENCE * 11),
        "10 kB text": papers.mail(page),
        "100 kB text": papers.mail(page * 10),
        "10 kB + DOCX of 30 pages": papers.mail(page, ("a.docx", papers.docx(*[SENTENCE * 4] * 300))),
        "10 kB + PDF page": papers.mail(page, ("a.pdf", papers.pdf_page(SENTENCE))),
        "10 kB + XLSX of 2,000 rows": papers.mail(page, ("a.xlsx", papers.xlsx([["Roe", "12", "Monday"]] * 2000))),
        "10 kB + 5 MB of pictures": papers.mail(page, ("a.jpg", b"\xff\xd8\xff" + bytes(range(256)) * 20_000)),
    }


async def measure(pool: Pool, raw: bytes, count: int, *, detect: bool) -> tuple[float, float, float]:
    """Median and 95th percentile at the door, median of the worker's own time; milliseconds."""
    door, work = [], []
    for _ in range(count):
        began = time.perf_counter()
        answer = await pool.inspect(raw, detect=detect)
        door.append((time.perf_counter() - began) * 1000)
        assert isinstance(answer, Report), answer
        work.append(answer.cpu * 1000)
    return statistics.median(door), statistics.quantiles(door, n=20)[18], statistics.median(work)


async def main(count: int) -> None:
    pool = Pool(Limits(workers=1, jobs=10**9), Start(ocr=False))
    began = time.perf_counter()
    await pool.inspect(papers.mail("first"))
    print(f"start of a worker and its first message: {time.perf_counter() - began:.2f} s")
    status = Path(f"/proc/{pool.pids[0]}/status").read_text()
    print("resident:", next(line.split(":")[1].strip() for line in status.splitlines() if line.startswith("VmRSS")))
    print(f"{'message':30} {'p50 ms':>8} {'p95 ms':>8} {'work ms':>8} {'rest ms':>8} {'files only':>10}")
    for name, raw in letters().items():
        many = max(5, count if len(raw) < 50_000 else count // 10)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        middle, high, work = await measure(pool, raw, many, detect=True)
        engine = (resource.getrusage(resource.RUSAGE_SELF).ru_utime - before) / many * 1000
        alone, _, _ = await measure(pool, raw, many, detect=False)
        rest = middle - work
        print(
            f"{name:30} {middle:8.2f} {high:8.2f} {work:8.2f} {rest:8.2f} {alone:10.2f}   engine's cpu {engine:.2f} ms"
        )
    await pool.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
