"""What a revocation list (RFC 5280 5) or an OCSP answer (RFC 6960), handed in as bytes, says of one certificate.

Either counts only when its issuer signed it, for this certificate, and it is fresh; anything else is no answer."""

import datetime
import warnings
from collections.abc import Callable
from typing import cast

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from carepost.crypto.smime import der
from carepost.crypto.smime.errors import UNREADABLE, Malformed

#: octets of one list or answer, and how many are looked at
MAX_BYTES, MAX_COUNT = 16 * 1024 * 1024, 40
#: clocks may differ by this
SKEW = datetime.timedelta(minutes=5)
#: an OCSP answer that names no end holds this long
OCSP_LIFE = datetime.timedelta(days=4)

_STRONG = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


class Evidence(msgspec.Struct, frozen=True):
    """Revocation lists and OCSP answers, DER, as they were fetched."""

    crls: tuple[bytes, ...] = ()
    ocsp: tuple[bytes, ...] = ()


def answer(certificate: x509.Certificate, issuer: x509.Certificate, at: int, evidence: Evidence) -> str:
    """good | revoked | unknown, at `at` (UTC microseconds). One proof of revocation outweighs all others."""
    now = datetime.datetime.fromtimestamp(at // 1_000_000, datetime.UTC)
    found: set[str] = set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for raw in evidence.ocsp[:MAX_COUNT]:
            found.add(_guarded(_ocsp, raw, certificate, issuer, now))
        for raw in evidence.crls[:MAX_COUNT]:
            found.add(_guarded(_crl, raw, certificate, issuer, now))
    return "revoked" if "revoked" in found else "good" if "good" in found else "unknown"


_Look = Callable[[bytes, x509.Certificate, x509.Certificate, datetime.datetime], str]


def _guarded(
    look: _Look, raw: bytes, certificate: x509.Certificate, issuer: x509.Certificate, now: datetime.datetime
) -> str:
    if len(raw) > MAX_BYTES:
        return "unknown"
    try:
        return look(raw, certificate, issuer, now)
    except (*UNREADABLE, Malformed):
        return "unknown"


def _fresh(start: datetime.datetime | None, end: datetime.datetime | None, now: datetime.datetime) -> bool:
    return start is not None and end is not None and start - SKEW <= now <= end + SKEW


def _crl(raw: bytes, certificate: x509.Certificate, issuer: x509.Certificate, now: datetime.datetime) -> str:
    found = x509.load_der_x509_crl(raw)
    if found.issuer != certificate.issuer or not isinstance(found.signature_hash_algorithm, (*_STRONG, type(None))):
        return "unknown"
    usage = _extension(issuer, ExtensionOID.KEY_USAGE)
    if isinstance(usage, x509.KeyUsage) and not usage.crl_sign:
        return "unknown"
    if not found.is_signature_valid(cast(CertificateIssuerPublicKeyTypes, issuer.public_key())):
        return "unknown"
    entry = found.get_revoked_certificate_by_serial_number(certificate.serial_number)
    if entry is not None and not _taken_back(entry):
        # a list that has grown old still proves what it lists
        return "revoked"
    if not _fresh(found.last_update_utc, found.next_update_utc, now) or not _covers(found, certificate):
        return "unknown"
    return "good"


def _taken_back(entry: x509.RevokedCertificate) -> bool:
    """An entry of a list of differences that ends a hold (RFC 5280 5.3.1)."""
    try:
        reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return False
    return reason is x509.ReasonFlags.remove_from_crl


def _covers(found: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    """All of this issuer's certificates, or the part this one says it is in: not a difference to another list."""
    for extension in found.extensions:
        if isinstance(extension.value, x509.IssuingDistributionPoint):
            point = extension.value
            if point.indirect_crl or point.only_some_reasons or point.only_contains_attribute_certs:
                return False
            if point.only_contains_ca_certs and not _is_authority(certificate):
                return False
            if point.only_contains_user_certs and _is_authority(certificate):
                return False
            if point.relative_name or (point.full_name and not set(point.full_name) & _points(certificate)):
                return False
        elif isinstance(extension.value, x509.DeltaCRLIndicator) or extension.critical:
            return False
    return True


def _ocsp(raw: bytes, certificate: x509.Certificate, issuer: x509.Certificate, now: datetime.datetime) -> str:
    found = ocsp.load_der_ocsp_response(raw)
    if found.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        return "unknown"
    if not _answered_by(found, issuer, now):
        return "unknown"
    said = "unknown"
    for one in list(found.responses)[:MAX_COUNT]:
        if one.serial_number != certificate.serial_number or not _same_issuer(one, issuer):
            continue
        if one.certificate_status is ocsp.OCSPCertStatus.REVOKED:
            return "revoked"
        end = one.next_update_utc or one.this_update_utc + OCSP_LIFE
        if one.certificate_status is ocsp.OCSPCertStatus.GOOD and _fresh(one.this_update_utc, end, now):
            said = "good"
    return said


def _same_issuer(one: ocsp.OCSPSingleResponse, issuer: x509.Certificate) -> bool:
    """RFC 6960 4.1.1: the hashes of the issuer's name and key; SHA-1 names here, it proves nothing."""
    name = hashes.Hash(one.hash_algorithm)
    name.update(issuer.subject.public_bytes())
    spki = issuer.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    key = hashes.Hash(one.hash_algorithm)
    key.update(_key_bits(spki))
    return name.finalize() == one.issuer_name_hash and key.finalize() == one.issuer_key_hash


def _answered_by(found: ocsp.OCSPResponse, issuer: x509.Certificate, now: datetime.datetime) -> bool:
    """The issuer itself signed, or one it delegated to (RFC 6960 4.2.2.2)."""
    if not isinstance(found.signature_hash_algorithm, (*_STRONG, type(None))):
        return False
    for signer in (issuer, *found.certificates[:4]):
        if signer != issuer:
            usage = _extension(signer, ExtensionOID.EXTENDED_KEY_USAGE)
            if not isinstance(usage, x509.ExtendedKeyUsage) or ExtendedKeyUsageOID.OCSP_SIGNING not in usage:
                continue
            if not _fresh(signer.not_valid_before_utc, signer.not_valid_after_utc, now):
                continue
            try:
                signer.verify_directly_issued_by(issuer)
            except UNREADABLE:
                continue
        if _signed(found, signer):
            return True
    return False


def _signed(found: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    key, digest = signer.public_key(), found.signature_hash_algorithm
    try:
        if isinstance(key, rsa.RSAPublicKey) and digest is not None:
            key.verify(found.signature, found.tbs_response_bytes, padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey) and digest is not None:
            key.verify(found.signature, found.tbs_response_bytes, ec.ECDSA(digest))
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(found.signature, found.tbs_response_bytes)
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _extension(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> x509.ExtensionType | None:
    try:
        return certificate.extensions.get_extension_for_oid(oid).value
    except x509.ExtensionNotFound:
        return None


def _is_authority(certificate: x509.Certificate) -> bool:
    basic = _extension(certificate, ExtensionOID.BASIC_CONSTRAINTS)
    return isinstance(basic, x509.BasicConstraints) and basic.ca


def _points(certificate: x509.Certificate) -> set[x509.GeneralName]:
    points = _extension(certificate, ExtensionOID.CRL_DISTRIBUTION_POINTS)
    if not isinstance(points, x509.CRLDistributionPoints):
        return set()
    return {name for point in points for name in point.full_name or ()}


def _key_bits(spki: bytes) -> bytes:
    """The public key within its SubjectPublicKeyInfo, without the octet that counts unused bits."""

    def read(cursor: der.Cursor) -> bytes:
        inside = cursor.enter(der.SEQUENCE)
        inside.algorithm()
        return inside.value(der.BITS)[1:]

    return der.parse(spki, read)
