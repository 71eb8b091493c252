"""Where a recipient's key may be published, asked one after the other, the most trusted first (standards 3.4).

SMIMEA (RFC 8162) and OPENPGPKEY (RFC 7929) count only where DNSSEC vouches for the answer; the Web Key Directory counts
by the certificate of its web server. An answer that could not be had is not an answer that there is no key."""

from collections.abc import Sequence
from typing import Final

import msgspec

from carepost.crypto.openpgp import dane as pgp_dane
from carepost.crypto.openpgp import usable as pgp_usable
from carepost.crypto.openpgp import wkd
from carepost.crypto.openpgp.certificate import Certificate
from carepost.crypto.openpgp.errors import OpenPgpError
from carepost.crypto.smime import smimea
from carepost.crypto.smime import usable as x509_usable
from carepost.crypto.smime.chain import TrustStore
from carepost.crypto.smime.usable import Trust
from carepost.delivery.discovery.fetch import KeyFetch
from carepost.delivery.https import NotHad
from carepost.delivery.resolver import Answer, Resolver, TlsaRecord
from carepost.ground import clock, log
from carepost.policy.types import Method
from carepost.rfc.errors import AddressError
from carepost.wire.found import MOST, OPENPGPKEY, SMIMEA, WKD, Found

#: what a Web Key Directory's host that does not exist is called by `mx.reach`
_NO_HOST: Final = frozenset({"no-address"})
#: ends of a look that say no more than that there is no key
_PLAIN: Final = frozenset({"no-address", "status", "url"})


class Looked(msgspec.Struct, frozen=True):
    """`sure` False: something could not be asked, and there may be a key after all. `why`: what was found and is of no
    use, in codes."""

    found: Found | None = None
    sure: bool = True
    why: tuple[str, ...] = ()


class Sources:
    """`store`: the anchors of the organisation that asks."""

    def __init__(self, resolver: Resolver, fetch: KeyFetch) -> None:
        self._resolver = resolver
        self._fetch = fetch

    async def look(self, address: str, method: Method, sources: Sequence[str], store: TrustStore) -> Looked:
        """Never raises for what the outside says."""
        try:
            if method is Method.SMIME:
                return await self.smimea(address, store) if SMIMEA in sources else Looked()
            first = await self.openpgpkey(address) if OPENPGPKEY in sources else Looked()
            if first.found is not None or WKD not in sources:
                return first
            second = await self.wkd(address)
            return Looked(second.found, first.sure and second.sure, (*first.why, *second.why))
        except AddressError:
            return Looked()

    async def smimea(self, address: str, store: TrustStore) -> Looked:
        answer = await self._resolver.smimea(smimea.owner(address))
        ignored = _ignored(answer)
        if ignored is not None:
            return ignored
        records = [smimea.Record(r.usage, r.selector, r.matching, r.data) for r in answer.records]
        now = clock.now()
        why: list[str] = []
        good: list[smimea.Found] = []
        for one in smimea.certificates(records):
            vouched = frozenset({one.certificate.fingerprint}) if one.vouched else frozenset()
            # whether it was revoked is asked when it is used
            trust = Trust(store, pinned=vouched, unknown_ok=True)
            reasons = x509_usable.for_encryption(one.certificate, address, now, trust).reasons
            why.extend(f"{SMIMEA}:{reason}" for reason in reasons)
            if not reasons:
                good.append(one)
        if not good:
            return Looked(why=tuple(why))
        best = max(good, key=lambda one: (one.certificate.not_after, one.certificate.fingerprint))
        known = best.certificate
        return _fits(
            Found(
                address, Method.SMIME.value, SMIMEA, known.der, known.fingerprint, known.not_after,
                capabilities=tuple(sorted(known.capabilities)), vouched=best.vouched,
            )
        )  # fmt: skip

    async def openpgpkey(self, address: str) -> Looked:
        answer = await self._resolver.openpgpkey(pgp_dane.owner(address))
        ignored = _ignored(answer)
        if ignored is not None:
            return ignored
        return _best(pgp_dane.certificates(answer.records, address), address, OPENPGPKEY)

    async def wkd(self, address: str) -> Looked:
        """Advanced; direct only where the host of the first does not exist (draft-koch 3.1). A redirect is followed to
        these two hosts alone: nobody else is asked about this address."""
        advanced, direct = wkd.urls(address)
        within = wkd.hosts(address)
        try:
            try:
                data = await self._fetch.get(advanced, wkd.MAX_ANSWER, within=within)
            except NotHad as error:
                if error.code not in _NO_HOST:
                    raise
                data = await self._fetch.get(direct, wkd.MAX_ANSWER, within=within)
            return _best(wkd.read(data, address), address, WKD)
        except OpenPgpError as error:
            return Looked(why=(f"{WKD}:{error.code}",))
        except NotHad as error:
            # no such host, no such file, or one that leads where we do not go
            gone = error.code in ("no-address", "status", "private", "url", "moved")
            return Looked(sure=gone, why=() if error.code in _PLAIN else (f"{WKD}:{error.code}",))
        except (OSError, TimeoutError, EOFError) as error:
            log.failure("wkd-not-fetched", error)
            return Looked(sure=False)


def _ignored(answer: Answer[bytes] | Answer[TlsaRecord]) -> Looked | None:
    """What an answer means that is not looked at; None: look."""
    if answer.unknown:
        return Looked(sure=False)
    if not answer.records:
        return Looked()
    return None if answer.secure else Looked(why=("dns-not-signed",))


def _best(found: Sequence[Certificate], address: str, source: str) -> Looked:
    now = clock.now()
    why = [pgp_usable.why_not(one, address, now) for one in found]
    good = [one for one, reason in zip(found, why, strict=True) if not reason]
    if not good:
        return Looked(why=tuple(f"{source}:{reason}" for reason in why))
    best = max(good, key=lambda one: (one.created, one.fingerprint))
    return _fits(openpgp(best, address, source))


def openpgp(known: Certificate, address: str, source: str) -> Found:
    return Found(
        address, Method.OPENPGP.value, source, known.raw, known.fingerprint, known.encrypts_until or 0,
        vouched=source == OPENPGPKEY,
    )  # fmt: skip


def _fits(found: Found) -> Looked:
    return Looked(found) if found.size <= MOST else Looked(why=(f"{found.source}:too-large",))
