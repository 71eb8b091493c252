"""A private key to give out: its secret octets under a passphrase (RFC 9580 3.7, 5.5.3), as other programs read it."""

import hashlib
import os
from typing import Final

from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

from carepost.crypto.openpgp import certificate, keypackets, library, packets
from carepost.crypto.openpgp.errors import Malformed
from carepost.crypto.openpgp.secret import PrivateKey

#: string-to-key: salted and iterated, SHA-256, as often as one octet can say (65,011,712 octets hashed)
_ITERATED, _SHA256, _COUNT = 3, 8, 0xFF
_AES256: Final = 9
_OCTETS: Final = 65_011_712


def lock(key: PrivateKey, passphrase: str) -> bytes:
    """Armored, every secret locked anew. Raises Malformed for a kind of key that has no such form here."""
    secrets = {one.key.fingerprint: one for one in key.secrets}
    pieces: list[bytes] = []
    for packet in packets.read(key.certificate.raw, most=certificate.MAX_PACKETS):
        whole = key.certificate.raw[packet.start : packet.end]
        if packet.tag in (packets.PUBLIC_KEY, packets.PUBLIC_SUBKEY):
            public = keypackets.read(packet.body)
            secret = secrets.get(public.fingerprint)
            if public.version != 4:
                raise Malformed("key-kind", "This kind of key cannot be given out locked.")
            if secret is not None:
                tag = packets.SECRET_KEY if packet.tag == packets.PUBLIC_KEY else packets.SECRET_SUBKEY
                whole = packets.frame(tag, public.public + _locked(secret.material, passphrase))
        pieces.append(whole)
    return library.armor(b"".join(pieces), packets.PRIVATE)


def _locked(material: bytes, passphrase: str) -> bytes:
    salt, iv = os.urandom(8), os.urandom(16)
    check = hashlib.sha1(material, usedforsecurity=False).digest()
    sealer = Cipher(algorithms.AES(_key(salt, passphrase)), CFB(iv)).encryptor()
    head = bytes((254, _AES256, _ITERATED, _SHA256)) + salt + bytes((_COUNT,))
    return head + iv + sealer.update(material + check) + sealer.finalize()


def _key(salt: bytes, passphrase: str) -> bytes:
    seed = salt + passphrase.encode("utf-8")
    digest = hashlib.sha256()
    whole, rest = divmod(_OCTETS, len(seed))
    block = seed * 4096
    for _ in range(whole // 4096):
        digest.update(block)
    digest.update(seed * (whole % 4096) + seed[:rest])
    return digest.digest()
