"""Encrypt to certificates, decrypt with private keys (RFC 9580 5.13). Nothing is released before all of it is checked.

Never writes or reads a message without integrity protection: SED, a missing MDC, LibrePGP's packet 20, 3DES, CAST5 and
IDEA are refused (BI-068)."""

import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence

import msgspec
import pysequoia
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from carepost.crypto.openpgp import content, library, packets, sessions, usable
from carepost.crypto.openpgp.certificate import Certificate
from carepost.crypto.openpgp.content import Content
from carepost.crypto.openpgp.errors import Malformed, NotDecrypted, Unusable, Weak
from carepost.crypto.openpgp.secret import AEAD, AES, PrivateKey, aead, cfb

#: octets of an OpenPGP message, in clear or not
MAX_MESSAGE = content.MAX_CONTENT
#: session key packets in one message, and openings tried for all of them
MAX_SESSIONS, MAX_TRIES = 200, 64
#: RFC 9580 5.13.2: chunks of 2^(c+6) octets, c at most 16
_MAX_CHUNK = 16
#: where the base64 of armor ends: its checksum or its last line
_END = re.compile(rb"\n[=-]")
#: a certificate nobody has a reason to doubt, and for which address
For = tuple[str, Certificate]


class Decrypted(msgspec.Struct, frozen=True):
    content: Content
    #: fingerprint of the certificate whose key opened it
    by: str


def encrypt(data: bytes, recipients: Sequence[For], at: int, signer: pysequoia.PySigner | None = None) -> bytes:
    """An armored OpenPGP message, CRLF line ends, that each recipient's live encryption keys open, and no other.

    `at`: UTC microseconds. Raises Unusable with the reason where a certificate must not be used for its address."""
    if not recipients:
        raise Unusable("no-recipient", "There is nobody to encrypt to.")
    found = [usable.ready(certificate, address, at) for address, certificate in recipients]
    refused = Unusable("refused", "The OpenPGP certificate cannot be used.")
    made = library.encrypt(data, [ready.known for ready in found], signer, refused, armor=True)
    _check(made, found, modern=all(certificate.modern for _, certificate in recipients))
    return made.replace(b"\n", b"\r\n")


def _check(made: bytes, found: list[usable.Ready], *, modern: bool) -> None:
    """What is about to leave names the keys that were chosen and no other, and is of a form their owners read."""
    start = made.find(b"\n\n") + 2
    # the session keys stand first: two lines beyond them show what follows
    text = made[start : start + 128 + sum([ready.head for ready in found])]
    if start + len(text) == len(made):
        text = _END.split(text, 1)[0]
    text = text.translate(None, b"\n")
    named, version = library.addressed(binascii.a2b_base64(text[: len(text) & ~3]))
    wanted = found[0].named if len(found) == 1 else frozenset().union(*[ready.named for ready in found])
    count = sum([ready.count for ready in found])
    if len(named) != count or not wanted.issuperset(named) or not (version == 1 or (version == 2 and modern)):
        raise Unusable("key-choice", "The message was not encrypted to the keys that were chosen. Nothing was sent.")


def decrypt(message: bytes, keys: Sequence[PrivateKey]) -> Decrypted:
    """`message`: armored or not. Raises Malformed and Weak by what is seen without a key, NotDecrypted for the rest."""
    raw = packets.unwrap(message, packets.MESSAGE, most=MAX_MESSAGE)
    wrapped, sealed = _frame(raw)
    if sealed[:1] not in (b"\x01", b"\x02"):
        raise Malformed("seipd", "The OpenPGP message is encrypted in an unknown form.")
    tries = 0
    for private in keys:
        for secret in private.secrets:
            for session in wrapped:
                if not session.is_for(secret.key) or tries >= MAX_TRIES:
                    continue
                tries += 1
                opened = sessions.open_(session, secret)
                plain = None if opened is None else _unseal(sealed, session.version, *opened)
                if plain is not None:
                    return Decrypted(content.read(plain), private.certificate.fingerprint)
    raise NotDecrypted


def _frame(raw: bytes) -> tuple[list[sessions.Wrapped], bytes]:
    """The session keys for certificates, and the one encrypted packet, which must be the last."""
    found = [p for p in packets.read(raw, most=MAX_SESSIONS + 10) if p.tag not in (packets.MARKER, packets.PADDING)]
    tags = [p.tag for p in found]
    if packets.SED in tags or packets.AED in tags:
        raise Weak("no-integrity", "The OpenPGP message has no integrity protection of a kind that is accepted.")
    if not found or tags[-1] != packets.SEIPD or set(tags[:-1]) - {packets.PKESK, packets.SKESK}:
        raise Malformed("structure", "This is not one encrypted OpenPGP message.")
    wrapped = []
    for packet in found[:-1]:
        if packet.tag == packets.PKESK:
            wrapped.append(sessions.Wrapped(packet.body))
    return wrapped, found[-1].body


def _unseal(sealed: bytes, version: int, cipher: int | None, key: bytes) -> bytes | None:
    """The packets inside, or None. A session key packet of version 3 goes with SEIPD 1, of version 6 with 2."""
    if sealed[:1] == b"\x01" and version == 3:
        return _seipd1(sealed[1:], key) if AES.get(cipher or 0) == len(key) else None
    if sealed[:1] == b"\x02" and version == 6:
        return _seipd2(sealed, key)
    return None


def _seipd1(sealed: bytes, key: bytes) -> bytes | None:
    """RFC 9580 5.13.1. The two repeated octets are not looked at on their own: they are an oracle."""
    if len(sealed) < 18 + 22:
        return None
    plain = cfb(key, bytes(16), sealed)
    # SHA-1 here is the format's, under encryption; collisions do not help who cannot choose both sides
    digest = hashlib.sha1(plain[:-20], usedforsecurity=False).digest()
    if not hmac.compare_digest(digest, plain[-20:]) or plain[-22:-20] != b"\xd3\x14":
        return None
    return plain[18:-22]


def _seipd2(sealed: bytes, key: bytes) -> bytes | None:
    """RFC 9580 5.13.2: chunks, each with its tag, and a last tag over how many octets there were."""
    if len(sealed) < 36 + 16:
        return None
    cipher, mode, power = sealed[1:4]
    size = AEAD.get(mode)
    if AES.get(cipher) != len(key) or size is None or power > _MAX_CHUNK:
        return None
    about = b"\xd2" + sealed[:4]
    made = HKDF(hashes.SHA256(), len(key) + size - 8, sealed[4:36], about).derive(key)
    opener, prefix = aead(mode, made[: len(key)]), made[len(key) :]
    step = (1 << (power + 6)) + 16
    chunks: list[bytes] = []
    last = len(sealed) - 16
    try:
        for index, at in enumerate(range(36, last, step)):
            nonce = prefix + index.to_bytes(8, "big")
            chunks.append(opener.decrypt(nonce, sealed[at : min(at + step, last)], about))
        total = sum(map(len, chunks)).to_bytes(8, "big")
        opener.decrypt(prefix + len(chunks).to_bytes(8, "big"), sealed[last:], about + total)
    except (InvalidTag, ValueError):
        return None
    return b"".join(chunks)
