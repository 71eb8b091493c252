"""What passes between a process and a rendering worker."""

from typing import Final

import msgspec

from carepost.confined.process import Reader
from carepost.rendering.types import Compiled, Fault, Rendered, Source

#: octets of one frame: a source, or what came out of a template at its limits
MAX_FRAME: Final = 16 * 1024 * 1024


class Compile(msgspec.Struct, frozen=True, tag="compile"):
    source: Source


class Render(msgspec.Struct, frozen=True, tag="render"):
    """`compiled` None: the worker has it already under its digest. `variables`: a JSON object."""

    digest: bytes
    compiled: Compiled | None
    variables: bytes


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The worker is shut in; `held`: the layers that took, in words of `confined.confine`."""

    held: tuple[str, ...]


Job = Compile | Render
Answer = Compiled | Rendered | Fault | Ready

ANSWERS: Reader[Answer] = Reader(msgspec.msgpack.Decoder(Answer), MAX_FRAME)

_jobs: msgspec.msgpack.Decoder[Job] = msgspec.msgpack.Decoder(Job)


def job(payload: bytes) -> Job:
    return _jobs.decode(payload)
