"""A certification authority of an organisation's own: its certificate, those it signs, and the list of those it took
back (RFC 5280, RFC 8550). Pure; what is signed here is stored and published elsewhere."""

import datetime
from collections.abc import Sequence
from typing import Final

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from carepost.crypto.smime import identity
from carepost.crypto.smime.certificate import Certificate
from carepost.crypto.smime.errors import BadCertificate

SignKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
#: the kinds of key an authority may have, the first where none is asked for
KINDS: Final = ("rsa-3072", "ec-p384")
#: days a certificate for mail holds at most (Baseline Requirements for S/MIME), and an authority's own
MOST_DAYS, OWN_DAYS, MOST_OWN_DAYS = 825, 3650, 7305
#: name in a cause -> RFC 5280 5.3.1
CAUSES: Final = {
    "unspecified": x509.ReasonFlags.unspecified,
    "key-compromise": x509.ReasonFlags.key_compromise,
    "affiliation-changed": x509.ReasonFlags.affiliation_changed,
    "superseded": x509.ReasonFlags.superseded,
    "cessation": x509.ReasonFlags.cessation_of_operation,
}


class Revoked(msgspec.Struct, frozen=True):
    """`at`: UTC microseconds. `cause`: one of CAUSES."""

    serial: int
    at: int
    cause: str


def made(key: SignKey, name: str, domains: Sequence[str], at: int, days: int = OWN_DAYS) -> bytes:
    """The authority's own certificate, DER: it signs certificates of people and lists, nothing below it, and nothing
    for an address outside of `domains`. `at`: UTC microseconds. Raises BadCertificate."""
    if not domains:
        raise BadCertificate("authority-domains", "Add a sender domain first: the authority is bound to them.")
    subject = _subject(name)
    public = key.public_key()
    start = _moment(at)
    permitted = [x509.RFC822Name(one) for one in domains]
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        # not critical, against RFC 5280 4.2.1.10: GnuPG refuses every certificate below one that is (decision 0039)
        .add_extension(x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    return builder.sign(key, identity.digest(key)).public_bytes(Encoding.DER)


def generate(kind: str) -> SignKey:
    """A new private key of one of KINDS. Raises BadCertificate for another."""
    found = identity.generate(kind) if kind in KINDS else None
    if not isinstance(found, SignKey):
        raise BadCertificate("key-kind", f"An authority's key is one of {', '.join(KINDS)}.")
    return found


def domains_of(authority: Certificate) -> tuple[str, ...]:
    """Those its certificate is bound to."""
    bound = authority.x509.extensions.get_extension_for_class(x509.NameConstraints).value
    return tuple([str(one.value) for one in bound.permitted_subtrees or ()])


def certified(
    key: SignKey, authority: Certificate, request: bytes, address: str, name: str, at: int, days: int, *, where: str
) -> bytes:
    """A certificate for the key of a request (PKCS#10, PEM), DER; it ends with the authority at the latest. `where`:
    the address of the authority's list and certificate, without their endings. Raises BadCertificate."""
    if not 1 <= days <= MOST_DAYS:
        raise BadCertificate("key-days", f"A certificate for mail holds 1 to {MOST_DAYS} days.")
    asked = x509.load_pem_x509_csr(request)
    if not asked.is_signature_valid:
        raise BadCertificate("request", "The request is not signed by the key it is for.")
    start = _moment(at)
    end = min(start + datetime.timedelta(days=days), authority.x509.not_valid_after_utc)
    if end <= start:
        raise BadCertificate("authority-ended", "The authority has run out; make a new one.")
    public = asked.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(identity.subject(address, name))
        .issuer_name(authority.x509.subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(_issuer(authority), critical=False)
        .add_extension(_list_at(f"{where}.crl"), critical=False)
        .add_extension(_certificate_at(f"{where}.cer"), critical=False)
    )
    for extension, critical in identity.extensions(public, address):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(key, identity.digest(key)).public_bytes(Encoding.DER)


def revocation_list(
    key: SignKey, authority: Certificate, revoked: Sequence[Revoked], number: int, at: int, until: int
) -> bytes:
    """The list of what the authority took back, DER. `number`: greater each time (RFC 5280 5.2.3). `at`, `until`: UTC
    microseconds."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.x509.subject)
        .last_update(_moment(at))
        .next_update(_moment(until))
        .add_extension(_issuer(authority), critical=False)
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    for one in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(one.serial).revocation_date(_moment(one.at))
        if one.cause != "unspecified":
            # RFC 5280 5.3.1: unspecified is said by saying nothing
            entry = entry.add_extension(x509.CRLReason(CAUSES[one.cause]), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(key, identity.digest(key)).public_bytes(Encoding.DER)


def _issuer(authority: Certificate) -> x509.AuthorityKeyIdentifier:
    known = authority.x509.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(known)


def _list_at(address: str) -> x509.CRLDistributionPoints:
    place = [x509.UniformResourceIdentifier(address)]
    return x509.CRLDistributionPoints([x509.DistributionPoint(place, None, None, None)])


def _certificate_at(address: str) -> x509.AuthorityInformationAccess:
    place = x509.UniformResourceIdentifier(address)
    return x509.AuthorityInformationAccess([x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, place)])


def _subject(name: str) -> x509.Name:
    shown = " ".join(name.split())
    if not shown or not shown.isprintable():
        raise BadCertificate("name", "The authority needs a name without control characters.")
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, shown[:64]),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{shown[:48]} mail authority"),
        ]
    )


def _moment(us: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(us // 1_000_000, datetime.UTC)
