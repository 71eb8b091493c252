"""Recipients' certificates as a directory holds them: who has one is in memory, packed; the certificate itself is
fetched when it is used.

A certificate takes 1 to 4 KB and an organisation may know a hundred thousand: all of them in every engine at each epoch
would be hundreds of megabytes, of which a day's mail uses few."""

import struct
import uuid
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

from carepost.crypto.index import TOKEN
from carepost.directory.rows import SqlRows
from carepost.directory.types import RecipientKey
from carepost.ground import ids
from carepost.ground.errors import NotFound
from carepost.policy.types import Method

VIEW: Final = "engine_recipient_key"
#: token, id, method and flags, not_after
_ROW: Final = struct.Struct(f">{TOKEN}s16sBq")
_METHODS: Final = tuple(Method)
_NUMBERS: Final[dict[str, int]] = {method: number for number, method in enumerate(_METHODS)}
_METHOD, _PINNED, _CHANGED = 0x3F, 0x40, 0x80
#: addresses whose keys are kept unpacked: each is asked for three times a message
_KEPT: Final = 1024


class PackedKeys(Mapping[bytes, tuple[RecipientKey, ...]]):
    """Token of an address -> what may be encrypted to there, oldest first; 33 bytes a key. Immutable: what is asked for
    is unpacked once, and another epoch brings another value."""

    def __init__(self, rows: Iterable[tuple[bytes, RecipientKey]] = ()) -> None:
        """(token, key) in any order."""
        self._keep([_pack(t, k.id, k.method, k.pinned, k.changed, k.not_after) for t, k in rows])

    @classmethod
    def read(cls, rows: Iterable[tuple[Any, ...]]) -> "PackedKeys":
        """Rows of the view: id, token, method, pinned, changed, not_after."""
        made = cls()
        made._keep([_pack(bytes(t), str(i), m, bool(p), bool(c), n) for i, t, m, p, c, n in rows])
        return made

    def _keep(self, packed: list[bytes]) -> None:
        packed.sort()
        self._rows = b"".join(packed)
        self._count = len(packed)
        self._unpacked: dict[bytes, tuple[RecipientKey, ...]] = {}
        self._addresses = sum(1 for _ in self)

    def __len__(self) -> int:
        return self._addresses

    def __iter__(self) -> Iterator[bytes]:
        before = None
        for at in range(self._count):
            token = self._token(at)
            if token != before:
                yield token
            before = token

    def __getitem__(self, token: bytes) -> tuple[RecipientKey, ...]:
        found = self._unpacked.get(token)
        if found is None:
            found = self._find(token)
            if len(self._unpacked) >= _KEPT:
                self._unpacked.clear()
            self._unpacked[token] = found
        if not found:
            raise KeyError(token)
        return found

    def _find(self, token: bytes) -> tuple[RecipientKey, ...]:
        at = bisect_left(range(self._count), token, key=self._token)
        found = []
        while at < self._count and self._token(at) == token:
            found.append(_unpack(self._rows, at))
            at += 1
        return tuple(found)

    def _token(self, at: int) -> bytes:
        begin = at * _ROW.size
        return self._rows[begin : begin + TOKEN]


def _pack(token: bytes, key: str, method: str, pinned: bool, changed: bool, not_after: int) -> bytes:
    if len(token) != TOKEN:
        raise ValueError("not the token of an address")
    flags = _NUMBERS[method] | (_PINNED if pinned else 0) | (_CHANGED if changed else 0)
    return _ROW.pack(token, bytes.fromhex(key.replace("-", "")), flags, not_after)


def _unpack(rows: bytes, at: int) -> RecipientKey:
    _, row, flags, not_after = _ROW.unpack_from(rows, at * _ROW.size)
    method = _METHODS[flags & _METHOD]
    return RecipientKey(ids.text(row), method, bool(flags & _PINNED), bool(flags & _CHANGED), not_after)


class Certificates(Protocol):
    """Where the sealed certificate of one key is."""

    def find(self, org: bytes, key: RecipientKey) -> bytes:
        """`columns.seal` of a `KeptKey` under the evidence key. Blocking. Raises NotFound, Unavailable."""


class StaticCertificates:
    """Given by the caller (tests): id -> sealed."""

    def __init__(self, given: Mapping[str, bytes] | None = None) -> None:
        self.given = dict(given or {})

    def find(self, org: bytes, key: RecipientKey) -> bytes:
        found = self.given.get(key.id)
        if found is None:
            raise NotFound
        return found


class SqlCertificates:
    """From the office's view, one at a time."""

    def __init__(self, connect: Callable[[], Any], *, begin: tuple[str, ...], placeholder: str) -> None:
        select = f"SELECT sealed FROM {VIEW} WHERE org = {placeholder} AND id = {placeholder}"  # noqa: S608  constants
        self._rows = SqlRows(connect, select, begin, "recipient-key-unreadable")

    def find(self, org: bytes, key: RecipientKey) -> bytes:
        row = self._rows.row(org, uuid.UUID(key.id).bytes)
        if row is None or not row[0]:
            raise NotFound
        return bytes(row[0])

    def close(self) -> None:
        self._rows.close()
