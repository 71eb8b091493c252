"""The one door: what a message holds, as facts for one recipient. It asks for what is needed only, once a message."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from carepost.ground.config import Config
from carepost.inspection.clamd import Clamd
from carepost.inspection.pool import Limits, Pool
from carepost.inspection.process import Start
from carepost.inspection.types import Content, Custom, FileFacts, Needs, Report, Unknown, Verdict, Virus
from carepost.phi.documents.types import Kind, Trait
from carepost.phi.level import level
from carepost.phi.types import Recipient

#: seconds one look may last, whoever still waits for it: a later attempt has use of it
_LOOK: Final = 120.0
#: seconds somebody waits for a page
_SHOWN: Final = 15.0
#: answers remembered: a message to many is looked at once
_REMEMBERED: Final = 256

_Key = tuple[bytes, Custom | None, Needs]


class Inspector:
    """`clamd` None: no scanner is configured, and where one is needed its verdict is `unavailable`."""

    def __init__(self, pool: Pool, clamd: Clamd | None = None) -> None:
        self._pool = pool
        self._clamd = clamd
        self._known: OrderedDict[_Key, asyncio.Future[tuple[Report | Unknown | None, Verdict]]] = OrderedDict()

    async def content(
        self, message: bytes, recipient: Recipient, custom: Custom | None = None, needs: Needs = Needs(), *,  # noqa: B008
        key: bytes = b"", deadline: float = 60.0,
    ) -> Content:  # fmt: skip
        """What `message` (whole, as it would be sent) holds. Raises nothing.

        `key`: an id under which the same octets were asked about before; without one they are hashed.
        `deadline`: seconds."""
        if not (needs.level or needs.files or needs.virus):
            return Content()
        name = (key or hashlib.sha256(message).digest(), custom, needs)
        found = self._known.get(name)
        if found is None:
            found = asyncio.ensure_future(self._look(message, custom, needs, max(_LOOK, deadline)))
            self._known[name] = found
            found.add_done_callback(lambda done: self._kept(name, done))
        if not found.done():
            # one who leaves does not end it for the others
            await asyncio.wait((found,), timeout=deadline)
        report, verdict = found.result() if found.done() else (Unknown("too-slow"), Verdict())
        return _content(report, verdict, recipient)

    async def shown(self, message: bytes, custom: Custom | None, key: bytes) -> Report | Unknown:
        """The findings of `message` one by one, masked, with tokens under the organisation's `key`. Raises nothing."""
        return await self._pool.inspect(message, custom, deadline=_SHOWN, show=key)

    async def _look(
        self, message: bytes, custom: Custom | None, needs: Needs, deadline: float
    ) -> tuple[Report | Unknown | None, Verdict]:
        async def report() -> Report | Unknown | None:
            if not (needs.level or needs.files):
                return None
            return await self._pool.inspect(message, custom, detect=needs.level, deadline=deadline)

        if not needs.virus:
            return await report(), Verdict()
        if self._clamd is None:
            return await report(), _NO_SCANNER
        one, other = await asyncio.gather(report(), self._clamd.scan(message, deadline=deadline))
        return one, other

    def _kept(self, name: _Key, done: asyncio.Future[tuple[Report | Unknown | None, Verdict]]) -> None:
        """Answers are kept; what was busy, dead or away is asked again next time."""
        if done.cancelled() or done.exception() is not None or not _lasting(*done.result()):
            self._known.pop(name, None)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    @classmethod
    def of(cls, config: Config) -> "Inspector":
        """As the settings say; nothing starts yet. Raises ConfigError for a `clamd` on another machine."""
        limits = Limits(workers=max(1, config.inspection_workers), seconds=max(1.0, config.inspection_seconds))
        # the worker's own clock ends a message first; the kernel's is for one that has lost it
        start = Start(cpu=int(limits.seconds) + 15)
        return cls(Pool(limits, start), Clamd(config.clamd) if config.clamd else None)

    async def close(self) -> None:
        await self._pool.close()


_NO_SCANNER: Final = Verdict(Virus.UNAVAILABLE, "", "not-configured")


def _lasting(report: Report | Unknown | None, verdict: Verdict) -> bool:
    return not isinstance(report, Unknown) and verdict.virus is not Virus.UNAVAILABLE


def _content(report: Report | Unknown | None, verdict: Verdict, recipient: Recipient) -> Content:
    if isinstance(report, Unknown):
        return Content(unknown=(report.reason,), virus=verdict)
    if report is None:
        return Content(virus=verdict)
    found = report.findings
    return Content(
        level=level(found, recipient) if found is not None else None,
        bulk=found is not None and found.bulk,
        findings=found,
        files=report.files,
        unknown=report.unread,
        virus=_halved(verdict, report.files or ()),
    )


def _halved(verdict: Verdict, files: Iterable[FileFacts]) -> Verdict:
    """`verdict` unless it calls clean what nobody can look into: as clamd comes (AlertEncrypted and AlertExceedsMax are
    off) it says OK of what is locked and of what nests deeper than it goes. Mail encrypted for its recipient is not
    meant: clamd never says it of that either."""
    if verdict.virus is not Virus.CLEAN:
        return verdict
    for file in files:
        if Trait.BOMB in file.traits:
            return Verdict(Virus.INCOMPLETE, "", "limits")
        if Trait.ENCRYPTED in file.traits and file.kind is not Kind.CIPHERTEXT:
            return Verdict(Virus.INCOMPLETE, "", "encrypted")
    return verdict
