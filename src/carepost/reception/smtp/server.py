"""An SMTP listener: connections, their limits, the clock that closes slow ones, and the end without losing any."""

import asyncio
import socket
from typing import Protocol

import msgspec

from carepost.ground import log, metrics
from carepost.intake.refusals import RefusedSender
from carepost.reception.accepting import Acceptor
from carepost.reception.access import AccessProofs
from carepost.reception.credentials import Credentials, Identity
from carepost.reception.evenly import Evenly
from carepost.reception.gateways import GatewayRefused, Gateways
from carepost.reception.smtp.connection import Connection
from carepost.reception.smtp.effects import Accept, SenderRefused
from carepost.reception.smtp.gate import Gate
from carepost.reception.smtp.handover import submission, withdrawn
from carepost.reception.smtp.limits import Limits
from carepost.reception.smtp.session import Session
from carepost.reception.smtp.staged import Staged, Tell
from carepost.reception.smtp.types import Role
from carepost.reception.tls import Certificates
from carepost.spool.budget import Budget
from carepost.wire.types import Accepted, Actor, Origin, Submission


class Intake(Protocol):
    """The one door. Returns after the commit; raises Refused (5xx) or Unavailable (451)."""

    async def accept(self, submission: Submission) -> Accepted: ...

    def sender_refused(self, refused: RefusedSender) -> None:
        """Puts it on record; nobody waits for it."""


class Recipients(Protocol):
    """`delivery.ahead.Callahead`."""

    async def known(self, org: bytes, address: str) -> bool | None:
        """Whether the recipient's own mail system takes it; None: nothing was learnt. Bounded in time, never raises."""


class SmtpServer:
    """One port. `start` on a listening socket, `drain` to end without cutting a message, `close` at last."""

    def __init__(
        self,
        role: Role,
        intake: Intake,
        credentials: Credentials,
        access: AccessProofs,
        certificates: Certificates,
        bodies: Budget,
        limits: Limits,
        *,
        hostname: str,
        implicit_tls: bool = False,
        gateways: Gateways | None = None,
        recipients: Recipients | None = None,
        staged: Staged | None = None,
    ) -> None:
        """`staged`: messages go through the door together with others of the same turn; None: each in a task."""
        self.role = role
        self.credentials = credentials
        self.certificates = certificates
        self.limits = limits
        self.now = 0.0
        self._intake = intake
        self._access = access
        self._bodies = bodies
        self._hostname = hostname
        self._implicit_tls = implicit_tls
        self._gateways = gateways
        self._recipients = recipients
        self._staged = staged
        self._connections: set[Connection] = set()
        self._clients: dict[str, int] = {}
        self._work: set[asyncio.Task[None]] = set()
        self._acceptor: Acceptor | None = None
        self._ticker: asyncio.TimerHandle | None = None
        self._draining = False
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def connections(self) -> int:
        return len(self._connections)

    async def start(self, sock: socket.socket, evenly: Evenly | None = None) -> None:
        self._acceptor = Acceptor(
            sock, lambda: Connection(self), lambda: self.connections, evenly=evenly,
            tls=self.certificates.context if self._implicit_tls else None,
            handshake=self.limits.handshake_timeout if self._implicit_tls else None,
        )  # fmt: skip
        self._acceptor.start()
        self._tick()

    async def drain(self, seconds: float) -> None:
        """Takes no new connection; idle ones get 421; messages under way are answered first. Then cuts the rest."""
        self._draining = True
        if self._acceptor is not None:
            self._acceptor.close()
        for connection in tuple(self._connections):
            connection.drain()
        try:
            await asyncio.wait_for(self._empty.wait(), seconds)
        except TimeoutError:
            log.event("smtp-drain-cut", connections=len(self._connections))
        work = tuple(self._work)
        self.close()
        await asyncio.gather(*work, return_exceptions=True)

    def close(self) -> None:
        """At once. What was handed over and not yet answered is in the spool or not, as after a crash."""
        if self._ticker is not None:
            self._ticker.cancel()
        if self._acceptor is not None:
            self._acceptor.close()
        for connection in tuple(self._connections):
            connection.abort()
        for task in tuple(self._work):
            task.cancel()

    # what a connection asks

    def admit(self, connection: Connection, client: str) -> Session | None:
        """None: too many connections, or the end is near."""
        if self._acceptor is not None:
            self._acceptor.began(connection)
        from_client = self._clients.get(client, 0)
        crowded = len(self._connections) >= self.limits.max_connections or from_client >= self.limits.max_per_client
        if crowded or self._draining:
            metrics.count("smtp_crowded")
            return None
        self._connections.add(connection)
        self._clients[client] = from_client + 1
        self._empty.clear()
        metrics.count("smtp_connections")
        return Session(
            self.role,
            self.credentials,
            self._bodies,
            self.limits,
            hostname=self._hostname,
            client=client,
            secure=self._implicit_tls,
        )

    def forget(self, connection: Connection, client: str) -> None:
        self._connections.discard(connection)
        left = self._clients.get(client, 1) - 1
        if left:
            self._clients[client] = left
        else:
            self._clients.pop(client, None)
        if self._acceptor is not None:
            self._acceptor.left()
        if not self._connections:
            self._empty.set()

    async def secure(self, transport: asyncio.Transport, connection: Connection) -> asyncio.Transport:
        """Raises OSError, TimeoutError."""
        secured = await asyncio.get_running_loop().start_tls(
            transport,
            connection,
            self.certificates.context,
            server_side=True,
            ssl_handshake_timeout=self.limits.handshake_timeout,
        )
        if secured is None:
            raise ConnectionError("the connection ended during the handshake")
        return secured

    def gate(self, transport: asyncio.Transport, client: str) -> Gate | None:
        """A gateway's listener tells whose mail a peer may hand over without AUTH; nobody here does."""
        return None

    async def recipient_known(self, org: bytes, address: str) -> bool | None:
        return await self._recipients.known(org, address) if self._recipients is not None else None

    def take(self, accept: Accept, client: str, tell: Tell) -> bool:
        """Hands it over with others; False: `hand_over` has to be asked."""
        return self._staged is not None and self._staged.take(accept, client, tell)

    async def hand_over(self, accept: Accept, client: str) -> Accepted:
        identity = accept.identity
        if identity is not None and identity.credential.gateway and accept.peer is None:
            accept = self._of_gateway(accept, identity, client)
        made = await submission(accept, client, self._access)
        # the message may have been long in coming: a credential withdrawn meanwhile sends nothing more (DESIGN 2)
        if accept.identity is not None and not self.credentials.holds(accept.identity):
            raise withdrawn()
        accepted = await self._intake.accept(made)
        metrics.count("smtp_accepted")
        return accepted

    def _of_gateway(self, accept: Accept, identity: Identity, client: str) -> Accept:
        """Signed in with the credential of a connection: our fields are taken out. Raises GatewayRefused."""
        if self._gateways is None:
            return accept
        try:
            settled = self._gateways.of_credential(identity, accept.envelope, accept.body)
            return msgspec.structs.replace(accept, body=settled.body, forwarder=settled.forwarder)
        except GatewayRefused as error:
            self.tell(error, client)
            raise

    def tell(self, error: GatewayRefused, client: str) -> None:
        """Puts it on record with the organisation whose name was used, where there is one."""
        metrics.count("gateway_refused")
        if error.org:
            actor = Actor("gateway", error.gateway) if error.gateway else Actor("system", "gateway")
            self._intake.sender_refused(
                RefusedSender(error.org, actor, Origin.SMTP, error.sender, error.code, client, error.gateway)
            )

    def sender_refused(self, refused: SenderRefused, client: str) -> None:
        credential = refused.identity.credential
        actor = Actor("credential", credential.id)
        self._intake.sender_refused(
            RefusedSender(credential.org, actor, Origin.SMTP, refused.sender, refused.cause, client)
        )

    def background(self, work: "asyncio.Task[None]") -> None:
        self._work.add(work)
        work.add_done_callback(self._work.discard)

    def _tick(self) -> None:
        """One timer for all connections: a timer each would cost more than the rest of a command."""
        loop = asyncio.get_running_loop()
        self.now = loop.time()
        for connection in tuple(self._connections):
            connection.look()
        wait = min(1.0, self.limits.command_timeout / 4, self.limits.data_timeout / 4, self.limits.linger / 2)
        self._ticker = loop.call_later(wait, self._tick)
