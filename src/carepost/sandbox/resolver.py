"""The resolver's half: follows aliases, and trusts nothing it cannot verify from its one anchor (RFC 4035 5).

SECURE only when every RRset, every delegation on the way and every denial verifies; INSECURE when a signed
NSEC proves that a delegation has no DS record; anything else is BOGUS.
"""

import enum

import dns.dnssec
import dns.exception
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rdtypes.ANY.NSEC
import dns.rrset
import msgspec

from carepost.ground import clock
from carepost.sandbox.authority import Found, RRset, look_up
from carepost.sandbox.zones import ROOT, Universe

MAX_ALIASES = 8

Span = dns.rdtypes.ANY.NSEC.NSEC
Keys = dict[dns.name.Name, dns.rrset.RRset]


class Status(enum.IntEnum):
    """Ordered: the worst of a chain is the chain's."""

    BOGUS = 0
    INSECURE = 1
    SECURE = 2


class Resolved(msgspec.Struct, frozen=True):
    rcode: dns.rcode.Rcode
    answer: tuple[RRset, ...]
    authority: tuple[RRset, ...]
    status: Status


class _Bogus(Exception):
    pass


class Resolver:
    """Validates one `Universe` against `anchor` (the DS text of `test.`); verdicts are remembered with it."""

    def __init__(self, universe: Universe, anchor: str) -> None:
        self._universe = universe
        self._anchor = anchor
        #: zone -> its verified keys, or None: provably unsigned
        self._keys: dict[dns.name.Name, Keys | None] = {}
        self._verified: dict[tuple[dns.name.Name, dns.name.Name, int], bool] = {}

    def resolve(self, name: dns.name.Name, rdtype: int) -> Resolved:
        """Outside `test.` there is nothing: NXDOMAIN, insecure."""
        answer: tuple[RRset, ...] = ()
        status = Status.SECURE
        for _ in range(MAX_ALIASES):
            found = look_up(self._universe, name, rdtype)
            if found is None:
                return Resolved(dns.rcode.NXDOMAIN, answer, (), Status.INSECURE)
            status = min(status, self._status(found, name, rdtype))
            answer += found.answer
            if found.alias is None:
                return Resolved(found.rcode, answer, found.authority, status)
            name = found.alias
        return Resolved(dns.rcode.SERVFAIL, (), (), Status.INSECURE)

    def _status(self, found: Found, name: dns.name.Name, rdtype: int) -> Status:
        try:
            keys = self._trust(found.zone.origin)
            if keys is None:
                return Status.INSECURE
            self._verify(found.zone.origin, found.answer, keys)
            self._verify(found.zone.origin, found.authority, keys)
            if not found.answer:
                _check_denial(found, name, rdtype)
        except _Bogus:
            return Status.BOGUS
        return Status.SECURE

    def _trust(self, origin: dns.name.Name) -> Keys | None:
        """The zone's verified keys; None when it is provably unsigned. Raises _Bogus."""
        if origin in self._keys:
            return self._keys[origin]
        if origin == ROOT:
            digests = {self._anchor}
        else:
            parent = self._trust(ROOT)
            found = look_up(self._universe, origin, dns.rdatatype.DS)
            if parent is None or found is None:
                raise _Bogus
            self._verify(ROOT, found.answer, parent)
            self._verify(ROOT, found.authority, parent)
            if not found.answer:
                _check_denial(found, origin, dns.rdatatype.DS, dns.rdatatype.NS)
                self._keys[origin] = None
                return None
            digests = {rdata.to_text() for rdata in found.answer[0]}
        keys = self._own_keys(origin, digests)
        self._keys[origin] = keys
        return keys

    def _own_keys(self, origin: dns.name.Name, digests: set[str]) -> Keys:
        """The zone's DNSKEY RRset, signed by a key one of `digests` names (RFC 4035 5.2)."""
        found = look_up(self._universe, origin, dns.rdatatype.DNSKEY)
        if found is None or not found.answer:
            raise _Bogus
        published = found.answer[0]
        named = [key for key in published if dns.dnssec.make_ds(origin, key, "SHA256").to_text() in digests]
        if not named:
            raise _Bogus
        self._verify(origin, found.answer, {origin: dns.rrset.from_rdata(origin, published.ttl, *named)})
        return {origin: published}

    def _verify(self, origin: dns.name.Name, records: tuple[RRset, ...], keys: Keys) -> None:
        """Every RRset among `records` has a signature by `keys`, right now. Raises _Bogus."""
        signatures = {(r.name, int(r.covers)): r for r in records if r.rdtype == dns.rdatatype.RRSIG}
        for rrset in records:
            if rrset.rdtype == dns.rdatatype.RRSIG:
                continue
            mark = (origin, rrset.name, int(rrset.rdtype))
            if mark not in self._verified:
                self._verified[mark] = _signed(rrset, signatures.get((rrset.name, int(rrset.rdtype))), keys)
            if not self._verified[mark]:
                raise _Bogus


def _signed(rrset: RRset, signature: RRset | None, keys: Keys) -> bool:
    if signature is None:
        return False
    try:
        dns.dnssec.validate(rrset, signature, keys, now=clock.now() / 1_000_000)  # type: ignore[arg-type]  # RRset is an Rdataset
    except dns.exception.ValidationFailure:
        return False
    return True


def _check_denial(found: Found, name: dns.name.Name, rdtype: int, present: int = 0) -> None:
    """The verified NSEC records of `found` prove that `name`, or its `rdtype`, is not there (RFC 4035 5.4).

    `present`: a type that must be there: NS makes it the proof of an unsigned delegation (RFC 4035 5.2)."""
    spans = [(rrset.name, rdata) for rrset in found.authority for rdata in rrset if isinstance(rdata, Span)]
    if found.rcode == dns.rcode.NOERROR:
        proven = any(_no_data(owner, span, name, rdtype, present) for owner, span in spans)
    else:
        covering = [(owner, span) for owner, span in spans if _covers(found, owner, span, name)]
        proven = any(_no_wildcard(found, spans, name, owner, span) for owner, span in covering)
    if not proven:
        raise _Bogus


def _no_data(owner: dns.name.Name, span: Span, name: dns.name.Name, rdtype: int, present: int) -> bool:
    if owner != name:
        # An empty non-terminal: nothing at the name, something below it.
        following: dns.name.Name = span.next
        return owner < name and following.is_subdomain(name) and not present
    if present and not _has(span, present):
        return False
    return not _has(span, rdtype) and not _has(span, dns.rdatatype.CNAME)


def _covers(found: Found, owner: dns.name.Name, span: Span, name: dns.name.Name) -> bool:
    following: dns.name.Name = span.next
    last: bool = following == found.zone.origin
    return owner < name and (name < following or last)


def _no_wildcard(
    found: Found,
    spans: list[tuple[dns.name.Name, Span]],
    name: dns.name.Name,
    owner: dns.name.Name,
    span: Span,
) -> bool:
    """No `*` stands at the closest encloser, which the covering NSEC itself names (RFC 4035 5.4)."""
    closest = max((_common(name, owner), _common(name, span.next)), key=len)
    wildcard = dns.name.Name((b"*", *closest.labels))
    return any(_covers(found, one, other, wildcard) for one, other in spans)


def _common(a: dns.name.Name, b: dns.name.Name) -> dns.name.Name:
    _, _, labels = a.fullcompare(b)
    return a.split(labels)[1]


def _has(span: Span, rdtype: int) -> bool:
    window, offset = divmod(rdtype, 256)
    byte, bit = divmod(offset, 8)
    return any(w == window and byte < len(bitmap) and bitmap[byte] & (0x80 >> bit) for w, bitmap in span.windows)
