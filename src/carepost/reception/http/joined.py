"""A transport that sends the head of an answer together with its body.

uvicorn writes them one after the other, and uvloop sends each write at once: two system calls, and a client that wakes
up for a head alone. A head whose body is still to come (a relayed stream) goes at the end of the loop's turn."""

import asyncio
from typing import Any

_HEAD = b"HTTP/1.1 "
#: said before the request's body has come, not an answer
_INTERIM = b"HTTP/1.1 1"


class Joined:
    """Everything but `write` and the ends is the transport's own."""

    __slots__ = ("_head", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if self._head:
            data, self._head = self._head + data, b""
        elif data.startswith(_HEAD) and data.endswith(b"\r\n\r\n") and not data.startswith(_INTERIM):
            self._head = data
            self._loop.call_soon(self._flush)
            return
        self._transport.write(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def _flush(self) -> None:
        head, self._head = self._head, b""
        if head and not self._transport.is_closing():
            self._transport.write(head)
