"""What sessions with a domain's hosts taught: how each host was met, and how TLS-RPT counts them (RFC 8460).

Called only where a connection was opened, or failed to have TLS: a message on a pooled one comes never here."""

import hashlib
import warnings
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from carepost.delivery import dane, trust
from carepost.delivery.carried import Met
from carepost.delivery.hops import Hop, Hops
from carepost.delivery.resolver import TlsaRecord
from carepost.policy.types import Assurance
from carepost.posture import Posture
from carepost.posture.types import Certificate, Failure, Policy, Side

#: names of a certificate that are kept
NAMES: Final = 20
#: our word for what was amiss -> result type of RFC 8460 4.3; every other is validation-failure
RESULTS: Final = {
    "no-tls": "starttls-not-supported",
    "starttls-refused": "starttls-not-supported",
    "wrong-name": "certificate-host-mismatch",
    "expired": "certificate-expired",
    "self-signed": "certificate-not-trusted",
    "unknown-issuer": "certificate-not-trusted",
    "revoked": "certificate-not-trusted",
    "absent": "certificate-not-trusted",
    "dane-mismatch": "tlsa-invalid",
    "dane-unusable": "tlsa-invalid",
    "tlsa-failure": "dnssec-invalid",
}
#: policy type of sessions with a pinned next hop: ours alone, in nobody's report
PINNED: Final = "pinned"
#: our own caution about unsigned DNS: the session itself was in order
_OURS: Final = frozenset({"tls-lost", "mx-moved"})


def learn(posture: Posture, org: bytes, hops: Hops, met: tuple[Met, ...]) -> tuple[Side, ...]:
    """Counts the sessions of one attempt, and answers how their hosts were met."""
    for one in met:
        for policy, failure in judged(hops, one):
            posture.count(org, hops.domain, policy, failure)
    return tuple(_side(posture, hops, one) for one in met)


def unreached(posture: Posture, org: bytes, hops: Hops) -> None:
    """No host of the domain may be tried: counted as one failed session where a promise of its own is the reason."""
    if hops.fault == "tlsa-failure":
        policy = Policy("tlsa", hops.domain)
        posture.count(org, hops.domain, policy, Failure("dnssec-invalid", reason=hops.fault))
    elif hops.fault == "mta-sts-mx":
        host = hops.hosts[0] if hops.hosts else ""
        posture.count(org, hops.domain, _sts(hops), Failure("validation-failure", host, reason=hops.fault))


def judged(hops: Hops, met: Met) -> list[tuple[Policy, Failure | None]]:
    """The policy a session counts under, and its failure. A second entry where the domain's own MTA-STS policy could
    not be had: RFC 8460 4.3.2.2 counts that besides."""
    fault = met.error or (met.assessed.fault if met.assessed is not None else "")
    failure = None
    if fault and fault not in _OURS:
        result = RESULTS.get(fault, "validation-failure")
        failure = Failure(result, met.hop.host, met.address, fault)
    found: list[tuple[Policy, Failure | None]] = [(policy_of(hops, met.hop), failure)]
    if hops.sts.fault:
        policy = _sts(hops)
        found.append((policy, Failure(hops.sts.fault)))
    return found


def policy_of(hops: Hops, hop: Hop) -> Policy:
    if hops.pinned:
        return Policy(PINNED, hops.domain)
    if hop.tlsa.state is not dane.State.NONE:
        text = sorted(_presented(record) for record in hop.tlsa.records)
        return Policy("tlsa", hop.host, tuple(text), (hop.host,))
    if hops.sts.policy is not None:
        return _sts(hops)
    return Policy("no-policy-found", hops.domain)


def _sts(hops: Hops) -> Policy:
    policy = hops.sts.policy
    if policy is None:
        return Policy("sts", hops.domain)
    text = policy.text.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    return Policy("sts", hops.domain, tuple(line for line in text if line.strip()), policy.mx)


def _presented(record: TlsaRecord) -> str:
    """RFC 6698 2.2."""
    return f"{record.usage} {record.selector} {record.matching} {record.data.hex()}"


def _side(posture: Posture, hops: Hops, met: Met) -> Side:
    shake, assessed = met.handshake, met.assessed
    known = posture.side(hops.domain, met.hop.host, pinned=hops.pinned)
    return Side(
        host=met.hop.host,
        tls=shake.version if shake is not None else "none",
        cipher=shake.cipher if shake is not None else "",
        assurance=assessed.achieved if assessed is not None else Assurance.NONE,
        basis=assessed.basis if assessed is not None else "",
        fault=met.error or (assessed.fault if assessed is not None else ""),
        certificate=certificate(shake.chain.der[0], known) if shake is not None and shake.chain.der else None,
        tlsa=tuple(sorted(dane.rdata(record).hex() for record in met.hop.tlsa.records)),
        pinned=hops.pinned,
        pin=hops.pin,
    )


def certificate(der: bytes, known: Side | None = None) -> Certificate | None:
    """What is kept of a leaf; that of `known` when it is the same. None: it cannot be read."""
    fingerprint = hashlib.sha256(der).hexdigest()
    if known is not None and known.certificate is not None and known.certificate.fingerprint == fingerprint:
        return known.certificate
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            leaf = x509.load_der_x509_certificate(der)
        return Certificate(
            fingerprint=fingerprint,
            key=trust.key_of(leaf),
            not_before=int(leaf.not_valid_before_utc.timestamp()) * 1_000_000,
            not_after=int(leaf.not_valid_after_utc.timestamp()) * 1_000_000,
            names=tuple(sorted(trust.leaf_names(leaf))[:NAMES]),
            issuer=_issuer(leaf),
        )
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension):
        return None


def _issuer(leaf: x509.Certificate) -> str:
    """A name for people: what the issuer calls itself, printable and short."""
    for oid in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME):
        for attribute in leaf.issuer.get_attributes_for_oid(oid):
            text = str(attribute.value)
            if text.isprintable() and text.strip():
                return text.strip()[:100]
    return ""
