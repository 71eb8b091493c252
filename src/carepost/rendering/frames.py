"""What passes between a process and a rendering worker: frames of a length (4 octets, big endian) and msgpack."""

from typing import Final

import msgspec

from carepost.rendering.types import Compiled, Fault, Rendered, Source

HEAD: Final = 4
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
    """The worker is shut in; `held`: the layers that took, in words of `inspection.confine`."""

    held: tuple[str, ...]


Job = Compile | Render
Answer = Compiled | Rendered | Fault | Ready

_encoder = msgspec.msgpack.Encoder()
_jobs: msgspec.msgpack.Decoder[Job] = msgspec.msgpack.Decoder(Job)
_answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


def pack(value: Job | Answer) -> bytes:
    payload = _encoder.encode(value)
    return len(payload).to_bytes(HEAD, "big") + payload


def job(payload: bytes) -> Job:
    return _jobs.decode(payload)


def answer(payload: bytes) -> Answer:
    """Raises msgspec.DecodeError: a worker is not believed, only read."""
    return _answers.decode(payload)
