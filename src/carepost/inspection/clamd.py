"""Asking ClamAV's daemon about a message: INSTREAM over its socket or loopback, never a file, never another machine.

The answer is a fact. What an unavailable scanner leads to is the policy's to say (hold, unless the organisation says
otherwise)."""

import asyncio
import ipaddress
import re
import socket
from typing import Final

from carepost.ground import metrics
from carepost.ground.errors import ConfigError
from carepost.inspection.types import Verdict, Virus

_CHUNK: Final = 128 * 1024
_ANSWER: Final = 4096
_OF: Final = "stream: "
_CLEAN: Final = "stream: OK"
_NAME: Final = re.compile(r"[^A-Za-z0-9._:/-]")
_INCOMPLETE: Final = re.compile(r"Heuristics\.(?:Limits\.Exceeded|Encrypted)")


class Clamd:
    """`address`: a socket's path, or `address:port` on loopback. Raises ConfigError for anything else."""

    def __init__(self, address: str, *, seconds: float = 30.0, connections: int = 4, waiting: int = 1_000) -> None:
        self._path, self._host, self._port = _parsed(address)
        self._seconds = seconds
        self._slots = asyncio.Semaphore(connections)
        self._room = waiting

    async def scan(self, raw: bytes, *, deadline: float = 60.0) -> Verdict:
        """Raises nothing: without an answer in time the verdict is `unavailable`, with its reason."""
        if self._room <= 0:
            return _unavailable("busy")
        self._room -= 1
        try:
            async with asyncio.timeout(deadline), self._slots:
                async with asyncio.timeout(self._seconds):
                    return _read(await self._talk(raw))
        except TimeoutError:
            return _unavailable("too-slow")
        except (OSError, EOFError):
            return _unavailable("not-running")
        finally:
            self._room += 1

    async def ping(self) -> bool:
        """Whether it answers."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._asked(b"zPING\0", b"") == "PONG"
        except (TimeoutError, OSError, EOFError):
            return False

    async def _talk(self, raw: bytes) -> str:
        return await self._asked(b"zINSTREAM\0", raw)

    async def _asked(self, command: bytes, raw: bytes) -> str:
        """Sockets rather than streams: clamd may answer and close in the middle of what it is sent (its own size
        limit), and a stream that can no longer be written to forgets what was there to be read."""
        loop = asyncio.get_running_loop()
        family = socket.AF_UNIX if self._path else socket.AF_INET6 if ":" in self._host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as sock:
            await loop.sock_connect(sock, self._path or (self._host, self._port))
            taken = False
            try:
                await loop.sock_sendall(sock, command)
                for at in range(0, len(raw), _CHUNK):
                    chunk = raw[at : at + _CHUNK]
                    await loop.sock_sendall(sock, len(chunk).to_bytes(4, "big") + chunk)
                if raw:
                    await loop.sock_sendall(sock, bytes(4))
                taken = True
            except (BrokenPipeError, ConnectionResetError):
                pass
            said = await _line(loop, sock)
            # whoever hung up before the end may say what it found, not that there is nothing
            return said if taken or said != _CLEAN else ""


async def _line(loop: asyncio.AbstractEventLoop, sock: socket.socket) -> str:
    said = b""
    while b"\0" not in said and len(said) < _ANSWER:
        more = await loop.sock_recv(sock, _ANSWER)
        if not more:
            break
        said += more
    if not said:
        raise EOFError
    return said.split(b"\0")[0].decode("utf-8", "replace").strip()


def _read(line: str) -> Verdict:
    """`stream: OK`, `stream: NAME FOUND`, or an error."""
    metrics.count("virus_scans")
    said = line.removeprefix(_OF)
    if line == _CLEAN:
        return Verdict(Virus.CLEAN)
    if line.startswith(_OF) and line.endswith(" FOUND"):
        name = _NAME.sub("", said.removesuffix(" FOUND"))[:100]
        if _INCOMPLETE.match(name):
            return Verdict(Virus.INCOMPLETE, name, "limits" if "Limits" in name else "encrypted")
        metrics.count("virus_found")
        return Verdict(Virus.INFECTED, name)
    if "size limit exceeded" in line:
        return Verdict(Virus.INCOMPLETE, "", "too-large")
    return _unavailable("refused")


def _unavailable(reason: str) -> Verdict:
    metrics.count("virus_unavailable")
    return Verdict(Virus.UNAVAILABLE, "", reason)


def _parsed(address: str) -> tuple[str, str, int]:
    if address.startswith("/"):
        return address, "", 0
    host, _, port = address.rpartition(":")
    try:
        if ipaddress.ip_address(host.strip("[]")).is_loopback and 0 < int(port) < 65_536:
            return "", host.strip("[]"), int(port)
    except ValueError:
        pass
    raise ConfigError(
        "The setting clamd takes the path of clamd's socket or an address and port on this machine, such as"
        " /run/clamav/clamd.ctl or 127.0.0.1:3310: mail goes to it in clear."
    )
