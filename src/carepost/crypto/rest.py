"""Encryption at rest: AES-256-GCM with a version byte, and body format v1 (DESIGN 5).

Sealed value, version 1: `01 ‖ nonce (12 random bytes) ‖ ciphertext ‖ tag (16)`. The version byte is in the AAD.

Body format v1: the plaintext in chunks of 64 KiB, each sealed alone. Nonce of chunk i = `prefix (7 random bytes) ‖ i
(4 bytes, big-endian) ‖ last (00 or 01)`, the shape of STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015),
so that a dropped, repeated, reordered or foreign chunk does not open (BI-077). The first chunk carries `01 ‖ prefix`.
AAD = lengths and bytes of organisation, message and part.
"""

from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from carepost.ground import entropy
from carepost.ground.errors import CarepostError

VERSION = b"\x01"
KEY = 32
NONCE = 12
TAG = 16
#: plaintext bytes of one chunk of a body
CHUNK = 64 * 1024
_PREFIX = 7
#: what `seal` adds to its plaintext
OVERHEAD = 1 + NONCE + TAG


class Damaged(CarepostError):
    """What was stored does not open under this key and place: flipped, cut, moved, or of another version."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("damaged", "Something stored is damaged or does not belong here; it was not opened.", detail)


def new_key() -> bytes:
    """32 random bytes."""
    return entropy.take(KEY)


@lru_cache(maxsize=256)
def cipher(key: bytes) -> AESGCM:
    """Long-lived keys (organisation and purpose keys) keep their schedule; content keys never come here."""
    return AESGCM(key)


def seal(key: bytes, plain: bytes, aad: bytes) -> bytes:
    """`plain` under a long-lived 32-byte key. At most 2^32 calls a key (NIST SP 800-38D 8.3): organisation keys are
    replaced long before."""
    nonce = entropy.take(NONCE)
    return VERSION + nonce + cipher(key).encrypt(nonce, plain, VERSION + aad)


def seal_under(aead: AESGCM, plain: bytes, aad: bytes) -> bytes:
    """`seal`, for who has `cipher(key)` at hand."""
    nonce = entropy.take(NONCE)
    return VERSION + nonce + aead.encrypt(nonce, plain, VERSION + aad)


def seal_once(plain: bytes, aad: bytes) -> tuple[bytes, bytes]:
    """(a fresh key, `plain` under it as by `seal`). The key's schedule is not kept: nothing else is sealed with it."""
    key, nonce = new_key(), entropy.take(NONCE)
    return key, VERSION + nonce + AESGCM(key).encrypt(nonce, plain, VERSION + aad)


def open_(key: bytes, blob: bytes, aad: bytes) -> bytes:
    """Raises Damaged."""
    if len(blob) < OVERHEAD or blob[:1] != VERSION:
        raise Damaged("not a sealed value of version 1")
    try:
        return cipher(key).decrypt(blob[1 : 1 + NONCE], blob[1 + NONCE :], VERSION + aad)
    except InvalidTag:
        raise Damaged("authentication failed") from None


def _body_aad(org: bytes, message: bytes, part: bytes) -> bytes:
    return b"carepost body v1" + b"".join([len(p).to_bytes(2, "big") + p for p in (org, message, part)])


def seal_body(key: bytes, org: bytes, message: bytes, plain: bytes, part: bytes = b"body") -> list[bytes]:
    """`plain` (any length, also 0) as chunks under its own content key. One chunk up to 64 KiB: the usual message."""
    prefix = entropy.take(_PREFIX)
    aead = AESGCM(key)
    aad = _body_aad(org, message, part)
    head = VERSION + prefix
    if len(plain) <= CHUNK:
        return [head + aead.encrypt(prefix + b"\0\0\0\0\1", plain, aad)]
    view = memoryview(plain)
    last = (len(plain) - 1) // CHUNK
    chunks = [
        aead.encrypt(_nonce(prefix, i, i == last), view[i * CHUNK : (i + 1) * CHUNK], aad) for i in range(last + 1)
    ]
    chunks[0] = head + chunks[0]
    return chunks


def open_body(key: bytes, org: bytes, message: bytes, chunks: list[bytes], part: bytes = b"body") -> bytes:
    """The plaintext of all chunks, in order. Raises Damaged for any missing, moved, repeated or foreign chunk."""
    if not chunks or len(chunks[0]) < 1 + _PREFIX + TAG or chunks[0][:1] != VERSION:
        raise Damaged("not a body of format 1")
    prefix = chunks[0][1 : 1 + _PREFIX]
    aead = AESGCM(key)
    aad = _body_aad(org, message, part)
    last = len(chunks) - 1
    try:
        plain = [
            aead.decrypt(_nonce(prefix, i, i == last), chunk[1 + _PREFIX :] if i == 0 else chunk, aad)
            for i, chunk in enumerate(chunks)
        ]
    except InvalidTag:
        raise Damaged("a chunk of the body does not open in its place") from None
    if any(len(p) != CHUNK for p in plain[:-1]):
        raise Damaged("a chunk of the body has the wrong length")
    return plain[0] if last == 0 else b"".join(plain)


def _nonce(prefix: bytes, counter: int, last: bool) -> bytes:
    return prefix + counter.to_bytes(4, "big") + (b"\1" if last else b"\0")
