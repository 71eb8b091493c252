"""Certificates of the doors between nodes: an authority that follows from the keyring, and a certificate a node.

The authority's key is derived, so that every node that has the keyring makes the same one and no file has to be carried
between machines. The supervisor alone derives it; a node's processes find the certificate in the home's folder `doors`,
made anew at each start. TLS 1.3, both sides named, nothing else believed."""

import datetime
import ssl
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from carepost.ground import clock, durable
from carepost.ground.keys import MasterKeyring

_SINCE: Final = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
_UNTIL: Final = datetime.datetime(2076, 1, 1, tzinfo=datetime.UTC)
#: a node makes a new certificate at each start; one that runs for longer is told by `doctor`'s own limits
LEAF_DAYS: Final = 400
_NAME: Final = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Carepost nodes")])


def node_name(number: int) -> str:
    """What a node's certificate says; never asked of DNS."""
    return f"node-{number:02d}.carepost.internal"


def write(folder: Path, keyring: MasterKeyring, number: int) -> None:
    """`ca.pem`, `node.pem` and `node.key` in `folder`."""
    purposes = keyring.purposes("signing")
    # of the first key, so that nodes believe each other while the keyring is rotated
    secret = purposes.raw("signing", b"node doors", version=min(purposes.versions("signing")))
    authority = Ed25519PrivateKey.from_private_bytes(secret)
    ca = (
        _builder(_NAME, authority, _SINCE, _UNTIL, serial=1)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority, None)
    )
    key = Ed25519PrivateKey.generate()
    now = datetime.datetime.fromtimestamp(clock.now() / 1e6, datetime.UTC)
    until = now + datetime.timedelta(days=LEAF_DAYS)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, node_name(number))])
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    leaf = (
        _builder(subject, key, now - datetime.timedelta(hours=1), until, serial=x509.random_serial_number())
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(node_name(number))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .sign(authority, None)
    )
    folder.mkdir(mode=0o700, exist_ok=True)
    pem = serialization.Encoding.PEM
    durable.write(folder / "ca.pem", ca.public_bytes(pem))
    durable.write(folder / "node.pem", leaf.public_bytes(pem))
    form = serialization.PrivateFormat.PKCS8
    durable.write(folder / "node.key", key.private_bytes(pem, form, serialization.NoEncryption()))


def listening(folder: Path) -> ssl.SSLContext:
    return _context(folder, ssl.PROTOCOL_TLS_SERVER)


def calling(folder: Path) -> ssl.SSLContext:
    """The name asked for is `node_name`, whatever the address."""
    return _context(folder, ssl.PROTOCOL_TLS_CLIENT)


def _context(folder: Path, protocol: int) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(folder / "ca.pem")
    context.load_cert_chain(folder / "node.pem", folder / "node.key")
    return context


def _builder(
    subject: x509.Name, key: Ed25519PrivateKey, since: datetime.datetime, until: datetime.datetime, *, serial: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(_NAME)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(since)
        .not_valid_after(until)
    )
