"""Which certificate an answer to a signed message is encrypted to (RFC 8551 2.5.3): many people have one to sign with
and another to read with."""

from collections.abc import Sequence

from carepost.crypto.smime import der, oids
from carepost.crypto.smime.certificate import Certificate
from carepost.crypto.smime.errors import Malformed


def attribute(certificate: Certificate) -> bytes:
    """SMIMEEncryptionKeyPreference naming `certificate`, by its issuer and serial number."""
    inside = der.Cursor(certificate.issuer_and_serial).enter(der.SEQUENCE).rest()
    value = der.tlv(der.SET, der.tlv(0xA0, inside))
    return der.sequence(der.tlv(der.OID, oids.ENCRYPTION_KEY), value)


def chosen(values: Sequence[bytes], signer: Certificate, others: Sequence[Certificate]) -> Certificate | None:
    """The one he prefers, where it came along; else the one he signed with; else another of the same address that can
    be encrypted to. None where there is none. Nothing is judged here: that is `usable`'s."""
    for value in values[:1]:
        named = _named(value)
        for one in (signer, *others):
            if named in (one.issuer_and_serial, one.key_id) and encrypts(one):
                return one
    if encrypts(signer):
        return signer
    return next((one for one in others if encrypts(one) and one.addresses & signer.addresses), None)


def encrypts(certificate: Certificate) -> bool:
    """Its kind of key and its key usage allow it."""
    if certificate.authority or certificate.key in ("ed25519", "unknown", "ec-other"):
        return False
    return not certificate.key.startswith("rsa-pss") and certificate.receives


def _named(value: bytes) -> bytes:
    """IssuerAndSerialNumber or a key identifier, as certificates have them; b"" where it names nothing."""

    def read(cursor: der.Cursor) -> bytes:
        if cursor.peek() == 0xA0:
            inside = cursor.enter(0xA0)
            return der.sequence(inside.rest())
        if cursor.peek() == 0xA1:
            # RecipientKeyIdentifier
            inside = cursor.enter(0xA1)
            found = inside.octets()
            inside.rest()
            return found
        return cursor.octets(0x82)

    try:
        return der.parse(value, read)
    except Malformed:
        return b""
