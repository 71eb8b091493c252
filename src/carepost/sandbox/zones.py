"""The sandbox's DNS data: `test.` signed, a signed or unsigned zone for each domain below it, as one value.

Names of a zone are absolute; a signed zone carries its RRSIG and NSEC records (RFC 4034), an unsigned one is
delegated without a DS record, which the parent's NSEC proves.
"""

import bisect
from collections.abc import Callable, Iterable
from pathlib import Path

import dns.dnssec
import dns.name
import dns.node
import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rdtypes.ANY.RRSIG
import dns.rrset
import dns.transaction
import dns.zone
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from dns.rdtypes.ANY.DNSKEY import DNSKEY

from carepost.ground import clock, durable
from carepost.sandbox.domains import CLINIC, LOOPBACK, ZONE, Dns, Domain, Tlsa
from carepost.sandbox.records import Record

TTL = 60
#: signatures live this long and are made anew when half is over
LIFETIME = 30 * 86400
SIGNED = frozenset({Dns.SIGNED, Dns.BOGUS, Dns.BOGUS_TLSA})
ROOT = dns.name.from_text(ZONE)

Line = tuple[str, str, str]
Key = tuple[ec.EllipticCurvePrivateKey, DNSKEY]


class Zone:
    """One zone's data with what denial needs: its names in canonical order (RFC 4034 6.1)."""

    def __init__(self, data: dns.zone.Zone, signed: bool) -> None:
        self.data = data
        self.signed = signed
        self.names = sorted(self.owners())

    @property
    def origin(self) -> dns.name.Name:
        origin = self.data.origin
        assert origin is not None
        return origin

    def owners(self) -> set[dns.name.Name]:
        return set(self.data.nodes)

    def rrset(self, name: dns.name.Name, rdtype: int, covers: int = dns.rdatatype.NONE) -> dns.rrset.RRset | None:
        return self.data.get_rrset(name, dns.rdatatype.RdataType(rdtype), dns.rdatatype.RdataType(covers))

    def exists(self, name: dns.name.Name) -> bool:
        """A node, or an empty non-terminal above one."""
        at = bisect.bisect_left(self.names, name)
        return at < len(self.names) and self.names[at].is_subdomain(name)

    def before(self, name: dns.name.Name) -> dns.name.Name:
        """The owner whose NSEC matches or covers `name`."""
        return self.names[bisect.bisect_right(self.names, name) - 1]


class Universe:
    """All zones at one moment. `made_at`: seconds; `stale` asks for a new one."""

    def __init__(self, zones: Iterable[Zone], anchor: DNSKEY, deaf: frozenset[dns.name.Name]) -> None:
        self.zones = {zone.origin: zone for zone in zones}
        self.anchor = anchor
        self.deaf = deaf
        self.made_at = clock.now() // 1_000_000

    def zone_of(self, name: dns.name.Name, rdtype: int) -> Zone | None:
        """The deepest zone holding `name`; a DS record is its parent's (RFC 4035 3.1.4.1)."""
        if rdtype == dns.rdatatype.DS and name in self.zones and name != ROOT:
            name = name.parent()
        while len(name) > 1:
            found = self.zones.get(name)
            if found is not None:
                return found
            name = name.parent()
        return None

    @property
    def stale(self) -> bool:
        age = clock.now() // 1_000_000 - self.made_at
        return age > LIFETIME // 2 or age < -3600

    def ds(self) -> str:
        return dns.dnssec.make_ds(ROOT, self.anchor, "SHA256").to_text()


def load_key(folder: Path, zone: str) -> Key:
    """The zone's one key (ECDSA P-256, KSK and ZSK in one), made when absent; the anchor stays the same."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{zone.rstrip('.')}.dnssec.pem"
    if path.exists():
        key = serialization.load_pem_private_key(path.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
    else:
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        durable.write(path, pem)
    return key, dns.dnssec.make_dnskey(key.public_key(), "ECDSAP256SHA256", flags=257)


def build(
    domains: Iterable[Domain], keys: Path, spki: Callable[[Domain], bytes], published: Iterable[Record]
) -> Universe:
    """All zones, signed now. `spki(domain)`: SHA-256 of its mail server's public key, for TLSA."""
    members = list(domains)
    names = {domain.name for domain in members}
    more: dict[str, list[Line]] = {}
    for record in published:
        owner = ".".join(record.name.split(".")[-2:])
        more.setdefault(owner, []).append((record.name, record.type, _presentation(record)))
    strangers = [Domain(owner, "", raw_mx=(), serves=False) for owner in more if owner not in names]
    top: list[Line] = [("test", "SOA", _soa()), ("test", "NS", "ns.test."), ("ns.test", "A", LOOPBACK)]
    zones = []
    for domain in (*members, *strangers):
        zone, ds = _child(domain, keys, spki, more.get(domain.name, []))
        zones.append(zone)
        top.append((domain.name, "NS", "ns.test."))
        top.extend((domain.name, "DS", text) for text in ds)
    key = load_key(keys, ZONE)
    zones.append(_zone(ZONE, top, key))
    deaf = frozenset(dns.name.from_text(d.name) for d in members if d.dns is Dns.DEAF)
    return Universe(zones, key[1], deaf)


def _presentation(record: Record) -> str:
    if record.type != "TXT":
        return record.text
    raw = record.text.encode()
    pieces = [raw[at : at + 255] for at in range(0, len(raw), 255)]
    return " ".join('"' + _quoted(piece) + '"' for piece in pieces)


def _quoted(piece: bytes) -> str:
    return "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\{b:03d}" for b in piece)


def _soa() -> str:
    return f"ns.test. hostmaster.test. {clock.now() // 1_000_000 % 2**32} 3600 600 86400 {TTL}"


def _child(
    domain: Domain, keys: Path, spki: Callable[[Domain], bytes], more: list[Line]
) -> tuple[Zone, tuple[str, ...]]:
    lines = [(domain.name, "SOA", _soa()), (domain.name, "NS", "ns.test."), *_mail_lines(domain), *more]
    if domain.mta_sts:
        lines.append((f"_mta-sts.{domain.name}", "TXT", '"v=STSv1; id=20260101000000"'))
        lines.append((domain.policy_host, "A", LOOPBACK))
    lines.extend((host, "A", LOOPBACK) for host in domain.key_hosts)
    if domain.tlsa:
        digest = spki(domain) if domain.tlsa is Tlsa.MATCH else bytes(32)
        form = "1 1 1" if domain.tlsa is Tlsa.UNUSABLE else "3 1 1"
        lines.append((f"_25._tcp.{domain.mx}", "TLSA", f"{form} {digest.hex()}"))
    if domain is CLINIC:
        lines.append((domain.name, "TXT", f'"v=spf1 ip4:{LOOPBACK} -all"'))
        lines.append((f"_dmarc.{domain.name}", "TXT", '"v=DMARC1; p=reject; adkim=s; aspf=s"'))
    if domain.dns not in SIGNED:
        return _zone(domain.name, lines, None), ()
    key = load_key(keys, domain.name)
    zone = _zone(domain.name, lines, key)
    if domain.dns is Dns.BOGUS:
        _spoil(zone, lambda covered: covered != dns.rdatatype.DNSKEY)
    elif domain.dns is Dns.BOGUS_TLSA:
        _spoil(zone, lambda covered: covered == dns.rdatatype.TLSA)
    ds = dns.dnssec.make_ds(dns.name.from_text(domain.name), key[1], "SHA256")
    return zone, (ds.to_text(),)


def _mail_lines(domain: Domain) -> list[Line]:
    if domain.raw_mx is None:
        return [(domain.name, "MX", f"10 {domain.mx}."), (domain.mx, "A", LOOPBACK)]
    lines = [(domain.name, "MX", f"{preference} {host.rstrip('.')}.") for preference, host in domain.raw_mx]
    if domain.serves:
        lines.append((domain.mx, "A", LOOPBACK))
    # BI-029, BI-032: what a careless client would follow
    extra: dict[str, list[Line]] = {
        "cnamemx.test": [
            ("alias.cnamemx.test", "CNAME", "mx.verified.test."),
            ("mail.cnamemx.test", "CNAME", "verified.test."),
        ],
        "privatemx.test": [("mx.privatemx.test", "A", "10.0.0.1"), ("mx.privatemx.test", "A", "169.254.169.254")],
        "manymx.test": [(host, "A", LOOPBACK) for _, host in domain.raw_mx],
    }
    return lines + extra.get(domain.name, [])


def _zone(origin: str, lines: Iterable[Line], key: Key | None) -> Zone:
    name = dns.name.from_text(origin)
    zone = dns.zone.Zone(name, relativize=False)
    with zone.writer() as txn:
        for owner, kind, text in lines:
            rdata = dns.rdata.from_text("IN", kind, text, origin=dns.name.root, relativize=False)
            txn.add(dns.name.from_text(owner), TTL, rdata)
        if key is not None:
            # An hour back: a peer's clock may be a little behind.
            start = clock.now() // 1_000_000 - 3600
            dns.dnssec.sign_zone(zone, txn, keys=[key], inception=start, expiration=start + LIFETIME)
    return Zone(zone, key is not None)


def _spoil(zone: Zone, chosen: Callable[[int], bool]) -> None:
    """Turns one bit of every chosen signature."""
    for node in zone.data.nodes.values():
        for rdataset in list(node.rdatasets):
            if rdataset.rdtype != dns.rdatatype.RRSIG or not chosen(rdataset.covers):
                continue
            broken = dns.rdataset.Rdataset(rdataset.rdclass, rdataset.rdtype, rdataset.covers, rdataset.ttl)
            for rdata in rdataset:
                assert isinstance(rdata, dns.rdtypes.ANY.RRSIG.RRSIG)
                signature = rdata.signature[:-1] + bytes([rdata.signature[-1] ^ 1])
                broken.add(rdata.replace(signature=signature))
            node.replace_rdataset(broken)
