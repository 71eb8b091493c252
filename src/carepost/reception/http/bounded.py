"""uvicorn's HTTP/1.1 protocol with bounds it does not have (head size, head time, connections), and a short way for
messages whose request came in one piece, or its body right behind its head (as clients in Python send it): those reach
`straight` without uvicorn's cycle, its task and its two writes.

What is timed per connection is timed by one timer that looks when it is due whether it still matters: most requests
come whole, and to start and stop timers for each costs more than to parse it."""

import asyncio
from functools import partial
from typing import Any, Final, Protocol, cast

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from carepost.ground import metrics
from carepost.reception.accepting import Acceptor
from carepost.reception.http.asgi import COMMON, Headers, Scope
from carepost.reception.http.joined import Joined
from carepost.reception.http.limits import HttpLimits
from carepost.reception.http.problem import problem
from carepost.reception.http.straight import PATH, Tell


def _refusal(status: int, code: str, detail: str) -> bytes:
    """The whole answer to a request nobody reads further; the connection ends with it."""
    body = msgspec.json.encode(problem(status, code, detail))
    return b"".join(
        (
            STATUS_LINE[status],
            b"content-type: application/problem+json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body),
            body,
        )
    )


_NOT_HTTP: Final = _refusal(400, "not-http", "This is not an HTTP/1.1 request that can be read.")
_TOO_LARGE: Final = _refusal(431, "head-size", "The head of the request is too large: send fewer or shorter fields.")
_TOO_SLOW: Final = _refusal(408, "too-slow", "The head of the request came too slowly. Nothing was taken; try again.")
#: octets of a body that is waited for
_SHORT: Final = 65_536
_COMMON: Final = b"".join([b"%s: %s\r\n" % field for field in COMMON])


class _HeadTooLarge(Exception):
    pass


class Taker(Protocol):
    """`straight.Straight.take`."""

    def __call__(self, scope: Scope, raw: bytes, tell: Tell) -> None: ...


class _Nobody:
    """In place of the event a cycle's task waits for: there is no task."""

    def set(self) -> None: ...


class _Whole:
    """What uvicorn's protocol asks of the request under way, for one that goes straight."""

    __slots__ = ("disconnected", "keep_alive", "response_complete")
    message_event: Final = _Nobody()

    def __init__(self, keep_alive: bool) -> None:
        self.keep_alive = keep_alive
        self.disconnected = self.response_complete = False


class Bounded(HttpToolsProtocol):
    #: set by `server`: uvicorn makes the objects
    limits: HttpLimits
    take: Taker | None
    #: set by `server`: who counts it
    acceptor: Acceptor

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        #: the transport itself, for answers that are one write anyway
        self._wire: Any = None
        self._head = 0
        self._in_head = True
        #: more fields than are read
        self._too_many = False
        self._unread = 0
        self._late: asyncio.TimerHandle | None = None
        #: body of a request that may go straight, while it is read
        self._parts: list[bytes] | None = None
        #: until when the rest of it may come
        self._soon: asyncio.TimerHandle | None = None
        #: since when nothing is asked (loop time); 0: something is
        self._resting = 0.0
        self._rest_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(cast(asyncio.Transport, Joined(transport, self.loop)))
        self._wire = transport
        self.acceptor.began(self)
        if len(self.connections) > self.limits.max_connections:
            metrics.count("http_crowded")
            transport.abort()
            return
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        self._wait_no_more()
        if self._rest_timer is not None:
            self._rest_timer.cancel()
        super().connection_lost(exc)
        self.acceptor.left()

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head += len(data)
        super().data_received(data)
        if self._parts is not None:
            if self._soon is None and self._short():
                self._soon = self.loop.call_later(self.limits.body_soon, self._go_round)
            if self._soon is None:
                self._go_round()
        elif self._in_head:
            if self._head > self.limits.max_head:
                self._cut(_TOO_LARGE)
            elif self._late is None and not self.transport.is_closing():
                self._arm()
        elif not self._resting and self._answered():
            # line ends between requests, or what was sent after a refusal: nothing is asked
            self._rest()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        if self._late is not None:
            self._disarm()

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self.headers) >= self.limits.max_fields:
            self._too_many = True
            raise _HeadTooLarge
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head = self._unread = 0
        if self._late is not None:
            self._disarm()
        if self._may_go_straight():
            self._parts = []
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A client that was refused may still be sending; it is read out, or it would see a reset and no answer."""
        if self._parts is not None:
            self._parts.append(body)
            return
        if self.cycle.response_complete:
            self._unread += len(body)
            if self._unread > self.limits.max_body:
                self.transport.close()
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._parts is None:
            super().on_message_complete()
            return
        raw = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts = None
        self._wait_no_more()
        whole = _Whole(self.parser.should_keep_alive())
        self.cycle = cast(Any, whole)
        assert self.take is not None
        self.take(cast(Scope, self.scope), raw, partial(self._tell, whole))

    def on_response_complete(self) -> None:
        if self.pipeline:
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        if not self._wire.is_closing():
            self.flow.resume_reading()
            self._rest()

    def send_400_response(self, msg: str) -> None:
        self._cut(_TOO_LARGE if self._too_many else _NOT_HTTP)

    def _may_go_straight(self) -> bool:
        """A POST of a message, with nothing of this connection under way, and nothing about it that is rare."""
        return (
            self.take is not None
            and self.url == PATH
            and self._answered() is not False
            and self.parser.get_method() == b"POST"
            and self.parser.get_http_version() == "1.1"
            and not (self.expect_100_continue or self.parser.should_upgrade())
            and not (self.flow.write_paused or self._wire.is_closing())
        )

    def _answered(self) -> bool | None:
        """Whether the latest request was; None: there was none."""
        # uvicorn's type leaves out what it is at first
        cycle: Any = self.cycle
        return None if cycle is None else bool(cycle.response_complete)

    def shutdown(self) -> None:
        """A request whose body is still to come is answered first."""
        if self._parts is not None:
            self._go_round()
        super().shutdown()

    def _short(self) -> bool:
        """The rest of the body may come in a moment, and need not be counted until then."""
        if not self.limits.body_soon:
            return False
        for name, value in self.headers:
            if name == b"content-length":
                return len(value) < 6 and value.isdigit() and int(value) <= _SHORT
        return False

    def _wait_no_more(self) -> None:
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None

    def _go_round(self) -> None:
        """The rest of the body is still to come: uvicorn's cycle waits for it."""
        self._wait_no_more()
        parts, self._parts = self._parts, None
        if self.transport.is_closing():
            return
        super().on_headers_complete()
        for part in parts or ():
            self.on_body(part)

    def _tell(self, whole: _Whole, status: int, kind: bytes, body: bytes, headers: Headers) -> None:
        """The answer, in one write."""
        whole.response_complete = True
        if whole.disconnected or self._wire.is_closing():
            return
        said = [STATUS_LINE[status]]
        said += [b"%s: %s\r\n" % field for field in self.server_state.default_headers]
        said.append(_COMMON)
        said += [b"%s: %s\r\n" % field for field in headers]
        said.append(b"content-type: %s\r\ncontent-length: %d\r\n" % (kind, len(body)))
        said.append(b"\r\n" if whole.keep_alive else b"connection: close\r\n\r\n")
        said.append(body)
        self._wire.write(b"".join(said))
        if not whole.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _unset_keepalive_if_required(self) -> None:
        self._resting = 0.0

    def _rest(self) -> None:
        self._resting = self.loop.time()
        if self._rest_timer is None:
            self._rest_timer = self.loop.call_later(self.timeout_keep_alive, self._rested)

    def _rested(self) -> None:
        """Closes a connection that nothing was asked on for as long as it may; else looks again when that may be."""
        self._rest_timer = None
        if not self._resting or self.transport.is_closing():
            return
        left = self._resting + self.timeout_keep_alive - self.loop.time()
        if left <= 0:
            self.timeout_keep_alive_handler()
        else:
            self._rest_timer = self.loop.call_later(left, self._rested)

    def _arm(self) -> None:
        self._late = self.loop.call_later(self.limits.head_timeout, self._cut, _TOO_SLOW)

    def _disarm(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _cut(self, reply: bytes) -> None:
        if not self.transport.is_closing():
            metrics.count("http_cut")
            self.transport.write(reply)
            self.transport.close()


def protocol(limits: HttpLimits, take: Taker | None) -> type[asyncio.Protocol]:
    """uvicorn's `http`; `take`: None where nothing goes straight."""
    return type("Protocol", (Bounded,), {"limits": limits, "take": staticmethod(take) if take is not None else None})
