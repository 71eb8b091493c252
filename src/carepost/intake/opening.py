"""Mail that came encrypted or signed, opened with the organisation's own keys and judged by what it knows of senders.

Says what is so and decides nothing: whether what does not open, or whose signature is bad, goes on is its caller's."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from carepost.crypto.openpgp import certificate as pgp_certificate
from carepost.crypto.openpgp import message as pgp
from carepost.crypto.openpgp import verdict as pgp_verdict
from carepost.crypto.openpgp.errors import NotDecrypted, OpenPgpError, Weak
from carepost.crypto.openpgp.secret import PrivateKey
from carepost.crypto.rest import Damaged
from carepost.crypto.smime import opening as smime
from carepost.crypto.smime.errors import NotForUs, SmimeError
from carepost.crypto.smime.identity import Identity
from carepost.crypto.smime.usable import Trust
from carepost.directory import columns
from carepost.directory.recipients import Certificates
from carepost.directory.types import KEY_PLACE, KeptKey, OrgSnapshot, OwnKey, RecipientKey
from carepost.ground.errors import NotFound
from carepost.ground.keys import WrongKey
from carepost.intake import harvest
from carepost.intake.addresses import Tokens, rows_of
from carepost.intake.anchors import Anchors
from carepost.intake.ownkeys import OwnKeys
from carepost.policy.types import Method
from carepost.queue.sealing import EVIDENCE, OrgKeyBook
from carepost.rfc import message as rfc_message
from carepost.rfc.errors import RfcError
from carepost.wire.found import SIGNED_MAIL, Found

UNSIGNED, VALID, INVALID, UNKNOWN = "none", "valid", "invalid", "unknown"
#: private keys tried on one message
MOST_KEYS: Final = 32
#: reasons against a signature that say only that nobody here knows or vouches for its signer
_STRANGER: Final = frozenset({"unknown-issuer", "self-signed", "revocation-unknown"})
_kept = msgspec.msgpack.Decoder(KeptKey)


class OpenedMail(msgspec.Struct, frozen=True):
    """`message`: as its sender composed it; as it came where `fault` says why it does not open. `encrypted`: it was.

    `signature`: none | valid | invalid (do not believe it) | unknown (intact, by someone nobody vouches for), `reasons`
    in codes of `crypto.smime.verdict` or `crypto.openpgp.verdict`. `signer`: the fingerprint of an intact signature's
    certificate. `key`: id of the own key that opened it. `notes`: what a reader should know besides."""

    message: bytes
    method: Method
    encrypted: bool = False
    signature: str = UNSIGNED
    reasons: tuple[str, ...] = ()
    signer: str = ""
    key: str = ""
    notes: tuple[str, ...] = ()
    #: "" | no-key | cannot-open | unsupported | malformed
    fault: str = ""
    #: certificates its signer wants to be written to, where the organisation listens to signed mail
    found: tuple[Found, ...] = ()

    def __repr__(self) -> str:
        # no content: this text may reach a log
        return f"OpenedMail({self.method.value}, encrypted={self.encrypted}, {self.signature}, fault={self.fault!r})"


class Opener:
    """`trust`: what an organisation believes; else its own authorities, and nothing said about revocation."""

    def __init__(
        self,
        own: OwnKeys,
        tokens: Tokens,
        book: OrgKeyBook,
        certificates: Certificates,
        trust: Callable[[OrgSnapshot], Trust] | None = None,
    ) -> None:
        self._own = own
        self._tokens = tokens
        self._book = book
        self._certificates = certificates
        self._anchors = Anchors()
        self._trust = trust or self._anchored

    def protection(self, message: bytes) -> Method | None:
        """By which method the message as a whole is encrypted or signed, as its outermost part says; reads no key."""
        if smime.is_smime(message):
            return Method.SMIME
        return Method.OPENPGP if pgp.kind(message) else None

    def open_(self, snapshot: OrgSnapshot, message: bytes, recipients: Sequence[str], at: int) -> OpenedMail | None:
        """`recipients`: the addresses of the organisation it came for; their keys, then the organisation's, are tried.
        `at`: when it came, UTC microseconds. None where it is neither encrypted nor signed as a whole.

        Blocking: from a thread. Raises Unavailable, WrongKey (nothing was decided then)."""
        method = self.protection(message)
        if method is None:
            return None
        keys = list(dict.fromkeys(key for one in recipients for key in self._own.decrypting(snapshot, one)))
        keys = [key for key in keys if key.method is method][:MOST_KEYS]
        known = self._known(snapshot, message, method)
        if method is Method.SMIME:
            return self._smime(snapshot, message, keys, known, at)
        return self._openpgp(snapshot, message, keys, known, at)

    def _smime(
        self, snapshot: OrgSnapshot, message: bytes, keys: Sequence[OwnKey], known: Sequence[KeptKey], at: int
    ) -> OpenedMail:
        held = self._all(keys, lambda key: self._own.smime(snapshot, key))
        base = self._trust(snapshot)
        vouched = frozenset(one.fingerprint for one in known) | base.pinned
        trust = msgspec.structs.replace(base, pinned=vouched)
        try:
            opened = smime.open_(message, [one for _, one in held if isinstance(one, Identity)], trust, at)
        except NotForUs:
            return OpenedMail(message, Method.SMIME, True, fault="no-key")
        except SmimeError as error:
            return OpenedMail(message, Method.SMIME, bool(smime.recipients(message)), fault=error.code)
        keys_found = self._harvested(snapshot, message, opened, [one for _, one in held], at)
        found = opened.verdict
        state = UNSIGNED
        if found.signed:
            state = VALID if found.valid else UNKNOWN if set(found.reasons) <= _STRANGER else INVALID
        signers = [s.certificate.fingerprint for s in found.signers if s.certificate is not None]
        used = [k.id for k, one in held if isinstance(one, Identity) and one.certificate.fingerprint == opened.key]
        return OpenedMail(
            opened.message, Method.SMIME, bool(found.encrypted), state, found.reasons,
            signers[0] if signers and state != INVALID else "", used[0] if used else "", found.notes,
            found=keys_found,
        )  # fmt: skip

    def _harvested(
        self, snapshot: OrgSnapshot, message: bytes, opened: smime.Opened, held: Sequence[object], at: int
    ) -> tuple[Found, ...]:
        """Of what nobody else can look into; what is signed in the open is looked at there (`harvest.Harvest.offer`).
        Judged by the organisation's authorities alone: neither a pin nor what is unknown of revocation counts there."""
        if not (opened.verdict.encrypted and opened.verdict.signed) or SIGNED_MAIL not in snapshot.key_sources:
            return ()
        store = self._anchors.store(snapshot) if snapshot.anchors else None
        if store is None:
            return ()
        try:
            own = [one for one in held if isinstance(one, Identity)]
            again = smime.open_(message, own, Trust(store, unknown_ok=True), at)
            return tuple(harvest.of_opened(message, again, store, at))
        except (SmimeError, RfcError):
            return ()

    def _openpgp(
        self, snapshot: OrgSnapshot, message: bytes, keys: Sequence[OwnKey], known: Sequence[KeptKey], at: int
    ) -> OpenedMail:
        encrypted = pgp.kind(message).endswith("encrypted")
        held = self._all(keys, lambda key: self._own.openpgp(snapshot, key)) if encrypted else []
        secrets = [one for _, one in held if isinstance(one, PrivateKey)]
        if encrypted and not secrets:
            return OpenedMail(message, Method.OPENPGP, True, fault="no-key")
        try:
            opened = pgp.open_(message, secrets, _readable(known), at=at)
        except NotDecrypted:
            return OpenedMail(message, Method.OPENPGP, True, fault="cannot-open")
        except OpenPgpError as error:
            fault = "unsupported" if isinstance(error, Weak) else "malformed"
            return OpenedMail(message, Method.OPENPGP, encrypted, fault=fault)
        except RfcError:
            return OpenedMail(message, Method.OPENPGP, encrypted, fault="malformed")
        found = opened.verdict
        states = {pgp_verdict.NONE: UNSIGNED, pgp_verdict.VALID: VALID, pgp_verdict.UNKNOWN: UNKNOWN}
        state = states.get(found.state, INVALID)
        reasons = () if state in (UNSIGNED, VALID) else (found.reason,)
        used = [k.id for k, one in held if isinstance(one, PrivateKey) and one.certificate.fingerprint == opened.by]
        return OpenedMail(
            opened.message, Method.OPENPGP, opened.encrypted, state, reasons, found.signer if state == VALID else "",
            used[0] if used else "", opened.warnings,
        )  # fmt: skip

    def _anchored(self, snapshot: OrgSnapshot) -> Trust:
        return Trust(self._anchors.store(snapshot), unknown_ok=snapshot.revocation_unknown_ok)

    def _all(
        self, keys: Sequence[OwnKey], open_: Callable[[OwnKey], Identity | PrivateKey]
    ) -> list[tuple[OwnKey, Identity | PrivateKey]]:
        found: list[tuple[OwnKey, Identity | PrivateKey]] = []
        for key in keys:
            try:
                found.append((key, open_(key)))
            except NotFound:
                # taken back since the snapshot was made
                continue
        return found

    def _known(self, snapshot: OrgSnapshot, message: bytes, method: Method) -> list[KeptKey]:
        """What an administrator vouches for of this sender's: a signature by it counts."""
        try:
            sender = rfc_message.read(message).from_[0].address
        except (RfcError, IndexError):
            return []
        tokens = self._tokens.of(snapshot, sender)
        rows = rows_of(snapshot.recipient_keys, tokens) if tokens is not None else ()
        opened = [self._kept(snapshot, row) for row in rows if row.method is method and row.pinned and not row.changed]
        return [one for one in opened if one is not None]

    def _kept(self, snapshot: OrgSnapshot, row: RecipientKey) -> KeptKey | None:
        try:
            sealed = self._certificates.find(snapshot.id, row)
            key = self._book.version(snapshot.id, EVIDENCE, columns.key_version(sealed))
            return _kept.decode(columns.open_(key, snapshot.id, sealed, f"{KEY_PLACE}/{row.id}"))
        except (NotFound, Damaged, WrongKey, msgspec.DecodeError):
            return None


def _readable(known: Sequence[KeptKey]) -> list[pgp_certificate.Certificate]:
    found = []
    for one in known:
        try:
            found.append(pgp_certificate.read(one.raw))
        except OpenPgpError:
            continue
    return found
