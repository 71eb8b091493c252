"""Certificates in the DNS (RFC 8162): where they are asked for, and what the answer is worth.

An answer counts only where DNSSEC vouched for it; whoever asks sees to that (DESIGN 2, standards 3.4)."""

import hashlib

import msgspec
from cryptography.hazmat.primitives import serialization

from carepost.crypto.smime.certificate import Certificate, parse
from carepost.crypto.smime.errors import BadCertificate
from carepost.rfc import path
from carepost.rfc.errors import AddressError

#: records of one answer that are looked at
MAX_RECORDS = 20

_DIGESTS = {1: hashlib.sha256, 2: hashlib.sha512}


class Record(msgspec.Struct, frozen=True):
    """SMIMEA, whose data has the form of TLSA (RFC 6698 2.1)."""

    usage: int
    selector: int
    matching: int
    data: bytes


class Found(msgspec.Struct, frozen=True, eq=False):
    """A whole certificate of an answer. `vouched`: the domain itself vouches for it (DANE-EE) and it needs no chain;
    else it needs one to the organisation's anchors as well (PKIX-EE)."""

    certificate: Certificate
    vouched: bool


def owner(address: str) -> str:
    """The name to ask for (RFC 8162 3): SHA-256 of the local part as it is written, cut to 28 octets. Raises
    AddressError."""
    local, _, domain = path.parse_path(address, utf8=True).rpartition("@")
    if local.startswith('"'):
        raise AddressError("address-quoted", "A quoted local part has no name in the DNS.")
    return hashlib.sha256(local.encode("utf-8")).hexdigest()[:56] + "._smimecert." + domain


def certificates(records: list[Record]) -> list[Found]:
    """The end certificates that stand in the answer whole; what cannot be read is left out."""
    found = []
    for record in records[:MAX_RECORDS]:
        if (record.selector, record.matching) != (0, 0) or record.usage not in (1, 3):
            continue
        try:
            found.append(Found(parse(record.data), record.usage == 3))
        except BadCertificate:
            continue
    return found


def agrees(records: list[Record], certificate: Certificate) -> bool:
    """Whether a certificate got elsewhere is one the domain names (usages 1 and 3, any selector and digest)."""
    return any(_agrees(record, certificate) for record in records[:MAX_RECORDS])


def _agrees(record: Record, certificate: Certificate) -> bool:
    if record.usage not in (1, 3):
        return False
    if record.selector == 0:
        subject = certificate.der
    elif record.selector == 1 and certificate.public_key is not None:
        subject = certificate.x509.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    else:
        return False
    if record.matching == 0:
        return record.data == subject
    digest = _DIGESTS.get(record.matching)
    return digest is not None and digest(subject).digest() == record.data
