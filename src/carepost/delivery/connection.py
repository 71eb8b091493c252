"""One SMTP connection, as a client (RFC 5321): set-up, STARTTLS, transactions. Knows nothing of floors or plans.

Written for reuse: two waits and no task a message. What the peer does wrong ends in a value, never in an exception."""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol, cast

import msgspec

from carepost.crypto.sealed import Sealed
from carepost.delivery.exchange import Capabilities, Ended, Timeouts
from carepost.delivery.floor import Assessed
from carepost.delivery.tls import Handshake
from carepost.queue.types import Stage
from carepost.rfc import lines
from carepost.rfc.reply import Parser, Reply

#: bodies up to this are written at once; larger ones in pieces, each of which has `block` seconds
PIECE: Final = 131_072
#: seconds for a whole body before its final dot, so that an attempt ends within its lease
TRANSFER: Final = 900.0


#: what servers say again and again ("250 2.1.0 Ok", three replies a message), already read
_known: dict[bytes, tuple[Reply, ...]] = {}
_KNOWN_SIZE: Final = 256
_KNOWN: Final = 1000


def _remember(data: bytes, replies: Sequence[Reply], parser: Parser) -> None:
    """Only whole replies that were read without a fault."""
    if len(replies) < 2 or parser.pending or parser.broken or len(_known) >= _KNOWN:
        return
    if not any(reply.malformed for reply in replies):
        _known[data] = tuple(replies)


class Watch(Protocol):
    """Who calls `check_time`, and is told of the beginning and the end."""

    def made(self, connection: "Connection") -> None: ...

    def lost(self, connection: "Connection") -> None: ...


class Connection(asyncio.Protocol):
    """`host` is the name asked for in TLS; `address` what was dialled."""

    def __init__(self, host: str, address: str, port: int, timeouts: Timeouts, watch: "Watch") -> None:
        self.host = host
        self.address = address
        self.port = port
        self.timeouts = timeouts
        self.capabilities = Capabilities()
        self.handshake: Handshake | None = None
        #: STARTTLS was offered: from then on nothing goes in clear
        self.offered = False
        #: loop time at which it was opened, last gave a message back, and messages so far
        self.opened = self.idle_since = asyncio.get_running_loop().time()
        self.uses = 0
        #: we have signed in there (`login`)
        self.signed_in = False
        #: the courier's note of what it was last found worth, and to whom
        self.worth: tuple[object, object, str, Assessed] | None = None
        #: what ended it: "", lost, timeout, malformed, unasked
        self.error = ""
        self.deadline = 0.0
        self._watch = watch
        self._parser = Parser()
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._wanted = 0
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._drain: asyncio.Future[None] | None = None
        self._full = False
        self._hold_after_reply = False
        #: something of ours waits for a reply; the banner is owed from the start
        self._asked = True

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._watch.made(self)

    def data_received(self, data: bytes) -> None:
        replies: Sequence[Reply] | None = None
        clean = not self._parser.pending
        if clean:
            replies = _known.get(data)
        if replies is None:
            replies = self._parser.feed(data)
            if clean and len(data) <= _KNOWN_SIZE:
                _remember(data, replies, self._parser)
        if self._hold_after_reply and (replies or self._parser.broken):
            # Nothing after this reply may reach us before TLS does (BI-009).
            self._hold_after_reply = False
            assert self._transport is not None
            self._transport.pause_reading()
        if replies:
            self._replies.extend(replies)
            if not self._asked:
                self._fail("unasked")
        if self._parser.broken:
            self._fail("malformed")
        if self._waiter is not None and len(self._replies) >= self._wanted:
            self._wake()
        elif replies and self.deadline:
            self.deadline = self._loop.time() + self.timeouts.command

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.error = self.error or "lost"
        self._transport = None
        self._wake()
        self._resume()
        self._watch.lost(self)

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._resume()

    # set-up

    async def greet(self, name: str) -> Ended | None:
        """Banner and EHLO. None: ready."""
        banner = await self._next(self.timeouts.banner)
        if banner is None or banner.code // 100 != 2:
            return self._ended(Stage.BANNER, banner)
        return await self.hello(name)

    async def hello(self, name: str) -> Ended | None:
        reply = await self._command(f"EHLO {name}")
        if reply is not None and reply.code in (500, 501, 502, 504) and not reply.malformed:
            reply = await self._command(f"HELO {name}")
            self.capabilities = Capabilities()
        elif reply is not None:
            self.capabilities = Capabilities.read(reply)
        if reply is None or reply.code // 100 != 2 or reply.malformed:
            return self._ended(Stage.EHLO, reply)
        return None

    async def starttls(self, tls: ssl.SSLContext) -> Ended | None:
        """STARTTLS and the handshake. None: `transport_ssl` is there, and EHLO must be said again (RFC 3207 4.2).

        Errors: starttls-refused, starttls-injected (BI-009), tls-failed, or as `Ended` says."""
        self._hold_after_reply = True
        reply = await self._command("STARTTLS")
        self._hold_after_reply = False
        if reply is None or reply.malformed:
            return self._ended(Stage.STARTTLS, reply)
        if reply.code != 220:
            if self._transport is not None:
                self._transport.resume_reading()
            return Ended(Stage.STARTTLS, reply, "starttls-refused", usable=not self.error)
        if self._parser.pending or self._replies:
            self.abort("starttls-injected")
            return Ended(Stage.STARTTLS, reply, "starttls-injected")
        transport = self._transport
        if transport is None:
            return self._ended(Stage.STARTTLS, None)
        try:
            secured = await self._loop.start_tls(
                transport, self, tls, server_hostname=self.host, ssl_handshake_timeout=self.timeouts.handshake
            )
        except ssl.SSLError:
            self.abort("tls-failed")
            return Ended(Stage.STARTTLS, None, "tls-failed")
        except (OSError, TimeoutError, asyncio.CancelledError) as error:
            slow = isinstance(error, TimeoutError) or "handshake is taking" in str(error)
            self.abort("timeout" if slow else "lost")
            if isinstance(error, asyncio.CancelledError):
                raise
            return Ended(Stage.STARTTLS, None, "tls-timeout" if slow else "tls-lost")
        if secured is None:
            return Ended(Stage.STARTTLS, None, "tls-failed")
        self._transport = secured
        # RFC 3207 4.2: nothing learnt in clear is kept.
        self.capabilities = Capabilities()
        self._parser = Parser()
        return None

    @property
    def ssl_object(self) -> object | None:
        return None if self._transport is None else self._transport.get_extra_info("ssl_object")

    # transactions

    async def send(
        self, sealed: Sealed, before_dot: Callable[[], None], mail_tail: str = "", rcpt_tail: str = ""
    ) -> Ended:
        """One message to one recipient. `before_dot` is called just before the final dot is handed over.

        `mail_tail`, `rcpt_tail`: ESMTP parameters with a leading blank. The body follows only 250 to RCPT and 354."""
        first = self.uses == 0
        self.uses += 1
        if self._replies or self._parser.pending or self.error or self._transport is None:
            # The server has spoken unasked (421 as a rule), or is gone.
            self.abort("unasked")
            return Ended(Stage.MAIL, None, self.error or "lost", stale=not first)
        mail = f"MAIL FROM:<{sealed.sender}>{mail_tail}\r\n".encode()
        rcpt = f"RCPT TO:<{sealed.recipient}>{rcpt_tail}\r\n".encode()
        if not self.capabilities.pipelining:
            return await self._in_turn(sealed, mail, rcpt, before_dot, first)
        self._write(mail + rcpt + b"DATA\r\n")
        got = await self._gather(3, self.timeouts.command)
        if len(got) < 3 or got[2].malformed:
            return self._broken_envelope(got, first)
        if got[0].code // 100 == 2 and got[1].code // 100 == 2:
            if got[2].code == 354:
                return await self._body(sealed, before_dot)
            return await self._reset(Stage.DATA, got[2], first)
        if got[2].code == 354:
            # RFC 2920 3.1: it waits for a message though nobody may have it. It gets an empty one, never the body.
            self._write(b".\r\n")
            closing = await self._next(self.timeouts.dot)
            if closing is None:
                self.abort("lost")
        stage, reply = (Stage.MAIL, got[0]) if got[0].code // 100 != 2 else (Stage.RCPT, got[1])
        return await self._reset(stage, reply, first)

    async def _in_turn(
        self, sealed: Sealed, mail: bytes, rcpt: bytes, before_dot: Callable[[], None], first: bool
    ) -> Ended:
        steps = ((Stage.MAIL, mail, 2), (Stage.RCPT, rcpt, 2), (Stage.DATA, b"DATA\r\n", 3))
        for stage, line, hundred in steps:
            self._write(line)
            reply = await self._next(self.timeouts.data if stage is Stage.DATA else self.timeouts.command)
            if reply is None or reply.malformed:
                stale = stage is Stage.MAIL and not first and self.error == "lost"
                return msgspec.structs.replace(self._ended(stage, reply), stale=stale)
            if reply.code // 100 != hundred:
                return await self._reset(stage, reply, first)
        return await self._body(sealed, before_dot)

    def _broken_envelope(self, got: list[Reply], first: bool) -> Ended:
        """The connection ended before all three replies were there. Nothing of the body was sent."""
        for stage, reply in zip((Stage.MAIL, Stage.RCPT, Stage.DATA), got, strict=False):
            if reply.code // 100 != 2 or reply.malformed:
                stale = not first and stage is Stage.MAIL and reply.code == 421
                ended = self._ended(stage, reply)
                return msgspec.structs.replace(ended, stale=stale)
        stage = (Stage.MAIL, Stage.RCPT, Stage.DATA)[min(len(got), 2)]
        ended = self._ended(stage, None)
        return msgspec.structs.replace(ended, stale=not first and not got and self.error == "lost")

    async def _body(self, sealed: Sealed, before_dot: Callable[[], None]) -> Ended:
        if self._replies or self._parser.pending:
            # A reply to what was not sent yet would be taken for the answer to the message.
            self.abort("malformed")
            return Ended(Stage.DATA, None, "malformed")
        data = sealed.data
        # Most messages have no line that begins with a dot, and a search is cheaper than a copy.
        data = lines.terminate(data) if b"\n." in data or data[:1] == b"." else data + b".\r\n"
        if len(data) > PIECE:
            view = memoryview(data)
            last = (len(data) - 1) // PIECE * PIECE
            end = self._loop.time() + TRANSFER
            for at in range(0, last, PIECE):
                self._write(view[at : at + PIECE])
                if self._loop.time() > end:
                    self.abort("timeout")
                if not await self._drained() or self._replies:
                    early = self._replies.popleft() if self._replies else None
                    ended = self._ended(Stage.DATA, early)
                    # An answer before the end means the two sides are no longer at the same place.
                    return ended if early is None or early.code >= 400 else Ended(Stage.DATA, None, "malformed")
            data = bytes(view[last:])
        try:
            before_dot()
        except BaseException:
            # the delivery is another's by now: what was sent so far ends without its dot
            self.abort("lost")
            raise
        self._write(data)
        got = await self._gather(1, self.timeouts.dot)
        reply = got[0] if got else None
        if reply is None or reply.malformed or reply.code // 100 == 3:
            ended = self._ended(Stage.DOT, reply)
            return msgspec.structs.replace(ended, dot=True, error=ended.error or "malformed")
        return Ended(Stage.DOT, reply, dot=True, usable=self._at_rest(reply))

    async def _reset(self, stage: Stage, reply: Reply, first: bool) -> Ended:
        """After a refusal: the transaction is taken back, so that the connection can take the next."""
        stale = stage is Stage.MAIL and not first and reply.code in (421, 503)
        if reply.code != 421 and not self.error and not reply.malformed:
            after = await self._command("RSET")
            if after is not None and after.code // 100 == 2:
                return Ended(stage, reply, usable=self._at_rest(after), stale=stale)
        self.abort("lost")
        return Ended(stage, reply, stale=stale)

    def _at_rest(self, reply: Reply) -> bool:
        return not self.error and not self._replies and not self._parser.pending and reply.code != 421

    # ending

    async def quit(self) -> None:
        """Says good-bye where that is possible, and is gone in any case."""
        if self._transport is not None and not self.error:
            self._write(b"QUIT\r\n")
            await self._next(self.timeouts.quit)
        self.abort("lost")

    def abort(self, why: str) -> None:
        self.error = self.error or why
        if self._transport is not None:
            self._transport.abort()
        self._wake()
        self._resume()

    def check_time(self, now: float) -> None:
        """Called by the courier's clock, some times a second."""
        if self.deadline and now > self.deadline:
            self._fail("timeout")

    def _fail(self, why: str) -> None:
        self.deadline = 0.0
        self.abort(why)

    # waiting and writing

    def _ended(self, stage: Stage, reply: Reply | None) -> Ended:
        """A failure of the set-up or the envelope: the connection is not used again."""
        if reply is not None and reply.malformed:
            self.abort("malformed")
            return Ended(stage, reply, "malformed")
        error = "" if reply is not None else self.error or "lost"
        self.abort("lost")
        return Ended(stage, reply, error)

    def _write(self, data: bytes | memoryview) -> None:
        self._asked = True
        if self._transport is not None:
            self._transport.write(data)

    async def _command(self, line: str) -> Reply | None:
        self._write(line.encode("ascii", "replace") + b"\r\n")
        return await self._next(self.timeouts.command)

    async def ask(self, line: str) -> Reply | None:
        """One command outside a transaction. None: the connection ended."""
        return await self._command(line)

    async def _next(self, seconds: float) -> Reply | None:
        got = await self._gather(1, seconds)
        return got[0] if got else None

    async def _gather(self, wanted: int, seconds: float) -> list[Reply]:
        """`wanted` replies, fewer when the connection ended first. More than `wanted` are left where they are."""
        if len(self._replies) < wanted and not self.error:
            self._wanted = wanted
            self._waiter = self._loop.create_future()
            self.deadline = self._loop.time() + seconds
            try:
                await self._waiter
            finally:
                self._waiter = None
                self.deadline = 0.0
        replies = self._replies
        self._asked = False
        if len(replies) == wanted:
            got = list(replies)
            replies.clear()
            return got
        return [replies.popleft() for _ in range(min(wanted, len(replies)))]

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _resume(self) -> None:
        if self._drain is not None and not self._drain.done():
            self._drain.set_result(None)

    async def _drained(self) -> bool:
        """Waits until the network has taken what was written; False when the connection ended."""
        if self._full and not self.error:
            self._drain = self._loop.create_future()
            self.deadline = self._loop.time() + self.timeouts.block
            try:
                await self._drain
            finally:
                self._drain = None
                self.deadline = 0.0
        return not self.error
