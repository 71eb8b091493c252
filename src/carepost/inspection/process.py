"""One worker process as the engine holds it: started with nothing, asked one message at a time, killed on overrun."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from typing import Final

import msgspec

from carepost.ground import log
from carepost.inspection import frames
from carepost.inspection.types import Report, Unknown

#: all a worker finds in its environment
_ENVIRONMENT: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "OMP_THREAD_LIMIT": "1"}
#: octets asyncio reads ahead
_READ_AHEAD: Final = 256 * 1024


class Start(msgspec.Struct, frozen=True):
    """How workers are started. Octets of address space, seconds of processor time a message, seconds to be ready."""

    memory: int = 1_500_000_000
    cpu: int = 40
    ready: float = 60.0
    ocr: bool = True
    module: str = "carepost.inspection.worker"


class WorkerProcess:
    """`jobs`: messages it has been given."""

    def __init__(self, process: Process, hello: frames.Hello) -> None:
        self._process = process
        self.hello = hello
        self.jobs = 0

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def ask(self, job: frames.Job, seconds: float) -> Report | Unknown:
        """Unknown where it died, took longer, or answered what no worker of ours would; it is to be killed then."""
        self.jobs += 1
        try:
            async with asyncio.timeout(seconds):
                assert self._process.stdin is not None
                self._process.stdin.write(frames.pack(job))
                await self._process.stdin.drain()
                answer = await _answer(self._process)
        except TimeoutError:
            return Unknown("too-slow")
        except (EOFError, OSError):
            return Unknown("worker-died")
        except msgspec.MsgspecError:
            return Unknown("garbled")
        return answer if isinstance(answer, Report | Unknown) else Unknown("garbled")

    def kill(self) -> None:
        """At once; `end` buries it."""
        if self.alive:
            _kill(self._process)

    async def end(self) -> None:
        """Dead and buried when this returns."""
        await _bury(self._process)


async def start(how: Start) -> WorkerProcess | Unknown:
    """A worker that has said it is shut in; Unknown where there can be none now."""
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-B", "-m", how.module, str(how.memory), str(how.cpu), str(int(how.ocr)),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            env=_ENVIRONMENT, cwd="/", close_fds=True, start_new_session=True, limit=_READ_AHEAD,
        )  # fmt: skip
    except OSError as error:
        log.failure("inspection-not-started", error)
        return Unknown("not-started")
    try:
        async with asyncio.timeout(how.ready):
            hello = await _answer(process)
    except (TimeoutError, EOFError, OSError, msgspec.MsgspecError) as error:
        log.failure("inspection-not-started", error)
        await _bury(process)
        return Unknown("not-started")
    except BaseException:
        _kill(process)
        raise
    if not isinstance(hello, frames.Hello):
        await _bury(process)
        reason = hello.reason if isinstance(hello, Unknown) else "garbled"
        log.event("inspection-not-started", reason=reason)
        return Unknown(reason)
    log.event(
        "inspection-started", pid=process.pid, network=" ".join(hello.network), files=" ".join(hello.files),
        calls=" ".join(hello.calls), ocr=hello.ocr,
    )  # fmt: skip
    return WorkerProcess(process, hello)


async def _answer(process: Process) -> frames.Answer:
    assert process.stdout is not None
    size = int.from_bytes(await process.stdout.readexactly(frames.HEAD), "big")
    if size > frames.MAX_ANSWER:
        raise msgspec.DecodeError("too large")
    return frames.answer(await process.stdout.readexactly(size))


def _kill(process: Process) -> None:
    """The worker and what it started, which are a session of their own."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


async def _bury(process: Process) -> None:
    if process.returncode is None:
        _kill(process)
        await process.wait()
