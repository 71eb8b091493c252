"""An engine whose disk is full for a while: files may not grow beyond a limit (RLIMIT_FSIZE), which the system reports
to SQLite and to us as it reports a full disk. Prints `ok` when nothing acknowledged was lost and all went on."""

import asyncio
import os
import resource
import signal
import sys
from pathlib import Path

from carepost.ground.errors import Unavailable
from carepost.proof import event
from tests.unit.queue import clinic
from tests.unit.queue.clinic import CLINIC, House

LARGE = b"From: nurse@clinic.test\r\n\r\n" + os.urandom(150_000)
SMALL = b"From: nurse@clinic.test\r\n\r\n" + os.urandom(20_000)


def full(limit: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))


async def main(folder: Path, body: bytes) -> None:
    house = House(folder)
    queue = await house.queue()
    accepted = []

    async def some(count: int) -> int:
        news = [clinic.message(f"p{i}@d{i}.test", body=body) for i in range(count)]
        answers = await asyncio.gather(*[queue.accept(n) for n in news], return_exceptions=True)
        for new, answer in zip(news, answers, strict=True):
            if isinstance(answer, BaseException):
                assert isinstance(answer, Unavailable), answer
            else:
                accepted.append(new)
        return sum(isinstance(a, BaseException) for a in answers)

    assert await some(10) == 0
    claims = await queue.claim(5)
    full(max(p.stat().st_size for p in house.folder.iterdir() if p.is_file()) + 100_000)
    refused = 0
    for _ in range(100):
        refused += await some(5)
        if refused > 20:
            break
    assert refused > 20, "the disk was never full"
    for claim in claims[:1]:
        try:
            await queue.settle(claim, clinic.settlement(claim))
        except Unavailable:
            pass
    full(resource.RLIM_INFINITY)
    assert await some(10) == 0, "it goes on as soon as there is room"
    for claim in claims[1:]:
        await queue.settle(claim, clinic.settlement(claim))
    queue = await house.again()
    for new in accepted:
        await queue.lookup(CLINIC, new.id)
    seen = {claim.delivery for claim in claims}
    while got := await queue.claim(100):
        for claim in got:
            assert await queue.plain(claim) == body
            seen.add(claim.delivery)
            await queue.settle(claim, clinic.settlement(claim))
    assert seen == {n.deliveries[0].id for n in accepted}, "exactly what was acknowledged is there"
    rows, after = [], 0
    while True:
        part, head = await queue.drain(after, 0)
        if not part:
            break
        rows += part
        after = part[-1].seq
    assert [event.read(r.event).seq for r in rows] == list(range(1, head + 1))
    await house.close()


if __name__ == "__main__":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    asyncio.run(main(Path(sys.argv[1]), LARGE if sys.argv[2] == "large" else SMALL))
    os.write(1, b"ok\n")
