"""The sandbox's DNS on UDP and TCP: a name server (RD clear) and a validating resolver (RD set) on one port.

The resolver sets AD only on what verified from the anchor, answers SERVFAIL for what does not, and gives
unverified data only to a client that says it checks for itself (CD). Malformed packets get FORMERR or silence.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import cast

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype

from carepost.ground.errors import ConfigError
from carepost.sandbox import keyplaces, records, zones
from carepost.sandbox.authority import UNANSWERED, RRset, look_up
from carepost.sandbox.ca import spki_sha256
from carepost.sandbox.domains import LOOPBACK, Domain
from carepost.sandbox.resolver import Resolver, Status

#: what we take and give over UDP (DNS flag day 2020)
UDP_PAYLOAD = 1232
TCP_IDLE = 10.0
TCP_CLIENTS = 200

Message = dns.message.Message


class Answers:
    """Query bytes in, response bytes out. Rebuilds the zones when records were published or signatures age."""

    def __init__(self, folder: Path, domains: tuple[Domain, ...], certificate: Callable[[Domain], Path]) -> None:
        self._folder = folder
        self._domains = domains
        self._certificate = certificate
        self._stamp = records.stamp(folder)
        self._build()
        #: the one trust anchor: DS and DNSKEY of test. in presentation form
        self.anchor_ds = self.universe.ds()
        self.anchor_dnskey = self.universe.anchor.to_text()

    def _build(self) -> None:
        self.universe = zones.build(
            self._domains,
            self._folder / "dns",
            lambda domain: spki_sha256(self._certificate(domain)),
            [*keyplaces.records(self._folder, self._domains), *records.read(self._folder)],
        )
        self.resolver = Resolver(self.universe, self.universe.ds())

    def _refresh(self) -> None:
        stamp = records.stamp(self._folder)
        if stamp != self._stamp or self.universe.stale:
            self._stamp = stamp
            self._build()

    def answer(self, packet: bytes, *, udp: bool) -> bytes | None:
        """None: nothing is answered (not a query, or a domain whose servers are deaf)."""
        try:
            query = dns.message.from_wire(packet)
        except dns.exception.DNSException:
            return _format_error(packet)
        if query.flags & dns.flags.QR:
            return None
        self._refresh()
        response = dns.message.make_response(query, recursion_available=True, our_payload=UDP_PAYLOAD)
        if query.edns > 0:
            response.set_rcode(dns.rcode.BADVERS)
        elif query.opcode() != dns.opcode.QUERY:
            response.set_rcode(dns.rcode.NOTIMP)
        elif len(query.question) != 1:
            response.set_rcode(dns.rcode.FORMERR)
        elif not self._fill(query, response):
            return None
        size = max(512, min(query.payload, UDP_PAYLOAD)) if udp else 65535
        return response.to_wire(max_size=size, prefer_truncation=True)

    def _fill(self, query: Message, response: Message) -> bool:
        question = query.question[0]
        name, rdtype = question.name, int(question.rdtype)
        if any(name.is_subdomain(deaf) for deaf in self.universe.deaf):
            return False
        if question.rdclass != dns.rdataclass.IN or question.rdtype in UNANSWERED:
            response.set_rcode(dns.rcode.NOTIMP)
        elif query.flags & dns.flags.RD:
            self._resolve(query, response, name, rdtype)
        else:
            found = look_up(self.universe, name, rdtype)
            if found is None:
                response.set_rcode(dns.rcode.REFUSED)
                return True
            response.flags |= dns.flags.AA
            response.set_rcode(found.rcode)
            _put(query, response, rdtype, found.answer, found.authority)
        return True

    def _resolve(self, query: Message, response: Message, name: dns.name.Name, rdtype: int) -> None:
        resolved = self.resolver.resolve(name, rdtype)
        checks_itself = bool(query.flags & dns.flags.CD)
        if resolved.status is Status.BOGUS and not checks_itself:
            response.set_rcode(dns.rcode.SERVFAIL)
            if query.edns >= 0:
                bogus = dns.edns.EDEOption(dns.edns.EDECode.DNSSEC_BOGUS, "signature does not verify")
                response.use_edns(0, query.ednsflags & dns.flags.DO, UDP_PAYLOAD, options=[bogus])
            return
        wanted = query.flags & dns.flags.AD or query.ednsflags & dns.flags.DO
        if resolved.status is Status.SECURE and wanted and not checks_itself:
            response.flags |= dns.flags.AD
        response.set_rcode(resolved.rcode)
        _put(query, response, rdtype, resolved.answer, resolved.authority)


def _put(
    query: Message, response: Message, rdtype: int, answer: tuple[RRset, ...], authority: tuple[RRset, ...]
) -> None:
    """Signatures and denials go only to who asked for them (RFC 4035 3.2.1)."""
    proofs = bool(query.ednsflags & dns.flags.DO)
    hidden = {dns.rdatatype.RRSIG, dns.rdatatype.NSEC} - {rdtype}
    response.answer.extend(r for r in answer if proofs or r.rdtype not in hidden)
    response.authority.extend(r for r in authority if proofs or r.rdtype not in hidden)


def _format_error(packet: bytes) -> bytes | None:
    if len(packet) < 12 or packet[2] & 0x80:
        return None
    return packet[:2] + struct.pack(">HHHHH", 0x8000 | dns.rcode.FORMERR, 0, 0, 0, 0)


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # uvloop's is one without inheriting

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        response = self._answers.answer(data, udp=True)
        if response is not None and self._transport is not None:
            self._transport.sendto(response, addr)


class Server:
    """UDP and TCP on one loopback port. `start(0)` takes a free one; `address` then names it."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.address = (LOOPBACK, 0)
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._clients: set[asyncio.StreamWriter] = set()

    async def start(self, port: int = 0) -> None:
        """Raises ConfigError when the port is taken."""
        udp, tcp = _sockets(port)
        self.address = (LOOPBACK, udp.getsockname()[1])
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(lambda: _Udp(self.answers), sock=udp)
        self._tcp = await asyncio.start_server(self._client, sock=tcp)

    async def stop(self) -> None:
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
            for writer in list(self._clients):
                writer.close()
            await self._tcp.wait_closed()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._clients) >= TCP_CLIENTS:
            writer.close()
            return
        self._clients.add(writer)
        try:
            while True:
                async with asyncio.timeout(TCP_IDLE):
                    length = int.from_bytes(await reader.readexactly(2), "big")
                    packet = await reader.readexactly(length)
                response = self.answers.answer(packet, udp=False)
                if response is None:
                    break
                writer.write(len(response).to_bytes(2, "big") + response)
                await writer.drain()
        except (asyncio.IncompleteReadError, TimeoutError, OSError):
            pass
        finally:
            self._clients.discard(writer)
            writer.close()


def _sockets(port: int) -> tuple[socket.socket, socket.socket]:
    """A UDP and a TCP socket on the same port; with port 0 a few free ones are tried."""
    for _ in range(1 if port else 20):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            udp.bind((LOOPBACK, port))
            tcp.bind((LOOPBACK, udp.getsockname()[1]))
            udp.setblocking(False)
            tcp.setblocking(False)
        except OSError:
            udp.close()
            tcp.close()
            continue
        return udp, tcp
    raise ConfigError(f"Port {port} on {LOOPBACK} is taken; set port_sandbox_dns to a free one.")
