"""`python -m carepost.inspection.worker MEMORY CPU OCR`: reads messages from its pipe and says what is in them."""

import importlib
import sys
from typing import Final

import msgspec

from carepost.confined import serving
from carepost.ground.errors import ConfigError
from carepost.inspection import frames, ocr
from carepost.inspection.types import Report, Unknown

_PLAIN: Final = b"From: a@clinic.test\r\nSubject: a\r\nContent-Type: text/html\r\n\r\n<p>Nothing.</p>\r\n"


def main(arguments: list[str]) -> int:
    memory, cpu, pictures = (int(argument) for argument in arguments)
    pipe = serving.pipe(frames.MAX_JOB)
    eye = ocr.find() if pictures else None
    try:
        # by name: on a machine without the extra `phi` this is what fails, and the first frame says so
        examiner = importlib.import_module("carepost.inspection.examine").Examiner(eye)
    except (ImportError, ConfigError):
        pipe.say(Unknown("not-installed"))
        return 3
    examiner.examine(frames.Job(_PLAIN))
    held = serving.shut(memory, programs=eye is not None)
    pipe.say(frames.Hello(held.network, held.files, held.calls, eye is not None))
    more = False

    def answer(payload: bytes) -> Report:
        nonlocal more
        more = False
        job = frames.job(payload)
        more = job.more
        report: Report = examiner.examine(job)
        return report

    serving.serve(pipe, cpu, answer, _failed, lambda: more)
    return 0


def _failed(error: Exception) -> Unknown:
    if isinstance(error, MemoryError):
        return Unknown("memory")
    return Unknown("garbled" if isinstance(error, msgspec.DecodeError) else "failed")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
