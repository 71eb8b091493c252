"""The sandbox's mail servers: one listener per domain, each with the posture its row in `domains` says.

Real SMTP and TLS on asyncio protocols. Lines, recipients and bodies are bounded; what arrives goes to `store`.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import msgspec

from carepost.ground.errors import ConfigError
from carepost.sandbox import smtp
from carepost.sandbox.ca import server_context
from carepost.sandbox.domains import LOOPBACK, Behaviour, Domain, Starttls
from carepost.sandbox.store import Store


class Server:
    """One domain's mail server. `domain` may be replaced while it runs: sessions that begin then follow it."""

    def __init__(self, domain: Domain, store: Store, certificate: Callable[[Domain], Path]) -> None:
        self.domain = domain
        self.store = store
        self.address = (LOOPBACK, 0)
        #: pairs (sender, recipient) already asked to come back
        self.greylisted: set[tuple[str, str]] = set()
        #: STARTTLS was announced to somebody
        self.looked_at = False
        self.sessions: set[smtp.Session] = set()
        self._certificate = certificate
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._listener: asyncio.Server | None = None
        self._held: socket.socket | None = None

    def context(self) -> ssl.SSLContext:
        domain = self.domain
        old = domain.starttls is Starttls.OLD
        key = f"{domain.certificate} {old}"
        if key not in self._contexts:
            self._contexts[key] = server_context(self._certificate(domain), old=old)
        return self._contexts[key]

    async def start(self, port: int = 0) -> None:
        """Takes `port` when it is free (a restart keeps its ports), else any."""
        held = _bind(port)
        self.address = (LOOPBACK, held.getsockname()[1])
        if self.domain.behaviour is Behaviour.CLOSED:
            self._held = held  # bound, never listening: connections are refused, and nobody else takes the port
            return
        self.context()
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: smtp.Session(self), sock=held, backlog=512)

    async def stop(self) -> None:
        if self._held is not None:
            self._held.close()
        if self._listener is not None:
            self._listener.close()
            for session in list(self.sessions):
                session.abort()
            await self._listener.wait_closed()


class Servers:
    """All mail servers of a world, by domain."""

    def __init__(self, domains: tuple[Domain, ...], store: Store, certificate: Callable[[Domain], Path]) -> None:
        self.by_domain = {d.name: Server(d, store, certificate) for d in domains if d.serves}

    async def start(self, former: dict[str, tuple[str, int]]) -> None:
        """`former`: the dial table of an earlier run."""
        for server in self.by_domain.values():
            await server.start(former.get(server.domain.mx, (LOOPBACK, 0))[1])

    async def stop(self) -> None:
        for server in self.by_domain.values():
            await server.stop()

    def dial(self) -> dict[str, tuple[str, int]]:
        """MX host -> where it really listens."""
        return {server.domain.mx: server.address for server in self.by_domain.values()}

    def become(self, name: str, **changes: object) -> None:
        """Gives a domain's server another posture from the next session on: fields of `Domain`."""
        server = self.by_domain[name]
        server.domain = msgspec.structs.replace(server.domain, **changes)


def _bind(port: int) -> socket.socket:
    for wanted in (port, 0):
        held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            held.bind((LOOPBACK, wanted))
        except OSError:
            held.close()
            continue
        held.setblocking(False)
        return held
    raise ConfigError(f"No free port on {LOOPBACK} for the sandbox's mail servers; stop what holds them.")
