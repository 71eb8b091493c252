"""The chore after a rotation of the master key: keys in tables are wrapped anew in the background, then an event.

Afterwards none stands under a former master key, and each hour somebody looks whether that is still so: a row put back
from before is how a thief of the former master key would bring in a key of his own (BI-079). Such a row is never
wrapped anew, which would make it one of ours; it is put on record, and `alarms` writes a letter."""

from typing import Final

from django.db import transaction

from carepost.archive.marks import Marks
from carepost.ground import clock, ids
from carepost.ground.keys import PurposeKeys
from carepost.proof import kinds
from carepost.tenancy import events, rewrapping, scope

MARK: Final = "rewrapped"
#: how many keys stand under a former master key although all were brought out of it
PUT_BACK: Final = "keys-put-back"
_AGAIN_US: Final = 3_600_000_000
_ACTOR: Final = ("system", "journal")


class Rewrapping:
    """`step` a round. A walk that finds nothing left sets the mark; until then each start begins a walk. Then it is
    watched that nothing comes back."""

    def __init__(self, keys: PurposeKeys, marks: Marks) -> None:
        self._keys = keys
        self._marks = marks
        self._walk: rewrapping.Walk | None = None
        self._done = 0
        self._over = False
        self._again_at = 0

    def step(self) -> None:
        if clock.now() < self._again_at:
            return
        if self._over:
            self._watch()
            return
        if self._walk is None:
            if self._marks.get(MARK) >= self._keys.current:
                self._over = True
                return
            self._walk = rewrapping.Walk(self._keys)
        wrapped = self._walk.step()
        if wrapped is not None:
            self._done += wrapped
            return
        self._walk = None
        if rewrapping.left(self._keys.current):
            # made meanwhile by a process that does not know the newest yet, or opened by none
            self._again_at = clock.now() + _AGAIN_US
            return
        if self._keys.current > 1:
            self._tell(kinds.KEYS_REWRAPPED, "rewrapped", self._done)
        # a crash before this line: the walk is done again, finds nothing, and a second event says so
        self._marks.put(MARK, self._keys.current)
        self._over = True

    def _watch(self) -> None:
        self._again_at = clock.now() + _AGAIN_US
        found = rewrapping.left(self._keys.current)
        if found == self._marks.get(PUT_BACK):
            return
        if found > self._marks.get(PUT_BACK):
            self._tell(kinds.KEYS_PUT_BACK, "former", found)
        self._marks.put(PUT_BACK, found)

    def _tell(self, kind: str, name: str, number: int) -> None:
        facts = {"master": str(self._keys.current), name: str(number)}
        draft, openings = kinds.make(
            kind,
            id=ids.text(ids.new()),
            org=ids.text(kinds.HOUSE_ORG),
            at=clock.now(),
            actor=_ACTOR,
            on=(),
            facts=facts,
        )
        with scope.every("the master key belongs to no organisation"), transaction.atomic():
            events.append(draft, openings)
