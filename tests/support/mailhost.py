"""The other side of delivery, for tests: a CA, mail servers that do exactly what they are told, and a DNS server.

Real sockets on loopback, real TLS, real DNS packets; what a server says is a script, so that it can say anything."""

import asyncio
import datetime
import socket
import ssl
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


class Pair:
    """A certificate with its key."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, chain: Sequence["Pair"] = ()):
        self.certificate = certificate
        self.key = key
        self.chain = tuple(chain)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def spki(self) -> bytes:
        return self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def context(self) -> ssl.SSLContext:
        key = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            file.write(self.pem + b"".join(one.pem for one in self.chain) + key)
            file.flush()
            made.load_cert_chain(file.name)
        return made


class Ca:
    """A certificate authority; `leaf` makes what a server shows, as wrong as asked."""

    def __init__(self, name: str = "Invented Test CA", parent: "Ca | None" = None, **how: object) -> None:
        self.pair = make(name, (), parent=parent.pair if parent else None, ca=True, **how)  # type: ignore[arg-type]
        self.parent = parent

    @property
    def pem(self) -> str:
        return self.pair.pem.decode()

    def leaf(self, *names: str, **how: object) -> Pair:
        made = make(names[0] if names else "nobody", names, parent=self.pair, **how)  # type: ignore[arg-type]
        chain = [self.pair] if self.parent is not None else []
        return Pair(made.certificate, made.key, chain)

    def revoke(self, leaf: Pair) -> str:
        now = _now()
        entry = (
            x509.RevokedCertificateBuilder()
            .serial_number(leaf.certificate.serial_number)
            .revocation_date(now - DAY)
            .build()
        )
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.pair.certificate.subject)
        builder = builder.last_update(now - DAY).next_update(now + 30 * DAY).add_revoked_certificate(entry)
        return builder.sign(self.pair.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def make(
    common: str,
    names: Sequence[str],
    *,
    parent: Pair | None = None,
    ca: bool = False,
    start: datetime.timedelta = -DAY,
    life: datetime.timedelta = 90 * DAY,
    usage: x509.ObjectIdentifier | None = ExtendedKeyUsageOID.SERVER_AUTH,
    san: x509.SubjectAlternativeName | None = None,
    permitted: str = "",
) -> Pair:
    """A certificate for `names` (no SAN when empty and `san` is None); self-signed without `parent`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])])
    signer, issuer = (parent.key, parent.certificate.subject) if parent else (key, subject)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_now() + start)
        .not_valid_after(_now() + start + life)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if names and san is None:
        san = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    if san is not None:
        builder = builder.add_extension(san, critical=False)
    if not ca and usage is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    if permitted:
        builder = builder.add_extension(x509.NameConstraints([x509.DNSName(permitted)], None), critical=True)
    return Pair(builder.sign(signer, hashes.SHA256()), key)


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


class Names:
    """A DNS server on loopback, UDP and TCP on one port. `zone` maps (name, type) to records in presentation form, a
    list of them, or one of SERVFAIL BOGUS DEAF; a name with any record that lacks the type is NODATA, others NXDOMAIN.

    `signed`: names (and all below them) whose answers carry AD."""

    def __init__(self, zone: dict[tuple[str, str], object] | None = None, signed: Sequence[str] = ()) -> None:
        self.zone = dict(zone or {})
        self.signed = tuple(signed)
        self.asked: list[tuple[str, str]] = []
        self.address = ("127.0.0.1", 0)
        self._transport: asyncio.DatagramTransport | None = None
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> "Names":
        loop = asyncio.get_running_loop()
        for _ in range(20):
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind(("127.0.0.1", 0))
            port = sock.getsockname()[1]
            try:
                self._server = await asyncio.start_server(self._stream, "127.0.0.1", port)
            except OSError:
                sock.close()
                continue
            self._transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), sock=sock)
            self.address = ("127.0.0.1", port)
            return self
        raise OSError("no port is free for both UDP and TCP")

    async def __aexit__(self, *_: object) -> None:
        if self._transport is not None:
            self._transport.close()
        if self._server is not None:
            self._server.close()

    def answer(self, wire: bytes, room: int) -> bytes | None:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        reply = dns.message.make_response(query, recursion_available=True)
        reply.set_rcode(dns.rcode.NOERROR)
        if any(name == zone or name.endswith("." + zone) for zone in self.signed):
            reply.flags |= dns.flags.AD
        at = name
        for _ in range(8):
            alias = self.zone.get((at, "CNAME"))
            if alias is None:
                break
            reply.answer.append(dns.rrset.from_text(at + ".", 60, "IN", "CNAME", str(alias)))
            at = str(alias).rstrip(".")
        found = self.zone.get((at, kind))
        if found == "DEAF":
            return None
        if found in ("SERVFAIL", "BOGUS"):
            reply.set_rcode(dns.rcode.SERVFAIL)
            reply.flags &= ~dns.flags.AD
            if found == "BOGUS":
                reply.use_edns(0, options=[dns.edns.EDEOption(dns.edns.EDECode.DNSSEC_BOGUS)])
            return reply.to_wire()
        if found is not None:
            records = [found] if isinstance(found, str) else list(found)  # type: ignore[call-overload]
            reply.answer.append(dns.rrset.from_text(at + ".", 60, "IN", kind, *records))
        elif not any(owner == at or owner.endswith("." + at) for owner, _ in self.zone):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        wire = reply.to_wire(max_size=65_535)
        if len(wire) > room:
            short = dns.message.make_response(query)
            short.flags |= dns.flags.TC
            return short.to_wire()
        return wire

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            size = int.from_bytes(await reader.readexactly(2), "big")
            found = self.answer(await reader.readexactly(size), 65_535)
            if found is not None:
                writer.write(len(found).to_bytes(2, "big") + found)
                await writer.drain()
        finally:
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, names: Names) -> None:
        self.names = names
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        found = self.names.answer(data, 1232)
        if found is not None and self.transport is not None:
            self.transport.sendto(found, addr)


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


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def pem_file(folder: Path, pem: str, name: str = "ca.pem") -> Path:
    path = folder / name
    path.write_text(pem)
    return path
