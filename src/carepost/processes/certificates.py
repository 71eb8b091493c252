"""A fresh home makes its own CA and a certificate for its host name, and says so (DESIGN 6, Settings)."""

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from carepost.ground import clock, durable
from carepost.ground.config import Config

CA_DAYS = 3650
#: the longest a public certificate may live from 2026-03-15 on
LEAF_DAYS = 200


def ensure(folder: Path, hostname: str, names: tuple[str, ...] = ()) -> bool:
    """Makes `ca.pem`, `<hostname>.pem` and `.key` in `folder` when no certificate is there. True: it made them."""
    if any(folder.glob("*.key")):
        return False
    now = datetime.datetime.fromtimestamp(clock.now() / 1e6, datetime.UTC)
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Carepost's own CA")])
    ca = (
        _builder(ca_name, ca_name, ca_key.public_key(), now, CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(ca=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hostname)])
    alternative = [_name(n) for n in dict.fromkeys((hostname, "localhost", "127.0.0.1", *names))]
    leaf = (
        _builder(subject, ca_name, key.public_key(), now, LEAF_DAYS)
        .add_extension(x509.SubjectAlternativeName(alternative), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()),
            critical=False,
        )
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    durable.write(folder / "ca.pem", ca.public_bytes(pem), mode=0o644)
    durable.write(folder / f"{hostname}.pem", leaf.public_bytes(pem) + ca.public_bytes(pem), mode=0o644)
    durable.write(
        folder / f"{hostname}.key",
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
    return True


def ensure_for(folder: Path, config: Config) -> bool:
    """`ensure` with every name this home calls itself by."""
    return ensure(folder, config.hostname, (config.host,))


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=ca, crl_sign=ca, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime.datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=days))
    )
