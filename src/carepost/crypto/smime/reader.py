"""Opening EnvelopedData and AuthEnvelopedData: ours, and what openssl, gpgsm and others write.

Everything that can go wrong after a private key was used is one error, CannotOpen, and takes the same way: a key that
does not unwrap is replaced by a random one and the content is decrypted all the same (RFC 3218 2.3.2, BI-080). What is
refused before that is refused for what anyone can read in the message.
"""

import os
from collections.abc import Sequence

import msgspec
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, x25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

from carepost.crypto.smime import agreement, der, oids
from carepost.crypto.smime.enveloped import Agreed, Envelope, Transport, read
from carepost.crypto.smime.errors import CannotOpen, Malformed, NotForUs, Unsupported
from carepost.crypto.smime.identity import Identity

_OAEP_DIGESTS: dict[bytes, hashes.HashAlgorithm] = {oids.SHA1: hashes.SHA1(), **oids.DIGESTS}  # noqa: S303
#: SHA-1 in all three places, the default of RFC 4055 4.1
_OAEP_DEFAULT = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303


class Plain(msgspec.Struct, frozen=True):
    """`cipher`: cbc (unauthenticated: whoever shows it looks at it first) or gcm. `key`: the fingerprint of the
    certificate whose key opened it. `recipients`: how many it was encrypted to."""

    content: bytes
    cipher: str
    key: str
    recipients: int

    def __repr__(self) -> str:
        return f"Plain(cipher={self.cipher}, bytes={len(self.content)})"


def decrypt(raw: bytes, identities: Sequence[Identity]) -> Plain:
    """`raw`: ContentInfo, DER or BER. Raises Malformed, Unsupported, NotForUs, CannotOpen."""
    return open_(read(raw), identities)


def open_(envelope: Envelope, identities: Sequence[Identity]) -> Plain:
    sizes = oids.GCM if envelope.authenticated else oids.CBC
    if envelope.cipher not in sizes:
        # RC2 and 3DES, and a cipher in the wrong structure (EFAIL's way around authentication)
        raise Unsupported("content cipher")
    vector, tag_size = _parameters(envelope)
    info, identity = _ours(envelope.infos, identities)
    size = sizes[envelope.cipher]
    key = _unwrapped(info, identity, size)
    good = key is not None and len(key) == size
    content = _content(envelope, key if key is not None and good else os.urandom(size), vector, tag_size)
    if content is None or not good:
        raise CannotOpen
    return Plain(
        content, "gcm" if envelope.authenticated else "cbc", identity.certificate.fingerprint, len(envelope.infos)
    )


def _parameters(envelope: Envelope) -> tuple[bytes, int]:
    """The vector or nonce, and the octets of the tag."""

    def read_gcm(cursor: der.Cursor) -> tuple[bytes, int]:
        inside = cursor.enter(der.SEQUENCE)
        nonce = inside.octets()
        return nonce, inside.integer() if inside.more() else 12

    if not envelope.authenticated:
        vector = der.parse(envelope.parameters, lambda c: c.octets())
        if len(vector) != 16 or len(envelope.sealed) % 16 or not envelope.sealed:
            raise Malformed("content cipher parameters")
        return vector, 0
    nonce, size = der.parse(envelope.parameters, read_gcm)
    if not 8 <= len(nonce) <= 64 or not 12 <= size <= 16 or len(envelope.tag) != size:
        raise Malformed("content cipher parameters")
    return nonce, size


def _ours(infos: Sequence[Transport | Agreed], identities: Sequence[Identity]) -> tuple[Transport | Agreed, Identity]:
    """The first recipient that is one of ours, and of its kind."""
    names: dict[bytes, Identity] = {}
    for identity in reversed(identities):
        names[identity.certificate.issuer_and_serial] = identity
        if identity.certificate.key_id:
            names[identity.certificate.key_id] = identity
    for info in infos:
        identity_found = names.get(info.who)
        if identity_found is None:
            continue
        if isinstance(identity_found.key, rsa.RSAPrivateKey) == isinstance(info, Transport):
            _accepted(info)
            return info, identity_found
    raise NotForUs


def _accepted(info: Transport | Agreed) -> None:
    """Algorithms known here; seen without a key."""
    if isinstance(info, Transport):
        known = info.algorithm == oids.RSA or (info.algorithm == oids.OAEP and _oaep(info.parameters) is not None)
    else:
        known = (info.scheme in oids.STD_DH or info.scheme == oids.X25519_HKDF_SHA256) and _wrap(
            info.wrap
        ) in oids.WRAPS
    if not known:
        raise Unsupported("key encryption")


def _wrap(parameters: bytes) -> bytes:
    return der.parse(parameters, lambda c: c.algorithm())[0]


def _oaep(parameters: bytes) -> padding.OAEP | None:
    """RSAES-OAEP-params (RFC 4055 4.1); None where something in it is not known."""
    if not parameters:
        return _OAEP_DEFAULT

    def read_oaep(cursor: der.Cursor) -> padding.OAEP | None:
        inside = cursor.enter(der.SEQUENCE)
        digest = mask = oids.SHA1
        if (explicit := inside.optional(0xA0)) is not None:
            digest = explicit.algorithm()[0]
        if (explicit := inside.optional(0xA1)) is not None:
            function, of = explicit.algorithm()
            if function != oids.MGF1:
                return None
            mask = der.parse(of, lambda c: c.algorithm())[0]
        label = b""
        if (explicit := inside.optional(0xA2)) is not None:
            source, value = explicit.algorithm()
            if source != oids.P_SPECIFIED:
                return None
            label = der.parse(value, lambda c: c.octets())
        if digest not in _OAEP_DIGESTS or mask not in _OAEP_DIGESTS:
            return None
        return padding.OAEP(padding.MGF1(_OAEP_DIGESTS[mask]), _OAEP_DIGESTS[digest], label or None)

    return der.parse(parameters, read_oaep)


def _unwrapped(info: Transport | Agreed, identity: Identity, size: int) -> bytes | None:
    """The content key, or None. OpenSSL answers wrong PKCS #1 padding with random octets of its own."""
    key = identity.key
    try:
        if isinstance(info, Transport) and isinstance(key, rsa.RSAPrivateKey):
            scheme = padding.PKCS1v15() if info.algorithm == oids.RSA else _oaep(info.parameters)
            return key.decrypt(info.sealed, scheme) if scheme is not None else None
        if isinstance(info, Agreed) and not isinstance(key, rsa.RSAPrivateKey):
            wrap_size = oids.WRAPS[_wrap(info.wrap)]
            kek = agreement.derive(info.scheme, _secret(info, key), info.wrap, wrap_size, info.ukm)
            return aes_key_unwrap(kek, info.sealed)
    except (ValueError, TypeError, InvalidUnwrap, UnsupportedAlgorithm):
        return None
    return None


def _secret(info: Agreed, key: ec.EllipticCurvePrivateKey | x25519.X25519PrivateKey) -> bytes:
    """On the recipient's own curve: openssl does not repeat it in the message. A point off the curve is ValueError."""
    if isinstance(key, x25519.X25519PrivateKey):
        return key.exchange(x25519.X25519PublicKey.from_public_bytes(info.point))
    return key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(key.curve, info.point))


def _content(envelope: Envelope, key: bytes, vector: bytes, tag_size: int) -> bytes | None:
    """None where it does not open; nothing of it leaves then."""
    if not envelope.authenticated:
        decryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).decryptor()
        padded = decryptor.update(envelope.sealed) + decryptor.finalize()
        pad = padded[-1]
        fits = 1 <= pad <= 16 and padded.endswith(bytes((pad,)) * pad)
        return padded[:-pad] if fits else None
    try:
        mode = modes.GCM(vector, envelope.tag, min_tag_length=tag_size)
        opener = Cipher(algorithms.AES(key), mode).decryptor()
        opener.authenticate_additional_data(envelope.associated)
        return opener.update(envelope.sealed) + opener.finalize()
    except (InvalidTag, ValueError):
        return None
