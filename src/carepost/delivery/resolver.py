"""Questions to the configured DNS servers, and typed answers that say whether DNSSEC vouches for them.

The AD bit is believed only from a server on loopback that the settings call validating (RFC 6840 5.8: anyone between
us and a distant server could set it). A bogus answer is never an absent one: whoever asks must defer (RFC 7672 2.1.1).
"""

import asyncio
import enum
import ipaddress
import random
import re
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import dns.asyncquery
import dns.asyncresolver
import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import msgspec

from carepost.ground import clock
from carepost.ground.errors import ConfigError

T = TypeVar("T")

#: seconds for one server to answer, and rounds over all servers
TIMEOUT, ROUNDS = 3.0, 2
#: answers kept at most, and for how long (seconds), whatever their TTL says
CACHE, LONGEST, SHORTEST = 20_000, 3600.0, 1.0
#: questions under way at once; more wait
CONCURRENT = 200
#: records of one answer that are looked at (BI-032)
RECORDS = 512

#: RFC 8914 codes with which a validating server says that signatures are wrong
_BOGUS = frozenset({5, 6, 7, 8, 9, 10, 11, 12})


class Status(enum.StrEnum):
    OK = "ok"
    NXDOMAIN = "nxdomain"
    NODATA = "nodata"
    SERVFAIL = "servfail"
    BOGUS = "bogus"
    TIMEOUT = "timeout"


#: nothing was learnt: neither that something is there nor that it is not
UNKNOWN = frozenset({Status.SERVFAIL, Status.BOGUS, Status.TIMEOUT})


class Answer(msgspec.Struct, Generic[T], frozen=True):
    """`secure`: validated by a resolver we may believe. `canonical`: the owner after aliases, without the last dot."""

    status: Status
    records: tuple[T, ...] = ()
    secure: bool = False
    canonical: str = ""
    #: clock.monotonic() seconds
    expires: float = 0.0

    @property
    def unknown(self) -> bool:
        return self.status in UNKNOWN


class TlsaRecord(msgspec.Struct, frozen=True):
    usage: int
    selector: int
    matching: int
    data: bytes


class Server(msgspec.Struct, frozen=True):
    address: str
    port: int = 53
    trusted: bool = False


def servers(names: Sequence[str], validate: bool) -> tuple[Server, ...]:
    """From settings `resolvers` ("address" or "address:port") and `resolvers_validate`; empty: /etc/resolv.conf."""
    found = []
    for name in names or _system():
        host, port = _split(name)
        try:
            address = ipaddress.ip_address(host)
            if not 0 < port < 65_536:
                raise ValueError("port")
        except ValueError:
            raise ConfigError(f"Setting resolvers: {name!r} is not an address or address:port.") from None
        found.append(Server(str(address), port, validate and address.is_loopback))
    if not found:
        raise ConfigError("No DNS server is known: name one in the setting resolvers.")
    return tuple(found)


def _system() -> list[str]:
    try:
        return [str(server) for server in dns.asyncresolver.Resolver(configure=True).nameservers]
    except dns.exception.DNSException:
        return []


_ENDPOINT = re.compile(r"\[([^\]]*)\](?::(\d{1,5}))?|([^:]*)(?::(\d{1,5}))?")


def _split(name: str) -> tuple[str, int]:
    """An IPv6 address stands in brackets where a port follows it, and may stand alone."""
    found = _ENDPOINT.fullmatch(name)
    if found is None:
        return name, 53
    return found[1] or found[3] or "", int(found[2] or found[4] or 53)


def normal(name: str) -> str:
    return name.rstrip(".").lower()


class Resolver:
    """Bounded in questions, records and memory. Equal questions under way are asked once."""

    def __init__(self, upstream: Sequence[Server], *, timeout: float = TIMEOUT) -> None:
        self._servers = tuple(upstream)
        self._timeout = timeout
        self._cache: dict[tuple[str, int], Answer[Any]] = {}
        self._asking: dict[tuple[str, int], asyncio.Task[Answer[Any]]] = {}
        self._slots = asyncio.Semaphore(CONCURRENT)

    @property
    def validating(self) -> bool:
        return any(server.trusted for server in self._servers)

    async def mx(self, domain: str) -> Answer[tuple[int, str]]:
        """(preference, host) as published; "" is the root, the null MX."""
        return await self._ask(domain, dns.rdatatype.MX, lambda r: (int(r.preference), _text(r.exchange)))

    async def addresses(self, host: str, *, v6: bool = False) -> Answer[str]:
        return await self._ask(host, dns.rdatatype.AAAA if v6 else dns.rdatatype.A, lambda r: str(r.address))

    async def tlsa(self, host: str, port: int = 25) -> Answer[TlsaRecord]:
        return await self._ask(
            f"_{port}._tcp.{host}",
            dns.rdatatype.TLSA,
            lambda r: TlsaRecord(int(r.usage), int(r.selector), int(r.mtype), bytes(r.cert)),
        )

    async def smimea(self, name: str) -> Answer[TlsaRecord]:
        """RFC 8162: records in the form of TLSA."""
        return await self._ask(
            name,
            dns.rdatatype.SMIMEA,
            lambda r: TlsaRecord(int(r.usage), int(r.selector), int(r.mtype), bytes(r.cert)),
        )

    async def openpgpkey(self, name: str) -> Answer[bytes]:
        """RFC 7929."""
        return await self._ask(name, dns.rdatatype.OPENPGPKEY, lambda r: bytes(r.key))

    async def txt(self, name: str) -> Answer[bytes]:
        return await self._ask(name, dns.rdatatype.TXT, lambda r: b"".join(r.strings))

    async def names(self, reverse: str) -> Answer[str]:
        """PTR, by the reverse name."""
        return await self._ask(reverse, dns.rdatatype.PTR, lambda r: _text(r.target))

    async def aliases(self, name: str) -> Answer[str]:
        """CNAME: where a name leads, one step."""
        return await self._ask(name, dns.rdatatype.CNAME, lambda r: _text(r.target))

    def forget(self) -> None:
        self._cache.clear()

    def forget_name(self, name: str) -> None:
        """What is remembered of one name, of any type."""
        for key in [key for key in self._cache if key[0] == normal(name)]:
            del self._cache[key]

    async def _ask(self, name: str, kind: dns.rdatatype.RdataType, read: Callable[[Any], T]) -> Answer[T]:
        key = (normal(name), int(kind))
        known = self._cache.get(key)
        if known is not None and known.expires > clock.monotonic():
            return known
        task = self._asking.get(key)
        if task is None:
            task = asyncio.ensure_future(self._look_up(key[0], kind, read))
            self._asking[key] = task
            task.add_done_callback(lambda done: self._learn(key, done))
        # Whoever waits may be cancelled; the others still want the answer.
        return await asyncio.shield(task)

    def _learn(self, key: tuple[str, int], done: "asyncio.Task[Answer[Any]]") -> None:
        self._asking.pop(key, None)
        if done.cancelled() or done.exception() is not None:
            return
        answer = done.result()
        if not answer.unknown:
            self._cache.pop(key, None)
            while len(self._cache) >= CACHE:
                self._cache.pop(next(iter(self._cache)))
            self._cache[key] = answer

    async def _look_up(self, name: str, kind: dns.rdatatype.RdataType, read: Callable[[Any], T]) -> Answer[T]:
        try:
            query = dns.message.make_query(dns.name.from_text(name), kind, use_edns=0, payload=1232, want_dnssec=True)
        except dns.exception.DNSException:
            return Answer(Status.NXDOMAIN)
        # RFC 6840 5.7: AD in a question asks for AD in the answer.
        query.flags |= dns.flags.AD
        worst: Answer[T] = Answer(Status.TIMEOUT)
        async with self._slots:
            for server in self._servers * ROUNDS:
                query.id = random.SystemRandom().randrange(1 << 16)
                try:
                    reply, _ = await dns.asyncquery.udp_with_fallback(
                        query, server.address, timeout=self._timeout, port=server.port
                    )
                except (dns.exception.DNSException, OSError, EOFError):
                    continue
                answer = _read(reply, name, server, read)
                if not answer.unknown:
                    return answer
                worst = answer
        return worst


def _read(reply: dns.message.Message, name: str, server: Server, read: Callable[[Any], T]) -> Answer[T]:
    secure = server.trusted and bool(reply.flags & dns.flags.AD)
    rcode = reply.rcode()
    if rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        codes = {int(option.code) for option in reply.options if isinstance(option, dns.edns.EDEOption)}
        return Answer(Status.BOGUS if codes & _BOGUS else Status.SERVFAIL)
    assert isinstance(reply, dns.message.QueryMessage)
    try:
        chain = reply.resolve_chaining()
    except dns.exception.DNSException:
        return Answer(Status.SERVFAIL)
    expires = clock.monotonic() + min(max(float(chain.minimum_ttl), SHORTEST), LONGEST)
    canonical = _text(chain.canonical_name)
    if chain.answer is not None:
        records = tuple(read(record) for record in list(chain.answer)[:RECORDS])
        return Answer(Status.OK, records, secure, canonical, expires)
    status = Status.NXDOMAIN if rcode == dns.rcode.NXDOMAIN else Status.NODATA
    return Answer(status, (), secure, canonical or name, expires)


def _text(name: dns.name.Name) -> str:
    return normal(name.to_text(omit_final_dot=True))
