"""What a reader writes on while it reads one file, and what it may use up."""

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

import msgspec

from carepost.phi.documents.types import Limits, Reading, Trait, Unreadable


class Watch(Protocol):
    """Keeps the time of one file: raises TimeUp into the block when it is over."""

    def __call__(self) -> AbstractContextManager[None]: ...


class Eye(Protocol):
    """Reads the text of a picture (OCR), or answers None where it cannot."""

    def __call__(self, data: bytes) -> str | None: ...


def unwatched() -> AbstractContextManager[None]:
    return nullcontext()


class Budget:
    """What is left for one message. Every reader draws from the same."""

    def __init__(self, limits: Limits, watch: Watch = unwatched, eye: Eye | None = None) -> None:
        self.limits = limits
        self.watch = watch
        self.eye = eye
        self.inflated = limits.inflated
        self.texts = limits.texts
        self.files = limits.files

    def inflate(self, size: int) -> None:
        """Raises Unreadable when more came out than a message may hold."""
        self.inflated -= size
        if self.inflated < 0:
            raise Unreadable("too-large")

    @property
    def room(self) -> int:
        """Octets one file may still become."""
        return min(self.limits.member, max(0, self.inflated))


class Inner(msgspec.Struct, frozen=True):
    """A file found inside another."""

    name: str
    data: bytes
    claimed: str = ""
    inline: bool = False
    #: why `data` is not there
    fault: str = ""
    #: facts its container knows
    traits: tuple[Trait, ...] = ()
    #: other names that programs may show it by
    also: tuple[str, ...] = ()


class Sheet:
    """Of one file. `short` says that something was left out, `refuse` that nothing more can be had."""

    def __init__(self, budget: Budget, depth: int = 0) -> None:
        self.budget = budget
        self.depth = depth
        self.limits = budget.limits
        self.traits: set[Trait] = set()
        self.inner: list[Inner] = []
        self.reason = ""
        self.unreadable = False
        self._pieces: list[str] = []
        self._written = 0

    def write(self, text: str) -> None:
        """Raises Unreadable when the file or the message has said more than will be read."""
        room = min(self.limits.text - self._written, self.budget.texts)
        if len(text) > room:
            self._take(text[:room])
            raise Unreadable("too-long")
        self._take(text)

    def _take(self, text: str) -> None:
        self._pieces.append(text)
        self._written += len(text)
        self.budget.texts -= len(text)

    @property
    def written(self) -> int:
        return self._written

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    def note(self, *traits: Trait) -> None:
        self.traits.update(traits)

    def short(self, reason: str) -> None:
        """Something was left out; the first reason stands."""
        self.reason = self.reason or reason

    def refuse(self, reason: str) -> None:
        """Nothing that matters could be read."""
        self.reason = reason
        self.unreadable = True

    def stopped(self, reason: str) -> None:
        """The reader broke off: partly read where there is text, else unreadable."""
        self.reason = reason
        self.unreadable = self.unreadable or (self._written == 0 and not self.inner)

    def grown(self, packed: int, size: int) -> None:
        """What was `packed` octets has become `size`. Raises Unreadable beyond a limit, and says so of a bomb."""
        if size > self.limits.ratio_from and size > packed * self.limits.ratio:
            self.traits.add(Trait.BOMB)
            raise Unreadable("ratio")
        if size > self.budget.room:
            if size > packed * self.limits.ratio // 2:
                self.traits.add(Trait.BOMB)
            raise Unreadable("too-large")

    def add(self, inner: Inner) -> None:
        if len(self.inner) >= self.limits.members:
            raise Unreadable("too-many")
        self.inner.append(inner)

    def extend(self, inner: Iterable[Inner]) -> None:
        for one in inner:
            self.add(one)

    @property
    def reading(self) -> Reading:
        if not self.reason:
            return Reading.READ
        return Reading.UNREADABLE if self.unreadable else Reading.PARTLY
