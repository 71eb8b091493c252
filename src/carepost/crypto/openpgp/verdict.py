"""Is this signature good, whose is it, and may a person be told so (standards 3.4, RFC 9787, BI-074).

`valid` is said only where the library verified the bytes, our own rules on algorithm, time and key agree, and the
signer is who the message says it is from. Everything else has a reason, and none of them is "valid"."""

from collections.abc import Sequence

import msgspec
import pysequoia

from carepost.crypto.openpgp import keypackets, library, packets, signatures, usable
from carepost.crypto.openpgp.certificate import SKEW, Certificate, Key
from carepost.crypto.openpgp.errors import Malformed
from carepost.crypto.openpgp.signatures import Signature
from carepost.rfc import address as rfc_address

NONE, VALID, INVALID, UNKNOWN, PARTIAL = "none", "valid", "invalid", "unknown-key", "partial"

#: reason -> words for a banner
WORDS = {
    "none": "The message is not signed.",
    "valid": "The signature is good, and its owner is the sender of the message.",
    "bad": "The signature does not match: the message or the signature was changed.",
    "malformed": "The signature cannot be read.",
    "weak-hash": "The signature is of a kind that can be forged (MD5, SHA-1 or RIPEMD).",
    "weak-key": "The signature was made with a key that is too weak.",
    "old-format": "The signature is of a form that is not used any more.",
    "from-the-future": "The signature is dated in the future.",
    "signature-expired": "The signature has expired.",
    "signer-revoked": "The key that signed has been revoked.",
    "signer-expired": "The key that signed has expired.",
    "signer-unfit": "The key that signed is not meant for signing, or was not valid then.",
    "signer-not-from": "The signature is good, but its owner is not the sender of the message.",
    "from-differs": "The signature is good, but outside the message names another sender than inside.",
    "not-for-us": "The signature was made for another recipient.",
    "unknown-key": "The key that signed is not known here.",
    "partial": "Only a part of the message is signed.",
}
#: best first: what is said where there are several signatures
_ORDER = (VALID, PARTIAL, INVALID, UNKNOWN, NONE)


class Verdict(msgspec.Struct, frozen=True):
    """`state`: none | valid | invalid | unknown-key | partial. `signer`: the certificate's fingerprint where it is
    known and the bytes verified, else "". `addresses`: what it may speak for. `signed_at`: the signer's claim."""

    state: str
    reason: str
    signer: str = ""
    addresses: tuple[str, ...] = ()
    signed_at: int | None = None
    #: fingerprint or key id the signature names, for a search of the key
    issuer: str = ""

    @property
    def valid(self) -> bool:
        return self.state == VALID

    @property
    def words(self) -> str:
        return WORDS[self.reason]


UNSIGNED = Verdict(NONE, "none")


def judge(
    data: bytes,
    bodies: Sequence[bytes],
    certificates: Sequence[Certificate],
    at: int,
    senders: Sequence[str],
    reader: str = "",
) -> Verdict:
    """On `data` under the signatures with these packet `bodies`. `senders`: the addresses of From, all of which the
    signer must own; `at`: UTC microseconds; `reader`: fingerprint of the certificate the message was decrypted with.
    Never raises for what a signature is."""
    found = [verdict for body in bodies for verdict in _each(data, body, certificates, at, senders, reader)]
    return min(found, key=lambda verdict: _ORDER.index(verdict.state), default=UNSIGNED)


def _each(
    data: bytes, body: bytes, certificates: Sequence[Certificate], at: int, senders: Sequence[str], reader: str
) -> list[Verdict]:
    """One verdict for each certificate that has the key the signature names; one where it cannot come so far."""
    try:
        said = signatures.read(body)
    except (Malformed, msgspec.ValidationError):
        return [Verdict(INVALID, "malformed")]
    issuer = said.issuer or said.issuer_id
    reason = _reason(said, at)
    if not reason and reader and said.intended and reader not in said.intended:
        # signed for somebody else, who encrypted it anew to us (RFC 9580 5.2.3.36)
        reason = "not-for-us"
    if reason:
        return [Verdict(INVALID, reason, issuer=issuer)]
    owners = usable.owners(certificates, said.issuer, said.issuer_id)
    if not owners:
        return [Verdict(UNKNOWN, "unknown-key", issuer=issuer)]
    return [_one(data, body, said, certificate, key, at, senders) for certificate, key in owners]


def _one(
    data: bytes, body: bytes, said: Signature, certificate: Certificate, key: Key, at: int, senders: Sequence[str]
) -> Verdict:
    issuer = said.issuer or said.issuer_id
    reason = _unfit(certificate, key, said, at)
    if reason:
        return Verdict(INVALID, reason, issuer=issuer)
    if not _holds(data, body, certificate, key):
        return Verdict(INVALID, "bad", issuer=issuer)
    owner = Verdict(
        VALID, "valid", signer=certificate.fingerprint, addresses=certificate.addresses, signed_at=said.created,
        issuer=issuer,
    )  # fmt: skip
    if not senders or {rfc_address.matching(s) for s in senders} - set(certificate.addresses):
        return msgspec.structs.replace(owner, state=INVALID, reason="signer-not-from")
    return owner


def _reason(said: Signature, at: int) -> str:
    """What is wrong with it whoever made it."""
    if said.version not in (4, 6):
        return "old-format"
    if said.type not in (signatures.BINARY, signatures.TEXT) or said.void or said.created is None:
        return "malformed"
    if said.hash_algorithm not in signatures.HASHES:
        return "weak-hash"
    if said.key_algorithm in (keypackets.DSA, keypackets.ELGAMAL):
        return "weak-key"
    if said.created > at + SKEW:
        return "from-the-future"
    if said.expires is not None and at >= said.expires:
        return "signature-expired"
    return ""


def _unfit(certificate: Certificate, key: Key, said: Signature, at: int) -> str:
    """What is wrong with who made it: then, or now."""
    made = said.created or 0
    if certificate.revoked or key.revoked:
        return "signer-revoked"
    if not key.strong:
        return "weak-key"
    if not key.signs or not certificate.user_ids or made + SKEW < max(key.created, certificate.created):
        return "signer-unfit"
    for expires in (certificate.expires, key.expires):
        if expires is not None and (at >= expires or made >= expires):
            return "signer-expired"
    return ""


def _holds(data: bytes, body: bytes, certificate: Certificate, key: Key) -> bool:
    """Whether the library, given this certificate alone, finds this one signature good and made by this key."""
    wrong = Malformed("signature", "The signature does not match.")
    try:
        signature = library.call(lambda: pysequoia.Sig.from_bytes(packets.frame(packets.SIGNATURE, body)), wrong)
        owner = library.parse(certificate.raw)
        found = library.call(lambda: pysequoia.verify(data, lambda _: [owner], signature=signature), wrong)
    except Malformed:
        return False
    return any(v.certificate == certificate.fingerprint and v.signing_key == key.fingerprint for v in found.valid_sigs)
