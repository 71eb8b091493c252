"""A certificate as the facts a policy needs of it (RFC 5280, RFC 8550). Reading it decides nothing: `usable` does.

Addresses are those of the subjectAltName alone: rfc822Name, and SmtpUTF8Mailbox (RFC 9598). What stands in a subject is
text for people."""

import datetime
import re
import warnings
from collections.abc import Iterable
from functools import lru_cache

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID, PublicKeyAlgorithmOID

from carepost.crypto.smime import der, oaep, oids
from carepost.crypto.smime.errors import UNREADABLE, BadCertificate, Malformed
from carepost.rfc import path, words
from carepost.rfc.errors import AddressError

#: octets of one certificate, certificates of one file, octets of that file, addresses of a certificate (BI-070)
MAX_BYTES, MAX_CERTIFICATES, MAX_BUNDLE, MAX_ADDRESSES = 64 * 1024, 100, 1024 * 1024, 200
#: bits of an RSA key that is believed; more than the upper one would cost more time than it protects
MIN_RSA, MAX_RSA = 2048, 8192

_PEM = re.compile(rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----.{1,90000}?-----END [A-Z0-9 ]{1,20}-----", re.S)
_SIGNED_DATA = der.tlv(der.OID, oids.SIGNED_DATA)
_SMTP_UTF8_MAILBOX = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.9")
_CAPABILITIES = x509.ObjectIdentifier("1.2.840.113549.1.9.15")
_Extensions = dict[x509.ObjectIdentifier, x509.Extension[x509.ExtensionType]]
_STRONG = (hashes.SHA256, hashes.SHA384, hashes.SHA512, hashes.SHA3_256, hashes.SHA3_384, hashes.SHA3_512)
_USES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign",
)  # fmt: skip
#: they say something only beside key_agreement, and `cryptography` raises where they are asked for without it
_NARROWED = ("encipher_only", "decipher_only")


class Certificate(msgspec.Struct, frozen=True, eq=False):
    """Read by `parse`. Times are UTC microseconds. Equal where `fingerprint` is."""

    der: bytes
    x509: x509.Certificate
    #: None where it is of a kind nobody here knows
    public_key: object
    #: SHA-256 of the whole, hex
    fingerprint: str
    #: as `rfc.path.matching` gives them
    addresses: frozenset[str]
    #: one line each, safe to show
    subject: str
    issuer: str
    serial: str
    not_before: int
    not_after: int
    #: rsa-2048, rsa-pss-2048 (for signatures alone, RFC 4055 1.2), ec-p256, x25519, ed25519, ...
    key: str
    #: permanent faults: weak-key, unsupported-key, weak-signature, unknown-critical-extension
    faults: tuple[str, ...]
    authority: bool
    self_issued: bool
    #: None: the certificate does not say
    key_usage: frozenset[str] | None
    extended_usage: frozenset[str] | None
    #: aes256-gcm, aes256-cbc, ...: what its holder can read (RFC 4262)
    capabilities: frozenset[str]
    key_id: bytes
    #: DER, as it names the certificate in a CMS structure
    issuer_and_serial: bytes
    crl_urls: tuple[str, ...]
    ocsp_urls: tuple[str, ...]

    def __repr__(self) -> str:
        # no name, no address: this text may reach a log
        return f"Certificate({self.fingerprint[:16]})"

    @property
    def receives(self) -> bool:
        """Whether its key usage lets others encrypt to it (RFC 5280 4.2.1.3, RFC 5480 3, RFC 8410 5).

        The bits tell what the public key is for, so from the side of those who are not its holder: encipherOnly lets
        them encrypt and no more, decipherOnly belongs to a sender's fixed key, with which they open what he wrote. Both
        at once, which RFC 5480 forbids, is refused with the second."""
        if self.key_usage is None:
            return True
        wanted = "key_encipherment" if self.key.startswith("rsa") else "key_agreement"
        return wanted in self.key_usage and (wanted == "key_encipherment" or "decipher_only" not in self.key_usage)

    def pem(self) -> bytes:
        return self.x509.public_bytes(serialization.Encoding.PEM)


def parse(raw: bytes) -> Certificate:
    """One certificate, DER or PEM. Raises BadCertificate, which quotes nothing of it."""
    if len(raw) > 2 * MAX_BYTES:
        raise BadCertificate("certificate-size", "The certificate is larger than 64 KiB.")
    if b"-----BEGIN" in raw[:4096]:
        found = bundle(raw)
        if len(found) != 1:
            raise BadCertificate("certificate-count", "The file holds not one certificate but several, or none.")
        return found[0]
    return _parse(raw)


def bundle(raw: bytes) -> list[Certificate]:
    """The certificates of a file, in order: PEM, one in DER, or PKCS#7 (.p7b, .p7c) in either. Raises BadCertificate
    for any that cannot be read, or too many."""
    if len(raw) > MAX_BUNDLE:
        raise BadCertificate("certificate-size", "The file of certificates is larger than 1 MiB.")
    blocks = _PEM.findall(raw)
    if len(blocks) > MAX_CERTIFICATES:
        raise BadCertificate("certificate-count", "The file holds more than 100 certificates.")
    try:
        if blocks:
            found = [x509.load_pem_x509_certificate(block) for block in blocks]
        elif b"-----BEGIN PKCS7-----" in raw:
            found = pkcs7.load_pem_pkcs7_certificates(raw)
        elif raw[:1] == b"\x30" and _SIGNED_DATA in raw[:40]:
            found = pkcs7.load_der_pkcs7_certificates(raw)
        else:
            return [_parse(raw)]
        if len(found) > MAX_CERTIFICATES:
            raise BadCertificate("certificate-count", "The file holds more than 100 certificates.")
        return [_parse(one.public_bytes(serialization.Encoding.DER)) for one in found]
    except UNREADABLE:
        raise BadCertificate("certificate", "A certificate of the file cannot be read.") from None


@lru_cache(maxsize=256)
def _parse(raw: bytes) -> Certificate:
    # the same few issuers and signers come again and again, and reading one takes half a millisecond
    if len(raw) > MAX_BYTES:
        raise BadCertificate("certificate-size", "The certificate is larger than 64 KiB.")
    try:
        with warnings.catch_warnings():
            # cryptography warns of old faults it still reads; they count as what they are below
            warnings.simplefilter("ignore")
            return _facts(raw, x509.load_der_x509_certificate(raw))
    except (*UNREADABLE, Malformed):
        raise BadCertificate("certificate", "The certificate cannot be read.") from None


def _facts(raw: bytes, found: x509.Certificate) -> Certificate:
    extensions = {e.oid: e for e in found.extensions}
    usage = _value(extensions, ExtensionOID.KEY_USAGE, x509.KeyUsage)
    extended = _value(extensions, ExtensionOID.EXTENDED_KEY_USAGE, x509.ExtendedKeyUsage)
    basic = _value(extensions, ExtensionOID.BASIC_CONSTRAINTS, x509.BasicConstraints)
    public, name, weak = _key(found)
    faults = [fault for fault in (weak, _signature(found)) if fault]
    if any(e.critical and isinstance(e.value, x509.UnrecognizedExtension) for e in extensions.values()):
        faults.append("unknown-critical-extension")
    return Certificate(
        der=raw,
        x509=found,
        public_key=public,
        fingerprint=found.fingerprint(hashes.SHA256()).hex(),
        addresses=_addresses(_value(extensions, ExtensionOID.SUBJECT_ALTERNATIVE_NAME, x509.SubjectAlternativeName)),
        subject=_text(found.subject),
        issuer=_text(found.issuer),
        serial=f"{found.serial_number:x}",
        not_before=_us(found.not_valid_before_utc),
        not_after=_us(found.not_valid_after_utc),
        key=name,
        faults=tuple(faults),
        authority=bool(basic and basic.ca),
        self_issued=found.issuer == found.subject,
        key_usage=None if usage is None else _uses(usage),
        extended_usage=None if extended is None else frozenset(use.dotted_string for use in extended),
        capabilities=_capabilities(extensions),
        key_id=_key_id(found, extensions),
        issuer_and_serial=issuer_and_serial(raw),
        crl_urls=_crl_urls(extensions),
        ocsp_urls=_ocsp_urls(extensions),
    )


def _value(extensions: _Extensions, oid: x509.ObjectIdentifier, kind: type[der.T]) -> der.T | None:
    found = extensions.get(oid)
    return found.value if found is not None and isinstance(found.value, kind) else None


def _uses(usage: x509.KeyUsage) -> frozenset[str]:
    told = _USES + _NARROWED if usage.key_agreement else _USES
    return frozenset(use for use in told if getattr(usage, use))


def _us(moment: datetime.datetime) -> int:
    return int(moment.timestamp()) * 1_000_000


def _text(name: x509.Name) -> str:
    return words.safe(name.rfc4514_string())[:300]


def _key(found: x509.Certificate) -> tuple[object, str, str]:
    """The key, the name of its kind, and its fault."""
    try:
        key = found.public_key()
    except UNREADABLE:
        return None, "unknown", "unsupported-key"
    if isinstance(key, rsa.RSAPublicKey):
        fits = MIN_RSA <= key.key_size <= MAX_RSA and key.public_numbers().e >= 3
        pss = found.public_key_algorithm_oid == PublicKeyAlgorithmOID.RSASSA_PSS
        return key, f"rsa-pss-{key.key_size}" if pss else f"rsa-{key.key_size}", "" if fits else "weak-key"
    if isinstance(key, ec.EllipticCurvePublicKey):
        known = isinstance(key.curve, oids.CURVE_TYPES)
        return key, f"ec-p{key.curve.key_size}" if known else "ec-other", "" if known else "unsupported-key"
    if isinstance(key, x25519.X25519PublicKey):
        return key, "x25519", ""
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key, "ed25519", ""
    return None, "unknown", "unsupported-key"


def _signature(found: x509.Certificate) -> str:
    """Who issued it says so by this signature; SHA-1 can be forged (BI-071)."""
    try:
        digest = found.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return "weak-signature"
    # None: an algorithm with its own digest, Ed25519
    return "" if digest is None or isinstance(digest, _STRONG) else "weak-signature"


def _addresses(names: x509.SubjectAlternativeName | None) -> frozenset[str]:
    found = []
    for name in names or ():
        if isinstance(name, x509.RFC822Name):
            found.append(name.value)
        elif isinstance(name, x509.OtherName) and name.type_id == _SMTP_UTF8_MAILBOX:
            found.append(der.parse(name.value, lambda c: c.value(0x0C)).decode("utf-8"))
    if len(found) > MAX_ADDRESSES:
        raise BadCertificate("certificate-addresses", "The certificate names more than 200 addresses.")
    return frozenset(a for a in map(normal, found) if a)


def normal(address: str) -> str:
    """The form in which an address of a certificate and one of a message meet; "" where it is none (BI-038, BI-063)."""
    try:
        return path.matching(path.parse_path(address, utf8=True))
    except AddressError:
        return ""


def capabilities(value: bytes) -> frozenset[str]:
    """The names in an SMIMECapabilities value (RFC 8551 2.5.2). Raises Malformed."""

    def read(cursor: der.Cursor) -> Iterable[tuple[bytes, bytes]]:
        inside = cursor.enter(der.SEQUENCE)
        found: list[tuple[bytes, bytes]] = []
        while inside.more() and len(found) < 100:
            found.append(inside.algorithm())
        return found

    said = list(der.parse(value, read))
    names = {oids.CAPABILITY_NAMES[oid] for oid, _ in said if oid in oids.CAPABILITY_NAMES}
    # without parameters it is the one with SHA-1, which is not written here
    return frozenset(names | {oaep.NAME for oid, given in said if oid == oids.OAEP and given in oaep.SAID})


def _capabilities(extensions: _Extensions) -> frozenset[str]:
    found = _value(extensions, _CAPABILITIES, x509.UnrecognizedExtension)
    return frozenset() if found is None else capabilities(found.value)


def _key_id(found: x509.Certificate, extensions: _Extensions) -> bytes:
    given = _value(extensions, ExtensionOID.SUBJECT_KEY_IDENTIFIER, x509.SubjectKeyIdentifier)
    if given is not None:
        return given.digest
    try:
        return x509.SubjectKeyIdentifier.from_public_key(found.public_key()).digest
    except UNREADABLE:
        return b""


def issuer_and_serial(raw: bytes) -> bytes:
    """IssuerAndSerialNumber (RFC 5652 10.2.4), octet for octet as the certificate has them."""

    def read(cursor: der.Cursor) -> bytes:
        inside = cursor.enter(der.SEQUENCE)
        body = inside.enter(der.SEQUENCE)
        body.optional(0xA0)
        serial = body.whole(der.INTEGER)
        body.whole(der.SEQUENCE)
        issuer = body.whole(der.SEQUENCE)
        inside.rest()
        return der.sequence(issuer, serial)

    return der.parse(raw, read)


def _crl_urls(extensions: _Extensions) -> tuple[str, ...]:
    points = _value(extensions, ExtensionOID.CRL_DISTRIBUTION_POINTS, x509.CRLDistributionPoints)
    names = [name for point in points or () for name in point.full_name or ()]
    return _urls(name for name in names)


def _ocsp_urls(extensions: _Extensions) -> tuple[str, ...]:
    access = _value(extensions, ExtensionOID.AUTHORITY_INFORMATION_ACCESS, x509.AuthorityInformationAccess)
    return _urls(a.access_location for a in access or () if a.access_method == AuthorityInformationAccessOID.OCSP)


def _urls(names: Iterable[x509.GeneralName]) -> tuple[str, ...]:
    """Where to ask; whoever fetches checks them again (SSRF)."""
    found = [n.value for n in names if isinstance(n, x509.UniformResourceIdentifier)]
    return tuple(u for u in found if u.startswith(("http://", "https://")) and len(u) <= 1000 and u.isprintable())[:8]
