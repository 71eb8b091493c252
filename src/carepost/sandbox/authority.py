"""The name server's half: what a zone says of a name, and the proof (RFC 1034 4.3.2, RFC 4035 3)."""

import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import msgspec

from carepost.sandbox.zones import Universe, Zone

RRset = dns.rrset.RRset

#: questions that are not for data (RFC 8482, RFC 5936)
UNANSWERED = frozenset(
    {
        dns.rdatatype.ANY,
        dns.rdatatype.AXFR,
        dns.rdatatype.IXFR,
        dns.rdatatype.MAILA,
        dns.rdatatype.MAILB,
        dns.rdatatype.RRSIG,
        dns.rdatatype.OPT,
        dns.rdatatype.TSIG,
        dns.rdatatype.TKEY,
    }
)


class Found(msgspec.Struct, frozen=True):
    """One zone's answer. `alias`: where a CNAME leads. RRsets of data and of signatures together."""

    zone: Zone
    rcode: dns.rcode.Rcode
    answer: tuple[RRset, ...] = ()
    authority: tuple[RRset, ...] = ()
    alias: dns.name.Name | None = None


def look_up(universe: Universe, name: dns.name.Name, rdtype: int) -> Found | None:
    """None: no zone here holds the name."""
    zone = universe.zone_of(name, rdtype)
    if zone is None:
        return None
    data = zone.rrset(name, rdtype)
    if data is not None:
        return Found(zone, dns.rcode.NOERROR, _with_signature(zone, data))
    alias = zone.rrset(name, dns.rdatatype.CNAME)
    if alias is not None:
        return Found(zone, dns.rcode.NOERROR, _with_signature(zone, alias), alias=alias[0].target)
    proof = _soa(zone)
    if zone.exists(name):
        return Found(zone, dns.rcode.NOERROR, authority=proof + _nsec(zone, (name,)))
    closest = name.parent()
    while not zone.exists(closest):
        closest = closest.parent()
    wildcard = dns.name.Name((b"*", *closest.labels))
    return Found(zone, dns.rcode.NXDOMAIN, authority=proof + _nsec(zone, (name, wildcard)))


def _with_signature(zone: Zone, data: RRset) -> tuple[RRset, ...]:
    signature = zone.rrset(data.name, dns.rdatatype.RRSIG, data.rdtype)
    return (data,) if signature is None else (data, signature)


def _soa(zone: Zone) -> tuple[RRset, ...]:
    soa = zone.rrset(zone.origin, dns.rdatatype.SOA)
    assert soa is not None
    return _with_signature(zone, soa)


def _nsec(zone: Zone, denied: tuple[dns.name.Name, ...]) -> tuple[RRset, ...]:
    """The NSEC records that match or cover the denied names, each once."""
    if not zone.signed:
        return ()
    found: tuple[RRset, ...] = ()
    for owner in dict.fromkeys(zone.before(name) for name in denied):
        record = zone.rrset(owner, dns.rdatatype.NSEC)
        assert record is not None
        found += _with_signature(zone, record)
    return found
