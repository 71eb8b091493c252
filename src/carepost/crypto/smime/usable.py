"""Whether a certificate may be used: for this address, at this moment, for this act. Every reason is given (BI-071).

The reasons are words of a closed list, for the record and for rules:
wrong-address, no-address, expired, not-yet-valid, key-usage, extended-usage, authority, weak-key, unsupported-key,
weak-signature, unknown-critical-extension, and those of `chain`: unknown-issuer, self-signed, chain-expired,
revoked, revocation-unknown."""

from collections.abc import Sequence

import msgspec

from carepost.crypto.smime import chain
from carepost.crypto.smime.certificate import Certificate, normal
from carepost.crypto.smime.chain import Evidence, TrustStore

EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4"
_ANY = "2.5.29.37.0"


class Trust(msgspec.Struct, frozen=True):
    """What an organisation believes. `pinned`: fingerprints (SHA-256, hex) an administrator vouches for; they need no
    chain, all else is asked of them too. `unknown_ok`: its rule for revocation nobody could ask about."""

    store: TrustStore
    evidence: Evidence = Evidence()
    pinned: frozenset[str] = frozenset()
    unknown_ok: bool = False


class Usability(msgspec.Struct, frozen=True):
    """`reasons` against it, none where it may be used. `revocation`: good | revoked | unknown | pinned | "" (never
    asked)."""

    reasons: tuple[str, ...]
    revocation: str = ""

    @property
    def usable(self) -> bool:
        return not self.reasons


def for_encryption(
    certificate: Certificate, address: str, at: int, trust: Trust, intermediates: Sequence[bytes] = ()
) -> Usability:
    """May mail to `address` be encrypted to it at `at` (UTC microseconds)? `intermediates`: DER, in any order."""
    reasons = _common(certificate, address, at)
    if certificate.key == "ed25519" or certificate.key.startswith("rsa-pss"):
        reasons.append("unsupported-key")
    if not certificate.receives:
        reasons.append("key-usage")
    return _with_chain(certificate, at, trust, intermediates, reasons)


def for_signature(
    certificate: Certificate, address: str, at: int, trust: Trust, intermediates: Sequence[bytes] = ()
) -> Usability:
    """May a signature by it count as one of `address` at `at`?"""
    reasons = _common(certificate, address, at)
    if certificate.key == "x25519":
        reasons.append("unsupported-key")
    if certificate.key_usage is not None and not certificate.key_usage & {"digital_signature", "content_commitment"}:
        reasons.append("key-usage")
    return _with_chain(certificate, at, trust, intermediates, reasons)


def _common(certificate: Certificate, address: str, at: int) -> list[str]:
    reasons = list(certificate.faults)
    if not certificate.addresses:
        reasons.append("no-address")
    elif normal(address) not in certificate.addresses:
        reasons.append("wrong-address")
    if at < certificate.not_before:
        reasons.append("not-yet-valid")
    if at > certificate.not_after:
        reasons.append("expired")
    if certificate.authority:
        reasons.append("authority")
    usage = certificate.extended_usage
    if usage is not None and not usage & {EMAIL_PROTECTION, _ANY}:
        reasons.append("extended-usage")
    return reasons


def _with_chain(
    certificate: Certificate, at: int, trust: Trust, intermediates: Sequence[bytes], reasons: list[str]
) -> Usability:
    if certificate.fingerprint in trust.pinned:
        return Usability(tuple(reasons), "pinned")
    found = chain.judge(certificate, intermediates, trust.store, at, trust.evidence)
    # of a certificate that is itself out of date that is said already
    dated = found.fault == "chain-expired" and {"expired", "not-yet-valid"} & set(reasons)
    if found.fault and not dated:
        reasons.append(found.fault)
    if found.revocation == "revoked":
        reasons.append("revoked")
    elif found.revocation == "unknown" and not trust.unknown_ok:
        reasons.append("revocation-unknown")
    return Usability(tuple(reasons), found.revocation)
