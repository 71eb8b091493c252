"""The listener for mail systems in front of which we stand: asks for a certificate, settles whose each message is."""

import asyncio
from typing import cast

import msgspec

from carepost.reception import peertls
from carepost.reception.access import AccessProofs
from carepost.reception.credentials import Credentials
from carepost.reception.gateways import GatewayRefused, Gateways
from carepost.reception.peertls import PeerCertificates, PeerTls
from carepost.reception.smtp.connection import Connection
from carepost.reception.smtp.effects import Accept
from carepost.reception.smtp.gate import Gate
from carepost.reception.smtp.limits import Limits
from carepost.reception.smtp.server import Intake, SmtpServer
from carepost.reception.smtp.types import Role
from carepost.reception.tls import Certificates
from carepost.spool.budget import Budget
from carepost.wire.types import Accepted


class GatewayServer(SmtpServer):
    """`shown`: the same folder of certificates as `certificates`, for a handshake that asks the peer for one."""

    def __init__(
        self, intake: Intake, credentials: Credentials, access: AccessProofs, certificates: Certificates,
        bodies: Budget, limits: Limits, gateways: Gateways, shown: PeerCertificates, *, hostname: str,
    ) -> None:  # fmt: skip
        super().__init__(
            Role.GATEWAY, intake, credentials, access, certificates, bodies, limits,
            hostname=hostname, gateways=gateways,
        )  # fmt: skip
        self._shown = shown
        self._gate = gateways

    async def secure(self, transport: asyncio.Transport, connection: Connection) -> asyncio.Transport:
        context = self._shown.context()
        assert context is not None
        return await peertls.secure(context, transport, connection, self.limits.handshake_timeout)

    def gate(self, transport: asyncio.Transport, client: str) -> Gate | None:
        chain = cast(PeerTls, transport).chain
        return Gate(self._gate, self._gate.peer(client, chain))

    async def hand_over(self, accept: Accept, client: str) -> Accepted:
        if accept.peer is None:
            return await super().hand_over(accept, client)
        try:
            settled = self._gate.settle(accept.peer, accept.envelope, accept.body)
        except GatewayRefused as error:
            self.tell(error, client)
            raise
        accept = msgspec.structs.replace(
            accept, org=settled.identity.org, identity=settled.identity, body=settled.body, forwarder=settled.forwarder
        )
        return await super().hand_over(accept, client)
