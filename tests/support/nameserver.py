"""A DNS server for tests on loopback, over UDP and TCP: real packets, a zone made up, signed where it is told to be."""

import asyncio
import socket
from collections.abc import Sequence

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


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


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
