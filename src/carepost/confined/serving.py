"""The life of a worker, seen from inside: its pipe, its shutting in, its questions one after the other.

It is given no key, no environment, no file and no network, and what it loads it loads before it shuts itself in.
Whatever kills it, kills nothing else: who asked hears the pipe close and starts another."""

import gc
import logging
import os
import time
from collections.abc import Callable
from typing import BinaryIO, Final

import msgspec

from carepost.confined import confine, frames

#: where the two ends of the pipe are moved
_SOURCE: Final = 3
_SINK: Final = 4
#: octets read at once
_READ_AHEAD: Final = 256 * 1024
#: seconds an answer waits for others
_LATEST: Final = 0.04


def _at_once() -> bool:
    return False


class Pipe:
    """`longest`: octets of one question."""

    def __init__(self, source: BinaryIO, sink: BinaryIO, longest: int) -> None:
        self._source, self._sink, self._longest = source, sink, longest

    def hear(self) -> bytes | None:
        return frames.hear(self._source, self._longest)

    def say(self, value: msgspec.Struct, *, now: bool = True) -> None:
        """`now` False: it may wait for what is said next."""
        self._sink.write(frames.pack(value))
        if now:
            self._sink.flush()


def pipe(longest: int) -> Pipe:
    """First of all: the pipe, moved to where no stray print or read reaches it; every other descriptor is closed.

    Event loops differ in what they let a child inherit (uvloop closes nothing that was made inheritable)."""
    confine.die_with_parent()
    # a parser's complaint may quote what it read
    logging.disable(logging.CRITICAL)
    os.dup2(0, _SOURCE, inheritable=False)
    os.dup2(1, _SINK, inheritable=False)
    os.closerange(_SINK + 1, os.sysconf("SC_OPEN_MAX"))
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.close(nothing)
    return Pipe(os.fdopen(_SOURCE, "rb", _READ_AHEAD), os.fdopen(_SINK, "wb"), longest)


def shut(memory: int, *, programs: bool = False) -> confine.Held:
    """When everything is loaded: octets of address space, whether it may start programs. Cannot be undone."""
    gc.collect()
    gc.freeze()
    # a question leaves hardly a cycle behind, and a collection every 700 objects was a twentieth of its time
    gc.set_threshold(50_000, 20, 50)
    confine.limit(memory)
    return confine.shut(programs=programs)


def serve(
    ends: Pipe,
    cpu: int,
    answer: Callable[[bytes], msgspec.Struct],
    failed: Callable[[Exception], msgspec.Struct],
    more: Callable[[], bool] = _at_once,
) -> None:
    """Until the other end is gone. `cpu`: seconds of processor time a question. `failed`: what is said instead of an
    answer, of the kind of the exception alone: its text may quote what was read. `more`: whether the question just
    answered is followed by another at once; answers are then said a few at a time, none later than `_LATEST`, but for
    what the next one takes."""
    began = 0.0
    while (payload := ends.hear()) is not None:
        confine.limit_cpu(cpu)
        try:
            said = answer(payload)
        except Exception as error:
            said = failed(error)
        del payload
        began = began or time.monotonic()
        waits = more() and time.monotonic() - began < _LATEST
        ends.say(said, now=not waits)
        if not waits:
            began = 0.0
