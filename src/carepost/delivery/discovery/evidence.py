"""Whether a recipient's certificate was revoked: OCSP and revocation lists fetched, kept until they end, and judged by
`crypto.smime`. Plain HTTP is allowed: what comes is signed. Where nobody answers it is unknown, never good."""

import asyncio
import hashlib
import itertools
from collections import OrderedDict
from typing import Final

import msgspec
from cryptography import x509

from carepost.crypto.smime import asking, certificate, chain, revocation
from carepost.crypto.smime.certificate import Certificate
from carepost.crypto.smime.chain import Evidence, TrustStore
from carepost.crypto.smime.errors import SmimeError
from carepost.crypto.smime.usable import Trust
from carepost.delivery.discovery.fetch import KeyFetch
from carepost.directory.types import KeptKey, OrgSnapshot
from carepost.ground import clock, log, metrics
from carepost.intake.anchors import Anchors

#: seconds a delivery waits for all questions about one certificate
SECONDS: Final = 8.0
#: octets of one OCSP answer, of one list, and of all that are kept
OCSP_BYTES, CRL_BYTES, KEPT_BYTES = 64 * 1024, 8 * 1024 * 1024, 64 * 1024 * 1024
#: an answer is asked for anew after so long, whatever it says of its end; nobody who did not answer is asked before
LONGEST_US, SHORTEST_US, AGAIN_US = 7 * 86_400_000_000, 60_000_000, 300_000_000
#: places asked for one certificate; questions at once; trusts remembered
PLACES, AT_ONCE, TRUSTS = 3, 10, 2048


class _Kept(msgspec.Struct, frozen=True):
    """`raw` empty: nothing was had. `until`: UTC microseconds."""

    raw: bytes
    until: int


class Collector:
    def __init__(self, fetch: KeyFetch, anchors: Anchors, *, seconds: float = SECONDS) -> None:
        self._fetch = fetch
        self._anchors = anchors
        self._seconds = seconds
        self._kept: OrderedDict[tuple[str, bytes], _Kept] = OrderedDict()
        self._octets = 0
        self._asking: dict[tuple[str, bytes], asyncio.Task[_Kept]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)
        #: with when it was last made sure of, UTC microseconds
        self._trusts: OrderedDict[tuple[str, bool], tuple[TrustStore, Trust, int]] = OrderedDict()

    async def trust(self, snapshot: OrgSnapshot, kept: KeptKey) -> Trust:
        """What the organisation believes, with what is known now of this certificate's revocation: the same value for
        as long as nothing of it changed. Never raises for what the outside says."""
        store, now = self._anchors.store(snapshot), clock.now()
        name = (kept.fingerprint, snapshot.revocation_unknown_ok)
        known = self._trusts.get(name)
        if known is not None and known[0] is store and 0 <= now - known[2] < SHORTEST_US:
            return known[1]
        evidence = Evidence()
        if snapshot.anchors:
            try:
                evidence = await asyncio.wait_for(self._gather(store, kept), self._seconds)
            except TimeoutError:
                metrics.count("revocation_late")
            except SmimeError as error:
                log.failure("revocation-not-asked", error)
        made = Trust(store, evidence, unknown_ok=snapshot.revocation_unknown_ok)
        if known is not None and known[0] is store and known[1].evidence == evidence:
            # whoever judged by it need not judge again
            made = known[1]
        self._trusts[name] = (store, made, now)
        if len(self._trusts) > TRUSTS:
            self._trusts.popitem(last=False)
        return made

    async def close(self) -> None:
        for task in tuple(self._asking.values()):
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)

    async def _gather(self, store: TrustStore, kept: KeptKey) -> Evidence:
        """For every certificate between the leaf and its anchor. Raises SmimeError."""
        leaf, now = certificate.parse(kept.raw), clock.now()
        way = [certificate.parse(der) for der in chain.judge(leaf, kept.chain, store, now, Evidence()).path]
        found = await asyncio.gather(*(self._about(one, issuer, now) for one, issuer in itertools.pairwise(way)))
        return Evidence(
            tuple(dict.fromkeys(raw for one in found for raw in one.crls)),
            tuple(dict.fromkeys(raw for one in found for raw in one.ocsp)),
        )

    async def _about(self, one: Certificate, issuer: Certificate, now: int) -> Evidence:
        """The first answer that says something: OCSP is small and fresh, lists come after it."""
        question = asking.question(one.x509, issuer.x509)
        for url in one.ocsp_urls[:PLACES]:
            got = await self._had(url, question)
            evidence = Evidence(ocsp=(got.raw,))
            if got.raw and _says(one.x509, issuer.x509, now, evidence):
                return evidence
        for url in one.crl_urls[:PLACES]:
            got = await self._had(url, b"")
            evidence = Evidence(crls=(got.raw,))
            if got.raw and _says(one.x509, issuer.x509, now, evidence):
                return evidence
        return Evidence()

    async def _had(self, url: str, question: bytes) -> _Kept:
        name = (url, hashlib.sha256(question).digest() if question else b"")
        known = self._kept.get(name)
        if known is not None and clock.now() < known.until:
            return known
        task = self._asking.get(name)
        if task is None:
            task = self._asking[name] = asyncio.ensure_future(self._get(name, url, question))
            task.add_done_callback(lambda _: self._asking.pop(name, None))
        return await asyncio.shield(task)

    async def _get(self, name: tuple[str, bytes], url: str, question: bytes) -> _Kept:
        raw, end = b"", 0
        try:
            async with self._slots:
                if question:
                    raw = await self._fetch.post(url, question, asking.OCSP_KIND, OCSP_BYTES, plain=True)
                    end = asking.ocsp_until(raw)
                else:
                    raw = await self._fetch.get(url, CRL_BYTES, plain=True)
                    end = asking.crl_until(raw)
        except (OSError, TimeoutError, EOFError) as error:
            log.failure("revocation-not-had", error)
        now = clock.now()
        if end <= now:
            # nothing, or what has ended: a list that is old still proves what it lists
            got = _Kept(raw if end else b"", now + AGAIN_US)
        else:
            got = _Kept(raw, min(max(end, now + SHORTEST_US), now + LONGEST_US))
        self._keep(name, got)
        metrics.count("revocation_asked")
        return got

    def _keep(self, name: tuple[str, bytes], got: _Kept) -> None:
        before = self._kept.pop(name, None)
        self._octets += len(got.raw) - (len(before.raw) if before is not None else 0)
        self._kept[name] = got
        while len(self._kept) > 1 and (self._octets > KEPT_BYTES or len(self._kept) > TRUSTS):
            _, gone = self._kept.popitem(last=False)
            self._octets -= len(gone.raw)


def _says(one: x509.Certificate, issuer: x509.Certificate, now: int, evidence: Evidence) -> bool:
    return revocation.answer(one, issuer, now, evidence) != "unknown"
