"""From one engine to another: a message whose key belongs to a shard held there (DESIGN 2, shards and ids)."""

import asyncio
from pathlib import Path
from typing import TypeVar

from carepost.ground.errors import Unavailable
from carepost.intake import frames
from carepost.intake.client import sockets, with_key
from carepost.intake.route import shard_of_key
from carepost.wire import doors
from carepost.wire.types import Accepted, Submission

Answer = TypeVar("Answer")
_Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class AsyncClient:
    """The `accept` of intake over the other engines' sockets, with the same errors."""

    def __init__(self, run: Path, shards: int, node: int = 0) -> None:
        self._run = run
        self._shards = shards
        self._node = node
        self._owners: dict[int, Path] = {}
        self._idle: dict[Path, list[_Pair]] = {}

    async def accept(self, submission: Submission) -> Accepted:
        keyed = with_key(submission)
        shard = shard_of_key(keyed.org, keyed.key or "", self._shards, self._node)
        path = await self._owner(shard)
        try:
            return (await self._call(path, doors.Accept(keyed), doors.AcceptAnswer)).accepted
        except Unavailable:
            self._owners.clear()
            raise

    async def close(self) -> None:
        idle, self._idle = self._idle, {}
        for _, writer in (pair for some in idle.values() for pair in some):
            writer.close()

    async def _owner(self, shard: int) -> Path:
        known = self._owners.get(shard)
        if known is not None:
            return known
        for path in sockets(self._run):
            try:
                answer = await self._call(path, doors.Health(), doors.HealthAnswer)
            except Unavailable:
                continue
            self._owners.update((int(number), path) for number in answer.shards)
            if str(shard) in answer.shards:
                return path
        raise frames.away()

    async def _call(self, path: Path, call: doors.Call, wanted: type[Answer]) -> Answer:
        frame = doors.frame(call)
        kept = self._idle.get(path)
        if kept:
            try:
                return await self._exchange(path, kept.pop(), frame, wanted)
            except TimeoutError:
                raise frames.away() from None
            except (OSError, asyncio.IncompleteReadError):
                # closed by the other side meanwhile; the call carries a key, so it may be made again
                pass
        try:
            pair = await asyncio.wait_for(asyncio.open_unix_connection(str(path)), frames.CONNECT_S)
            return await self._exchange(path, pair, frame, wanted)
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            raise frames.away() from None

    async def _exchange(self, path: Path, pair: _Pair, frame: bytes, wanted: type[Answer]) -> Answer:
        reader, writer = pair
        try:
            writer.write(frame)
            await writer.drain()
            head = await asyncio.wait_for(reader.readexactly(4), frames.ANSWER_S)
            payload = await asyncio.wait_for(reader.readexactly(frames.size_of(head)), frames.ANSWER_S)
        except BaseException:
            writer.close()
            raise
        self._idle.setdefault(path, []).append(pair)
        return frames.read(payload, wanted)
