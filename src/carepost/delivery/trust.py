"""Whom we believe: trust anchors, and the judgement of a server's certificate chain.

The handshake itself never fails on a certificate; the chain is judged here afterwards, so that one handshake measures
what was achieved and says why it was not more. OpenSSL has by then checked that the server holds the leaf's key.
RFC 9525: names from subjectAltName only, a wildcard is the whole left-most label, no common name.
"""

import datetime
import hashlib
import ipaddress
import itertools
import re
import ssl
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import cast

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.x448 import X448PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import Criticality, PolicyBuilder, Store, VerificationError

from carepost.crypto.issuers import ca_policy, leaf_policy
from carepost.ground import clock
from carepost.ground.errors import ConfigError

#: certificates of a chain that are looked at; more is an attack
CHAIN = 10

_PEM = re.compile(rb"-----BEGIN (CERTIFICATE|X509 CRL)-----.*?-----END \1-----", re.S)
_SERVER = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)


class Chain(msgspec.Struct, frozen=True):
    """What a server showed, judged at one moment. `fault` is "" when a trust anchor vouches for it, else one of
    absent, unreadable, expired, not-yet-valid, self-signed, wrong-use, no-name, revoked, unknown-issuer."""

    fault: str
    #: DNS names and addresses of the leaf's subjectAltName, lower case
    names: frozenset[str] = frozenset()
    #: the certificates as shown, leaf first
    der: tuple[bytes, ...] = ()
    #: SHA-256 of the leaf's SubjectPublicKeyInfo, hex
    key: str = ""


class Anchors:
    """CA certificates, and revocation lists given together with them. Immutable after it is made."""

    def __init__(self, certificates: Sequence[x509.Certificate], crls: Sequence[x509.CertificateRevocationList] = ()):
        self._store = Store(list(certificates)) if certificates else None
        self._crls = tuple(crls)

    @classmethod
    def system(cls, extra: Path | None = None) -> "Anchors":
        """The system's store and the file of the setting `outbound_ca`. Raises ConfigError naming the file."""
        found: list[bytes] = []
        bundle = ssl.get_default_verify_paths().cafile
        if bundle and Path(bundle).exists():
            found.append(Path(bundle).read_bytes())
        if extra is not None:
            try:
                found.append(extra.read_bytes())
            except OSError as error:
                raise ConfigError(f"Setting outbound_ca: {extra} cannot be read ({error.strerror}).") from None
            if not _load([found[-1]])[0]:
                raise ConfigError(f"Setting outbound_ca: {extra} holds no PEM certificate.")
        return cls(*_load(found))

    @classmethod
    def pinned(cls, pem: str) -> "Anchors":
        """Only these. Raises ConfigError when there is none."""
        certificates, crls = _load([pem.encode()])
        if not certificates:
            raise ConfigError("A pinned route's CA holds no PEM certificate; add the route again with --ca FILE.")
        return cls(certificates, crls)

    def judge(self, der: Sequence[bytes]) -> Chain:
        """The verdict on a chain as shown in a handshake, leaf first."""
        shown = tuple(der[:CHAIN])
        if not shown:
            return Chain("absent")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                chain = [x509.load_der_x509_certificate(one) for one in shown]
                names = leaf_names(chain[0])
                return Chain(self._fault(chain), names, shown, key_of(chain[0]))
        except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension):
            return Chain("unreadable", der=shown)

    def _fault(self, chain: Sequence[x509.Certificate]) -> str:
        now = datetime.datetime.fromtimestamp(clock.now() // 1_000_000, datetime.UTC)
        path = verify(chain, self._store, now)
        if path is not None:
            return "revoked" if self._revoked(path, now) else ""
        return _reason(chain, now)

    def _revoked(self, path: Sequence[x509.Certificate], now: datetime.datetime) -> bool:
        for certificate, issuer in itertools.pairwise(path):
            for crl in self._crls:
                key = issuer.public_key()
                if crl.issuer != issuer.subject or isinstance(key, X25519PublicKey | X448PublicKey):
                    continue
                if not crl.is_signature_valid(cast(CertificateIssuerPublicKeyTypes, key)):
                    continue
                entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
                if entry is not None and entry.revocation_date_utc <= now:
                    return True
        return False


def verify(
    chain: Sequence[x509.Certificate], store: Store | None, now: datetime.datetime
) -> list[x509.Certificate] | None:
    """The path from the leaf to an anchor, or None. Dates, basic constraints, key usage, name constraints, path
    lengths, signature algorithms and key sizes are checked; names are the caller's."""
    if store is None:
        return None
    verifier = (
        PolicyBuilder()
        .store(store)
        .time(now.replace(tzinfo=None))
        .extension_policies(ca_policy=_CA_POLICY, ee_policy=_LEAF_POLICY)
        .build_client_verifier()
    )
    try:
        return list(verifier.verify(chain[0], list(chain[1:])).chain)
    except VerificationError:
        return None


def key_of(certificate: x509.Certificate) -> str:
    """As pins name it. Raises ValueError, UnsupportedAlgorithm."""
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(key).hexdigest()


def matches(name: str, names: Iterable[str]) -> bool:
    """RFC 9525 6.3: `name` (host, or an address) is one of a certificate's `names`."""
    name = name.rstrip(".").lower()
    if _is_address(name):
        return name in names
    for pattern in names:
        if pattern == name:
            return True
        if pattern.startswith("*."):
            rest = pattern[1:]
            # Two labels at least under the wildcard: nobody may speak for all of a top-level domain (BI-038).
            if name.endswith(rest) and rest.count(".") >= 2 and "." not in name[: -len(rest)] and name != rest[1:]:
                return True
    return False


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def leaf_names(leaf: x509.Certificate) -> frozenset[str]:
    try:
        san = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    names = [name.lower().rstrip(".") for name in san.get_values_for_type(x509.DNSName)]
    names += [str(address) for address in san.get_values_for_type(x509.IPAddress)]
    # A NUL or blank in a name was put there to be cut off by somebody (BI-038).
    return frozenset(name for name in names if name and name.isprintable() and " " not in name)


def _reason(chain: Sequence[x509.Certificate], now: datetime.datetime) -> str:
    """The most telling of the reasons for which no anchor vouches for this chain."""
    leaf = chain[0]
    if _self_signed(leaf):
        return "self-signed"
    if any(certificate.not_valid_after_utc < now for certificate in chain):
        return "expired"
    if any(certificate.not_valid_before_utc > now for certificate in chain):
        return "not-yet-valid"
    try:
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        if not any(oid in usage for oid in _SERVER):
            return "wrong-use"
    except x509.ExtensionNotFound:
        pass
    return "unknown-issuer" if leaf_names(leaf) else "no-name"


def _self_signed(certificate: x509.Certificate) -> bool:
    if certificate.issuer != certificate.subject:
        return False
    try:
        certificate.verify_directly_issued_by(certificate)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


_CA_POLICY = ca_policy(_SERVER)
_LEAF_POLICY = leaf_policy(_SERVER).require_present(x509.SubjectAlternativeName, Criticality.AGNOSTIC, None)


def _load(bundles: Sequence[bytes]) -> tuple[list[x509.Certificate], list[x509.CertificateRevocationList]]:
    certificates: list[x509.Certificate] = []
    crls: list[x509.CertificateRevocationList] = []
    with warnings.catch_warnings():
        # Some old roots break RFC 5280; one that cannot be read must not take the others with it.
        warnings.simplefilter("ignore")
        for bundle in bundles:
            for block in _PEM.finditer(bundle):
                try:
                    if block[1] == b"CERTIFICATE":
                        certificates.append(x509.load_pem_x509_certificate(block[0]))
                    else:
                        crls.append(x509.load_pem_x509_crl(block[0]))
                except (ValueError, UnsupportedAlgorithm):
                    continue
    return certificates, crls
