"""The next hops of a recipient's domain: mail hosts, addresses, TLSA sets and MTA-STS policy, as one value.

This value is what every connection, also a pooled one, is measured against before MAIL (law 4).
"""

import asyncio
import hashlib
import ipaddress
import ssl
from collections.abc import Collection, Mapping
from typing import Any, Protocol

import msgspec

from carepost.delivery import dane, mx
from carepost.delivery.exchange import Ended
from carepost.delivery.mtasts import Sts
from carepost.delivery.resolver import Resolver
from carepost.delivery.trust import Anchors
from carepost.directory.types import Route
from carepost.ground import clock
from carepost.pace.providers import group, named

#: seconds an answer is used at most before DNS is asked again, and after a failure
LONGEST, AFTER_FAILURE = 300.0, 1.0
REMEMBERED = 20_000


class Entry(Protocol):
    """`fronts.Entry`."""

    tls: ssl.SSLContext | None

    @property
    def signs_in(self) -> bool: ...

    async def token(self) -> bool | None:
        """Whether a new token is to be had; None where none is asked for."""

    async def sign_in(self, connection: Any) -> Ended | None:
        """`connection`: `connection.Connection`, measured and good enough."""


class Hop(msgspec.Struct, frozen=True):
    """One host to try."""

    host: str
    addresses: tuple[str, ...]
    port: int
    #: why it is not tried: as mx.Reach.fault, tlsa-failure, mta-sts-mx; "" when it is
    fault: str = ""
    address_secure: bool = False
    tlsa: dane.Tlsa = dane.Tlsa()


class Hops(msgspec.Struct, frozen=True):
    """All there is to know before dialling. Compared by identity where it is cached: made anew, it is another."""

    domain: str
    hops: tuple[Hop, ...] = ()
    secure: bool = False
    implicit: bool = False
    canonical: str = ""
    sts: Sts = Sts()
    #: a pinned route: only its CA counts, and its name must match; or its key alone
    pinned: bool = False
    #: anchors of the pinned route, or None: the system's
    anchors: Anchors | None = None
    #: of the pinned route: SHA-256 of the keys its certificate may hold, hex; empty: any
    pins: tuple[str, ...] = ()
    #: `Route.mark` of it
    pin: str = ""
    #: tells pools of different anchors apart
    identity: str = ""
    #: a tenant's own mail system (`fronts`): id of the connection; how it is entered; the least it must prove besides
    #: what the recipient needs; what is put before the message; it sends on what it gets, as its people attest
    gateway: str = ""
    entry: Entry | None = None
    least: int = 0
    head: bytes = b""
    vouched: bool = False
    fault: str = ""
    expires: float = 0.0
    #: who runs these hosts (`pace.providers.group` of the first); "": a tenant's own, or nobody to be found
    provider: str = ""
    #: the provider's table of limits applies: it has one of its own, or the hosts stand in the internet
    shaped: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The domain and what it is an alias of (RFC 7672 3.2.2: next-hop names)."""
        return (self.domain,) if self.canonical in ("", self.domain) else (self.domain, self.canonical)

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(hop.host for hop in self.hops)


class Policies(Protocol):
    async def find(self, domain: str) -> Sts: ...


class Finder:
    """Asks once for many recipients of one domain, and again when the answers are old."""

    def __init__(
        self,
        resolver: Resolver,
        policies: Policies,
        *,
        ours: Collection[str] = (),
        port: int = 25,
        dial: Mapping[str, tuple[str, int]] | None = None,
    ) -> None:
        self._resolver = resolver
        self._policies = policies
        self._ours = frozenset(ours)
        self._port = port
        self._dial = dict(dial or {})
        self._known: dict[tuple[str, Route | None], Hops] = {}
        self._asking: dict[tuple[str, Route | None], asyncio.Task[Hops]] = {}

    def known(self, domain: str, route: Route | None = None) -> Hops | None:
        """What `find` would answer at once, or None: it has to ask."""
        found = self._known.get((domain, route))
        return found if found is not None and found.expires > clock.monotonic() else None

    def dialled(self, host: str) -> bool:
        """Whether the dial table of a sandbox leads there: what it leads to stands on this machine."""
        return host.rstrip(".").lower() in self._dial

    async def find(self, domain: str, route: Route | None = None) -> Hops:
        found = self.known(domain, route)
        if found is not None:
            return found
        key = (domain, route)
        task = self._asking.get(key)
        if task is None:
            task = asyncio.ensure_future(self._look(domain, route))
            self._asking[key] = task
            task.add_done_callback(lambda done: self._learn(key, done))
        return await asyncio.shield(task)

    def _learn(self, key: tuple[str, Route | None], done: "asyncio.Task[Hops]") -> None:
        self._asking.pop(key, None)
        if done.cancelled() or done.exception() is not None:
            return
        self._known.pop(key, None)
        while len(self._known) >= REMEMBERED:
            self._known.pop(next(iter(self._known)))
        self._known[key] = done.result()

    async def _look(self, domain: str, route: Route | None) -> Hops:
        if route is not None:
            return await self._pinned(domain, route)
        found = await mx.find(self._resolver, domain, self._ours)
        if found.fault:
            expires = clock.monotonic() + AFTER_FAILURE
            return Hops(domain, secure=found.secure, canonical=found.canonical, fault=found.fault, expires=expires)
        policy = asyncio.ensure_future(self._policies.find(domain))
        hops = await asyncio.gather(*(self._hop(found, host) for host in found.hosts))
        sts = await policy
        return _assemble(found, sts, hops)

    async def _hop(self, found: mx.Mx, host: str) -> tuple[Hop, float]:
        there = await mx.reach(self._resolver, host, self._port, implicit=found.implicit, dial=self._dial)
        if there.fault:
            return Hop(host, (), self._port, there.fault), clock.monotonic() + AFTER_FAILURE
        tlsa, expires = dane.Tlsa(), there.expires
        if found.secure and there.secure:
            # RFC 7672 2.2: only where both answers are signed; else TLSA is not even asked for.
            answer = await self._resolver.tlsa(host)
            tlsa = dane.read(answer)
            expires = min(expires, answer.expires) if not answer.unknown else clock.monotonic() + AFTER_FAILURE
        fault = "tlsa-failure" if tlsa.state is dane.State.FAILED else ""
        return Hop(host, there.addresses, there.port, fault, there.secure, tlsa), expires

    async def _pinned(self, domain: str, route: Route) -> Hops:
        """The administrator named the host: it may stand in a private network, its name must still match."""
        anchors = Anchors.pinned(route.ca) if route.ca else None
        host = route.host.rstrip(".").lower()
        dialled = self._dial.get(host)
        if mx.literal(host):
            addresses: tuple[str, ...] = (host,)
        elif host == "localhost":
            # RFC 6761 6.3: never asked of a resolver.
            addresses = ("127.0.0.1",)
        elif dialled is not None:
            addresses = (dialled[0],)
        else:
            addresses = await self._route_addresses(host)
        identity = f"{host} {hashlib.sha256(route.ca.encode()).hexdigest()}"
        now = clock.monotonic()
        if not addresses:
            return Hops(domain, pinned=True, fault="dns-failure", expires=now + AFTER_FAILURE)
        port = dialled[1] if dialled is not None else route.port
        hop = Hop(host, addresses, port)
        return Hops(
            domain, (hop,), pinned=True, anchors=anchors, pins=route.pins, pin=route.mark, identity=identity,
            expires=now + LONGEST, provider=group(host),
        )  # fmt: skip

    async def _route_addresses(self, host: str) -> tuple[str, ...]:
        found: list[str] = []
        for v6 in (False, True):
            answer = await self._resolver.addresses(host, v6=v6)
            found += answer.records
        return tuple(found[: mx.ADDRESSES])


def _assemble(found: mx.Mx, sts: Sts, hops: Collection[tuple[Hop, float]]) -> Hops:
    expires = min(found.expires, clock.monotonic() + LONGEST, *(until for _, until in hops))
    policy = sts.enforced
    kept = tuple(
        msgspec.structs.replace(hop, fault="mta-sts-mx") if policy is not None and not policy.allows(hop.host) else hop
        for hop, _ in hops
    )
    fault = ""
    if all(hop.fault for hop in kept):
        faults = {hop.fault for hop in kept}
        fault = _common(faults)
    first = next((hop for hop in kept if not hop.fault), None)
    provider = group(first.host) if first is not None else ""
    shaped = first is not None and (named(provider) or _public(first.addresses))
    return Hops(
        found.domain, kept, found.secure, found.implicit, found.canonical, sts, fault=fault, expires=expires,
        provider=provider, shaped=shaped,
    )  # fmt: skip


def _public(addresses: Collection[str]) -> bool:
    """Out in the internet: hosts of a private network are nobody's whose limits are to be guessed."""
    try:
        return any(ipaddress.ip_address(one).is_global for one in addresses)
    except ValueError:
        return False


def _common(faults: Collection[str]) -> str:
    """What is said when no host is left. Anything that may pass makes the whole temporary."""
    for word in ("tlsa-failure", "dns-bogus", "dns-timeout", "dns-failure"):
        if word in faults:
            return word
    if "mta-sts-mx" in faults:
        return "mta-sts-mx"
    return "no-mail-host" if faults == {"no-address"} else "no-usable-host"
