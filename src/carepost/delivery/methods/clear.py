"""Signing of what leaves unencrypted: readable by everyone, one signature a message for all its recipients."""

import threading
from collections import OrderedDict

from carepost.crypto.openpgp import keys as pgp_keys
from carepost.crypto.openpgp import message as pgp
from carepost.crypto.openpgp.errors import OpenPgpError
from carepost.crypto.smime import message as smime
from carepost.crypto.smime.errors import SmimeError
from carepost.delivery.methods.signers import Signing, protected
from carepost.ground import clock, metrics
from carepost.rfc.errors import RfcError

#: signed messages kept for further recipients: how many, and bytes of all
KEPT, KEPT_BYTES = 64, 16 * 1024 * 1024


class Clear:
    """For any thread."""

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[bytes, str], bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def known(self, message: bytes, signing: Signing) -> bytes | None:
        return self._made.get((message, signing.key))

    def make(self, message: bytes, body: bytes, signing: Signing, header_from: str) -> bytes:
        """The message signed; as it is where its author signed or encrypted it, or it cannot be signed without changing
        what it says: its protection on the way is another's, and does not depend on it."""
        try:
            signed = body if protected(body) else _sign(signing.named(body), signing, header_from)
        except (SmimeError, OpenPgpError, RfcError):
            metrics.count("signing-left-out")
            signed = body
        with self._lock:
            name = (message, signing.key)
            if name not in self._made and len(signed) <= KEPT_BYTES // 4:
                self._made[name] = signed
                self._bytes += len(signed)
            while len(self._made) > KEPT or self._bytes > KEPT_BYTES:
                _, old = self._made.popitem(last=False)
                self._bytes -= len(old)
        return signed


def _sign(body: bytes, signing: Signing, header_from: str) -> bytes:
    at = clock.now()
    if signing.smime is not None:
        return smime.sign(body, signing.smime, at)
    assert signing.openpgp is not None
    return pgp.sign(body, pgp_keys.signer(signing.openpgp, signing.sender or header_from, at))
