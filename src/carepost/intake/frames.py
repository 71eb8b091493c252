"""Turning answers of an engine's socket back into values and errors; nothing here touches a socket."""

from typing import TypeVar

import msgspec

from carepost.ground.errors import CarepostError, NotFound, Refused, Unavailable
from carepost.wire import doors

Answer = TypeVar("Answer")

#: seconds to reach an engine, and to hear from it (a commit, or a drain that waits)
CONNECT_S = 2.0
ANSWER_S = 60.0


def size_of(head: bytes) -> int:
    """Raises Unavailable for a frame no engine of ours would send."""
    size = int.from_bytes(head, "big")
    if size > doors.MAX_FRAME:
        raise Unavailable("engine-garbled", "An engine's answer could not be read; try again later.")
    return size


def read(payload: bytes, wanted: type[Answer]) -> Answer:
    """The answer, or the error it carries, raised again as it was."""
    try:
        answer = doors.read_answer(payload)
    except msgspec.DecodeError:
        raise Unavailable("engine-garbled", "An engine's answer could not be read; try again later.") from None
    if isinstance(answer, doors.Fault):
        raise error_of(answer)
    if not isinstance(answer, wanted):
        raise Unavailable("engine-garbled", "An engine answered something else; try again later.")
    return answer


def error_of(fault: doors.Fault) -> CarepostError:
    if fault.kind == "refused":
        return Refused(fault.code, fault.public, enhanced=fault.enhanced, status=fault.status)
    if fault.kind == "not-found":
        return NotFound(fault.public)
    return Unavailable(fault.code, fault.public)


def away() -> Unavailable:
    return Unavailable("engine-away", "The engine that holds this does not answer; try again later.")
