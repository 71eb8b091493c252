"""Methods that need something of the recipient's: which of his keys, opened for this one use, and by whose sealer."""

from collections import OrderedDict
from typing import Protocol

import msgspec

from carepost.crypto.rest import Damaged
from carepost.crypto.sealed import Sealed
from carepost.crypto.smime.chain import TrustStore
from carepost.crypto.smime.usable import Trust
from carepost.delivery.methods import openpgp, smime, tls
from carepost.delivery.methods.tls import Prepared, Preparer, Unready
from carepost.directory import columns
from carepost.directory.types import KEY_PLACE, KeptKey, OrgSnapshot, RecipientKey
from carepost.policy.types import Method
from carepost.queue.sealing import EVIDENCE, OrgKeyBook

#: the recipient's key went away between the plan and the attempt
NO_KEY = "no-recipient-key"
#: keys kept opened, and trusts made
KEPT = 1024
METHODS = frozenset({Method.SMIME, Method.OPENPGP})
_kept = msgspec.msgpack.Decoder(KeptKey)
_SEALS = {Method.TLS: tls.seal, Method.SMIME: smime.seal, Method.OPENPGP: openpgp.seal}


class Finder(Protocol):
    """`intake.keys.Keys`."""

    def find(self, snapshot: OrgSnapshot, address: str, method: Method) -> RecipientKey | None: ...


class Keyed:
    """Makes the bytes of S/MIME and OpenPGP for the wire."""

    def __init__(self, preparer: Preparer, book: OrgKeyBook, keys: Finder) -> None:
        self._book = book
        self._keys = keys
        self._smime = smime.Sealer(preparer)
        self._openpgp = openpgp.Sealer(preparer)
        self._opened: OrderedDict[bytes, KeptKey] = OrderedDict()
        self._trusts: OrderedDict[str, Trust] = OrderedDict()

    def prepare(
        self, method: Method, delivery: bytes, body: bytes, snapshot: OrgSnapshot, *, address: str, header_from: str
    ) -> Prepared:
        """Raises Unready with a reason of `outcome`, WrongKey."""
        row = self._keys.find(snapshot, address, method)
        if row is None:
            raise Unready(NO_KEY)
        kept = self._open(snapshot, row)
        if method is Method.OPENPGP:
            return self._openpgp.prepare(
                delivery, body, snapshot, address=address, key=kept.raw, header_from=header_from
            )
        key = smime.Key(kept.raw, kept.chain, frozenset(kept.capabilities))
        trust = self._trust(kept.fingerprint if row.pinned else "")
        return self._smime.prepare(
            delivery, body, snapshot, address=address, key=key, trust=trust, header_from=header_from
        )

    def _open(self, snapshot: OrgSnapshot, row: RecipientKey) -> KeptKey:
        found = self._opened.get(row.sealed)
        if found is None:
            key = self._book.version(snapshot.id, EVIDENCE, columns.key_version(row.sealed))
            try:
                found = _kept.decode(columns.open_(key, snapshot.id, row.sealed, f"{KEY_PLACE}/{row.id}"))
            except (Damaged, msgspec.DecodeError):
                raise Unready(NO_KEY) from None
            self._opened[row.sealed] = found
            if len(self._opened) > KEPT:
                self._opened.popitem(last=False)
        return found

    def _trust(self, pinned: str) -> Trust:
        """One value for one fingerprint: the sealer remembers its judgement by it."""
        found = self._trusts.get(pinned)
        if found is None:
            found = self._trusts[pinned] = Trust(TrustStore(), pinned=frozenset({pinned} - {""}))
            if len(self._trusts) > KEPT:
                self._trusts.popitem(last=False)
        return found


def seal(method: Method, prepared: Prepared, *, floor: int, sender: str, recipient: str, utf8: bool) -> Sealed:
    """For this one recipient, at this floor of the connection. Raises Unready."""
    return _SEALS[method](prepared, floor=floor, sender=sender, recipient=recipient, utf8=utf8)
