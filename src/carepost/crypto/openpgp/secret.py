"""Private keys (RFC 9580 5.5.3): taken in with or without a passphrase, held without one, and what a message's session
key is opened with.

Opened here and not by the library: the library tries one subkey of a certificate, and unpacks what it decrypts without
a bound (BI-069). Every failure past the frame is the one error NotDecrypted (BI-080)."""

import hashlib
import hmac
from collections.abc import Callable

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESOCB3
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from carepost.crypto.openpgp import certificate, keypackets, packets
from carepost.crypto.openpgp.certificate import Certificate
from carepost.crypto.openpgp.errors import Malformed, OpenPgpError

#: symmetric algorithms (RFC 9580 9.3) that are used: AES-128, 192, 256
AES = {7: 16, 8: 24, 9: 32}
#: AEAD modes (RFC 9580 9.6) -> nonce octets: OCB, GCM. EAX has no implementation here.
AEAD = {2: 15, 3: 12}
#: GnuPG's placeholder for a secret that is not in this file: any cipher, string-to-key 101
_ELSEWHERE = frozenset(bytes((cipher, 101)) for cipher in range(14))
#: what a passphrase may cost us: octets hashed, KiB of Argon2 (the samples of RFC 9580 ask for two gigabytes)
_MAX_S2K, _MAX_ARGON = 65_011_712, 1 << 18
_S2K_HASHES: dict[int, Callable[[], "hashlib._Hash"]] = {
    2: lambda: hashlib.sha1(usedforsecurity=False),
    8: hashlib.sha256,
    9: hashlib.sha384,
    10: hashlib.sha512,
}


class Secret(msgspec.Struct, frozen=True):
    """One key with its secret octets in clear."""

    key: keypackets.Key
    material: bytes

    def __repr__(self) -> str:
        return f"Secret({self.key.fingerprint})"


class PrivateKey(msgspec.Struct, frozen=True):
    """A certificate and the secrets of its keys. `raw` is what to store, wrapped: no passphrase is on it."""

    certificate: Certificate
    secrets: tuple[Secret, ...]
    raw: bytes

    def __repr__(self) -> str:
        return f"PrivateKey({self.certificate.fingerprint})"


class WrongPassphrase(OpenPgpError):
    def __init__(self) -> None:
        super().__init__("passphrase", "The private key cannot be opened with this passphrase.")


def aead(algorithm: int, key: bytes) -> AESOCB3 | AESGCM:
    return AESOCB3(key) if algorithm == 2 else AESGCM(key)


def cfb(key: bytes, iv: bytes, data: bytes) -> bytes:
    """AES-CFB, decrypted."""
    opened = Cipher(algorithms.AES(key), CFB(iv)).decryptor()
    return opened.update(data) + opened.finalize()


def load(data: bytes, passphrase: str = "") -> PrivateKey:
    """A transferable secret key, armored or not. Raises Malformed, WrongPassphrase."""
    raw = packets.unwrap(data, packets.PRIVATE, most=certificate.MAX_BYTES)
    found = packets.read(raw, most=certificate.MAX_PACKETS)
    if not found or found[0].tag != packets.SECRET_KEY or sum(p.tag == packets.SECRET_KEY for p in found) != 1:
        raise Malformed("private-key-missing", "There must be exactly one OpenPGP private key in this.")
    public: list[bytes] = []
    secrets: dict[str, Secret] = {}
    for packet in found:
        if packet.tag in (packets.SECRET_KEY, packets.SECRET_SUBKEY):
            key = keypackets.read(packet.body, secret=True)
            material = _unlock(packet.tag, packet.body, key, passphrase)
            if material is not None:
                secrets[key.fingerprint] = Secret(key, material)
            tag = packets.PUBLIC_KEY if packet.tag == packets.SECRET_KEY else packets.PUBLIC_SUBKEY
            public.append(packets.frame(tag, key.public))
        elif packet.tag != packets.TRUST:
            public.append(raw[packet.start : packet.end])
    if not secrets:
        raise Malformed("private-key-missing", "There is no private key in this, only a public one.")
    known = certificate.read(b"".join(public))
    return PrivateKey(known, tuple(secrets.values()), _together(known, secrets))


def _together(known: Certificate, secrets: dict[str, Secret]) -> bytes:
    """The cleaned certificate with its secrets in clear."""
    pieces: list[bytes] = []
    for packet in packets.read(known.raw, most=certificate.MAX_PACKETS):
        whole = known.raw[packet.start : packet.end]
        if packet.tag in (packets.PUBLIC_KEY, packets.PUBLIC_SUBKEY):
            key = keypackets.read(packet.body)
            secret = secrets.get(key.fingerprint)
            if secret is not None:
                tag = packets.SECRET_KEY if packet.tag == packets.PUBLIC_KEY else packets.SECRET_SUBKEY
                check = b"" if key.version == 6 else _sum(secret.material)
                whole = packets.frame(tag, key.public + b"\0" + secret.material + check)
        pieces.append(whole)
    return b"".join(pieces)


def _sum(data: bytes) -> bytes:
    return (sum(data) & 0xFFFF).to_bytes(2, "big")


def _unlock(tag: int, body: bytes, key: keypackets.Key, passphrase: str) -> bytes | None:
    """The secret octets; None for a placeholder without any (a primary key kept elsewhere)."""
    at = len(key.public)
    if at >= len(body):
        raise _cut()
    usage = body[at]
    at += 1
    if usage == 0:
        if key.version == 6:
            return body[at:]
        if len(body) < at + 2 or _sum(body[at:-2]) != body[-2:]:
            raise _cut()
        return body[at:-2]
    if body[at : at + 2] in _ELSEWHERE:
        return None
    if usage not in (253, 254):
        raise _unsafe()
    if key.version == 6:
        at += 1
    if at + 2 > len(body):
        raise _cut()
    cipher, mode = body[at], 0
    at += 1
    if usage == 253:
        mode, at = body[at], at + 1
    if key.version == 6:
        at += 1
    size = AES.get(cipher)
    if size is None or (usage == 253 and mode not in AEAD):
        raise _unsafe()
    locked, at = _passphrase_key(body, at, passphrase, size)
    if usage == 254:
        plain = cfb(locked, body[at : at + 16], body[at + 16 :]) if len(body) > at + 36 else b""
        material, check = plain[:-20], plain[-20:]
        if not plain or not hmac.compare_digest(hashlib.sha1(material, usedforsecurity=False).digest(), check):
            raise WrongPassphrase
        return material
    head = bytes((0xC0 | tag,))
    info = head + bytes((key.version, cipher, mode))
    opener = aead(mode, HKDF(hashes.SHA256(), size, None, info).derive(locked))
    nonce, sealed = body[at : at + AEAD[mode]], body[at + AEAD[mode] :]
    try:
        return opener.decrypt(nonce, sealed, head + key.public)
    except (InvalidTag, ValueError):
        raise WrongPassphrase from None


def _unsafe() -> Malformed:
    return Malformed("private-key-old", "The private key is locked in a way that is not safe. Export it again.")


def _cut() -> Malformed:
    return Malformed("private-key-cut", "The private key is cut short or damaged.")


def _passphrase_key(body: bytes, at: int, passphrase: str, size: int) -> tuple[bytes, int]:
    """String-to-key (RFC 9580 3.7): (key, offset after the specifier), within what it may cost."""
    words = passphrase.encode("utf-8")
    kind = body[at] if at < len(body) else -1
    if kind in (0, 1, 3):
        maker = _S2K_HASHES.get(body[at + 1]) if at + 1 < len(body) else None
        salt = body[at + 2 : at + 10] if kind else b""
        end = at + 2 + len(salt) + (kind == 3)
        if maker is None or end > len(body):
            raise _cut()
        count = len(salt) + len(words)
        if kind == 3:
            coded = body[at + 10]
            count = max(count, (16 + (coded & 15)) << ((coded >> 4) + 6))
        if count > _MAX_S2K:
            raise _cut()
        return _stretched(maker, salt + words, count, size), end
    if kind == 4 and at + 20 <= len(body):
        salt, (passes, lanes, memory) = body[at + 1 : at + 17], body[at + 17 : at + 20]
        if not 1 <= passes <= 10 or not 1 <= lanes <= 16 or not 8 * lanes <= 1 << min(memory, 40) <= _MAX_ARGON:
            raise Malformed("private-key-costly", "Opening the private key takes too much memory. Export it anew.")
        made = Argon2id(salt=salt, length=size, iterations=passes, lanes=lanes, memory_cost=1 << memory)
        return made.derive(words), at + 20
    raise _unsafe()


def _stretched(maker: Callable[[], "hashlib._Hash"], seed: bytes, count: int, size: int) -> bytes:
    key = b""
    zeros = 0
    whole, rest = divmod(count, len(seed)) if seed else (0, 0)
    while len(key) < size:
        digest = maker()
        digest.update(bytes(zeros))
        # a megabyte at a time: the passphrase is short, the count is not
        block = seed * max(1, (1 << 20) // max(1, len(seed)))
        copies = max(1, (1 << 20) // max(1, len(seed)))
        for _ in range(whole // copies):
            digest.update(block)
        digest.update(seed * (whole % copies) + seed[:rest])
        key += digest.digest()
        zeros += 1
    return key[:size]
