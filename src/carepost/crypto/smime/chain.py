"""A certificate's way to an anchor of the organisation, and whether any of it was revoked (RFC 5280 6).

Nothing is fetched: revocation lists and OCSP answers come as bytes. Where they do not answer for every certificate
below the anchor, revocation is unknown, which is an answer of its own and never "good".
"""

import datetime
import itertools
import warnings
from collections.abc import Iterable, Sequence

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from carepost.crypto.issuers import ca_policy, leaf_policy
from carepost.crypto.smime import revocation
from carepost.crypto.smime.certificate import Certificate, parse
from carepost.crypto.smime.errors import UNREADABLE, BadCertificate
from carepost.crypto.smime.revocation import Evidence

__all__ = ["Chain", "Evidence", "TrustStore", "judge"]

#: certificates beside the leaf that are looked at, and the longest way to an anchor
MAX_INTERMEDIATES, MAX_DEPTH = 20, 6

_MAIL = (ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)


class TrustStore:
    """The anchors of one organisation; immutable. Raises BadCertificate for one that cannot be read."""

    def __init__(self, anchors: Iterable[bytes] = ()) -> None:
        self.anchors = tuple(parse(anchor) for anchor in anchors)
        self._store = Store([anchor.x509 for anchor in self.anchors]) if self.anchors else None

    @property
    def store(self) -> Store | None:
        return self._store


class Chain(msgspec.Struct, frozen=True):
    """`fault`: "" where an anchor vouches for it, else unknown-issuer | self-signed | chain-expired. `path`: DER, leaf
    first, anchor last. `revocation`: good | revoked | unknown; "" without a path."""

    fault: str
    path: tuple[bytes, ...] = ()
    revocation: str = ""


def judge(
    certificate: Certificate, intermediates: Sequence[bytes], store: TrustStore, at: int, evidence: Evidence
) -> Chain:
    """`at` in UTC microseconds. Dates, basic constraints, key usage, path lengths, name constraints, algorithms and key
    sizes of the whole path are checked."""
    between = _readable(intermediates)
    path = _path(certificate.x509, between, store.store, at)
    if path is None:
        # an expired anchor or intermediate is told from a stranger: the same way held when the leaf began
        then = max(certificate.not_before, *(a.not_before for a in store.anchors), 0) if store.anchors else 0
        if then and _path(certificate.x509, between, store.store, min(then, certificate.not_after)) is not None:
            return Chain("chain-expired")
        return Chain("self-signed" if certificate.self_issued else "unknown-issuer")
    der = tuple(one.public_bytes(Encoding.DER) for one in path)
    return Chain("", der, _revocation(path, at, evidence))


def _readable(intermediates: Sequence[bytes]) -> list[Certificate]:
    found = []
    for one in intermediates[:MAX_INTERMEDIATES]:
        try:
            found.append(parse(one))
        except BadCertificate:
            # what cannot be read vouches for nothing, and spoils nothing
            continue
    return found


def _path(
    leaf: x509.Certificate, between: Sequence[Certificate], store: Store | None, at: int
) -> list[x509.Certificate] | None:
    if store is None:
        return None
    moment = datetime.datetime.fromtimestamp(at // 1_000_000, datetime.UTC)
    verifier = (
        PolicyBuilder()
        .store(store)
        .time(moment.replace(tzinfo=None))
        .max_chain_depth(MAX_DEPTH)
        .extension_policies(ca_policy=_CA_POLICY, ee_policy=_LEAF_POLICY)
        .build_client_verifier()
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return list(verifier.verify(leaf, [one.x509 for one in between]).chain)
    except (VerificationError, *UNREADABLE):
        return None


def _revocation(path: Sequence[x509.Certificate], at: int, evidence: Evidence) -> str:
    if len(path) == 1:
        # the anchor itself: an administrator put it there, and only one can take it away
        return "good"
    answers = {revocation.answer(one, issuer, at, evidence) for one, issuer in itertools.pairwise(path)}
    if "revoked" in answers:
        return "revoked"
    return "good" if answers == {"good"} else "unknown"


_CA_POLICY, _LEAF_POLICY = ca_policy(_MAIL), leaf_policy(_MAIL)
