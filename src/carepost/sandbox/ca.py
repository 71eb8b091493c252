"""The sandbox's own certificate authority and every server's certificate, kept in its folder and used again.

Nothing outside a sandbox home trusts this authority.
"""

import datetime
import hashlib
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from carepost.ground import clock, durable
from carepost.sandbox.domains import Certificate, Domain

DAY = datetime.timedelta(days=1)
#: a certificate with less than this left is made anew at start
RENEW = 60 * DAY


def _now() -> datetime.datetime:
    return datetime.datetime.fromtimestamp(clock.now() / 1_000_000, datetime.UTC)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


class Authority:
    """CA and leaf certificates under `folder` (made when absent). Files are 0600."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.ca_file = folder / "ca.pem"
        self._key_file = folder / "ca.key"
        self._key, self._certificate = self._load() or self._make()

    def _load(self) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate] | None:
        if not (self.ca_file.exists() and self._key_file.exists()):
            return None
        certificate = x509.load_pem_x509_certificate(self.ca_file.read_bytes())
        key = serialization.load_pem_private_key(self._key_file.read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate.not_valid_after_utc < _now() + RENEW:
            return None
        # A half-written pair (a crash between two files) is made anew.
        return (key, certificate) if certificate.public_key() == key.public_key() else None

    def _make(self) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        key = ec.generate_private_key(ec.SECP256R1())
        now = _now()
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_name("Carepost sandbox CA"))
            .issuer_name(_name("Carepost sandbox CA"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + 3650 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(ca=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            # Even where somebody trusts it by mistake it can speak for nobody outside .test.
            .add_extension(x509.NameConstraints([x509.DNSName("test")], None), critical=True)
            .sign(key, hashes.SHA256())
        )
        durable.write(self._key_file, _pem(key))
        durable.write(self.ca_file, certificate.public_bytes(serialization.Encoding.PEM))
        for old in self.folder.glob("*.leaf.pem"):
            old.unlink()
        return key, certificate

    def leaf(self, host: str, kind: Certificate = Certificate.VALID, names: tuple[str, ...] = ()) -> Path:
        """PEM file (certificate, then key) a server at `host` shows; made when absent or nearly over.

        `names`: what the certificate names instead of `host`."""
        path = self.folder / f"{host}.{kind}.leaf.pem"
        if path.exists():
            old = x509.load_pem_x509_certificate(path.read_bytes())
            fresh = kind is Certificate.EXPIRED or old.not_valid_after_utc > _now() + RENEW
            if fresh and _named(old) == list(names or (host,)):
                return path
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(key, kind, names or (host,))
        durable.write(path, certificate.public_bytes(serialization.Encoding.PEM) + _pem(key))
        return path

    def _sign(self, key: ec.EllipticCurvePrivateKey, kind: Certificate, names: tuple[str, ...]) -> x509.Certificate:
        now = _now()
        start, end = (now - 400 * DAY, now - 30 * DAY) if kind is Certificate.EXPIRED else (now - DAY, now + 397 * DAY)
        own = kind is Certificate.SELF_SIGNED
        issuer = _name(names[0]) if own else self._certificate.subject
        signer = key if own else self._key
        return (
            x509.CertificateBuilder()
            .subject_name(_name(names[0]))
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(ca=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
            .sign(signer, hashes.SHA256())
        )

    def of(self, domain: Domain) -> Path:
        """The PEM file of a domain's mail server."""
        other = {Certificate.WRONG_NAME: ("mx.elsewhere.test",), Certificate.OWN_DOMAIN: (domain.name,)}
        return self.leaf(domain.mx, domain.certificate, other.get(domain.certificate, ()))


def _named(certificate: x509.Certificate) -> list[str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return names.get_values_for_type(x509.DNSName)


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def spki_sha256(pem: Path) -> bytes:
    """The digest a TLSA record 3 1 1 carries (RFC 6698 2.1): SHA-256 of the certificate's SubjectPublicKeyInfo."""
    certificate = x509.load_pem_x509_certificate(pem.read_bytes())
    spki = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(spki).digest()


def server_context(pem: Path, *, old: bool = False) -> ssl.SSLContext:
    """TLS 1.2 and 1.3; `old`: TLS 1.1 at most (BI-039)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if old:
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
    else:
        context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(pem)
    return context
