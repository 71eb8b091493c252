"""Whom an organisation does not write to, packed: 17 octets an address and scope, as tokens. Immutable.

A list may hold a million addresses and grow with every bounce: it is read whole once, and afterwards what changed. An
organisation whose list is empty holds nothing and is asked nothing."""

import struct
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Set
from typing import Any, Final

from carepost.crypto.index import TOKEN

VIEW: Final = "engine_suppression"
#: token, scope and flag, until
_ROW: Final = struct.Struct(f">{TOKEN}sBq")
#: scope of a row -> the categories it covers
SCOPES: Final = {"transactional": 1, "operational": 2, "marketing": 4, "all": 7}
#: the address itself is no good: not even notices go there
HARD: Final = 8
#: microseconds looked back beyond the newest change read: transactions end in another order than they began
OVERLAP: Final = 120_000_000
#: a list this many times longer than its changes is copied around them; a shorter one is sorted anew
_LONGER: Final = 16


class Suppressed(Set[bytes]):
    """As a set: the tokens. `mark`: the newest change read, UTC microseconds."""

    __slots__ = ("_rows", "mark")

    def __init__(self, rows: bytes = b"", mark: int = 0) -> None:
        self._rows = rows
        self.mark = mark

    @classmethod
    def read(cls, rows: Iterable[tuple[Any, ...]]) -> "Suppressed":
        """Rows of the view: token, scope, reason, until, removed, changed."""
        return cls().moved(rows)

    def moved(self, rows: Iterable[tuple[Any, ...]]) -> "Suppressed":
        """With what changed since."""
        mark, packed = self.mark, []
        for token, scope, reason, until, removed, changed in rows:
            mark = max(mark, int(changed))
            bits = SCOPES.get(scope, SCOPES["all"])
            flags = bits | HARD if reason == "bounce" and scope == "all" else bits
            packed.append((_ROW.pack(bytes(token), flags, int(until)), not removed))
        if not packed:
            return self
        long = len(self._rows) > _LONGER * _ROW.size * len(packed)
        return Suppressed(self._around(packed) if long else self._anew(packed), mark)

    def _around(self, packed: list[tuple[bytes, bool]]) -> bytes:
        """The list is copied once, however many changes there are."""
        rows, size, at = self._rows, _ROW.size, 0
        last = {_key(row): (row, live) for row, live in packed}
        pieces: list[bytes] = []
        for key in sorted(last):
            row, live = last[key]
            place = self._place(rows, row)
            pieces += (rows[at:place], row if live else b"")
            at = place + (size if _same(rows[place : place + size], row) else 0)
        return b"".join((*pieces, rows[at:]))

    def _anew(self, packed: list[tuple[bytes, bool]]) -> bytes:
        size = _ROW.size
        known = {_key(self._rows[at : at + size]): self._rows[at : at + size] for at in range(0, len(self._rows), size)}
        for row, live in packed:
            if live:
                known[_key(row)] = row
            else:
                known.pop(_key(row), None)
        return b"".join(known[key] for key in sorted(known))

    @staticmethod
    def _place(rows: bytes, row: bytes) -> int:
        size, wanted = _ROW.size, _key(row)
        return size * bisect_left(
            range(len(rows) // size), wanted, key=lambda at: _key(rows[at * size : at * size + size])
        )

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        return bool(self._rows)

    def __iter__(self) -> Iterator[bytes]:
        before = b""
        for at in range(0, len(self._rows), _ROW.size):
            token = self._rows[at : at + TOKEN]
            if token != before:
                yield token
            before = token

    def __contains__(self, token: object) -> bool:
        return isinstance(token, bytes) and any(True for _ in self._of(token))

    def covers(self, token: bytes, bit: int, now: int) -> bool:
        """`bit`: one of `SCOPES`, or HARD. `now`: UTC microseconds."""
        return any(flags & bit and not 0 < until <= now for flags, until in self._of(token))

    def _of(self, token: bytes) -> Iterator[tuple[int, int]]:
        size, rows = _ROW.size, self._rows
        at = bisect_left(range(len(rows) // size), token, key=lambda i: rows[i * size : i * size + TOKEN])
        while rows[at * size : at * size + TOKEN] == token:
            _, flags, until = _ROW.unpack_from(rows, at * size)
            yield flags, until
            at += 1


def _key(row: bytes) -> tuple[bytes, int]:
    """Token and scope: what a row is known by."""
    return row[:TOKEN], row[TOKEN] & ~HARD


def _same(one: bytes, other: bytes) -> bool:
    return len(one) == _ROW.size and _key(one) == _key(other)
