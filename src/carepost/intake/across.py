"""From an engine to those of other nodes: mutual TLS, the same frames. Who holds a shard stands in a shared table."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Final

import msgspec

from carepost.ground import clock, log
from carepost.ground.errors import CarepostError, NotFound, Unavailable
from carepost.intake import frames
from carepost.wire import doors

#: seconds what the table says is believed
_BELIEVED: Final = 1.0
#: seconds the others may take together where all are asked
_EACH_S: Final = 5.0
_Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Held(msgspec.Struct, frozen=True):
    """Who holds a shard now: the name its certificate must say, and "host:port"; "" both while nobody does."""

    name: str
    address: str


class Across:
    """`look`: shard -> Held, of every shard there is; may block, raises Unavailable. `name`: of this node."""

    def __init__(self, look: Callable[[], dict[int, Held]], tls: ssl.SSLContext, name: str) -> None:
        self._look, self._tls, self._name = look, tls, name
        self._places: dict[int, Held] = {}
        self._looked = float("-inf")
        self._idle: dict[Held, list[_Pair]] = {}

    async def ask(self, shard: int, call: doors.Call) -> doors.Answer:
        """Raises Unavailable, NotFound (there is no such shard)."""
        place = (await self._now()).get(shard)
        if place is None:
            raise NotFound
        if not place.address:
            raise Unavailable("shard-between", "The node that held this is gone; another takes it over in seconds.")
        try:
            return await self._call(place, call)
        except Unavailable:
            self._looked = float("-inf")
            raise

    async def each(self, call: doors.Call) -> list[doors.Answer]:
        """Of every engine of another node that answers."""
        places = {one for one in (await self._now()).values() if one.address and one.name != self._name}
        asked = [asyncio.ensure_future(self._call(place, call)) for place in places]
        if not asked:
            return []
        done, late = await asyncio.wait(asked, timeout=_EACH_S)
        for task in late:
            task.cancel()
        found = []
        for task in done:
            if isinstance(task.exception(), CarepostError):
                log.event("node-silent")
            else:
                found.append(task.result())
        return found

    async def close(self) -> None:
        idle, self._idle = self._idle, {}
        for _, writer in (pair for some in idle.values() for pair in some):
            writer.close()

    async def _now(self) -> dict[int, Held]:
        if clock.monotonic() - self._looked > _BELIEVED:
            self._places = await asyncio.to_thread(self._look)
            self._looked = clock.monotonic()
        return self._places

    async def _call(self, place: Held, call: doors.Call) -> doors.Answer:
        frame = doors.frame(call)
        kept = self._idle.get(place)
        if kept:
            try:
                return await self._exchange(place, kept.pop(), frame)
            except TimeoutError:
                raise frames.away() from None
            except (OSError, asyncio.IncompleteReadError):
                # closed by the other side meanwhile, before it read: what is asked here changes nothing twice
                pass
        host, _, port = place.address.rpartition(":")
        try:
            opening = asyncio.open_connection(host, int(port), ssl=self._tls, server_hostname=place.name)
            pair = await asyncio.wait_for(opening, frames.CONNECT_S)
            return await self._exchange(place, pair, frame)
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            log.failure("node-away", error, node=place.name)
            raise frames.away() from None

    async def _exchange(self, place: Held, pair: _Pair, frame: bytes) -> doors.Answer:
        reader, writer = pair
        try:
            writer.write(frame)
            await writer.drain()
            head = await asyncio.wait_for(reader.readexactly(4), frames.ANSWER_S)
            payload = await asyncio.wait_for(reader.readexactly(frames.size_of(head)), frames.ANSWER_S)
            answer = doors.read_answer(payload)
        except msgspec.DecodeError:
            writer.close()
            raise Unavailable("engine-garbled", "Another node's answer could not be read; try again later.") from None
        except BaseException:
            writer.close()
            raise
        self._idle.setdefault(place, []).append(pair)
        return answer
