"""The message as it goes to a mail server: what must not leave taken out, DKIM signed last, sealed for one recipient.

One signature is made a message and shared by all recipients whose bytes are equal: the bytes name no recipient."""

import re
from collections import OrderedDict

import msgspec

from carepost.crypto import dkim
from carepost.crypto.sealed import Sealed
from carepost.delivery.methods import sevenbit
from carepost.directory.types import OrgSnapshot, RecipientKey
from carepost.ground import clock
from carepost.ground.keys import PurposeKeys
from carepost.policy.types import Method
from carepost.proof.commitments import mail_value
from carepost.queue.types import Worked
from carepost.rfc import message as rfc_message
from carepost.rfc.errors import RfcError

#: signed messages kept for further recipients: how many, and bytes of all
KEPT, KEPT_BYTES = 64, 16 * 1024 * 1024
#: DKIM keys kept open
SIGNERS = 1024


#: the fields `rfc.message.removed` names; the header is read again only where one of them stands in it
_REMOVED = re.compile(
    b"^(?:%s|%s[!-9;-~]*):" % (b"|".join(map(re.escape, rfc_message.REMOVED)), rfc_message.REMOVED_PREFIX),
    re.IGNORECASE | re.MULTILINE,
)


def _to_remove(body: bytes) -> bool:
    end = body.find(b"\r\n\r\n")
    return _REMOVED.search(body, 0, end if end >= 0 else len(body)) is not None


def _read(body: bytes) -> rfc_message.Message:
    try:
        return rfc_message.read(body)
    except RfcError as error:
        raise Unready("too-many-hops" if error.code == "loop" else "cannot-be-prepared") from None


class Prepared(msgspec.Struct, frozen=True):
    """`data` as it goes over the wire, before dot-stuffing; `body_hash`: its relaxed DKIM body hash; `mail`: what
    `proof.commitments.mail_value` says of it, where that is known."""

    data: bytes
    body_hash: bytes
    mail: bytes = b""
    #: id of the organisation's own key that signed it, or ""
    signed: str = ""
    #: the recipient's key it was encrypted to; None: to none
    to: RecipientKey | None = None
    #: what the copy is marked with (`delivery.marking`): opens | clicks | both, or ""
    tracked: str = ""


class Unready(Exception):
    """The message cannot be made ready; the text is a reason code of `outcome`."""


class Preparer:
    """Holds the purpose key `dkim` and opens organisations' signing keys with it, in memory only."""

    def __init__(self, keys: PurposeKeys) -> None:
        self._keys = keys
        self._signers: OrderedDict[tuple[bytes, str, str, bytes], dkim.Signer] = OrderedDict()
        self._ready: OrderedDict[tuple[bytes, int, bool], Prepared] = OrderedDict()
        self._bytes = 0

    def prepare(
        self,
        message: bytes,
        body: bytes,
        snapshot: OrgSnapshot,
        *,
        header_from: str = "",
        worked: Worked | None = None,
        sevenbit_only: bool = False,
        alone: bool = False,
    ) -> Prepared:
        """`message`: its id; `header_from`: its From address, as the door read it. `alone`: no other recipient will
        ask for these bytes. Raises Unready, WrongKey."""
        key = (message, snapshot.epoch, sevenbit_only)
        known = self._ready.get(key)
        if known is not None:
            return known
        prepared = self._make(body, snapshot, header_from, worked, sevenbit_only)
        if not alone:
            self._keep(key, prepared)
        return prepared

    def _make(
        self, body: bytes, snapshot: OrgSnapshot, header_from: str, worked: Worked | None, sevenbit_only: bool
    ) -> Prepared:
        if sevenbit_only and not body.isascii():
            converted = sevenbit.convert(body)
            if converted is None:
                raise Unready("no-8bitmime")
            body, worked = converted, None
        data = body
        # what the door has just made holds nothing of it any more
        if not header_from or (worked is None and _to_remove(body)):
            read = _read(body)
            header_from = read.from_[0].address
            data = rfc_message.rewrite(body, read, rfc_message.removed(read))
        if worked is not None:
            # what is taken out, and our trace field, are none of the fields that are signed
            digest, header, mail = worked.body_hash, worked.header, worked.mail
        else:
            digest, header = dkim.body_hash_relaxed(data), dkim.canonical(dkim.split(data)[0])
            # a signature before it is none of the fields this speaks of, either
            mail = mail_value(data, digest, header)
        signers = self._signers_of(snapshot, header_from.rpartition("@")[2])
        if signers:
            data = dkim.sign_all(data, signers, clock.now() // 1_000_000, digest, header) + data
        if not data.endswith(b"\r\n"):
            data += b"\r\n"
        return Prepared(data, digest, mail)

    def _signers_of(self, snapshot: OrgSnapshot, domain: str) -> list[dkim.Signer]:
        """Those of the From domain: nothing else is aligned."""
        found = snapshot.domain(domain)
        if found is None:
            return []
        signers = []
        for key in found.dkim:
            name = (snapshot.id, domain, key.selector, key.wrapped)
            signer = self._signers.get(name)
            if signer is None:
                aad = b"dkim|" + snapshot.id + b"|" + domain.encode() + b"|" + key.selector.encode()
                plain = self._keys.unwrap("dkim", key.wrapped, aad)
                signer = self._signers[name] = dkim.Signer(domain, key.selector, key.algorithm, plain)
                if len(self._signers) > SIGNERS:
                    self._signers.popitem(last=False)
            signers.append(signer)
        return signers

    def _keep(self, key: tuple[bytes, int, bool], prepared: Prepared) -> None:
        if len(prepared.data) > KEPT_BYTES // 4:
            return
        self._ready[key] = prepared
        self._bytes += len(prepared.data)
        while len(self._ready) > KEPT or self._bytes > KEPT_BYTES:
            _, old = self._ready.popitem(last=False)
            self._bytes -= len(old.data)


def seal(prepared: Prepared, *, floor: int, sender: str, recipient: str, utf8: bool) -> Sealed:
    """For this one recipient, at this floor. Raises Unready for an envelope no server must see."""
    try:
        return Sealed.make(
            method=Method.TLS, floor=floor, sender=sender, recipient=recipient, data=prepared.data, utf8=utf8
        )
    except ValueError:
        raise Unready("cannot-be-prepared") from None
