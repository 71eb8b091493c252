"""What passes between the engine and a worker."""

import msgspec

from carepost.confined.process import Reader
from carepost.inspection.types import Custom, Report, Unknown

#: octets of a message that is inspected, and of an answer
MAX_MESSAGE = 64 * 1024 * 1024
MAX_JOB = MAX_MESSAGE + 4 * 1024 * 1024
MAX_ANSWER = 4 * 1024 * 1024


class Job(msgspec.Struct, frozen=True, tag="job"):
    raw: bytes
    custom: Custom | None = None
    #: whether the texts are weighed too, or the files only looked at
    detect: bool = True
    #: seconds until the worker gives up by itself, and of one file
    seconds: float = 20.0
    file_seconds: float = 8.0
    #: the organisation's key for tokens: the findings are answered one by one, masked. b"": they are not
    show: bytes = b""
    #: another one follows at once: this answer may wait a moment for that one's
    more: bool = False


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """What holds a worker in: the layers that took, in words of `confine`; and whether it can read pictures."""

    network: tuple[str, ...]
    files: tuple[str, ...]
    calls: tuple[str, ...]
    ocr: bool = False


Answer = Report | Unknown | Hello

ANSWERS: Reader[Answer] = Reader(msgspec.msgpack.Decoder(Answer), MAX_ANSWER)

_jobs = msgspec.msgpack.Decoder(Job)


def job(payload: bytes) -> Job:
    return _jobs.decode(payload)
