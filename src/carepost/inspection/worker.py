"""`python -m carepost.inspection.worker MEMORY CPU OCR`: reads messages from its pipe and says what is in them.

It is given no key, no environment, no file and no network, and what it loads it loads before it shuts itself in.
Whatever kills it, kills nothing else: the engine hears the pipe close and starts another."""

import gc
import importlib
import logging
import os
import sys
from typing import BinaryIO, Final

import msgspec

from carepost.ground.errors import ConfigError
from carepost.inspection import confine, frames, ocr
from carepost.inspection.types import Unknown

_PLAIN: Final = b"From: a@clinic.test\r\nSubject: a\r\nContent-Type: text/html\r\n\r\n<p>Nothing.</p>\r\n"
#: where the two ends of the pipe are moved
_SOURCE: Final = 3
_SINK: Final = 4


def main(arguments: list[str]) -> int:
    memory, cpu, pictures = (int(argument) for argument in arguments)
    confine.die_with_parent()
    # a parser's complaint may quote what it read
    logging.disable(logging.CRITICAL)
    source, sink = _pipe()
    eye = ocr.find() if pictures else None
    try:
        # by name: on a machine without the extra `phi` this is what fails, and the first frame says so
        examiner = importlib.import_module("carepost.inspection.examine").Examiner(eye)
    except (ImportError, ConfigError):
        _say(sink, Unknown("not-installed"))
        return 3
    examiner.examine(frames.Job(_PLAIN))
    gc.collect()
    gc.freeze()
    confine.limit(memory)
    held = confine.shut(programs=eye is not None)
    _say(sink, frames.Hello(held.network, held.files, held.calls, eye is not None))
    while (payload := _hear(source)) is not None:
        confine.limit_cpu(cpu)
        try:
            answer: frames.Answer = examiner.examine(frames.job(payload))
        except MemoryError:
            answer = Unknown("memory")
        except msgspec.DecodeError:
            answer = Unknown("garbled")
        except Exception:
            # never its text: it may quote the message
            answer = Unknown("failed")
        del payload
        _say(sink, answer)
    return 0


def _pipe() -> tuple[BinaryIO, BinaryIO]:
    """The pipe, moved to where no stray print or read reaches it; every other descriptor is closed.

    Event loops differ in what they let a child inherit (uvloop closes nothing that was made inheritable)."""
    os.dup2(0, _SOURCE, inheritable=False)
    os.dup2(1, _SINK, inheritable=False)
    os.closerange(_SINK + 1, os.sysconf("SC_OPEN_MAX"))
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.close(nothing)
    return os.fdopen(_SOURCE, "rb"), os.fdopen(_SINK, "wb")


def _hear(source: BinaryIO) -> bytes | None:
    head = source.read(frames.HEAD)
    size = int.from_bytes(head, "big")
    if len(head) < frames.HEAD or size > frames.MAX_JOB:
        return None
    payload = source.read(size)
    return payload if len(payload) == size else None


def _say(sink: BinaryIO, answer: frames.Answer) -> None:
    sink.write(frames.pack(answer))
    sink.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
