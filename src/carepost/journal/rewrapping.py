"""The chore after a rotation of the master key: keys in tables are wrapped anew in the background, then an event."""

from typing import Final

from django.db import transaction

from carepost.archive.marks import Marks
from carepost.ground import clock, ids
from carepost.ground.keys import PurposeKeys
from carepost.proof import kinds
from carepost.tenancy import events, rewrapping, scope

MARK: Final = "rewrapped"
_AGAIN_US: Final = 3_600_000_000
_ACTOR: Final = ("system", "journal")


class Rewrapping:
    """`step` a round. A walk that finds nothing left sets the mark; until then each start begins a walk."""

    def __init__(self, keys: PurposeKeys, marks: Marks) -> None:
        self._keys = keys
        self._marks = marks
        self._walk: rewrapping.Walk | None = None
        self._done = 0
        self._over = False
        self._again_at = 0

    def step(self) -> None:
        if self._over or clock.now() < self._again_at:
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
            self._tell()
        # a crash before this line: the walk is done again, finds nothing, and a second event says so
        self._marks.put(MARK, self._keys.current)
        self._over = True

    def _tell(self) -> None:
        facts = {"master": str(self._keys.current), "rewrapped": str(self._done)}
        draft, openings = kinds.make(
            kinds.KEYS_REWRAPPED, id=ids.text(ids.new()), org=ids.text(kinds.HOUSE_ORG), at=clock.now(), actor=_ACTOR,
            on=(), facts=facts,
        )  # fmt: skip
        with scope.every("the master key belongs to no organisation"), transaction.atomic():
            events.append(draft, openings)
