"""What is known of a recipient's certificates, as far as the decision may look: methods, never keys."""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from carepost.directory.types import OrgSnapshot, RecipientKey
from carepost.ground import clock
from carepost.intake.addresses import Tokens, rows_of
from carepost.policy.types import Method, Ternary


class Held(NamedTuple):
    """Hashable: decisions are remembered by it."""

    smime: Ternary = Ternary.NO
    openpgp: Ternary = Ternary.NO
    pinned: tuple[Method, ...] = ()
    changed: tuple[Method, ...] = ()


NONE = Held()
UNKNOWN = Held(Ternary.UNKNOWN, Ternary.UNKNOWN)


class Keys:
    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def look(self, snapshot: OrgSnapshot, address: str) -> Held:
        """UNKNOWN where the index key cannot be opened: no key is then used. What has run out counts as no key; what
        else may be wrong with one is judged where it is used."""
        if not snapshot.recipient_keys:
            return NONE
        tokens = self._tokens.of(snapshot, address)
        if tokens is None:
            return UNKNOWN
        rows = rows_of(snapshot.recipient_keys, tokens)
        if not rows:
            return NONE
        now = clock.now()
        if len(rows) == 1:
            return _of_one(rows[0].method, usable(rows[0], now), rows[0].pinned, rows[0].changed)
        good = {row.method for row in rows if usable(row, now)}
        return Held(
            Ternary.YES if Method.SMIME in good else Ternary.NO,
            Ternary.YES if Method.OPENPGP in good else Ternary.NO,
            _methods(row for row in rows if row.pinned and not row.changed),
            _methods(row for row in rows if row.changed),
        )

    def find(self, snapshot: OrgSnapshot, address: str, method: Method) -> RecipientKey | None:
        """The one to encrypt to: a pinned one before another, of equals the newest."""
        tokens = self._tokens.of(snapshot, address)
        rows = rows_of(snapshot.recipient_keys, tokens) if tokens is not None else ()
        now = clock.now()
        if len(rows) == 1:
            return rows[0] if rows[0].method is method and usable(rows[0], now) else None
        good = [row for row in rows if row.method is method and usable(row, now)]
        return max(good, key=lambda row: (row.pinned, row.id), default=None)


def usable(row: RecipientKey, now: int) -> bool:
    return not row.changed and (not row.not_after or now < row.not_after)


@lru_cache(maxsize=64)
def _of_one(method: Method, good: bool, pinned: bool, changed: bool) -> Held:
    """Of nearly every recipient at most one key is known."""
    return Held(
        Ternary.YES if good and method is Method.SMIME else Ternary.NO,
        Ternary.YES if good and method is Method.OPENPGP else Ternary.NO,
        (method,) if pinned and not changed else (),
        (method,) if changed else (),
    )


def _methods(rows: Iterable[RecipientKey]) -> tuple[Method, ...]:
    return tuple(sorted({row.method for row in rows}))
