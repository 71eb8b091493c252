"""Signed notes and checkpoints (C2SP signed-note, tlog-checkpoint, tlog-cosignature).

A note is text, an empty line, and signature lines `— <key name> <base64(4-byte key hash ‖ signature)>`. Signatures by
keys we do not know are ignored; one bad signature by a key we know rejects the note. Key types: 0x01 Ed25519 over the
text (the log's own), 0x04 a witness's Ed25519 cosignature with its time."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from carepost.proof.canonical import b64, unb64

ED25519: Final = 0x01
COSIGNATURE: Final = 0x04
#: bytes of a note and signatures on it that we are ready to read
LIMIT: Final = 64 * 1024
SIGNATURES: Final = 64
_DASH: Final = "\u2014 "


class NoteError(ValueError):
    """The text is no note, or a known key's signature on it is bad. The words may be shown."""


class VerifierKey(msgspec.Struct, frozen=True):
    """A public key with its name; `text` is the C2SP verifier key `name+hash+base64(type ‖ key)`."""

    name: str
    public: bytes
    type: int = ED25519

    @property
    def hash(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public).digest()[:4]

    @property
    def text(self) -> str:
        return f"{self.name}+{self.hash.hex()}+{b64(bytes([self.type]) + self.public)}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Raises NoteError."""
        name, _, rest = text.strip().partition("+")
        stated, _, encoded = rest.partition("+")
        raw = _unb64(encoded)
        if not _name_ok(name) or len(raw) != 33 or raw[0] not in (ED25519, COSIGNATURE):
            raise NoteError("this is not the text of a verifier key (name+hash+key)")
        key = cls(name, raw[1:], raw[0])
        if key.hash.hex() != stated:
            raise NoteError("the verifier key's hash does not fit the key: it was copied badly or altered")
        return key

    def verify(self, text: str, signature: bytes) -> int | None:
        """None when bad; else the time in seconds a cosignature states, 0 for an Ed25519 signature."""
        signed, at = text.encode(), 0
        if self.type == COSIGNATURE:
            if len(signature) != 72:
                return None
            at, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            signed = b"cosignature/v1\ntime %d\n" % at + signed
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, signed)
        except InvalidSignature:
            return None
        return at


class SignerKey:
    """The private half: 32 bytes of Ed25519 seed under a name."""

    __slots__ = ("_private", "verifier")

    def __init__(self, name: str, seed: bytes, type: int = ED25519) -> None:
        if not _name_ok(name):
            raise NoteError("a key name has no spaces and no plus sign")
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = VerifierKey(name, self._private.public_key().public_bytes_raw(), type)

    def line(self, text: str, at: int = 0) -> str:
        """The signature line for a note's text. `at`: seconds, for a cosignature."""
        signed, head = text.encode(), b""
        if self.verifier.type == COSIGNATURE:
            signed, head = b"cosignature/v1\ntime %d\n" % at + signed, at.to_bytes(8, "big")
        return f"{_DASH}{self.verifier.name} {b64(self.verifier.hash + head + self._private.sign(signed))}\n"


class Signature(msgspec.Struct, frozen=True):
    name: str
    hash: bytes
    signature: bytes


class Note(msgspec.Struct, frozen=True):
    #: with its last line feed
    text: str
    signatures: tuple[Signature, ...]


class Opened(msgspec.Struct, frozen=True):
    """A note whose known signatures are all good: by whom (with a cosignature's time, else 0), and how many unknown."""

    text: str
    verified: tuple[tuple[VerifierKey, int], ...]
    unknown: int


def sign(text: str, *signers: SignerKey) -> bytes:
    """Raises NoteError for a text no note may hold."""
    _check_text(text)
    return (text + "\n" + "".join(signer.line(text) for signer in signers)).encode()


def add(note: bytes, line: str) -> bytes:
    """The note with one more signature line, as a witness returns it."""
    parse(note)
    return note + line.encode()


def parse(raw: bytes) -> Note:
    """Strict. Raises NoteError."""
    if len(raw) > LIMIT:
        raise NoteError("the note is too long")
    try:
        whole = raw.decode()
    except UnicodeDecodeError:
        raise NoteError("the note is not UTF-8") from None
    body, found, tail = whole.rpartition("\n\n")
    if not found or not tail.endswith("\n"):
        raise NoteError("the note has no signatures")
    text = body + "\n"
    _check_text(text)
    lines = tail[:-1].split("\n")
    if len(lines) > SIGNATURES:
        raise NoteError("the note has too many signatures")
    return Note(text, tuple(map(_signature, lines)))


def _signature(line: str) -> Signature:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    raw = _unb64(encoded)
    if not line.startswith(_DASH) or not space or not _name_ok(name) or len(raw) < 5:
        raise NoteError("a signature line of the note is malformed")
    return Signature(name, raw[:4], raw[4:])


def open_(raw: bytes, known: Iterable[VerifierKey]) -> Opened:
    """Raises NoteError when the note is malformed or a known key's signature is bad. `verified` may be empty: the
    caller decides which keys it needs."""
    note = parse(raw)
    keys = {(key.name, key.hash): key for key in known}
    verified: dict[tuple[str, bytes], tuple[VerifierKey, int]] = {}
    unknown = 0
    for signature in note.signatures:
        mark = (signature.name, signature.hash)
        key = keys.get(mark)
        if key is None:
            unknown += 1
        elif mark not in verified:
            at = key.verify(note.text, signature.signature)
            if at is None:
                raise NoteError(f"the signature of {key.name} on the checkpoint is not good")
            verified[mark] = (key, at)
    return Opened(note.text, tuple(verified.values()), unknown)


class Checkpoint(msgspec.Struct, frozen=True):
    """The head of a log: origin, number of leaves, root. Extension lines are read, and never written."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        lines = (self.origin, str(self.size), b64(self.root), *self.extensions)
        return "\n".join(lines) + "\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Of a note's text. Raises NoteError."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not lines[0] or not all(lines[:-1]):
            raise NoteError("the text is not a checkpoint (origin, size, root)")
        origin, size, root = lines[:3]
        if not size.isascii() or not size.isdecimal() or (size != "0" and size.startswith("0")) or len(size) > 18:
            raise NoteError("the checkpoint's size is not a decimal number")
        raw = _unb64(root)
        if len(raw) != 32:
            raise NoteError("the checkpoint's root is not a SHA-256 hash")
        return cls(origin, int(size), raw, tuple(lines[3:-1]))


def _check_text(text: str) -> None:
    if not text.endswith("\n") or any(c < " " and c != "\n" for c in text):
        raise NoteError("a note's text ends with a line feed and has no control characters")


def _name_ok(name: str) -> bool:
    return bool(name) and "+" not in name and not any(c.isspace() for c in name)


def _unb64(text: str) -> bytes:
    return unb64(text, NoteError, "base64 in the note")
