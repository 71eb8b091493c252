"""The door, message by message in tasks against stage by stage in groups: µs of the loop's thread a message.

    python bench/stages_bench.py               groups of 1, 4, 8 and 24
    python bench/stages_bench.py 12 200        groups of 12, 200 of each kind

Both kinds take turns within one process, so that a busy machine disturbs both alike; medians count. 10 KB messages
by SMTP, as a session hands them over; no TLS, no delivery."""

import asyncio
import gc
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import uvloop
from spool_bench import Engine, drain

from carepost.directory.types import Credential
from carepost.processes.pacing import Paced
from carepost.reception.access import AccessProofs
from carepost.reception.credentials import Credentials, Identity
from carepost.reception.smtp.effects import Accept
from carepost.reception.smtp.limits import Limits
from carepost.reception.smtp.server import SmtpServer
from carepost.reception.smtp.staged import Staged
from carepost.reception.smtp.types import Role
from carepost.reception.tls import Certificates
from carepost.wire.types import Accepted

CLIENT = "127.0.0.1"
#: read through between groups, as deliveries would wear the caches
WORN = os.urandom(2_000_000)


class Door:
    def __init__(self, folder: Path) -> None:
        self.engine = Engine(folder)
        credential = Credential("c1", self.engine.org, "load", "")
        self._identity = Identity(credential, self.engine.directory.snapshot(self.engine.org).epoch)
        paced, credentials = Paced(self.engine.intake, lambda: 0), Credentials(self.engine.directory)
        # never asked: nothing listens here
        certificates = Certificates.__new__(Certificates)
        self.server = SmtpServer(
            Role.SUBMISSION, paced, credentials, AccessProofs(), certificates, self.engine.queue._budget, Limits(),
            hostname="localhost", staged=Staged(paced, credentials),
        )  # fmt: skip
        self._number = 0

    def group(self, size: int) -> list[Accept]:
        made = []
        for _ in range(size):
            self._number += 1
            asked = self.engine.submission(self._number)
            made.append(Accept(asked.org, asked.envelope, asked.body, "ESMTPSA", self._identity))
        return made

    async def in_tasks(self, group: Sequence[Accept]) -> None:
        await asyncio.gather(*[asyncio.ensure_future(self.server.hand_over(one, CLIENT)) for one in group])

    async def in_stages(self, group: Sequence[Accept]) -> None:
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        left = len(group)

        def tell(end: Accepted | Exception | None) -> None:
            nonlocal left
            assert isinstance(end, Accepted)
            left -= 1
            if not left:
                over.set_result(None)

        for one in group:
            assert self.server.take(one, CLIENT, tell)
        await over


async def measure(folder: Path, size: int, rounds: int) -> None:
    door = Door(folder)
    await door.engine.queue.start()
    journal = asyncio.ensure_future(drain(door.engine.queue))
    ways: dict[str, Callable[[Sequence[Accept]], Awaitable[None]]] = {
        "tasks": door.in_tasks, "stages": door.in_stages,
    }  # fmt: skip
    spent: dict[str, list[float]] = {name: [] for name in ways}
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        for name in random.sample(list(ways), len(ways)):
            group = door.group(size)
            sum(WORN[::64])
            await asyncio.sleep(0)
            began = time.thread_time_ns()
            await ways[name](group)
            spent[name].append((time.thread_time_ns() - began) / size / 1000)
    found = {name: statistics.median(values) for name, values in spent.items()}
    words = ", ".join(f"{name} {value:.0f}" for name, value in found.items())
    print(f"groups of {size:3}: {words} µs a message; {found['tasks'] - found['stages']:.0f} less", flush=True)
    journal.cancel()
    await asyncio.gather(journal, return_exceptions=True)
    await door.engine.close()


def main() -> None:
    sizes = [int(sys.argv[1])] if len(sys.argv) > 1 else [1, 4, 8, 24]
    folder = Path(tempfile.mkdtemp(prefix="stages-bench-"))
    try:
        for size in sizes:
            rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 2400 // size
            uvloop.run(measure(folder / str(size), size, min(rounds, 600)))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
