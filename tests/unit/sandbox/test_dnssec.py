"""The sandbox's resolver trusts nothing it cannot verify: every way of tampering ends BOGUS, never unsigned."""

from pathlib import Path

import dns.name
import dns.rcode
import dns.rdata
import dns.rdataset
import dns.rdatatype
import pytest

from carepost.ground import clock
from carepost.sandbox import zones
from carepost.sandbox.domains import BY_NAME, Domain
from carepost.sandbox.records import Record
from carepost.sandbox.resolver import Resolved, Resolver, Status

pytestmark = pytest.mark.fast

DOMAINS = tuple(
    BY_NAME[name]
    for name in ("verified.test", "dane.test", "bogus.test", "tlsafail.test", "cnamemx.test", "plain.test")
)


@pytest.fixture
def universe(tmp_path: Path) -> zones.Universe:
    return build(tmp_path)


def build(folder: Path, domains: tuple[Domain, ...] = DOMAINS, records: tuple[Record, ...] = ()) -> zones.Universe:
    return zones.build(domains, folder, lambda _: bytes(range(32)), records)


def ask(universe: zones.Universe, name: str, kind: str, anchor: str = "") -> Resolved:
    resolver = Resolver(universe, anchor or universe.ds())
    return resolver.resolve(dns.name.from_text(name), dns.rdatatype.from_text(kind))


@pytest.mark.parametrize(
    ("name", "kind", "rcode", "status"),
    [
        ("dane.test", "MX", "NOERROR", Status.SECURE),
        ("_25._tcp.mx.dane.test", "TLSA", "NOERROR", Status.SECURE),
        ("mx.dane.test", "AAAA", "NOERROR", Status.SECURE),  # no data, proven
        ("_tcp.mx.dane.test", "A", "NOERROR", Status.SECURE),  # an empty non-terminal
        ("absent.dane.test", "A", "NXDOMAIN", Status.SECURE),
        ("a.b.c.absent.dane.test", "A", "NXDOMAIN", Status.SECURE),
        ("absent.test", "MX", "NXDOMAIN", Status.SECURE),
        ("ns.test", "DS", "NOERROR", Status.SECURE),
        ("verified.test", "DS", "NOERROR", Status.SECURE),  # the proof of an unsigned delegation
        ("verified.test", "MX", "NOERROR", Status.INSECURE),
        ("absent.verified.test", "A", "NXDOMAIN", Status.INSECURE),
        ("mail.cnamemx.test", "MX", "NOERROR", Status.INSECURE),
        ("bogus.test", "MX", "NOERROR", Status.BOGUS),
        ("absent.bogus.test", "A", "NXDOMAIN", Status.BOGUS),
        ("tlsafail.test", "MX", "NOERROR", Status.SECURE),
        ("_25._tcp.mx.tlsafail.test", "TLSA", "NOERROR", Status.BOGUS),  # BI-033
        ("elsewhere.example", "MX", "NXDOMAIN", Status.INSECURE),
    ],
)
def test_status(universe: zones.Universe, name: str, kind: str, rcode: str, status: Status) -> None:
    answer = ask(universe, name, kind)
    assert (dns.rcode.to_text(answer.rcode), answer.status) == (rcode, status)


def test_an_alias_is_followed_and_its_target_answered(universe: zones.Universe) -> None:
    answer = ask(universe, "mail.cnamemx.test", "MX")
    assert [dns.rdatatype.to_text(r.rdtype) for r in answer.answer] == ["CNAME", "MX"]


def test_another_anchor_verifies_nothing(universe: zones.Universe, tmp_path: Path) -> None:
    other = build(tmp_path / "other").ds()
    assert ask(universe, "dane.test", "MX", other).status is Status.BOGUS
    assert ask(universe, "verified.test", "MX", other).status is Status.BOGUS


def zone(universe: zones.Universe, name: str) -> zones.Zone:
    return universe.zones[dns.name.from_text(name)]


def replace(where: zones.Zone, owner: str, kind: str, text: str) -> None:
    node = where.data.nodes[dns.name.from_text(owner)]
    node.replace_rdataset(dns.rdataset.from_text("IN", kind, 60, text))


def drop(where: zones.Zone, owner: str, kind: str, covers: str = "NONE") -> None:
    node = where.data.nodes[dns.name.from_text(owner)]
    node.delete_rdataset(where.data.rdclass, dns.rdatatype.from_text(kind), dns.rdatatype.from_text(covers))


def test_a_changed_record_is_bogus(universe: zones.Universe) -> None:
    replace(zone(universe, "dane.test."), "dane.test.", "MX", "10 mx.attacker.test.")
    assert ask(universe, "dane.test", "MX").status is Status.BOGUS


def test_a_missing_signature_is_bogus(universe: zones.Universe) -> None:
    drop(zone(universe, "dane.test."), "_25._tcp.mx.dane.test.", "RRSIG", "TLSA")
    assert ask(universe, "_25._tcp.mx.dane.test", "TLSA").status is Status.BOGUS


def test_a_record_taken_away_is_bogus_because_its_denial_lies(universe: zones.Universe) -> None:
    where = zone(universe, "dane.test.")
    drop(where, "_25._tcp.mx.dane.test.", "TLSA")
    assert ask(universe, "_25._tcp.mx.dane.test", "TLSA").status is Status.BOGUS


def test_a_stripped_delegation_is_bogus_not_insecure(universe: zones.Universe) -> None:
    """Taking the DS record away does not make a signed domain an unsigned one."""
    drop(zone(universe, "test."), "dane.test.", "DS")
    assert ask(universe, "dane.test", "MX").status is Status.BOGUS


def test_a_name_hidden_behind_another_denial_is_bogus(universe: zones.Universe) -> None:
    where = zone(universe, "dane.test.")
    where.names = [name for name in where.names if name != dns.name.from_text("mx.dane.test.")]
    del where.data.nodes[dns.name.from_text("mx.dane.test.")]
    del where.data.nodes[dns.name.from_text("_25._tcp.mx.dane.test.")]
    where.names = sorted(where.data.nodes)
    assert ask(universe, "mx.dane.test", "A").status is Status.BOGUS


def test_another_zones_keys_are_not_believed(universe: zones.Universe, tmp_path: Path) -> None:
    impostor = build(tmp_path / "impostor")
    name = dns.name.from_text("dane.test.")
    universe.zones[name] = impostor.zones[name]
    assert ask(universe, "dane.test", "MX").status is Status.BOGUS


def test_signatures_out_of_their_time_are_bogus(universe: zones.Universe) -> None:
    later = clock.now() + (zones.LIFETIME + 7200) * 1_000_000
    try:
        clock.set_source(lambda: later)
        assert universe.stale
        assert ask(universe, "dane.test", "MX").status is Status.BOGUS
    finally:
        clock.set_source(None)
    assert ask(universe, "dane.test", "MX").status is Status.SECURE


def test_the_anchor_outlives_a_rebuild(tmp_path: Path) -> None:
    assert build(tmp_path).ds() == build(tmp_path).ds()


def test_published_records_appear_also_under_a_stranger_s_domain(tmp_path: Path) -> None:
    key = "v=DKIM1; k=rsa; p=" + "A" * 700
    published = (
        Record("s1._domainkey.dane.test", "TXT", key),
        Record("s1._domainkey.newcomer.test", "TXT", 'quotes " and \\ stay'),
    )
    universe = build(tmp_path, records=published)
    signed = ask(universe, "s1._domainkey.dane.test", "TXT")
    assert signed.status is Status.SECURE
    assert b"".join(signed.answer[0][0].strings) == key.encode()
    assert max(len(piece) for piece in signed.answer[0][0].strings) <= 255
    unsigned = ask(universe, "s1._domainkey.newcomer.test", "TXT")
    assert unsigned.status is Status.INSECURE
    assert b"".join(unsigned.answer[0][0].strings) == b'quotes " and \\ stay'
