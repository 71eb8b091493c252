"""Certificates for tests: an authority, what servers show, as wrong as asked."""

import datetime
import ssl
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


class Pair:
    """A certificate with its key."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, chain: Sequence["Pair"] = ()):
        self.certificate = certificate
        self.key = key
        self.chain = tuple(chain)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def spki(self) -> bytes:
        return self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def context(self) -> ssl.SSLContext:
        key = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            file.write(self.pem + b"".join(one.pem for one in self.chain) + key)
            file.flush()
            made.load_cert_chain(file.name)
        return made


class Ca:
    """A certificate authority; `leaf` makes what a server shows, as wrong as asked."""

    def __init__(self, name: str = "Invented Test CA", parent: "Ca | None" = None, **how: object) -> None:
        self.pair = make(name, (), parent=parent.pair if parent else None, ca=True, **how)  # type: ignore[arg-type]
        self.parent = parent

    @property
    def pem(self) -> str:
        return self.pair.pem.decode()

    def leaf(self, *names: str, **how: object) -> Pair:
        made = make(names[0] if names else "nobody", names, parent=self.pair, **how)  # type: ignore[arg-type]
        chain = [self.pair] if self.parent is not None else []
        return Pair(made.certificate, made.key, chain)

    def revoke(self, leaf: Pair) -> str:
        now = _now()
        entry = (
            x509.RevokedCertificateBuilder()
            .serial_number(leaf.certificate.serial_number)
            .revocation_date(now - DAY)
            .build()
        )
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.pair.certificate.subject)
        builder = builder.last_update(now - DAY).next_update(now + 30 * DAY).add_revoked_certificate(entry)
        return builder.sign(self.pair.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def make(
    common: str,
    names: Sequence[str],
    *,
    parent: Pair | None = None,
    ca: bool = False,
    start: datetime.timedelta = -DAY,
    life: datetime.timedelta = 90 * DAY,
    usage: x509.ObjectIdentifier | None = ExtendedKeyUsageOID.SERVER_AUTH,
    san: x509.SubjectAlternativeName | None = None,
    permitted: str = "",
) -> Pair:
    """A certificate for `names` (no SAN when empty and `san` is None); self-signed without `parent`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])])
    signer, issuer = (parent.key, parent.certificate.subject) if parent else (key, subject)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_now() + start)
        .not_valid_after(_now() + start + life)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if names and san is None:
        san = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    if san is not None:
        builder = builder.add_extension(san, critical=False)
    if not ca and usage is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    if permitted:
        builder = builder.add_extension(x509.NameConstraints([x509.DNSName(permitted)], None), critical=True)
    return Pair(builder.sign(signer, hashes.SHA256()), key)


def pem_file(folder: Path, pem: str, name: str = "ca.pem") -> Path:
    path = folder / name
    path.write_text(pem)
    return path
