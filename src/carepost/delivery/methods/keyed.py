"""Methods that need something of the recipient's: which of his keys, opened for this one use, and by whose sealer."""

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple, Protocol

import msgspec

from carepost.crypto.rest import Damaged
from carepost.crypto.sealed import Sealed
from carepost.crypto.smime.chain import TrustStore
from carepost.crypto.smime.usable import Trust
from carepost.delivery.discovery.evidence import Collector
from carepost.delivery.methods import openpgp, smime, tls
from carepost.delivery.methods.clear import Clear
from carepost.delivery.methods.signers import Signers, Signing, protected
from carepost.delivery.methods.tls import Prepared, Preparer, Unready
from carepost.directory import columns
from carepost.directory.recipients import Certificates
from carepost.directory.types import KEY_PLACE, KeptKey, OrgSnapshot, RecipientKey
from carepost.ground.errors import NotFound
from carepost.intake.ownkeys import OwnKeys
from carepost.policy.types import Method
from carepost.queue.sealing import EVIDENCE, OrgKeyBook
from carepost.rfc.message import Head

#: the recipient's key went away between the plan and the attempt
NO_KEY = "no-recipient-key"
#: keys kept opened, and trusts made
KEPT = 1024
#: bytes of a message above which it is made in a thread of its own: about 2 ms of the loop
LARGE = 128 * 1024
METHODS = frozenset({Method.SMIME, Method.OPENPGP})
_kept = msgspec.msgpack.Decoder(KeptKey)
_SEALS = {Method.TLS: tls.seal, Method.SMIME: smime.seal, Method.OPENPGP: openpgp.seal}


class Finder(Protocol):
    """`intake.keys.Keys`."""

    def find(self, snapshot: OrgSnapshot, address: str, method: Method) -> RecipientKey | None: ...


class _Kept(NamedTuple):
    """A key opened, for as long as this epoch lasts. `smime`: made once, as what is remembered of it is found by it."""

    epoch: int
    key: KeptKey
    smime: smime.Key


class _Bench:
    """Sealers with what they remember, for one thread alone."""

    def __init__(self, preparer: Preparer) -> None:
        self._smime = smime.Sealer(preparer)
        self._openpgp = openpgp.Sealer(preparer)
        self._trusts: OrderedDict[str, Trust] = OrderedDict()

    def prepare(
        self, method: Method, delivery: bytes, body: bytes, snapshot: OrgSnapshot, *, address: str, to: RecipientKey,
        kept: "_Kept", header_from: str, head: Head | None, signing: Signing | None, trust: Trust | None = None,
    ) -> Prepared:  # fmt: skip
        if signing is not None:
            signing = None if protected(body) else signing
            body = signing.named(body) if signing is not None else body
        pinned = to.pinned or kept.key.vouched
        made = self._made(method, delivery, body, snapshot, address, kept, pinned, header_from, head, signing, trust)
        return Prepared(made.data, made.body_hash, made.mail, signing.key if signing is not None else "", to)

    def _made(
        self, method: Method, delivery: bytes, body: bytes, snapshot: OrgSnapshot, address: str, kept: "_Kept",
        pinned: bool, header_from: str, head: Head | None, signing: Signing | None, trust: Trust | None,
    ) -> Prepared:  # fmt: skip
        if method is Method.OPENPGP:
            signer, owner = (signing.openpgp, signing.sender) if signing is not None else (None, "")
            return self._openpgp.prepare(
                delivery, body, snapshot, address=address, key=kept.key.raw, header_from=header_from, signer=signer,
                signed_by=owner, head=head,
            )  # fmt: skip
        trust = trust or self._trust(kept.key.fingerprint if pinned else "")
        return self._smime.prepare(
            delivery, body, snapshot, address=address, key=kept.smime, trust=trust, header_from=header_from,
            head=head, signer=signing.smime if signing is not None else None,
        )  # fmt: skip

    def _trust(self, pinned: str) -> Trust:
        """One value for one fingerprint: the sealer remembers its judgement by it."""
        found = self._trusts.get(pinned)
        if found is None:
            found = self._trusts[pinned] = Trust(TrustStore(), pinned=frozenset({pinned} - {""}))
            if len(self._trusts) > KEPT:
                self._trusts.popitem(last=False)
        return found


class Keyed:
    """Makes the bytes of S/MIME and OpenPGP for the wire. `aside`: a preparer that no other thread uses, for messages
    over LARGE: a long one takes half a second, in which the loop must answer others."""

    def __init__(
        self,
        preparer: Preparer,
        book: OrgKeyBook,
        keys: Finder,
        certificates: Certificates,
        *,
        aside: Preparer,
        own: OwnKeys | None = None,
        collector: Collector | None = None,
    ) -> None:
        self._book = book
        self._keys = keys
        self._collector = collector
        self._certificates = certificates
        self._here, self._aside = _Bench(preparer), _Bench(aside)
        self._signers = Signers(own)
        self._clear = Clear()
        # one thread: its bench is not for two, and several large messages at once would be several in memory
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sealing")
        self._opened: OrderedDict[tuple[bytes, str], _Kept] = OrderedDict()

    async def prepare(
        self, method: Method, delivery: bytes, body: bytes, snapshot: OrgSnapshot, *, address: str, header_from: str,
        head: Head | None = None,
    ) -> Prepared:  # fmt: skip
        """`head`: the header of `body`, where the door has read it. Raises Unready with a reason of `outcome`,
        WrongKey, Unavailable."""
        row = self._keys.find(snapshot, address, method)
        if row is None:
            raise Unready(NO_KEY)
        kept = await self._kept(snapshot, row)
        signing = await self._signers.of(snapshot, header_from, method) if snapshot.own_keys else None
        trust = None
        if method is Method.SMIME and not row.pinned and not kept.key.vouched and self._collector is not None:
            trust = await self._collector.trust(snapshot, kept.key)
        large = len(body) > LARGE
        make = partial(
            (self._aside if large else self._here).prepare,
            method, delivery, body, snapshot, address=address, to=row, kept=kept,
            header_from=header_from, head=head, signing=signing, trust=trust,
        )  # fmt: skip
        return await asyncio.get_running_loop().run_in_executor(self._thread, make) if large else make()

    async def signed(self, message: bytes, body: bytes, snapshot: OrgSnapshot, header_from: str) -> tuple[bytes, str]:
        """(`body` of a message that leaves unencrypted, id of the key): signed, where the sender's or the
        organisation's key signs all it sends; else as it is, and "". `message`: its id. Raises Unavailable,
        WrongKey."""
        signing = await self._signers.always(snapshot, header_from)
        if signing is None:
            return body, ""
        made = self._clear.known(message, signing)
        if made is None:
            make = partial(self._clear.make, message, body, signing, header_from)
            loop = asyncio.get_running_loop()
            made = await loop.run_in_executor(self._thread, make) if len(body) > LARGE else make()
        return made, "" if made is body else signing.key

    def close(self) -> None:
        """What waits is let go; what is being made is made to its end, and thrown away."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _kept(self, snapshot: OrgSnapshot, row: RecipientKey) -> _Kept:
        """Fetched at its first use of an epoch: what is written anew under the same id moves the epoch."""
        name = (snapshot.id, row.id)
        known = self._opened.get(name)
        if known is not None and known.epoch == snapshot.epoch:
            return known
        try:
            loop = asyncio.get_running_loop()
            sealed = await loop.run_in_executor(None, self._certificates.find, snapshot.id, row)
            key = self._book.version(snapshot.id, EVIDENCE, columns.key_version(sealed))
            found = _kept.decode(columns.open_(key, snapshot.id, sealed, f"{KEY_PLACE}/{row.id}"))
        except (NotFound, Damaged, msgspec.DecodeError):
            raise Unready(NO_KEY) from None
        ready = smime.Key(found.raw, found.chain, frozenset(found.capabilities))
        self._opened[name] = opened = _Kept(snapshot.epoch, found, ready)
        if len(self._opened) > KEPT:
            self._opened.popitem(last=False)
        return opened


def seal(method: Method, prepared: Prepared, *, floor: int, sender: str, recipient: str, utf8: bool) -> Sealed:
    """For this one recipient, at this floor of the connection. Raises Unready."""
    return _SEALS[method](prepared, floor=floor, sender=sender, recipient=recipient, utf8=utf8)
