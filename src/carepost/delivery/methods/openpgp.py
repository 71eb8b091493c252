"""OpenPGP as a method: the message encrypted to one recipient's certificate, signed where there is a key, DKIM last.

A certificate is judged again at each sealing, by the clock of that moment. What cannot be used for this recipient makes
the message Unready with a reason of REASONS: the plan's next method, never this one without protection."""

from collections import OrderedDict

from carepost.crypto.openpgp import certificate, keys, message, usable
from carepost.crypto.openpgp.certificate import Certificate
from carepost.crypto.openpgp.errors import OpenPgpError
from carepost.crypto.openpgp.secret import PrivateKey
from carepost.crypto.sealed import Sealed
from carepost.delivery.methods.tls import Prepared, Preparer, Unready
from carepost.directory.types import OrgSnapshot
from carepost.ground import clock
from carepost.policy.types import Method
from carepost.rfc import message as rfc_message
from carepost.rfc.errors import RfcError

#: certificates kept read, signing keys kept open; each takes about a millisecond
KEPT = 1024

#: reason of an Unready -> (RFC 3463 code, words), for `outcome.REASONS`; each leads to the next method
REASONS: dict[str, tuple[str, str]] = {
    **{f"openpgp-{reason}": ("5.7.5", words) for reason, words in usable.WORDS.items()},
    "openpgp-unreadable": ("5.7.5", "The recipient's OpenPGP key cannot be read."),
    "openpgp-refused": ("5.7.5", "The recipient's OpenPGP key cannot be used."),
    "openpgp-signer": ("5.7.5", "The key that should sign for this sender cannot be used."),
}


def why_not(key: bytes, address: str, at: int) -> str:
    """A reason of REASONS why this certificate would not be used now, or "": for the facts of a decision."""
    try:
        reason = usable.why_not(certificate.read(key), address, at)
    except OpenPgpError:
        return "openpgp-unreadable"
    return f"openpgp-{reason}" if reason else ""


class Sealer:
    """Keeps certificates read and signing keys open, in memory only; the DKIM signature is the preparer's."""

    def __init__(self, preparer: Preparer) -> None:
        self._preparer = preparer
        self._read: OrderedDict[bytes, Certificate] = OrderedDict()
        self._signers: OrderedDict[bytes, keys.Signer] = OrderedDict()

    def prepare(
        self,
        delivery: bytes,
        body: bytes,
        snapshot: OrgSnapshot,
        *,
        address: str,
        key: bytes,
        signer: PrivateKey | None = None,
        signed_by: str = "",
        header_from: str = "",
        head: rfc_message.Head | None = None,
    ) -> Prepared:
        """The wire bytes for this one recipient. `delivery`: its id; `body`: the message as submitted; `head`: its
        header as the door read it; `address`: the recipient's; `key`: its certificate, binary (`Certificate.raw`);
        `signer`: the sender's or the organisation's key, which must be for the From address, or for `signed_by`, who
        signs for the sender. Raises Unready with a reason of REASONS, WrongKey."""
        at = clock.now()
        try:
            sender = header_from or rfc_message.read(body).from_[0].address
            owner = self._certificate(key)
            signing = None if signer is None else self._signer(signer, signed_by or sender, at)
            sealed = message.seal(body, [(address, owner)], at=at, signer=signing, known=head)
        except OpenPgpError as error:
            reason = f"openpgp-{error.code}"
            raise Unready(reason if reason in REASONS else "openpgp-refused") from None
        except RfcError:
            raise Unready("cannot-be-prepared") from None
        # these bytes are this delivery's alone, and must not be taken for the message's as TLS sends it
        return self._preparer.prepare(b"openpgp|" + delivery, sealed, snapshot, header_from=sender, alone=True)

    def _certificate(self, raw: bytes) -> Certificate:
        found = self._read.get(raw)
        if found is None:
            try:
                found = self._read[raw] = certificate.read(raw)
            except OpenPgpError:
                raise Unready("openpgp-unreadable") from None
            if len(self._read) > KEPT:
                self._read.popitem(last=False)
        return found

    def _signer(self, key: PrivateKey, sender: str, at: int) -> keys.Signer:
        """Judged at each use, opened once."""
        try:
            keys.may_sign(key, sender, at)
            found = self._signers.get(key.raw)
            if found is None:
                found = self._signers[key.raw] = keys.signer(key, sender, at)
                if len(self._signers) > KEPT:
                    self._signers.popitem(last=False)
        except OpenPgpError:
            raise Unready("openpgp-signer") from None
        return found


def seal(prepared: Prepared, *, floor: int, sender: str, recipient: str, utf8: bool) -> Sealed:
    """For this one recipient, at this floor. Raises Unready for an envelope no server must see."""
    try:
        return Sealed.make(
            method=Method.OPENPGP, floor=floor, sender=sender, recipient=recipient, data=prepared.data, utf8=utf8
        )
    except ValueError:
        raise Unready("cannot-be-prepared") from None
