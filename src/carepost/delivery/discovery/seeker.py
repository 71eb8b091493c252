"""Asks for a recipient's keys once for many, remembers what was answered, and waits a bounded time for it.

What is found is an event; the journal lays it into `keyring`, which alone says what it is worth beside what was known
(a pinned key is never replaced, BI-072). So a delivery waits for the keyring, not for the finder."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from carepost.delivery.discovery.sources import Looked, Sources
from carepost.directory.types import OrgSnapshot
from carepost.ground import clock, log, metrics
from carepost.ground.errors import CarepostError
from carepost.intake import finding
from carepost.intake.anchors import Anchors
from carepost.intake.keys import Held
from carepost.intake.refusals import Writer
from carepost.policy.types import Method, Ternary
from carepost.wire.found import Found

#: seconds a delivery waits for DNS and the web, and then for the keyring to have what was found
ASKED, KEPT = 10.0, 10.0
#: seconds an answer holds: a key, that there is none, and that nobody could say
FOUND, NONE, UNSURE = 86_400.0, 3_600.0, 60.0
#: recipients remembered; asked about at once
REMEMBERED, AT_ONCE = 20_000, 20
_LOOK: Final = 0.1


class Directory(Protocol):
    def snapshot(self, org: bytes) -> OrgSnapshot: ...


class Keys(Protocol):
    """`intake.keys.Keys`."""

    def look(self, snapshot: OrgSnapshot, address: str) -> Held: ...


class _Answer(msgspec.Struct):
    #: clock.monotonic() seconds
    until: float
    found: bool
    #: the keyring did not take it while somebody waited: it will not
    refused: bool = False


_Name = tuple[bytes, str, Method, tuple[str, ...]]


class Seeker:
    def __init__(
        self, sources: Sources, anchors: Anchors, directory: Directory, keys: Keys, writer: Callable[[], Writer], *,
        asked: float = ASKED, kept: float = KEPT,
    ) -> None:  # fmt: skip
        self._sources = sources
        self._anchors = anchors
        self._directory = directory
        self._keys = keys
        self._writer = writer
        self._asked, self._kept = asked, kept
        self._known: OrderedDict[_Name, _Answer] = OrderedDict()
        self._asking: dict[_Name, asyncio.Task[_Answer]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def look(self, snapshot: OrgSnapshot, address: str, methods: tuple[Method, ...]) -> bool:
        """Whether the keyring has something new of this recipient; what, the directory says. Never raises."""
        names = [(snapshot.id, address, method, snapshot.key_sources) for method in methods]
        answers = await asyncio.gather(*(self._answer(name, snapshot) for name in names))
        waiting = [
            (answer, name[2]) for answer, name in zip(answers, names, strict=True)
            if answer is not None and answer.found and not answer.refused
        ]  # fmt: skip
        return await self._settled(snapshot, address, waiting) if waiting else False

    def again(self, snapshot: OrgSnapshot, address: str, method: Method) -> None:
        """A found key was used just now: whether it is still published is asked beside the mail, once a day."""
        name = (snapshot.id, address, method, snapshot.key_sources)
        known = self._known.get(name)
        if known is None or known.until <= clock.monotonic():
            self._start(name, snapshot)

    def anew(self, org: bytes, address: str, method: Method) -> None:
        """By the clock, of a key that is known (`keyring.anew` says when). Raises NotFound, Unavailable."""
        snapshot = self._directory.snapshot(org)
        if snapshot.key_sources:
            self.again(snapshot, address, method)

    async def close(self) -> None:
        for task in tuple(self._asking.values()):
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)

    async def _answer(self, name: _Name, snapshot: OrgSnapshot) -> _Answer | None:
        known = self._known.get(name)
        if known is not None and known.until > clock.monotonic():
            return known
        try:
            return await asyncio.wait_for(asyncio.shield(self._start(name, snapshot)), self._asked)
        except TimeoutError:
            metrics.count("key_look_late")
            return None

    def _start(self, name: _Name, snapshot: OrgSnapshot) -> "asyncio.Task[_Answer]":
        task = self._asking.get(name)
        if task is None:
            task = self._asking[name] = asyncio.ensure_future(self._ask(name, snapshot))
            task.add_done_callback(lambda _: self._asking.pop(name, None))
        return task

    async def _ask(self, name: _Name, snapshot: OrgSnapshot) -> _Answer:
        org, address, method, sources = name
        looked = Looked(sure=False)
        try:
            async with self._slots:
                looked = await self._sources.look(address, method, sources, self._anchors.store(snapshot))
            if looked.found is not None:
                await self._tell(org, looked.found, snapshot.policy_version)
        except CarepostError as error:
            log.failure("key-look", error)
            looked = Looked(sure=False)
        except Exception as error:
            # what a stranger published must not end a delivery
            log.failure("key-look-broken", error)
            looked = Looked(sure=False)
        for why in looked.why:
            log.event("recipient-key-not-used", reason=why)
        seconds = FOUND if looked.found is not None else NONE if looked.sure else UNSURE
        answer = self._known[name] = _Answer(clock.monotonic() + seconds, looked.found is not None)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        metrics.count("key_found" if looked.found is not None else "key_none")
        return answer

    async def _tell(self, org: bytes, found: Found, policy: str) -> None:
        """Raises Unavailable, NotFound."""
        writer = self._writer()
        await writer.note(org, finding.event(org, found, policy, writer.number))

    async def _settled(self, snapshot: OrgSnapshot, address: str, waiting: list[tuple[_Answer, Method]]) -> bool:
        until = clock.monotonic() + self._kept
        while True:
            held = self._keys.look(self._directory.snapshot(snapshot.id), address)
            if all(knows(held, method) for _, method in waiting):
                return True
            if clock.monotonic() >= until:
                break
            await asyncio.sleep(_LOOK)
        some = False
        for answer, method in waiting:
            answer.refused = not knows(held, method)
            some = some or not answer.refused
        return some


def knows(held: Held, method: Method) -> bool:
    good = held.smime if method is Method.SMIME else held.openpgp
    return good is Ternary.YES or method in held.changed
