"""Sends each day's TLS reports to the domains that ask for them (RFC 8460 5): mail through the one door, signed like
all mail, or HTTPS POST. One engine of a home does it, for what all of them counted."""

import asyncio
import hashlib
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec

from carepost.delivery import https, mx, tlsrpt
from carepost.delivery.resolver import Resolver
from carepost.delivery.rounds import Rounds
from carepost.delivery.tlsrpt import TAG, Report, Wanted
from carepost.delivery.world import Door, Organisations
from carepost.ground import clock, ids, log, metrics
from carepost.ground.errors import CarepostError
from carepost.ground.keys import PurposeKeys
from carepost.policy.types import Category, DataClass, Kind, Purpose
from carepost.posture import Posture, Reader
from carepost.posture.tallies import DAY_US, add
from carepost.posture.types import Day
from carepost.rfc.address import Mailbox
from carepost.rfc.envelope import Envelope, Recipient
from carepost.wire.types import Actor, Origin, Submission

#: seconds between rounds; days looked back at; reports of one round; octets of one report
ROUND, BACK, MOST, SIZE = 300.0, 3, 200, 1_000_000
#: RFC 8460 4.1: spread over hours, so that a popular domain is not met by everybody's reports at midnight
SPREAD_US: Final = 4 * 3_600_000_000
_ACTOR: Final = Actor("system", "tls-reports")


class Ours(Protocol):
    """`directory.Directory`: a domain of our own needs no report from us."""

    def domain_owner(self, domain: str) -> bytes | None: ...


class Directory(Ours, Organisations, Protocol): ...


class Reporter(Rounds):
    """`start` once the engine runs; `step` is one round."""

    def __init__(
        self,
        files: Sequence[Path],
        keys: PurposeKeys,
        posture: Posture,
        directory: Directory,
        resolver: Resolver,
        door: Door,
        hostname: str,
        *,
        tls: ssl.SSLContext,
        dial: Mapping[str, tuple[str, int]] | None = None,
    ) -> None:
        """`files`: posture.db of every shard of the home."""
        super().__init__(ROUND, "tls-reports")
        self._files = list(files)
        self._keys = keys
        self._posture = posture
        self._directory = directory
        self._resolver = resolver
        self._door = door
        self._hostname = hostname
        self._tls = tls
        self._dial = dict(dial or {})

    async def step(self) -> int:
        """Sends what is due and was not sent; how many reports went out. What cannot be sent now comes again."""
        now = clock.now()
        sent = 0
        for back in range(1, BACK + 1):
            for day in await asyncio.to_thread(self._counted, now // DAY_US - back):
                if sent >= MOST:
                    return sent
                if now - (day.day + 1) * DAY_US >= _delay(day.domain) and not self._posture.reported(_name(day)):
                    sent += await self._one(day)
        return sent

    def _counted(self, day: int) -> list[Day]:
        """Of all shards, one value for each organisation and domain. On a thread: it reads files."""
        found: dict[tuple[bytes, str], list[Day]] = {}
        for path in self._files:
            if not path.exists():
                continue
            reader = Reader(path, self._keys)
            try:
                for one in reader.days(day):
                    found.setdefault((one.org, one.domain), []).append(one)
            finally:
                reader.close()
        return [add(days) for days in found.values()]

    async def _one(self, day: Day) -> int:
        """One domain's report; 0 where none is wanted, or it cannot be sent now."""
        if self._directory.domain_owner(day.domain) is not None:
            return self._done(day, 0)
        answer = await self._resolver.txt(f"_smtp._tls.{day.domain}")
        if answer.unknown:
            return 0
        wanted = tlsrpt.wanted(answer)
        if not wanted.mail and not wanted.https:
            return self._done(day, 0)
        try:
            return await self._send(day, wanted)
        except (CarepostError, OSError, TimeoutError) as error:
            log.failure("tls-report-not-sent", error)
            return 0

    async def _send(self, day: Day, wanted: Wanted) -> int:
        """Raises Unavailable, Refused, NotFound, OSError, TimeoutError."""
        snapshot = self._directory.snapshot(day.org)
        if not snapshot.domains:
            return self._done(day, 0)
        own = snapshot.domains[0].domain
        from_ = Mailbox(snapshot.notice_name or snapshot.name, f"notice@{own}")
        made = tlsrpt.report(day, organisation=snapshot.name, contact=from_.address, submitter=self._hostname)
        if made is None or len(made.data) > SIZE:
            return self._done(day, 0)
        posted = [await self._post(made, host, path) for host, path in wanted.https]
        if wanted.mail:
            body = tlsrpt.mail(
                made, from_=from_, to=wanted.mail, message_id=f"<{ids.text(ids.new())}@{own}>", at=clock.now()
            )
            await self._door.accept(_submission(day, from_.address, wanted.mail, body))
        elif not any(posted):
            return 0
        return self._done(day, 1)

    async def _post(self, made: Report, host: str, path: str) -> bool:
        there = await mx.reach(self._resolver, host, 443, implicit=True, dial=self._dial)
        for address in there.addresses[:2]:
            try:
                await https.post(
                    host, path, made.data, address=address, port=there.port, tls=self._tls,
                    kind="application/tlsrpt+gzip",
                )  # fmt: skip
            except (OSError, TimeoutError, EOFError) as error:
                log.failure("tls-report-not-posted", error)
            else:
                return True
        return False

    def _done(self, day: Day, sent: int) -> int:
        self._posture.save_reported(_name(day), day.day)
        metrics.count("tls-reports", sent)
        return sent


def _submission(day: Day, sender: str, to: Sequence[str], body: bytes) -> Submission:
    """The key makes it one mail, however often a crash comes between the door and our note of it."""
    key = f"tlsrpt:{ids.text(day.org)}:{day.domain}:{day.day}"
    return Submission(
        org=day.org,
        envelope=Envelope(sender, tuple(Recipient(one, notify=("NEVER",)) for one in to)),
        body=body,
        origin=Origin.REPORT,
        actor=_ACTOR,
        key=key,
        kind=Kind.NOTICE,
        category=Category.SYSTEM,
        data_class=DataClass.ORDINARY,
        purpose=Purpose.NOTICE,
        payload_hash=hashlib.sha256(key.encode()).digest(),
        tags=(TAG,),
    )


def _name(day: Day) -> str:
    return msgspec.json.encode((day.org.hex(), day.domain, day.day)).decode()


def _delay(domain: str) -> int:
    """Microseconds after midnight, the same each day for a domain."""
    return int.from_bytes(hashlib.sha256(domain.encode()).digest()[:4], "big") * SPREAD_US >> 32
