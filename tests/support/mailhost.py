"""The other side of delivery, for tests: mail servers that do exactly what they are told, and hosts of policies.

Real sockets on loopback and real TLS (`certificates`), real DNS packets (`nameserver`); what a server says is a script,
so that it can say anything. Tests find all of it here."""

import asyncio
import ssl
from collections.abc import Callable, Sequence

from tests.support.certificates import Ca, Pair, make, pem_file
from tests.support.nameserver import Names, free_port

__all__ = ["Ca", "MailHost", "Names", "Pair", "PolicyHost", "free_port", "make", "page", "pem_file"]

Step = str | bytes | None


class MailHost:
    """An SMTP server on an ephemeral port. `says` maps a verb to its replies, one a time, the last one kept:

    text is a reply line; bytes go out as they are; "DROP" closes the connection; "HANG" answers nothing. Verbs: BANNER
    EHLO HELO STARTTLS MAIL RCPT DATA DOT RSET QUIT, SECURE for EHLO after TLS, HELLO for the TLS client hello."""

    def __init__(
        self,
        tls: ssl.SSLContext | None = None,
        *,
        offers: Sequence[str] = ("PIPELINING", "8BITMIME", "SIZE 10000000"),
        says: dict[str, Sequence[Step]] | None = None,
        per_connection: int = 0,
    ) -> None:
        self.tls = tls
        self.offers = list(offers)
        self.says = {verb: list(replies) for verb, replies in (says or {}).items()}
        #: messages as they came: (envelope lines, body after unstuffing), whatever was answered
        self.messages: list[tuple[list[str], bytes]] = []
        #: every octet that came in after a 354, also where the connection ended before the dot
        self.bodies: list[bytearray] = []
        self.commands: list[str] = []
        self.connections = 0
        #: connections open now, and the most there were at once; where each came from
        self.open = self.most_open = 0
        self.peers: list[str] = []
        self.handshakes = 0
        #: ends the connection after so many octets of a body
        self.drop_after = 1 << 40
        self.arrived = asyncio.Condition()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "MailHost":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 17)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def address(self) -> tuple[str, int]:
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()[:2]
        return host, port

    def reply(self, verb: str, default: str) -> Step:
        script = self.says.get(verb)
        if not script:
            return default
        return script.pop(0) if len(script) > 1 else script[0]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        self.peers.append(writer.get_extra_info("peername")[0])
        try:
            await _Session(self, reader, writer).run()
        except (
            ConnectionError,
            asyncio.IncompleteReadError,
            asyncio.CancelledError,
            ssl.SSLError,
            TimeoutError,
            _Drop,
        ):
            pass
        finally:
            self.open -= 1
            self._tasks.discard(task)
            writer.transport.abort()

    async def wait(self, count: int, within: float = 10.0) -> None:
        async with asyncio.timeout(within), self.arrived:
            await self.arrived.wait_for(lambda: len(self.messages) >= count)


class _Drop(Exception):
    pass


class _Session:
    def __init__(self, host: MailHost, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.host, self.reader, self.writer = host, reader, writer
        self.secure = False
        self.willing = False
        self.envelope: list[str] = []

    async def say(self, verb: str, default: str) -> str:
        step = self.host.reply(verb, default)
        if step == "DROP":
            raise _Drop
        if step == "HANG":
            await asyncio.Event().wait()
        assert step is not None
        data = step if isinstance(step, bytes) else step.encode() + b"\r\n"
        self.writer.write(data)
        await self.writer.drain()
        return step if isinstance(step, str) else step.decode("latin-1")

    async def run(self) -> None:
        await self.say("BANNER", "220 mail.test ESMTP")
        while line := await self.reader.readline():
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            self.host.commands.append(text)
            verb = text.split(" ", 1)[0].upper()
            if verb == "EHLO":
                offers = list(self.host.offers)
                if self.host.tls is not None and not self.secure:
                    offers.append("STARTTLS")
                lines = ["mail.test", *offers]
                ehlo = "\r\n".join(f"250{'-' if i + 1 < len(lines) else ' '}{one}" for i, one in enumerate(lines))
                await self.say("SECURE" if self.secure and "SECURE" in self.host.says else "EHLO", ehlo)
            elif verb == "STARTTLS":
                said = await self.say("STARTTLS", "220 go ahead")
                if "HELLO" in self.host.says:
                    await self.reader.read(4096)
                    await self.say("HELLO", "")
                    self.writer.close()
                    return
                if said.startswith("220") and self.host.tls is not None:
                    await self.writer.start_tls(self.host.tls)
                    self.secure = True
                    self.host.handshakes += 1
            elif verb in ("MAIL", "RCPT"):
                if verb == "MAIL":
                    self.envelope = []
                self.envelope.append(text)
                said = await self.say(verb, "250 2.0.0 ok")
                self.willing = said.startswith("2") and (verb == "MAIL" or self.willing)
            elif verb == "DATA":
                default = "354 go on" if self.willing else "503 5.5.1 nobody to send it to"
                if (await self.say("DATA", default)).startswith("354"):
                    await self.data()
            elif verb == "QUIT":
                await self.say("QUIT", "221 bye")
                return
            else:
                await self.say(verb, "250 2.0.0 ok")

    async def data(self) -> None:
        body = bytearray()
        self.host.bodies.append(body)
        while True:
            line = await self.reader.readline()
            if not line:
                raise _Drop
            if line == b".\r\n":
                break
            body += line[1:] if line.startswith(b".") else line
            if len(body) > self.host.drop_after:
                raise _Drop
        self.host.messages.append((list(self.envelope), bytes(body)))
        async with self.host.arrived:
            self.host.arrived.notify_all()
        await self.say("DOT", "250 2.0.0 taken")


class PolicyHost:
    """A web server for MTA-STS: one answer (raw bytes of an HTTP response) a request."""

    def __init__(self, tls: ssl.SSLContext, answer: Callable[[str], bytes]) -> None:
        self._tls = tls
        self._answer = answer
        self.asked: list[str] = []
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> "PolicyHost":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    @property
    def address(self) -> tuple[str, int]:
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()[:2]
        return host, port

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.asked.append(request.split("\r\n", 1)[0])
            writer.write(self._answer(request))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()


def page(body: bytes, *, status: str = "200 OK", kind: str = "text/plain", extra: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body
