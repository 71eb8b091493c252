"""Connections of one port, shared out evenly among the engines of a machine.

The kernel spreads new connections over the engines by a hash. Thirty-two clients that stay, split twelve and twenty,
cost a quarter of the throughput: one engine waits while the other is behind (two cores, HTTP send, requests/s: 1,971
with 16 and 16 connections, 1,848 and 1,720 with 15 and 17, 1,512 with 13 and 19, 1,424 with 12 and 18). So an engine
that has more than another hands a new connection on before a byte of it is read (SCM_RIGHTS, unix(7)). What cannot be
handed over is kept: nothing depends on it."""

import array
import mmap
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final

#: in the place of a count: takes nothing
_CLOSED: Final = 0xFFFFFFFF
#: more than this cannot be on its way: whoever was to take it ended
_STALE: Final = 4096
_WORD: Final = 4
#: per engine: connections it has, connections it was handed, and one count for each engine it handed some to
_OWN: Final = 2


class Evenly:
    """One engine's part. Counts stand in a small file that all engines map; each word of it has one writer.

    `folder` is the home's `run`. Names are no longer than those of the engines' sockets: the path of a socket may have
    107 octets. Raises OSError."""

    def __init__(self, folder: Path, port: int, index: int, engines: int) -> None:
        self._index, self._engines = index, engines
        self._row = _OWN + engines
        self._paths = [str(folder / f"{port}-{engine:02d}.sock") for engine in range(engines)]
        size = engines * self._row * _WORD
        # named by its shape: another number of engines must not read counts of another table
        handle = os.open(folder / f"{port}-of-{engines}.even", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(handle, size)
            self._map = mmap.mmap(handle, size)
        finally:
            os.close(handle)
        self._words = memoryview(self._map).cast("I")
        self.lives(_CLOSED)
        self._give = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._take = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        for sock in (self._give, self._take):
            sock.setblocking(False)
        Path(self._paths[index]).unlink(missing_ok=True)
        self._take.bind(self._paths[index])
        # what was on its way to who stood here before ended with them
        self._words[index * self._row + 1] = self._sent(index)

    def fileno(self) -> int:
        """Readable when another engine hands a connection over."""
        return self._take.fileno()

    def lives(self, connections: int) -> None:
        """How many this engine has now."""
        self._words[self._index * self._row] = connections

    def elsewhere(self, connection: socket.socket, connections: int) -> bool:
        """Hands it to the engine with the fewest, if that one has fewer than this one has (`connections`). Whether it
        did; the caller then closes its own handle."""
        self.lives(connections)
        least, engine = self._count(self._index), -1
        for other in range(self._engines):
            if other != self._index and (count := self._count(other)) < least:
                least, engine = count, other
        if engine < 0:
            return False
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [connection.fileno()]))]
        try:
            self._give.sendmsg([b"\0"], rights, 0, self._paths[engine])
        except OSError:
            # it ended, or has enough to do
            return False
        word = self._index * self._row + _OWN + engine
        self._words[word] = (self._words[word] + 1) & _CLOSED
        return True

    def handed(self, take: Callable[[socket.socket], None]) -> None:
        """Every connection that was handed over since."""
        size = socket.CMSG_LEN(struct.calcsize("i"))
        while True:
            try:
                _, rights, _, _ = self._take.recvmsg(1, size, socket.MSG_CMSG_CLOEXEC)
            except BlockingIOError:
                return
            word = self._index * self._row + 1
            self._words[word] = (self._words[word] + 1) & _CLOSED
            for _, _, data in rights:
                take(socket.socket(fileno=struct.unpack("i", data[: struct.calcsize("i")])[0]))

    def close(self) -> None:
        self.lives(_CLOSED)
        self._give.close()
        self._take.close()
        Path(self._paths[self._index]).unlink(missing_ok=True)
        self._words.release()
        self._map.close()

    def _sent(self, engine: int) -> int:
        return sum(self._words[other * self._row + _OWN + engine] for other in range(self._engines)) & _CLOSED

    def _count(self, engine: int) -> int:
        """What it has and what is on its way to it; `_CLOSED` when it takes nothing."""
        has = self._words[engine * self._row]
        coming = (self._sent(engine) - self._words[engine * self._row + 1]) & _CLOSED
        return has if has == _CLOSED or coming > _STALE else has + coming
