"""Keys agreed on with a recipient's EC or X25519 certificate (RFC 5753, RFC 8418): derived, then AES key wrap."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF

from carepost.crypto.smime import der, oids


def shared_info(wrap_algorithm: bytes, key_bytes: int, ukm: bytes | None) -> bytes:
    """ECC-CMS-SharedInfo (RFC 5753 7.2). `wrap_algorithm`: its AlgorithmIdentifier as it stands in the message."""
    entity = b"" if ukm is None else der.tlv(0xA0, der.tlv(der.OCTETS, ukm))
    bits = der.tlv(0xA2, der.tlv(der.OCTETS, (8 * key_bytes).to_bytes(4, "big")))
    return der.sequence(wrap_algorithm, entity, bits)


def derive(scheme: bytes, secret: bytes, wrap_algorithm: bytes, key_bytes: int, ukm: bytes | None) -> bytes:
    """The key-encryption key. Raises KeyError for a scheme nobody here knows."""
    info = shared_info(wrap_algorithm, key_bytes, ukm)
    if scheme == oids.X25519_HKDF_SHA256:
        return HKDF(hashes.SHA256(), key_bytes, None, info).derive(secret)
    return X963KDF(oids.STD_DH[scheme], key_bytes, info).derive(secret)
