"""Keys that people send along: the certificate of a signature that counts, and the Autocrypt header.

Looked at beside the mail, after it was taken, and only of mail whose sender DMARC proved. What is found is an event,
and `keyring` decides what it is worth: never more than what an organisation or its domain says of a person (BI-072)."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Sequence
from typing import Final

from carepost.crypto.openpgp import autocrypt
from carepost.crypto.openpgp import usable as pgp_usable
from carepost.crypto.smime import chain, opening, usable
from carepost.crypto.smime.chain import Evidence, TrustStore
from carepost.crypto.smime.errors import SmimeError
from carepost.crypto.smime.usable import Trust
from carepost.directory.types import OrgSnapshot
from carepost.ground import clock, log, metrics
from carepost.intake import finding
from carepost.intake.anchors import Anchors
from carepost.intake.refusals import Writer
from carepost.policy.types import Method
from carepost.rfc import address as rfc_address
from carepost.rfc import message as rfc_message
from carepost.rfc.errors import RfcError
from carepost.wire.found import AUTOCRYPT, MOST, SIGNED_MAIL, Found

#: octets of a message that is looked at; looked at once; keys remembered, and for how many seconds
LARGEST, AT_ONCE, REMEMBERED, AGAIN = 5_000_000, 4, 20_000, 86_400.0
_HEAD: Final = 256 * 1024


class Harvest:
    """On the loop only; the reading is done on threads."""

    def __init__(self, writer: Callable[[], Writer], anchors: Anchors) -> None:
        self._writer = writer
        self._anchors = anchors
        self._known: OrderedDict[tuple[bytes, str, str], float] = OrderedDict()
        self._reading: set[asyncio.Task[None]] = set()

    def offer(self, snapshot: OrgSnapshot, body: bytes, dmarc: str) -> None:
        """`body`: a message that was taken; `dmarc`: what was proved of its sender. Returns at once; what cannot be
        looked at now is left: the next message brings it again."""
        if dmarc != "pass" or len(body) > LARGEST:
            return
        signed = SIGNED_MAIL in snapshot.key_sources and bool(snapshot.anchors)
        header = AUTOCRYPT in snapshot.key_sources and b"\nautocrypt:" in body[:_HEAD].lower()
        if not (header or (signed and opening.is_smime(body))):
            return
        if len(self._reading) >= AT_ONCE:
            metrics.count("harvest_passed_over")
            return
        self._begin(self._take(snapshot, body, signed, header))

    def offer_found(self, snapshot: OrgSnapshot, found: Sequence[Found], dmarc: str) -> None:
        """What was seen in a message that only the organisation's own keys opened. Returns at once."""
        if dmarc != "pass" or not found:
            return
        if len(self._reading) >= AT_ONCE:
            metrics.count("harvest_passed_over")
            return
        self._begin(self._note(snapshot, found))

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    async def close(self) -> None:
        """Ends what is under way. Before the queues are closed."""
        await asyncio.gather(*self._reading, return_exceptions=True)

    async def _take(self, snapshot: OrgSnapshot, body: bytes, signed: bool, header: bool) -> None:
        store = self._anchors.store(snapshot) if signed else None
        try:
            given = await asyncio.to_thread(read, body, store, header, clock.now())
        except Exception as error:
            # whatever a stranger's mail does to it, the mail was taken
            log.failure("harvest", error)
            return
        await self._note(snapshot, given)

    async def _note(self, snapshot: OrgSnapshot, given: Sequence[Found]) -> None:
        try:
            for found in given:
                name = (snapshot.id, found.address, found.fingerprint)
                if self._known.get(name, 0.0) > clock.monotonic():
                    continue
                writer = self._writer()
                await writer.note(
                    snapshot.id, finding.event(snapshot.id, found, snapshot.policy_version, writer.number)
                )
                self._known[name] = clock.monotonic() + AGAIN
                if len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
                metrics.count("key_harvested")
        except Exception as error:
            # the mail was taken, and brings the key again
            log.failure("harvest", error)


def read(body: bytes, store: TrustStore | None, header: bool, at: int) -> list[Found]:
    """Of one message. `store`: the authorities that are believed, None: signatures are not looked at. `header`: the
    Autocrypt header is. Never raises for what a message holds."""
    found = [] if store is None else _signed(body, store, at)
    offer = autocrypt.read(body) if header else None
    if offer is not None and not pgp_usable.why_not(offer.certificate, offer.address, at):
        known = offer.certificate
        one = Found(
            offer.address, Method.OPENPGP.value, AUTOCRYPT, known.raw, known.fingerprint, known.encrypts_until or 0
        )
        found += [one] if one.size <= MOST else []
    return found


def _signed(body: bytes, store: TrustStore, at: int) -> list[Found]:
    """The certificate its one signer wants to be written to, where the signature counts in full (BI-074)."""
    # whether it was revoked is asked when it is used
    trust = Trust(store, unknown_ok=True)
    try:
        return of_opened(body, opening.open_(body, [], trust, at), store, at)
    except (SmimeError, RfcError):
        return []


def of_opened(body: bytes, opened: opening.Opened, store: TrustStore, at: int) -> list[Found]:
    """`opened`: `body`, by a trust in `store` alone, with whatever own keys it needed. Raises RfcError."""
    trust = Trust(store, unknown_ok=True)
    outer, inner = rfc_message.read(body).from_, rfc_message.read(opened.message).from_
    verdict = opened.verdict
    if not verdict.valid or len(verdict.signers) != 1 or len(outer) != 1 or len(inner) != 1:
        return []
    address = rfc_address.matching(outer[0].address)
    if rfc_address.matching(inner[0].address) != address:
        return []
    signer = verdict.signers[0]
    known = signer.encryption or signer.certificate
    if known is None or not usable.for_encryption(known, address, at, trust, signer.others).usable:
        return []
    way = chain.judge(known, signer.others, store, at, Evidence()).path[1:-1]
    one = Found(
        outer[0].address, Method.SMIME.value, SIGNED_MAIL, known.der, known.fingerprint, known.not_after, way,
        tuple(sorted(signer.capabilities | known.capabilities)),
    )  # fmt: skip
    return [one] if one.size <= MOST else []
