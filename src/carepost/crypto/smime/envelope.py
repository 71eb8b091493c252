"""EnvelopedData with AES-256-CBC, and AuthEnvelopedData with AES-256-GCM (RFC 5652, 5083, 5084, 5753, 8551).

gpgsm, Outlook before 2019 and many gateways read no AuthEnvelopedData: CBC is what everybody gets, GCM who says that he
reads it (smimeCapabilities). Everything of a recipient that does not change is encoded once, in `Recipient`.
"""

import os
from collections.abc import Sequence

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, x25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from carepost.crypto.smime import agreement, der, oaep, oids
from carepost.crypto.smime.certificate import Certificate
from carepost.crypto.smime.errors import CannotSeal

_RSA_ALGORITHM = der.sequence(der.tlv(der.OID, oids.RSA), der.NULL)
_WRAP = der.sequence(der.tlv(der.OID, oids.AES256_WRAP))
#: octets of a 256-bit key wrapped (RFC 3394)
_WRAPPED = 40

_DATA = der.tlv(der.OID, oids.DATA)
_V0, _V2 = der.integer(0), der.integer(2)
_ENVELOPED = der.tlv(der.OID, oids.ENVELOPED_DATA)
_AUTH_ENVELOPED = der.tlv(der.OID, oids.AUTH_ENVELOPED_DATA)
_CBC = der.tlv(der.OID, oids.AES256_CBC)
_GCM = der.tlv(der.OID, oids.AES256_GCM)


class Recipient:
    """A certificate made ready for encryption; worth keeping. `capabilities` is what its holder said elsewhere, in a
    signed message, and stands beside what the certificate says: RSA with OAEP-SHA256 where it is among them, else
    PKCS #1 1.5, which all read. `padded`: OAEP whatever they say.

    Raises CannotSeal for a kind of key that cannot be encrypted to. Whether it may be used is `usable`'s to say."""

    __slots__ = ("_key", "_middle", "_oaep", "_prefix", "_scheme", "certificate", "gcm", "simple")

    def __init__(self, certificate: Certificate, capabilities: frozenset[str] = frozenset(), *, padded: bool = False):
        self.certificate = certificate
        known = certificate.capabilities | capabilities
        self.gcm = "aes256-gcm" in known
        key = certificate.public_key
        self._oaep = padded or oaep.NAME in known
        self._scheme = self._middle = b""
        if isinstance(key, rsa.RSAPublicKey) and not certificate.key.startswith("rsa-pss"):
            self.simple = True
            self._key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey | x25519.X25519PublicKey = key
            self._prefix = self._transport(certificate, key)
        elif isinstance(key, x25519.X25519PublicKey) or (
            isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, oids.CURVE_TYPES)
        ):
            self.simple = False
            self._key = key
            self._prefix = self._agreed(certificate, key)
        else:
            raise CannotSeal("unsupported-key", "Nothing can be encrypted to a key of this kind.")

    def _transport(self, certificate: Certificate, key: rsa.RSAPublicKey) -> bytes:
        """KeyTransRecipientInfo up to the encrypted key."""
        algorithm = oaep.ALGORITHM if self._oaep else _RSA_ALGORITHM
        octets = key.key_size // 8 + (key.key_size % 8 > 0)
        return _header(der.SEQUENCE, _V0 + certificate.issuer_and_serial + algorithm, der.OCTETS, octets)

    def _agreed(self, certificate: Certificate, key: ec.EllipticCurvePublicKey | x25519.X25519PublicKey) -> bytes:
        """KeyAgreeRecipientInfo up to the ephemeral key; `_middle` goes on from there to the wrapped key."""
        if isinstance(key, x25519.X25519PublicKey):
            self._scheme = oids.X25519_HKDF_SHA256
            algorithm, size = der.sequence(der.tlv(der.OID, oids.X25519)), 32
        else:
            self._scheme = oids.STD_DH_SHA256 if key.curve.key_size <= 256 else oids.STD_DH_SHA384
            curve = der.tlv(der.OID, oids.CURVES[key.curve.name])
            algorithm, size = (
                der.sequence(der.tlv(der.OID, oids.EC_KEY), curve),
                1 + 2 * ((key.curve.key_size + 7) // 8),
            )
        bits = bytes((der.BITS,)) + der.length(size + 1) + b"\0"
        originator = der.tlv(0xA0, der.tlv(0xA1, algorithm, bits, bytes(size)))[:-size]
        one = _header(der.SEQUENCE, certificate.issuer_and_serial, der.OCTETS, _WRAPPED)
        keys = bytes((der.SEQUENCE,)) + der.length(len(one) + _WRAPPED) + one
        self._middle = der.sequence(der.tlv(der.OID, self._scheme), _WRAP) + keys
        body = der.integer(3) + originator
        return b"\xa1" + der.length(len(body) + size + len(self._middle) + _WRAPPED) + body

    def info(self, content_key: bytes) -> bytes:
        """Its RecipientInfo, with `content_key` for nobody else."""
        key = self._key
        if isinstance(key, rsa.RSAPublicKey):
            return self._prefix + key.encrypt(content_key, oaep.PADDING if self._oaep else padding.PKCS1v15())
        if isinstance(key, x25519.X25519PublicKey):
            ours = x25519.X25519PrivateKey.generate()
            secret, point = ours.exchange(key), ours.public_key().public_bytes_raw()
        else:
            ephemeral = ec.generate_private_key(key.curve)
            secret = ephemeral.exchange(ec.ECDH(), key)
            point = ephemeral.public_key().public_bytes(
                serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
            )
        wrapping = agreement.derive(self._scheme, secret, _WRAP, 32, None)
        return b"".join((self._prefix, point, self._middle, aes_key_wrap(wrapping, content_key)))


def _header(tag: int, body: bytes, last: int, size: int) -> bytes:
    """An element whose last member, of tag `last` and `size` octets, is still to come: all before its octets."""
    ending = bytes((last,)) + der.length(size)
    return bytes((tag,)) + der.length(len(body) + len(ending) + size) + body + ending


def encrypt(content: bytes, recipients: Sequence[Recipient], *, gcm: bool | None = None) -> bytes:
    """ContentInfo, DER. `gcm` None: AES-256-GCM where every recipient says that he reads it, else AES-256-CBC.

    Each recipient can see who the others are: a blind copy is a message of its own (DESIGN law 2)."""
    if not recipients:
        raise CannotSeal("no-recipient", "There is no certificate to encrypt to.")
    key = os.urandom(32)
    infos = der.set_of(*[recipient.info(key) for recipient in recipients])
    if authenticated(recipients) if gcm is None else gcm:
        return _authenticated(content, key, infos)
    version = _V0 if all(recipient.simple for recipient in recipients) else _V2
    iv = os.urandom(16)
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    pad = 16 - len(content) % 16
    # whole blocks come as they go in: the last ones, with the padding, are not put together with the rest before
    sealed = encryptor.update(content)
    last = encryptor.update(bytes((pad,)) * pad) + encryptor.finalize()
    algorithm = der.sequence(_CBC, der.tlv(der.OCTETS, iv))
    return _outer(_ENVELOPED, version + infos, algorithm, (sealed, last), b"")


def authenticated(recipients: Sequence[Recipient]) -> bool:
    """Whether all of them say that they read AuthEnvelopedData."""
    return all(recipient.gcm for recipient in recipients)


def _authenticated(content: bytes, key: bytes, infos: bytes) -> bytes:
    """The key is this message's alone, so a random nonce cannot meet itself again (BI-078)."""
    nonce = os.urandom(12)
    sealed = AESGCM(key).encrypt(nonce, content, None)
    # the length of the tag is written: its default would be 12 octets (RFC 5084 3.2)
    algorithm = der.sequence(_GCM, der.sequence(der.tlv(der.OCTETS, nonce), der.integer(16)))
    text = memoryview(sealed)[:-16]
    return _outer(_AUTH_ENVELOPED, _V0 + infos, algorithm, (text,), der.tlv(der.OCTETS, sealed[-16:]))


def _outer(kind: bytes, head: bytes, algorithm: bytes, sealed: Sequence[bytes | memoryview], tail: bytes) -> bytes:
    """ContentInfo around `head`, EncryptedContentInfo with the pieces of `sealed`, and `tail`; the ciphertext is copied
    once."""
    size = sum(map(len, sealed))
    info = b"%b%b\x80%b" % (_DATA, algorithm, der.length(size))
    inner = b"%b0%b%b" % (head, der.length(len(info) + size), info)
    size += len(tail)
    data = b"0%b%b" % (der.length(len(inner) + size), inner)
    whole = b"%b\xa0%b%b" % (kind, der.length(len(data) + size), data)
    return b"".join((b"0", der.length(len(whole) + size), whole, *sealed, tail))
