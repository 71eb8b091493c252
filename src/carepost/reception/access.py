"""What a sender agreed with a recipient (a code, a question and its answer) turned into slow hashes, off the loop.

One hash costs 32 MiB and 50-100 ms. A batch that repeats one code for one organisation costs one: the proof made for
it is remembered for a while under an HMAC of this process.
"""

import asyncio
import hmac
import os
from concurrent.futures import ThreadPoolExecutor

from carepost.crypto import slowhash
from carepost.ground import processors
from carepost.ground.errors import Unavailable
from carepost.intake.agreed import check
from carepost.policy.types import Access
from carepost.wire.types import AccessProof

#: secrets waiting for a thread, and proofs remembered
MOST_WAITING, MOST_REMEMBERED = 128, 2048


class AccessProofs:
    """One for all listeners of a process."""

    def __init__(self, *, threads: int = 1) -> None:
        self._threads = ThreadPoolExecutor(threads, "access-code", processors.roam)
        self._key = os.urandom(32)
        self._remembered: dict[bytes, asyncio.Future[str]] = {}
        self._waiting = 0

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def proof(self, org: bytes, code: str, question: str, answer: str) -> AccessProof:
        """Raises Refused (422) where neither or both are given, Unavailable where too many wait."""
        check(code, question, answer)
        if code:
            return AccessProof(Access.CODE, "", await self._hash(org, code))
        return AccessProof(Access.QUESTION, question, await self._hash(org, answer))

    async def _hash(self, org: bytes, secret: str) -> str:
        mark = hmac.digest(self._key, org + secret.encode(), "sha256")
        known = self._remembered.get(mark)
        if known is None:
            if self._waiting >= MOST_WAITING:
                raise Unavailable("access-busy", "Too many access codes are being prepared; try again.")
            self._waiting += 1
            known = asyncio.ensure_future(self._compute(secret))
            self._remembered[mark] = known
            known.add_done_callback(lambda done: self._settle(mark, done))
        return await asyncio.shield(known)

    async def _compute(self, secret: str) -> str:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, slowhash.make, secret)
        finally:
            self._waiting -= 1

    def _settle(self, mark: bytes, done: asyncio.Future[str]) -> None:
        if done.cancelled() or done.exception() is not None:
            self._remembered.pop(mark, None)
        while len(self._remembered) > MOST_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
