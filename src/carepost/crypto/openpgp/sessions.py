"""Session keys (RFC 9580 5.1): what a message is encrypted with, opened with one of our private keys."""

import hashlib

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.x448 import X448PrivateKey, X448PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

from carepost.crypto.openpgp import keypackets
from carepost.crypto.openpgp.errors import Malformed
from carepost.crypto.openpgp.secret import AES, Secret

_CURVES: dict[str, type[ec.EllipticCurve]] = {
    "P-256": ec.SECP256R1, "P-384": ec.SECP384R1, "P-521": ec.SECP521R1, "brainpoolP256r1": ec.BrainpoolP256R1,
    "brainpoolP384r1": ec.BrainpoolP384R1, "brainpoolP512r1": ec.BrainpoolP512R1,
}  # fmt: skip
#: length and version of a key named by its fingerprint (RFC 9580 5.1.2)
_NAMED = (b"\x15\x04", b"\x21\x06")
_KDF = {8: hashlib.sha256, 9: hashlib.sha384, 10: hashlib.sha512}


class Wrapped:
    """One public-key encrypted session key packet. `wanted`: a fingerprint or key id in hex; "" for an unnamed key."""

    __slots__ = ("algorithm", "data", "version", "wanted")

    def __init__(self, body: bytes) -> None:
        """Raises Malformed."""
        self.version = body[0] if body else 0
        if self.version == 3 and len(body) > 10:
            self.wanted = body[1:9].hex().replace("0" * 16, "")
            at = 9
        elif self.version == 6 and len(body) > 2 and body[1:3] in _NAMED and len(body) > 2 + body[1]:
            self.wanted = body[3 : 2 + body[1]].hex()
            at = 2 + body[1]
        elif self.version == 6 and len(body) > 2 and body[1] == 0:
            self.wanted, at = "", 2
        else:
            raise Malformed("session", "The OpenPGP message is encrypted in a form that is not used any more.")
        self.algorithm, self.data = body[at], body[at + 1 :]

    def is_for(self, key: keypackets.Key) -> bool:
        return key.algorithm == self.algorithm and self.wanted in ("", key.fingerprint, key.key_id)


def open_(wrapped: Wrapped, secret: Secret) -> tuple[int | None, bytes] | None:
    """(symmetric algorithm where the packet says it, session key), or None where this key does not open it."""
    try:
        if wrapped.algorithm in (keypackets.RSA, keypackets.RSA_ENCRYPT):
            plain = _rsa(wrapped.data, secret)
        elif wrapped.algorithm == keypackets.ECDH:
            plain = _ecdh(wrapped.data, secret)
        elif wrapped.algorithm in (keypackets.X25519, keypackets.X448):
            return _native(wrapped, secret)
        else:
            return None
    except (ValueError, ArithmeticError, InvalidUnwrap, Malformed, IndexError, UnsupportedAlgorithm):
        return None
    cipher = None
    if wrapped.version == 3:
        cipher, plain = plain[0] if plain else 0, plain[1:]
    key, check = plain[:-2], plain[-2:]
    if len(key) not in AES.values() or (sum(key) & 0xFFFF).to_bytes(2, "big") != check:
        return None
    return cipher, key


def _mpis(data: bytes, count: int) -> list[int]:
    found, at = [], 0
    for _ in range(count):
        octets, at = keypackets.mpi(data, at)
        found.append(int.from_bytes(octets, "big"))
    return found


def _rsa(data: bytes, secret: Secret) -> bytes:
    n, e = _mpis(secret.key.material, 2)
    d, p, q, _ = _mpis(secret.material, 4)
    crt = (rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q))
    numbers = rsa.RSAPrivateNumbers(p, q, d, *crt, rsa.RSAPublicNumbers(e, n))
    sealed, _ = keypackets.mpi(data, 0)
    size = (n.bit_length() + 7) // 8
    # the key was tried when it came in. A wrong padding gives random octets, not an error: OpenSSL's answer to
    # Bleichenbacher (BI-080)
    return numbers.private_key(unsafe_skip_rsa_key_validation=True).decrypt(
        sealed.rjust(size, b"\0"), padding.PKCS1v15()
    )


def _ecdh(data: bytes, secret: Secret) -> bytes:
    """RFC 9580 11.5."""
    public = secret.key.material
    oid, at = keypackets.oid(public, 0)
    _, at = keypackets.mpi(public, at)
    kdf = public[at : at + 4]
    digest, size = _KDF.get(kdf[2]), AES.get(kdf[3])
    if kdf[:2] != b"\x03\x01" or digest is None or size is None:
        raise ValueError
    point, at = keypackets.mpi(data, 0)
    sealed = data[at + 1 : at + 1 + data[at]]
    (scalar,) = _mpis(secret.material, 1)
    if secret.key.curve == "Curve25519":
        if point[:1] != b"\x40":
            raise ValueError
        own = X25519PrivateKey.from_private_bytes(scalar.to_bytes(32, "little"))
        shared = own.exchange(X25519PublicKey.from_public_bytes(point[1:]))
    else:
        curve = _CURVES[secret.key.curve]() if secret.key.curve in _CURVES else None
        if curve is None:
            raise ValueError
        shared = ec.derive_private_key(scalar, curve).exchange(
            ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(curve, point)
        )
    about = bytes((len(oid),)) + oid + bytes((keypackets.ECDH,)) + kdf + b"Anonymous Sender    "
    about += bytes.fromhex(secret.key.fingerprint)
    padded = aes_key_unwrap(digest(b"\0\0\0\1" + shared + about).digest()[:size], sealed)
    count = padded[-1]
    if not 0 < count <= len(padded) or padded[-count:] != bytes((count,)) * count:
        raise ValueError
    return padded[:-count]


def _native(wrapped: Wrapped, secret: Secret) -> tuple[int | None, bytes] | None:
    """X25519 and X448 (RFC 9580 5.1.6, 5.1.7)."""
    short = wrapped.algorithm == keypackets.X25519
    size = 32 if short else 56
    ephemeral, length, rest = wrapped.data[:size], wrapped.data[size], wrapped.data[size + 1 :]
    if len(rest) != length:
        return None
    cipher = None
    if wrapped.version == 3:
        cipher, rest = rest[0], rest[1:]
    if short:
        shared = X25519PrivateKey.from_private_bytes(secret.material).exchange(
            X25519PublicKey.from_public_bytes(ephemeral)
        )
        kdf = HKDF(hashes.SHA256(), 16, None, b"OpenPGP X25519")
    else:
        shared = X448PrivateKey.from_private_bytes(secret.material).exchange(X448PublicKey.from_public_bytes(ephemeral))
        kdf = HKDF(hashes.SHA512(), 32, None, b"OpenPGP X448")
    return cipher, aes_key_unwrap(kdf.derive(ephemeral + secret.key.material + shared), rest)
