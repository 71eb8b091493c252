"""One worker as its owner holds it: started with nothing, asked one thing at a time, killed on overrun."""

import asyncio
import os
import signal
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import Iterable
from typing import Final, Generic, TypeVar

import msgspec

from carepost.confined import frames
from carepost.ground import processors

#: all a worker finds in its environment
ENVIRONMENT: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "OMP_THREAD_LIMIT": "1"}
#: octets asyncio reads ahead
_READ_AHEAD: Final = 256 * 1024

Answer = TypeVar("Answer")
#: what may go wrong with one; TimeoutError (an OSError in this Python) first, where it means something else
FAULTS: Final = (TimeoutError, EOFError, OSError, msgspec.MsgspecError)


class Reader(Generic[Answer]):
    """How what a worker says is read: it is not believed, only read. `longest`: octets of one answer."""

    def __init__(self, decoder: msgspec.msgpack.Decoder[Answer], longest: int) -> None:
        self._decoder = decoder
        self._longest = longest

    async def from_(self, stream: asyncio.StreamReader) -> Answer:
        """Raises EOFError, OSError, msgspec.MsgspecError."""
        size = int.from_bytes(await stream.readexactly(frames.HEAD), "big")
        if size > self._longest:
            raise msgspec.DecodeError("too large")
        return self._decoder.decode(await stream.readexactly(size))

    def all_of(self, raw: bytes) -> list[Answer]:
        """What was said until it said nothing more, or nonsense."""
        found: list[Answer] = []
        at = 0
        while len(raw) - at >= frames.HEAD:
            end = at + frames.HEAD + int.from_bytes(raw[at : at + frames.HEAD], "big")
            if end > len(raw):
                break
            try:
                found.append(self._decoder.decode(raw[at + frames.HEAD : end]))
            except msgspec.DecodeError:
                break
            at = end
        return found


class Confined(Generic[Answer]):
    """A running one. To be killed after anything but an answer: what it says next would be read as somebody else's."""

    def __init__(self, process: Process, reader: Reader[Answer]) -> None:
        self._process = process
        self._reader = reader

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def hear(self, seconds: float) -> Answer:
        """Raises TimeoutError, EOFError, OSError, msgspec.MsgspecError (`FAULTS`)."""
        assert self._process.stdout is not None
        async with asyncio.timeout(seconds):
            return await self._reader.from_(self._process.stdout)

    async def ask(self, job: msgspec.Struct, seconds: float) -> Answer:
        """Raises as `hear`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(seconds):
            self._process.stdin.write(frames.pack(job))
            await self._process.stdin.drain()
            return await self._reader.from_(self._process.stdout)

    def tell(self, jobs: Iterable[msgspec.Struct]) -> bool:
        """Questions, each to be heard of in order; what its pipe has no room for is written while it reads. False: it
        is dead."""
        assert self._process.stdin is not None
        if self._process.stdin.is_closing():
            return False
        self._process.stdin.write(b"".join([frames.pack(job) for job in jobs]))
        return True

    def kill(self) -> None:
        """At once, with whatever it started; `end` buries it."""
        if not self.alive:
            return
        try:
            # it and what it started are a session of their own
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass

    async def end(self) -> None:
        """Dead and buried when this returns."""
        self.kill()
        await self._process.wait()


def command(module: str, *arguments: int) -> list[str]:
    """`python -m module`, isolated from the environment and the user's own packages."""
    return [sys.executable, "-I", "-B", "-m", module, *map(str, arguments)]


async def start(command: list[str], reader: Reader[Answer]) -> Confined[Answer]:
    """Started, not yet heard of. Raises OSError."""
    with processors.roaming():
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            env=ENVIRONMENT, cwd="/", close_fds=True, start_new_session=True, limit=_READ_AHEAD,
        )  # fmt: skip
    return Confined(process, reader)


def once(command: list[str], job: msgspec.Struct, reader: Reader[Answer], seconds: float) -> tuple[list[Answer], int]:
    """What one started for this question said, and its exit code. Raises OSError, subprocess.TimeoutExpired."""
    done = subprocess.run(
        command, input=frames.pack(job), capture_output=True, timeout=seconds, cwd="/", env=ENVIRONMENT, check=False,
        start_new_session=True,
    )  # fmt: skip
    return reader.all_of(done.stdout), done.returncode
