"""What protected a message, and whether its signature counts. One value, every reason in it; never "valid" for less.

`Verdict.valid` is true only where a signature covers the whole of what is shown, its mathematics hold, its certificate
may be used for the From address at this moment, and nothing at all speaks against it (BI-074, BI-075)."""

from collections.abc import Sequence

import msgspec

from carepost.crypto.smime import usable
from carepost.crypto.smime.certificate import Certificate
from carepost.crypto.smime.usable import Trust
from carepost.crypto.smime.verifying import BROKEN, Report

#: how far a signer's clock may be ahead of ours, in microseconds
AHEAD = 3_600_000_000


class SignedBy(msgspec.Struct, frozen=True, eq=False):
    """One signer. `reasons` against this signature; `capabilities`: what the signer says he reads, and `encryption` the
    certificate he wants to be written to: for `keyring`, and only where the signature counts."""

    certificate: Certificate | None
    reasons: tuple[str, ...]
    #: UTC microseconds, his own claim; 0 where he made none
    signed_at: int
    revocation: str
    capabilities: frozenset[str]
    encryption: Certificate | None = None
    #: DER of what else came with the signature: his issuers may be among it
    others: tuple[bytes, ...] = ()


class Verdict(msgspec.Struct, frozen=True, eq=False):
    """`encrypted`: "" | cbc | gcm.

    `reasons`: why a signature does not count, those of every signer together: see `verifying.Report` and `usable`;
    besides from-differs, from-many, signed-in-future, expired-at-signing, not-yet-valid-at-signing, malformed,
    no-signer. `notes`: what a reader should know: signed-part-not-root, encrypted-part-not-root,
    signed-outside-encryption, header-unprotected, header-unsigned, unauthenticated-cipher; from-differs where nobody
    signed."""

    encrypted: str = ""
    signed: bool = False
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    signers: tuple[SignedBy, ...] = ()

    @property
    def valid(self) -> bool:
        return self.signed and bool(self.signers) and not self.reasons

    @property
    def tampered(self) -> bool:
        """A signature is there, and what it was made over is not."""
        return self.signed and bool(BROKEN & set(self.reasons))


def judge(report: Report, senders: Sequence[str], at: int, trust: Trust, intermediates: Sequence[bytes]) -> SignedBy:
    """`senders`: the addresses of the From field that is shown. `at`: when the message came, UTC microseconds."""
    certificate, reasons = report.certificate, list(report.faults)
    if certificate is None:
        return SignedBy(None, tuple(reasons), report.signed_at, "", frozenset())
    revocation = ""
    if len(senders) != 1:
        # RFC 8550 3 knows one sender; a second one would be vouched for by nobody
        reasons.append("from-many")
    for sender in senders[:1]:
        found = usable.for_signature(certificate, sender, at, trust, intermediates)
        reasons += found.reasons
        revocation = found.revocation
    if report.signed_at:
        reasons += _times(certificate, report.signed_at, at)
    return SignedBy(
        certificate, tuple(dict.fromkeys(reasons)), report.signed_at, revocation, report.capabilities,
        report.encryption, tuple(intermediates),
    )  # fmt: skip


def _times(certificate: Certificate, signed_at: int, at: int) -> list[str]:
    reasons = []
    if signed_at > at + AHEAD:
        reasons.append("signed-in-future")
    if signed_at > certificate.not_after:
        reasons.append("expired-at-signing")
    if signed_at < certificate.not_before:
        reasons.append("not-yet-valid-at-signing")
    return reasons
