"""The ASGI words this room uses, and reading a request's body within its bounds."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

from carepost.reception.http.limits import HttpLimits
from carepost.reception.http.problem import SOON, ProblemError, problem, refuse
from carepost.spool.budget import Budget
from carepost.wire.rest import Problem

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
Headers = tuple[tuple[bytes, bytes], ...]

#: of every answer
COMMON: Headers = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))


class Disconnected(Exception):
    """The client is gone: nobody to answer."""


def header(scope: Scope, name: bytes) -> bytes | None:
    """The one value of a request field. Raises a 400 problem where it came twice: two readings, no answer."""
    found = [value for key, value in scope["headers"] if key == name]
    if len(found) > 1:
        raise refuse(400, "header-repeated", f"The header field {name.decode()} was given twice.")
    return found[0] if found else None


async def answer(send: Send, status: int, body: bytes, content_type: bytes, headers: Headers = ()) -> None:
    start = (*COMMON, *headers, (b"content-type", content_type), (b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": body})


async def answer_json(send: Send, status: int, value: object, headers: Headers = ()) -> None:
    await answer(send, status, msgspec.json.encode(value), b"application/json", headers)


async def answer_problem(send: Send, found: Problem, headers: Headers = ()) -> None:
    await answer(send, found.status, msgspec.json.encode(found), b"application/problem+json", headers)


class Body:
    """A request's body in memory, counted among the process's bodies until `close`."""

    def __init__(self, bodies: Budget, limits: HttpLimits) -> None:
        self._bodies = bodies
        self._limits = limits
        self._held = 0

    def close(self) -> None:
        self._bodies.give(self._held)
        self._held = 0

    async def read(self, scope: Scope, receive: Receive) -> bytes:
        """Raises 408, 413, 503 problems, Disconnected."""
        declared = header(scope, b"content-length")
        if declared is not None and int(declared) > self._limits.max_body:
            raise _too_large()
        if not getattr(getattr(receive, "__self__", None), "more_body", True):
            # it came with the head (uvicorn's cycle has it whole): there is nothing to wait for
            event = await receive()
            if event["type"] == "http.request" and not event.get("more_body", False):
                whole: bytes = event.get("body", b"")
                self._take(len(whole), len(whole))
                return whole
            raise Disconnected
        chunks: list[bytes] = []
        size = reached = 0
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._limits.body_timeout) as clock:
                while True:
                    event = await receive()
                    if event["type"] != "http.request":
                        raise Disconnected
                    chunk: bytes = event.get("body", b"")
                    size += len(chunk)
                    self._take(len(chunk), size)
                    chunks.append(chunk)
                    if not event.get("more_body", False):
                        return chunks[0] if len(chunks) == 1 else b"".join(chunks)
                    if size - reached >= self._limits.body_step:
                        reached = size
                        clock.reschedule(loop.time() + self._limits.body_timeout)
        except TimeoutError:
            # what the client still sends would be read as the next request
            raise ProblemError(problem(408, "too-slow"), ((b"connection", b"close"),)) from None

    def _take(self, more: int, size: int) -> None:
        if size > self._limits.max_body:
            raise _too_large()
        if not self._bodies.take(more):
            raise ProblemError(problem(503, "bodies-full", "Too much mail is in memory; try again."), SOON)
        self._held += more


def _too_large() -> ProblemError:
    return refuse(413, "too-large", "The request is larger than this server takes.")
