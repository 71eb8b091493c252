"""Mail from the world for a tenant whose own mail system stands behind us (`directory.gateways`): who sent it is asked
of DNS, what came encrypted is opened, what is signed is judged; then it goes on, by TLS at the floor, into that system.

What is not opened is not changed but for fields before it: a signature inside stays what it was. Fields of ours that
came from outside are taken out, so that nobody but us says what we found."""

import asyncio
from typing import Final, Protocol

import msgspec

from carepost.crypto import sender as senders
from carepost.crypto.sender import Proved
from carepost.directory.gateways import Gateway
from carepost.directory.types import OrgSnapshot
from carepost.ground import clock, metrics
from carepost.intake.opening import OpenedMail
from carepost.intake.own import own
from carepost.intake.proving import Prover
from carepost.policy.types import Method
from carepost.proof import kinds
from carepost.rfc import authres, banner, message
from carepost.rfc.message import Message
from carepost.wire.found import Found
from carepost.wire.types import Origin, Protection, Submission

#: what the gateway found; for the tenant's rules, and for whoever asks later
RESULT_FIELD: Final = "X-Carepost-Opened"
_OURS: Final = message.REMOVED_PREFIX
_NAMES: Final = {Method.SMIME: "S/MIME", Method.OPENPGP: "OpenPGP"}
_SIGNED: Final = {
    "none": "It was not signed.",
    "valid": "Its signature is valid, by a certificate your organisation vouches for.",
    "unknown": "Its signature is intact, but nobody here vouches for whose it is.",
    "invalid": "Its signature is NOT valid: do not rely on who wrote it.",
}
#: RFC 9788 4.4: said to people where the header that was encrypted names another author (BI-075)
_DIFFERS: Final = " The sender it names inside is another than outside: do not rely on who wrote it."


class Opener(Protocol):
    """`intake.opening.Opener`."""

    def protection(self, message: bytes) -> Method | None: ...

    def open_(self, snapshot: OrgSnapshot, message: bytes, recipients: list[str], at: int) -> OpenedMail | None: ...


def takes(snapshot: OrgSnapshot, address: str) -> Gateway | None:
    """The connection behind which this address lives; None: none, or it is one of our own."""
    if not snapshot.gateways:
        return None
    domain = address.rpartition("@")[2]
    if snapshot.domain(domain) is None or own(snapshot, address) is not None:
        return None
    return next((one for one in snapshot.gateways if one.settings.inbound and one.sends_as(domain)), None)


def wanted(submission: Submission, snapshot: OrgSnapshot) -> Gateway | None:
    """Whether this mail from the world is a tenant's: all its recipients are, the door saw to that."""
    found = [takes(snapshot, one.address) for one in submission.envelope.recipients] if snapshot.gateways else []
    return found[0] if found and None not in found else None


class Taken(msgspec.Struct, frozen=True):
    """`submission`: the message that goes on; `found`: keys seen in what was opened."""

    submission: Submission
    proved: Proved
    found: tuple[Found, ...] = ()


class Fronted:
    def __init__(self, prover: Prover, host: str) -> None:
        """`host`: our name in Authentication-Results."""
        self._prover = prover
        self._host = host

    async def take(
        self, submission: Submission, snapshot: OrgSnapshot, gateway: Gateway, opener: Opener | None
    ) -> "Taken":
        """Raises MessageError for what cannot be read, Unavailable."""
        read = message.read(submission.body)
        proved = await self._prover.prove(submission, read)
        opened: OpenedMail | None = None
        if opener is not None and opener.protection(submission.body) is not None:
            recipients = [one.address for one in submission.envelope.recipients]
            opened = await asyncio.to_thread(opener.open_, snapshot, submission.body, recipients, clock.now())
        metrics.count("gateway_inbound")
        body = self._body(submission.body, read, proved, opened, gateway)
        envelope = submission.envelope
        if not _believed(proved):
            # who wrote it is not known: a report about it would go to whoever was named (backscatter)
            envelope = msgspec.structs.replace(
                envelope,
                recipients=tuple(msgspec.structs.replace(one, notify=("NEVER",)) for one in envelope.recipients),
            )
        facts = proved.facts()
        if opened is not None:
            facts["opened"] = opened.fault or ("decrypted" if opened.encrypted else "signed")
            facts["signature"] = opened.signature
            if opened.key:
                facts[kinds.OPENING_KEY] = opened.key
        made = msgspec.structs.replace(
            submission, envelope=envelope, body=body, origin=Origin.INBOUND, gateway=gateway.id,
            protection=Protection(None, (Method.TLS,)), proved=facts,
        )  # fmt: skip
        return Taken(made, proved, opened.found if opened is not None else ())

    def _body(self, raw: bytes, read: Message, proved: Proved, opened: OpenedMail | None, gateway: Gateway) -> bytes:
        result = b""
        if opened is not None:
            result = _field(opened, self._host)
            if opened.encrypted and not opened.fault:
                raw = opened.message
                if gateway.settings.banner:
                    raw, _ = banner.put(raw, _words(opened))
                read = message.read(raw)
        left = authres.without(raw, read, self._host)
        if left is not raw:
            read = message.read(left)
        left = message.rewrite(left, read, frozenset(n for n in read.first if n.startswith(_OURS)))
        return senders.field(self._host, proved) + result + left


def _believed(proved: Proved) -> bool:
    return proved.aligned or proved.spf.result == "pass"


def _words(opened: OpenedMail) -> str:
    said = _SIGNED[opened.signature] + (_DIFFERS if "from-differs" in opened.notes else "")
    return f"Carepost opened this message: it came encrypted by {_NAMES[opened.method]}. {said}"


def _field(opened: OpenedMail, host: str) -> bytes:
    """Words and codes; never an address."""
    said = [host, f"method={opened.method.value}", f"encrypted={'yes' if opened.encrypted else 'no'}"]
    said.append(f"signature={opened.signature}")
    if opened.fault:
        said.append(f"fault={opened.fault}")
    said += [f"reason={one}" for one in opened.reasons[:5]]
    said += [f"warning={one}" for one in opened.notes[:5]]
    if opened.signer:
        said.append(f"signer={opened.signer[:64]}")
    return (f"{RESULT_FIELD}: " + ";\r\n\t".join(said) + "\r\n").encode("ascii", "replace")
