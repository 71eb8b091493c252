"""One SMTP connection: carries out what its session asks, on uvloop."""

import asyncio
from typing import Protocol, cast

from carepost.ground import log, metrics
from carepost.ground.errors import CarepostError
from carepost.reception.credentials import Credentials
from carepost.reception.smtp import replies
from carepost.reception.smtp.effects import (
    Accept,
    AskRecipient,
    Authenticate,
    Close,
    Effect,
    Reply,
    SenderRefused,
    StartTls,
)
from carepost.reception.smtp.gate import Gate
from carepost.reception.smtp.limits import Limits
from carepost.reception.smtp.session import Session
from carepost.reception.smtp.staged import Tell
from carepost.reception.tls import Certificates
from carepost.wire.types import Accepted

#: what a peer may pipeline while we work; more is left in the kernel, so that it slows down
HIGH_WATER = 262_144


class Host(Protocol):
    """The server a connection belongs to."""

    limits: Limits
    certificates: Certificates
    credentials: Credentials
    now: float

    def admit(self, connection: "Connection", client: str) -> Session | None: ...

    def forget(self, connection: "Connection", client: str) -> None: ...

    async def secure(self, transport: asyncio.Transport, connection: "Connection") -> asyncio.Transport: ...

    def gate(self, transport: asyncio.Transport, client: str) -> Gate | None: ...

    async def recipient_known(self, org: bytes, address: str) -> bool | None: ...

    def take(self, accept: Accept, client: str, tell: Tell) -> bool: ...

    async def hand_over(self, accept: Accept, client: str) -> Accepted: ...

    def sender_refused(self, refused: SenderRefused, client: str) -> None: ...

    def background(self, work: "asyncio.Task[None]") -> None: ...


class Connection(asyncio.Protocol):
    """Created by the listener; after STARTTLS the same object goes on with the new transport."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._transport: asyncio.Transport | None = None
        self._session: Session | None = None
        self._loop = asyncio.get_running_loop()
        self._paused = False
        self._ended = False
        self._progress = -1
        self._deadline = float("inf")
        self.client = ""

    @property
    def session(self) -> Session | None:
        return self._session

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports keep the contract without the class
        self._transport = transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self.client = str(peer[0]) if isinstance(peer, tuple) and peer else ""
        self._session = self._host.admit(self, self.client)
        if self._session is None:
            transport.write(replies.TOO_MANY_CONNECTIONS)
            transport.close()
            return
        self._carry_out(self._session.begin())

    def data_received(self, data: bytes) -> None:
        session = self._session
        if session is None or session.closed:
            return
        effects = session.feed(data)
        if len(effects) == 1 and type(effects[0]) is Reply and self._transport is not None:
            # what most commands come to
            self._transport.write(effects[0].data)
            return
        self._carry_out(effects)
        if session.waiting and session.buffered > HIGH_WATER and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """A peer that said all it has and waits for the answer keeps its half (in clear; TLS knows no halves)."""
        session = self._session
        self._ended = True
        plain = self._transport is not None and self._transport.can_write_eof()
        return plain and session is not None and session.waiting

    def connection_lost(self, exc: Exception | None) -> None:
        if self._session is not None:
            self._session.lost()
            self._host.forget(self, self.client)
        self._transport = None

    def look(self) -> None:
        """The host's clock ticked: closes when the peer has been too slow (BI-022)."""
        session = self._session
        if session is None or self._transport is None:
            return
        if session.closed:
            if self._host.now >= self._deadline:
                self._end(self._transport)
            return
        self._mind_progress(session)
        if self._host.now >= self._deadline:
            metrics.count("smtp_timeout")
            self._carry_out(session.expire())

    def drain(self) -> None:
        if self._session is not None and self._transport is not None:
            self._carry_out(self._session.drain())

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _end(self, transport: asyncio.Transport) -> None:
        """Lingered long enough: close, and when even that is not taken, cut."""
        if transport.is_closing():
            transport.abort()
        else:
            transport.close()
        self._deadline = self._host.now + self._host.limits.linger

    def _mind_progress(self, session: Session) -> None:
        limits = self._host.limits
        if session.waiting:
            self._progress = -1
            self._deadline = float("inf")
        elif session.progress != self._progress:
            self._progress = session.progress
            self._deadline = self._host.now + (limits.data_timeout if session.in_data else limits.command_timeout)

    def _carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            transport = self._transport
            if transport is None:
                return
            if isinstance(effect, Reply):
                transport.write(effect.data)
            elif isinstance(effect, Accept):
                self._accept(effect)
            elif isinstance(effect, Authenticate):
                self._host.background(self._loop.create_task(self._authenticate(effect)))
            elif isinstance(effect, AskRecipient):
                self._host.background(self._loop.create_task(self._ask_recipient(effect)))
            elif isinstance(effect, StartTls):
                # at once, before the peer's ClientHello can be read as SMTP (performance.md, section 2)
                transport.pause_reading()
                self._host.background(self._loop.create_task(self._start_tls(transport)))
            elif isinstance(effect, SenderRefused):
                self._host.sender_refused(effect, self.client)
            elif isinstance(effect, Close):
                self._close(transport, effect)

    def _close(self, transport: asyncio.Transport, effect: Close) -> None:
        if effect.linger:
            self._deadline = self._host.now + self._host.limits.linger
            if transport.can_write_eof():
                transport.write_eof()
            if self._paused:
                transport.resume_reading()
        else:
            transport.close()

    def _answered(self, effects: list[Effect]) -> None:
        self._carry_out(effects)
        session = self._session
        waiting = session is not None and session.waiting
        if self._paused and not waiting and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        if self._ended and not waiting and self._transport is not None:
            self._transport.close()

    def _accept(self, effect: Accept) -> None:
        def tell(end: Accepted | Exception | None) -> None:
            if end is None:
                self._host.background(self._loop.create_task(self._hand_over(effect)))
            else:
                self._over(end)

        if not self._host.take(effect, self.client, tell):
            tell(None)

    async def _hand_over(self, effect: Accept) -> None:
        end: Accepted | Exception
        try:
            end = await self._host.hand_over(effect, self.client)
        except Exception as error:
            end = error
        self._over(end)

    def _over(self, end: Accepted | Exception) -> None:
        session = self._session
        assert session is not None
        if isinstance(end, Accepted):
            self._answered(session.accepted(end))
        elif isinstance(end, CarepostError):
            self._answered(session.failed(end))
        else:
            log.failure("accept-failed", end)
            self._answered(session.failed(None))

    async def _authenticate(self, effect: Authenticate) -> None:
        session = self._session
        assert session is not None
        try:
            identity = await self._host.credentials.plain(effect.username, effect.password)
        except CarepostError as error:
            self._answered(session.failed(error))
        except Exception as error:
            log.failure("auth-failed", error)
            self._answered(session.failed(None))
        else:
            self._answered(session.authenticated(identity))

    async def _ask_recipient(self, effect: AskRecipient) -> None:
        session = self._session
        assert session is not None
        self._answered(session.recipient_known(await self._host.recipient_known(effect.org, effect.address)))

    async def _start_tls(self, transport: asyncio.Transport) -> None:
        session = self._session
        assert session is not None
        try:
            secured = await self._host.secure(transport, self)
        except (OSError, TimeoutError):
            # a peer that does not trust our certificate, or speaks no TLS: its loss, and not worth more than a count
            metrics.count("smtp_handshake_failed")
            transport.abort()
            return
        self._transport = secured
        self._answered(session.secured(self._host.gate(secured, self.client)))
