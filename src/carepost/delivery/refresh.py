"""Keeps MTA-STS policies from growing old between messages (RFC 8461 3.3, 10.2): whoever can hide a policy until it
expires would otherwise have the next message to himself. One an engine, for what that engine keeps."""

import asyncio
from pathlib import Path
from typing import Final

from carepost.delivery.mtasts import REFRESH, Policies
from carepost.delivery.rounds import Rounds
from carepost.ground import clock
from carepost.ground.keys import PurposeKeys
from carepost.posture import Reader

#: seconds between rounds; policies of one round; fetches at once
ROUND, MOST, AT_ONCE = 3600.0, 500, 8
#: a domain that nobody wrote to for so long may be forgotten
UNUSED_US: Final = 90 * 86_400_000_000


class Refresher(Rounds):
    def __init__(self, file: Path, keys: PurposeKeys, policies: Policies) -> None:
        """`file`: the engine's own posture.db."""
        super().__init__(ROUND, "mta-sts-refresh")
        self._file = file
        self._keys = keys
        self._policies = policies

    async def step(self) -> int:
        """Fetches what is older than a day; how many domains were asked about."""
        due = await asyncio.to_thread(self._due, clock.now())
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(domain: str) -> None:
            async with slots:
                await self._policies.refresh(domain)

        await asyncio.gather(*(one(domain) for domain in due))
        return len(due)

    def _due(self, now: int) -> list[str]:
        """On a thread: it reads and opens every row."""
        if not self._file.exists():
            return []
        reader = Reader(self._file, self._keys)
        try:
            found: list[tuple[int, str]] = []
            after, newest = -1, 0
            while after != newest:
                after = newest
                records, _, newest = reader.news(after)
                for record in records:
                    policy = record.policy
                    old = policy is not None and policy.fetched + REFRESH * 1_000_000 < now < policy.expires
                    if policy is not None and old and now - max(record.tls_at, record.starttls_at) < UNUSED_US:
                        found.append((policy.expires, record.domain))
        finally:
            reader.close()
        return [domain for _, domain in sorted(found)[:MOST]]
