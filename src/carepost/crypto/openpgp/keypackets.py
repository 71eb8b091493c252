"""Key packets (RFC 9580 5.5): which key, of what kind and size, made when. Never its use: that is for `certificate`."""

import hashlib

import msgspec

from carepost.crypto.openpgp.errors import Malformed

RSA, RSA_ENCRYPT, RSA_SIGN, ELGAMAL, DSA, ECDH, ECDSA, EDDSA = 1, 2, 3, 16, 17, 18, 19, 22
X25519, X448, ED25519, ED448 = 25, 26, 27, 28

#: OID of a curve (RFC 9580 9.2) -> (name, bits of security it stands for as a field size)
CURVES = {
    bytes.fromhex("2a8648ce3d030107"): ("P-256", 256),
    bytes.fromhex("2b81040022"): ("P-384", 384),
    bytes.fromhex("2b81040023"): ("P-521", 521),
    bytes.fromhex("2b2403030208010107"): ("brainpoolP256r1", 256),
    bytes.fromhex("2b240303020801010b"): ("brainpoolP384r1", 384),
    bytes.fromhex("2b240303020801010d"): ("brainpoolP512r1", 512),
    bytes.fromhex("2b06010401da470f01"): ("Ed25519", 256),
    bytes.fromhex("2b060104019755010501"): ("Curve25519", 256),
}
_NATIVE = {
    X25519: (32, "X25519", 256),
    X448: (56, "X448", 448),
    ED25519: (32, "Ed25519", 256),
    ED448: (57, "Ed448", 456),
}
_MPIS = {RSA: 2, RSA_ENCRYPT: 2, RSA_SIGN: 2, ELGAMAL: 3, DSA: 4}
_WORDS = {RSA: "RSA", RSA_ENCRYPT: "RSA", RSA_SIGN: "RSA", ELGAMAL: "ElGamal", DSA: "DSA"}
#: post-quantum algorithms: taken as they are, judged by the library
_OPAQUE = range(30, 40)


class Key(msgspec.Struct, frozen=True):
    """`created` in UTC microseconds; `bits` of modulus or field, 0 where we cannot tell; `fingerprint` and `key_id` in
    lower-case hex; `material` the algorithm's own public octets."""

    version: int
    created: int
    algorithm: int
    bits: int
    curve: str
    fingerprint: str
    key_id: str
    material: bytes
    #: octets of the packet's public part
    public: bytes

    @property
    def name(self) -> str:
        """For people: `RSA 3072`, `Curve25519`."""
        if self.curve:
            return self.curve
        return f"{_WORDS.get(self.algorithm, 'algorithm ' + str(self.algorithm))} {self.bits}".removesuffix(" 0")


def _bad() -> Malformed:
    return Malformed("key", "A key in the OpenPGP data is not well formed.")


def mpi(data: bytes, at: int) -> tuple[bytes, int]:
    """The octets of a multiprecision integer (RFC 9580 3.2), and the offset after it."""
    end = at + 2 + (int.from_bytes(data[at : at + 2], "big") + 7) // 8
    if at + 2 > len(data) or end > len(data):
        raise _bad()
    return data[at + 2 : end], end


def oid(data: bytes, at: int) -> tuple[bytes, int]:
    """A curve's OID, and the offset after it (RFC 9580 9.2)."""
    if at >= len(data) or not 0 < data[at] < 255 or at + 1 + data[at] > len(data):
        raise _bad()
    return data[at + 1 : at + 1 + data[at]], at + 1 + data[at]


def read(body: bytes, *, secret: bool = False) -> Key:
    """The public part of a key packet; of a secret one with `secret`. Versions 4 and 6 alone. Raises Malformed."""
    if len(body) < 6 or body[0] not in (4, 6):
        raise Malformed("key-version", "A key in the OpenPGP data is of a version that is not used any more.")
    version, algorithm = body[0], body[5]
    at = 6
    if version == 6:
        if len(body) < 10:
            raise _bad()
        size = int.from_bytes(body[6:10], "big")
        at, end = 10, 10 + size
        if end > len(body) or (not secret and end != len(body)):
            raise _bad()
        _, bits, curve = _material(body[:end], at, algorithm, whole=True)
    else:
        end, bits, curve = _material(body, at, algorithm, whole=not secret)
    public = body[:end]
    if version == 6:
        digest = hashlib.sha256(b"\x9b" + len(public).to_bytes(4, "big") + public).hexdigest()
        key_id = digest[:16]
    else:
        # RFC 9580 5.5.4.2 fixes SHA-1 for the name of a version 4 key; nothing is signed with it
        digest = hashlib.sha1(b"\x99" + len(public).to_bytes(2, "big") + public, usedforsecurity=False).hexdigest()
        key_id = digest[-16:]
    created = int.from_bytes(body[1:5], "big") * 1_000_000
    return Key(version, created, algorithm, bits, curve, digest, key_id, body[at:end], public)


def _material(body: bytes, at: int, algorithm: int, *, whole: bool) -> tuple[int, int, str]:
    """(offset after the public material, bits, curve). `whole`: it must last to the end of `body`."""
    bits, curve = 0, ""
    if algorithm in _MPIS:
        bits = int.from_bytes(body[at : at + 2], "big")
        for _ in range(_MPIS[algorithm]):
            _, at = mpi(body, at)
    elif algorithm in (ECDH, ECDSA, EDDSA):
        name, at = oid(body, at)
        curve, bits = CURVES.get(name, ("unknown curve", 0))
        _, at = mpi(body, at)
        if algorithm == ECDH:
            if at >= len(body):
                raise _bad()
            at += 1 + body[at]
    elif algorithm in _NATIVE:
        size, curve, bits = _NATIVE[algorithm]
        at += size
    elif algorithm in _OPAQUE and whole:
        at = len(body)
    else:
        raise Malformed("key-algorithm", "A key in the OpenPGP data is of an unknown kind.")
    if at > len(body) or (whole and at != len(body)):
        raise _bad()
    return at, bits, curve
