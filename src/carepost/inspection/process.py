"""One worker process as the engine holds it: a `confined.process` that has said it is shut in, and counts its jobs."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from carepost.confined import process
from carepost.confined.process import Confined
from carepost.ground import log
from carepost.inspection import frames
from carepost.inspection.types import Report, Unknown


class Start(msgspec.Struct, frozen=True):
    """How workers are started. Octets of address space, seconds of processor time a message, seconds to be ready."""

    memory: int = 1_500_000_000
    cpu: int = 40
    ready: float = 60.0
    ocr: bool = True
    module: str = "carepost.inspection.worker"


#: messages between looks at how large a worker has grown; after one over so many octets it is looked at in any case
_LOOK_EVERY: Final = 50
_LARGE: Final = 256 * 1024


def resident(pid: int) -> int:
    """Octets of memory a process holds; 0: this system does not say."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0


class WorkerProcess:
    """`jobs`: messages it has been given; `resident`: octets it held when it was last looked at."""

    def __init__(self, confined: Confined[frames.Answer], hello: frames.Hello) -> None:
        self._confined = confined
        self.hello = hello
        self.jobs = self.resident = self._unseen = 0
        self.kill = confined.kill
        self.end = confined.end

    @property
    def pid(self) -> int:
        return self._confined.pid

    @property
    def alive(self) -> bool:
        return self._confined.alive

    async def ask(self, job: frames.Job, seconds: float) -> Report | Unknown:
        """Unknown where it died, took longer, or answered what no worker of ours would; it is to be killed then."""
        return await self.hear(job, seconds) if self.tell((job,)) else Unknown("worker-died")

    def tell(self, jobs: Sequence[frames.Job]) -> bool:
        """Given to it, to be heard of in order. False: it is dead."""
        self.jobs += len(jobs)
        return self._confined.tell(jobs)

    async def hear(self, job: frames.Job, seconds: float) -> Report | Unknown:
        """What it answers to `job`, the first that it has not answered. As `ask`."""
        try:
            answer = await self._confined.hear(seconds)
        except TimeoutError:
            return Unknown("too-slow")
        except (EOFError, OSError):
            return Unknown("worker-died")
        except msgspec.MsgspecError:
            return Unknown("garbled")
        self._unseen += 1
        if self._unseen >= _LOOK_EVERY or len(job.raw) > _LARGE:
            self.resident, self._unseen = resident(self.pid), 0
        return answer if isinstance(answer, Report | Unknown) else Unknown("garbled")


async def start(how: Start) -> WorkerProcess | Unknown:
    """A worker that has said it is shut in; Unknown where there can be none now."""
    command = process.command(how.module, how.memory, how.cpu, int(how.ocr))
    try:
        confined = await process.start(command, frames.ANSWERS)
    except OSError as error:
        log.failure("inspection-not-started", error)
        return Unknown("not-started")
    try:
        hello = await confined.hear(how.ready)
    except process.FAULTS as error:
        log.failure("inspection-not-started", error)
        await confined.end()
        return Unknown("not-started")
    except BaseException:
        confined.kill()
        raise
    if not isinstance(hello, frames.Hello):
        await confined.end()
        reason = hello.reason if isinstance(hello, Unknown) else "garbled"
        log.event("inspection-not-started", reason=reason)
        return Unknown(reason)
    log.event(
        "inspection-started", pid=confined.pid, network=" ".join(hello.network), files=" ".join(hello.files),
        calls=" ".join(hello.calls), ocr=hello.ocr,
    )  # fmt: skip
    return WorkerProcess(confined, hello)
