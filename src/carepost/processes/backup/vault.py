"""The file format of backups: a clear head, then an encrypted stream (docs/decisions/0008-backups.md).

`carepost backup 1\\n` ‖ length of the head (4 bytes) ‖ head (JSON) ‖ chunks of length (4 bytes) ‖ AES-256-GCM sealed.
The key is random and stands in the head, wrapped by the keyring's purpose `database`. Nonce of chunk i = prefix
(7 bytes) ‖ i (4 bytes) ‖ last (00 or 01): the shape of STREAM, as in `crypto.rest`. AAD = SHA-256 of the head: what
the head says is bound to what follows.
"""

import hashlib
import io
import os
from typing import IO, Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from carepost.ground.errors import ConfigError
from carepost.ground.keys import PurposeKeys, WrongKey

MAGIC: Final = b"carepost backup 1\n"
FORMAT: Final = 1
CHUNK: Final = 1 << 20
_PREFIX: Final = 7
_TAG: Final = 16
_PLACE: Final = b"carepost backup key"
_MOST_HEAD: Final = 65_536


class Head(msgspec.Struct, frozen=True):
    """What may be known of a backup without its keyring. Nothing personal."""

    format: int
    #: version of Carepost that made it
    carepost: str
    #: UTC microseconds of the moment it shows
    at: int
    #: home.json as it stood
    home: msgspec.Raw
    sandbox: bool
    #: "sqlite" | "postgresql": where the office is
    office: str
    #: the stream's key, wrapped
    wrapped: bytes
    prefix: bytes


class Writer(io.RawIOBase):
    """Encrypts what is written into `file`. `finish` ends the stream; without it the file is no backup."""

    def __init__(self, file: IO[bytes], head: Head, key: bytes) -> None:
        self._file = file
        encoded = msgspec.json.encode(head)
        file.write(MAGIC + len(encoded).to_bytes(4, "big") + encoded)
        self._aad = hashlib.sha256(encoded).digest()
        self._aead = AESGCM(key)
        self._prefix = head.prefix
        self._count = 0
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        view = memoryview(data)  # type: ignore[arg-type]
        self._held += view
        # one byte more than a chunk says that it is not the last
        while len(self._held) > CHUNK:
            self._chunk(bytes(self._held[:CHUNK]), last=False)
            del self._held[:CHUNK]
        return len(view)

    def finish(self) -> None:
        self._chunk(bytes(self._held), last=True)
        self._held.clear()

    def _chunk(self, plain: bytes, *, last: bool) -> None:
        sealed = self._aead.encrypt(_nonce(self._prefix, self._count, last), plain, self._aad)
        self._file.write(len(sealed).to_bytes(4, "big") + sealed)
        self._count += 1


class Reader(io.RawIOBase):
    """The plaintext of a backup's stream. Raises ConfigError where it was altered or cut."""

    def __init__(self, file: IO[bytes], head: Head, aad: bytes, key: bytes) -> None:
        self._file = file
        self._aad = aad
        self._aead = AESGCM(key)
        self._prefix = head.prefix
        self._count = 0
        self._held = b""
        self._last = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        while not self._held and not self._last:
            self._next()
        taken = min(len(view), len(self._held))
        view[:taken] = self._held[:taken]
        self._held = self._held[taken:]
        return taken

    def ends(self) -> bool:
        """Nothing but the padding of an archive is left, and the stream says itself that it ends there."""
        while not self._last:
            if self._held.strip(b"\0"):
                return False
            self._next()
        return not self._held.strip(b"\0") and not self._file.read(1)

    def _next(self) -> None:
        size = int.from_bytes(self._file.read(4), "big")
        if not _TAG <= size <= CHUNK + _TAG:
            raise damaged()
        sealed = self._file.read(size)
        if len(sealed) != size:
            raise damaged()
        for last in (False, True):
            try:
                self._held = self._aead.decrypt(_nonce(self._prefix, self._count, last), sealed, self._aad)
            except InvalidTag:
                continue
            self._last = last
            self._count += 1
            return
        raise damaged()


def new_key(keys: PurposeKeys) -> tuple[bytes, bytes, bytes]:
    """(key, wrapped key, nonce prefix) of a new backup. `keys` with the purpose `database`."""
    key = os.urandom(32)
    return key, keys.wrap("database", key, _PLACE), os.urandom(_PREFIX)


def read_head(file: IO[bytes]) -> tuple[Head, bytes]:
    """(head, AAD of the stream). Raises ConfigError: no backup, or of a newer Carepost."""
    if file.read(len(MAGIC)) != MAGIC:
        raise ConfigError(
            "This file is no backup of Carepost (or of a newer one); name a file made by carepost backup."
        )
    size = int.from_bytes(file.read(4), "big")
    encoded = file.read(size) if size <= _MOST_HEAD else b""
    try:
        head = msgspec.json.decode(encoded, type=Head)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise damaged() from None
    if head.format > FORMAT:
        raise ConfigError(f"This backup was made by a newer Carepost ({head.carepost}); update Carepost to restore it.")
    return head, hashlib.sha256(encoded).digest()


def open_key(head: Head, keys: PurposeKeys) -> bytes:
    """Raises ConfigError: another keyring."""
    try:
        return keys.unwrap("database", head.wrapped, _PLACE)
    except WrongKey:
        raise ConfigError(
            "This keyring does not open the backup: set CAREPOST_KEYRING to the one made with that home."
        ) from None


def damaged() -> ConfigError:
    return ConfigError("This backup is damaged or was altered: nothing of it is used; take another copy of it.")


def _nonce(prefix: bytes, counter: int, last: bool) -> bytes:
    return prefix + counter.to_bytes(4, "big") + (b"\1" if last else b"\0")
