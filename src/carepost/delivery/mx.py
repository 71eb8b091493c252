"""The mail hosts of a domain in the order they are tried (RFC 5321 5.1, RFC 7505), and the addresses we may dial.

No MX: the domain's own address. An MX, and nothing else is ever tried. A target that is an alias, an address, or that
leads into our own or a private network is refused (BI-029): a stranger's DNS never chooses what we connect to.
"""

import asyncio
import ipaddress
import random
from collections.abc import Collection, Mapping

import msgspec

from carepost.delivery.resolver import Resolver, Status, normal
from carepost.ground.outward import private as refused

#: hosts of a domain and addresses of a host that are looked at (BI-032)
HOSTS, ADDRESSES = 10, 4

#: reasons for which a domain has no host to try; `temporary` ones are asked again
TEMPORARY = frozenset({"dns-failure", "dns-bogus", "dns-timeout"})


class Mx(msgspec.Struct, frozen=True):
    """`fault` "" or: null-mx, no-such-domain, no-mail-host, mail-loop, no-usable-host, dns-failure, dns-bogus,
    dns-timeout."""

    domain: str
    hosts: tuple[str, ...] = ()
    #: validated by DNSSEC
    secure: bool = False
    #: no MX record: the domain itself is its host
    implicit: bool = False
    #: what the domain is an alias of, or the domain
    canonical: str = ""
    fault: str = ""
    #: clock.monotonic() seconds
    expires: float = 0.0
    #: targets passed over, with the reason, for the record: (host, literal | self)
    passed_over: tuple[tuple[str, str], ...] = ()


class Reach(msgspec.Struct, frozen=True):
    """Where one host can be dialled. `fault` "" or: alias, private, no-address, dns-failure, dns-bogus, dns-timeout."""

    addresses: tuple[str, ...] = ()
    port: int = 25
    secure: bool = False
    fault: str = ""
    expires: float = 0.0


async def find(resolver: Resolver, domain: str, ours: Collection[str] = ()) -> Mx:
    """`ours`: the names this system is called by; when it is listed itself, only better hosts are tried."""
    answer = await resolver.mx(domain)
    if answer.unknown:
        return Mx(domain, fault=fault_of(answer.status))
    canonical = answer.canonical or domain
    if answer.status is Status.NXDOMAIN:
        return Mx(domain, secure=answer.secure, canonical=canonical, fault="no-such-domain", expires=answer.expires)
    if answer.status is Status.NODATA:
        return Mx(domain, (canonical,), answer.secure, True, canonical, expires=answer.expires)
    hosts, passed, fault = _order(answer.records, ours)
    return Mx(domain, hosts, answer.secure, False, canonical, fault, answer.expires, passed)


def _order(
    records: Collection[tuple[int, str]], ours: Collection[str]
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...], str]:
    named = [(preference, host) for preference, host in records if host not in ("", ".")]
    if not named:
        return (), (), "null-mx"
    passed: list[tuple[str, str]] = []
    own = [preference for preference, host in named if host in ours]
    if own:
        # RFC 5321 5.1: whoever is as near as we are would hand the message back.
        passed += [(host, "self") for preference, host in named if preference >= min(own)]
        named = [(preference, host) for preference, host in named if preference < min(own)]
        if not named:
            return (), tuple(passed), "mail-loop"
    passed += [(host, "literal") for _, host in named if literal(host)]
    # The same ones each time, so that a domain with more does not seem to move (posture); at random among equals.
    kept = sorted({pair for pair in named if not literal(pair[1])})[:HOSTS]
    shuffled = sorted(random.SystemRandom().sample(kept, len(kept)), key=lambda pair: pair[0])
    hosts = tuple(dict.fromkeys(host for _, host in shuffled))
    return hosts, tuple(passed), "" if hosts else "no-usable-host"


def literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


async def reach(
    resolver: Resolver,
    host: str,
    port: int,
    *,
    implicit: bool = False,
    dial: Mapping[str, tuple[str, int]] | None = None,
) -> Reach:
    """The addresses of an MX host. `implicit`: the host is the domain itself, which may be an alias.

    `dial`: host -> (address, port), the sandbox's table: asked after DNS, so that its signatures still count."""
    v4, v6 = await asyncio.gather(resolver.addresses(host), resolver.addresses(host, v6=True))
    instead = (dial or {}).get(host)
    found = [answer for answer in (v4, v6) if answer.records]
    if not found:
        unknown = next((answer for answer in (v4, v6) if answer.unknown), None)
        return Reach(fault=fault_of(unknown.status) if unknown is not None else "no-address")
    expires = min(answer.expires for answer in found)
    if not implicit and any(answer.canonical != normal(host) for answer in found):
        return Reach(fault="alias", expires=expires)
    # A family whose look-up failed is not used. It must not make the other one unsigned either: whoever can break
    # one answer would switch DANE off by it.
    secure = all(answer.secure for answer in found)
    if instead is not None:
        return Reach((instead[0],), instead[1], secure, "", expires)
    addresses: list[str] = []
    for answer in found:
        allowed = [address for address in answer.records if not refused(address)]
        addresses += random.SystemRandom().sample(allowed, min(len(allowed), ADDRESSES))
    if not addresses:
        return Reach(fault="private", expires=expires)
    return Reach(tuple(addresses[:ADDRESSES]), port, secure, "", expires)


def fault_of(status: Status) -> str:
    return {Status.BOGUS: "dns-bogus", Status.TIMEOUT: "dns-timeout"}.get(status, "dns-failure")
