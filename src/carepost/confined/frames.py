"""What passes through a worker's pipe: a length (4 octets, big endian) and that many octets of msgpack."""

from typing import BinaryIO, Final

import msgspec

HEAD: Final = 4

_encoder = msgspec.msgpack.Encoder()


def pack(value: msgspec.Struct) -> bytes:
    payload = _encoder.encode(value)
    return len(payload).to_bytes(HEAD, "big") + payload


def hear(source: BinaryIO, longest: int) -> bytes | None:
    """The next one's octets. None: the other end is gone, or says more than `longest` octets."""
    head = source.read(HEAD)
    size = int.from_bytes(head, "big")
    if len(head) < HEAD or size > longest:
        return None
    payload = source.read(size)
    return payload if len(payload) == size else None


def say(sink: BinaryIO, value: msgspec.Struct) -> None:
    sink.write(pack(value))
    sink.flush()
