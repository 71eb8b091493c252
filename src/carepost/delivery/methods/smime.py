"""S/MIME as a method: one recipient's copy encrypted to his certificate, signed where there is a key, DKIM last.

The certificate is looked at again at every attempt: it may have run out, or been taken back, since the plan was made.
What protects the message is in it, so it may travel over whatever connection there is.
"""

from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from carepost.crypto.sealed import Sealed
from carepost.crypto.smime import certificate, message, usable
from carepost.crypto.smime.envelope import Recipient
from carepost.crypto.smime.errors import SmimeError
from carepost.crypto.smime.signing import Signer
from carepost.crypto.smime.usable import Trust
from carepost.delivery.methods.tls import Prepared, Preparer, Unready
from carepost.directory.types import OrgSnapshot
from carepost.ground import clock
from carepost.policy.types import Method
from carepost.proof.commitments import mail_value
from carepost.queue.types import Worked
from carepost.rfc.message import Head

#: certificates kept read and ready
KEPT = 4096
#: seconds for which a judgement of a certificate holds
FRESH = 60
#: reason codes of `outcome`
UNUSABLE = "certificate-unusable"
#: nothing else stands against it: nobody could be asked whether it was revoked, and the organisation wants to know
UNCHECKED = "certificate-unchecked"


class Key(msgspec.Struct, frozen=True):
    """What is known of a recipient: his certificate, DER, those of its issuers, and what he said in a signed message
    that he can read (`Verdict.signers[].capabilities`)."""

    certificate: bytes
    chain: tuple[bytes, ...] = ()
    capabilities: frozenset[str] = frozenset()


class Sealer:
    """Makes the bytes for the wire."""

    def __init__(self, preparer: Preparer) -> None:
        self._preparer = preparer
        self._recipients: OrderedDict[tuple[bytes, frozenset[str]], Recipient] = OrderedDict()
        self._judged: OrderedDict[tuple[str, str], tuple[Trust, int, str]] = OrderedDict()

    def prepare(
        self,
        delivery: bytes,
        body: bytes,
        snapshot: OrgSnapshot,
        *,
        address: str,
        key: Key,
        trust: Trust,
        signer: Signer | None = None,
        header_from: str = "",
        head: Head | None = None,
    ) -> Prepared:
        """`delivery`: its id; `body`: the message as submitted; `address`: the recipient's; `head`: the header as the
        door read it. Raises Unready with
        certificate-unusable, certificate-unchecked or cannot-be-prepared, WrongKey."""
        now = clock.now()
        try:
            recipient = self._recipient(key)
            against = self._against(recipient, address, now, key, trust)
            if against:
                raise Unready(against)
            made = message.make(body, [recipient], now, signer=signer, known=head)
        except SmimeError as error:
            raise Unready(UNUSABLE if error.code == "unsupported-key" else "cannot-be-prepared") from None
        worked = Worked(made.body_hash, made.header, mail_value(made.data, made.body_hash, made.header))
        # these bytes are this delivery's alone, and must not be taken for the message's as TLS sends it
        return self._preparer.prepare(
            b"smime|" + delivery, made.data, snapshot, header_from=header_from, worked=worked, alone=True
        )

    def _against(self, recipient: Recipient, address: str, now: int, key: Key, trust: Trust) -> str:
        """Why it may not be used now, "" where it may. Judged anew when the organisation's trust is another value, and
        every FRESH seconds: a chain costs more than the encryption."""
        name = (recipient.certificate.fingerprint, address)
        known = self._judged.get(name)
        if known is not None and known[0] is trust and 0 <= now - known[1] < FRESH * 1_000_000:
            return known[2] if now <= recipient.certificate.not_after else UNUSABLE
        reasons = usable.for_encryption(recipient.certificate, address, now, trust, key.chain).reasons
        found = UNCHECKED if reasons == ("revocation-unknown",) else UNUSABLE if reasons else ""
        self._judged[name] = (trust, now, found)
        if len(self._judged) > KEPT:
            self._judged.popitem(last=False)
        return found

    def _recipient(self, key: Key) -> Recipient:
        # octets and sets keep their hash: as long as the same key is handed in, nothing of it is read again
        name = (key.certificate, key.capabilities)
        found = self._recipients.get(name)
        if found is None:
            read = certificate.parse(key.certificate)
            found = self._recipients[name] = Recipient(read, key.capabilities)
            if len(self._recipients) > KEPT:
                self._recipients.popitem(last=False)
        return found


def reasons(key: Key, address: str, at: int, trust: Trust) -> Sequence[str]:
    """Why this certificate would not be used now, for `explain` and the facts of a decision; empty where it would."""
    try:
        return usable.for_encryption(certificate.parse(key.certificate), address, at, trust, key.chain).reasons
    except SmimeError as error:
        return (error.code,)


def seal(prepared: Prepared, *, floor: int, sender: str, recipient: str, utf8: bool) -> Sealed:
    """For this one recipient. `floor`: what the connection must reach, which is not what the message is worth: that is
    MESSAGE over any connection. Raises Unready for an envelope no server must see."""
    try:
        return Sealed.make(
            method=Method.SMIME, floor=floor, sender=sender, recipient=recipient, data=prepared.data, utf8=utf8
        )
    except ValueError:
        raise Unready("cannot-be-prepared") from None
