"""The sandbox's DNS over real sockets: AD only for what verifies, SERVFAIL for what does not; real validators agree."""

import random
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset
import pytest

from carepost.ground.errors import ConfigError
from carepost.sandbox import records
from carepost.sandbox.dns import Server
from tests.support.sandboxed import LivingWorld

WAIT = 5.0


def ask(
    living: LivingWorld, name: str, kind: str, *, ad: bool = True, do: bool = False, cd: bool = False, tcp: bool = False
) -> dns.message.Message:
    query = dns.message.make_query(name, kind, want_dnssec=do)
    if ad:
        query.flags |= dns.flags.AD
    if cd:
        query.flags |= dns.flags.CD
    host, port = living.world.dns_address
    if tcp:
        return dns.query.tcp(query, host, timeout=WAIT, port=port)
    return dns.query.udp(query, host, timeout=WAIT, port=port)


@pytest.mark.parametrize(
    ("name", "kind", "rcode", "ad"),
    [
        ("dane.test", "MX", "NOERROR", True),
        ("mx.dane.test", "A", "NOERROR", True),
        ("_25._tcp.mx.dane.test", "TLSA", "NOERROR", True),
        ("mx.dane.test", "AAAA", "NOERROR", True),
        ("absent.dane.test", "A", "NXDOMAIN", True),
        ("absent.test", "A", "NXDOMAIN", True),
        ("verified.test", "MX", "NOERROR", False),
        ("mx.verified.test", "A", "NOERROR", False),
        ("_mta-sts.mtasts.test", "TXT", "NOERROR", False),
        ("clinic.test", "MX", "NOERROR", False),
        ("bogus.test", "MX", "SERVFAIL", False),
        ("tlsafail.test", "MX", "NOERROR", True),
        ("_25._tcp.mx.tlsafail.test", "TLSA", "SERVFAIL", False),
        ("lostmx.test", "MX", "NOERROR", False),
        ("nowhere.lostmx.test", "A", "NXDOMAIN", False),
        ("empty.test", "MX", "NOERROR", False),
        ("elsewhere.example", "MX", "NXDOMAIN", False),
    ],
)
def test_answers(living: LivingWorld, name: str, kind: str, rcode: str, ad: bool) -> None:
    response = ask(living, name, kind)
    assert dns.rcode.to_text(response.rcode()) == rcode
    assert bool(response.flags & dns.flags.AD) is ad
    assert response.flags & dns.flags.RA


def test_ad_is_only_for_who_asks_for_it(living: LivingWorld) -> None:
    assert not ask(living, "dane.test", "MX", ad=False).flags & dns.flags.AD
    assert ask(living, "dane.test", "MX", ad=False, do=True).flags & dns.flags.AD


def test_a_client_that_checks_for_itself_gets_the_bogus_data(living: LivingWorld) -> None:
    response = ask(living, "bogus.test", "MX", do=True, cd=True)
    assert response.rcode() == dns.rcode.NOERROR
    assert not response.flags & dns.flags.AD
    assert len(response.answer) == 2


def test_records_of_every_domain(living: LivingWorld) -> None:
    world = living.world
    for name in world.servers.by_domain:
        answer = ask(living, name, "MX", cd=True, tcp=True).answer
        hosts = [record.exchange.to_text(omit_final_dot=True) for rrset in answer for record in rrset
                 if rrset.rdtype == dns.rdatatype.MX] or [name]  # fmt: skip
        assert any(host in world.dial for host in hosts), name
    null = ask(living, "nullmx.test", "MX").answer[0][0]
    assert (null.preference, null.exchange) == (0, dns.name.root)  # BI-030
    assert ask(living, "alias.cnamemx.test", "A").answer[0].rdtype == dns.rdatatype.CNAME  # BI-029
    assert {r.address for r in ask(living, "mx.privatemx.test", "A").answer[0]} == {"10.0.0.1", "169.254.169.254"}


def test_a_long_answer_is_cut_on_udp_and_whole_on_tcp_bi_032(living: LivingWorld) -> None:
    cut = ask(living, "manymx.test", "MX")
    assert cut.flags & dns.flags.TC
    assert len(ask(living, "manymx.test", "MX", tcp=True).answer[0]) == 500


def test_a_resolver_library_finds_its_way(living: LivingWorld) -> None:
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [living.world.dns_address[0]]
    resolver.port = living.world.dns_address[1]
    resolver.lifetime = WAIT
    assert [r.exchange.to_text() for r in resolver.resolve("mail.cnamemx.test", "MX")] == ["mx.verified.test."]
    with pytest.raises(dns.resolver.NXDOMAIN):
        resolver.resolve("absent.test", "MX")
    with pytest.raises(dns.resolver.NoNameservers):
        resolver.resolve("bogus.test", "MX")


def test_the_chain_verifies_from_the_anchor_by_hand(living: LivingWorld) -> None:
    """Anchor -> DNSKEY of test. -> DS of dane.test -> its DNSKEY -> TLSA, each step checked here."""

    def fetch(name: str, kind: str) -> tuple[dns.rrset.RRset, dns.rrset.RRset]:
        answer = ask(living, name, kind, do=True, tcp=True).answer
        data = next(r for r in answer if r.rdtype == dns.rdatatype.from_text(kind))
        return data, next(r for r in answer if r.rdtype == dns.rdatatype.RRSIG)

    top, child = dns.name.from_text("test."), dns.name.from_text("dane.test.")
    top_keys, signature = fetch("test.", "DNSKEY")
    assert [dns.dnssec.make_ds(top, key, "SHA256").to_text() for key in top_keys] == [living.world.anchor_ds]
    assert [key.to_text() for key in top_keys] == [living.world.anchor_dnskey]
    dns.dnssec.validate(top_keys, signature, {top: top_keys})
    ds, signature = fetch("dane.test.", "DS")
    dns.dnssec.validate(ds, signature, {top: top_keys})
    child_keys, signature = fetch("dane.test.", "DNSKEY")
    assert {dns.dnssec.make_ds(child, key, "SHA256").to_text() for key in child_keys} == {r.to_text() for r in ds}
    dns.dnssec.validate(child_keys, signature, {child: child_keys})
    tlsa, signature = fetch("_25._tcp.mx.dane.test.", "TLSA")
    dns.dnssec.validate(tlsa, signature, {child: child_keys})


def test_without_recursion_it_is_the_authority(living: LivingWorld) -> None:
    query = dns.message.make_query("dane.test", "MX", want_dnssec=True, flags=0)
    host, port = living.world.dns_address
    response = dns.query.udp(query, host, timeout=WAIT, port=port)
    assert response.flags & dns.flags.AA
    assert not response.flags & dns.flags.AD
    outside = dns.message.make_query("example.com", "A", flags=0)
    assert dns.query.udp(outside, host, timeout=WAIT, port=port).rcode() == dns.rcode.REFUSED


def test_a_published_key_is_answered_at_once_and_replaced(living: LivingWorld) -> None:
    folder = living.world.folder
    for text in ("v=DKIM1; p=first", "v=DKIM1; p=second" + "x" * 600):
        records.publish(folder, "s1._domainkey.clinic.test", "TXT", text)
        answer = ask(living, "s1._domainkey.clinic.test", "TXT", tcp=True).answer
        assert [b"".join(r.strings).decode() for r in answer[0]] == [text]
    records.publish(folder, "s1._domainkey.clinic.test", "TXT", "")
    assert ask(living, "s1._domainkey.clinic.test", "TXT").rcode() == dns.rcode.NXDOMAIN
    with pytest.raises(ConfigError):
        records.publish(folder, "s1._domainkey.clinic.example", "TXT", "x")


def test_deaf_servers_never_answer(living: LivingWorld) -> None:
    host, port = living.world.dns_address
    with pytest.raises(dns.exception.Timeout):
        dns.query.udp(dns.message.make_query("deaf.test", "MX"), host, timeout=0.2, port=port)


def test_malformed_packets_do_no_harm(living: LivingWorld) -> None:
    whole = dns.message.make_query("dane.test", "MX", want_dnssec=True).to_wire()
    rng = random.Random(7)
    packets = [whole[:cut] for cut in range(len(whole))]
    packets += [bytes(rng.choice((byte, rng.randrange(256))) for byte in whole) for _ in range(200)]
    packets += [b"", b"\x00" * 12, b"\xff" * 600, whole * 2]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for packet in packets:
            client.sendto(packet, living.world.dns_address)
    with socket.create_connection(living.world.dns_address, timeout=WAIT) as client:
        client.sendall(len(whole).to_bytes(2, "big") + whole[:-1] + b"\xff" + b"\x00\x00")
        client.shutdown(socket.SHUT_WR)
        client.settimeout(WAIT)
        while client.recv(4096):
            pass
    assert ask(living, "dane.test", "MX").flags & dns.flags.AD


def test_a_taken_port_is_one_sentence(living: LivingWorld) -> None:
    port = living.world.dns_address[1]
    with pytest.raises(ConfigError, match=f"Port {port} .*port_sandbox_dns"):
        living.call(Server(living.world._answers).start(port))


@pytest.fixture(scope="module")
def unbound(living: LivingWorld, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """A real validating resolver whose only anchor is the sandbox's."""
    folder = tmp_path_factory.mktemp("unbound")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    host, upstream = living.world.dns_address
    config = folder / "unbound.conf"
    config.write_text(
        f"""server:
  interface: 127.0.0.1@{port}
  chroot: ""
  username: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  logfile: "{folder}/log"
  do-daemonize: no
  do-not-query-localhost: no
  access-control: 127.0.0.0/8 allow
  module-config: "validator iterator"
  trust-anchor: "test. DS {living.world.anchor_ds}"
  private-domain: "test."
  local-zone: "test." nodefault
  num-threads: 1
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: {host}@{upstream}
"""
    )
    binary = shutil.which("unbound") or "/usr/sbin/unbound"
    process = subprocess.Popen([binary, "-d", "-c", str(config)], stderr=subprocess.PIPE)
    try:
        end = time.monotonic() + 20
        query = dns.message.make_query("ns.test", "A")
        while True:
            try:
                dns.query.udp(query, "127.0.0.1", timeout=0.5, port=port)
                break
            except (dns.exception.Timeout, OSError):
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < end, (folder / "log").read_text()
        yield "127.0.0.1", port
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.peers
@pytest.mark.parametrize(
    ("name", "kind", "rcode", "ad"),
    [
        ("dane.test", "MX", "NOERROR", True),
        ("_25._tcp.mx.dane.test", "TLSA", "NOERROR", True),
        ("mx.dane.test", "AAAA", "NOERROR", True),
        ("_tcp.mx.dane.test", "A", "NOERROR", True),
        ("absent.dane.test", "A", "NXDOMAIN", True),
        ("a.b.absent.dane.test", "A", "NXDOMAIN", True),
        ("absent.test", "MX", "NXDOMAIN", True),
        ("verified.test", "DS", "NOERROR", True),
        ("verified.test", "MX", "NOERROR", False),
        ("absent.verified.test", "A", "NXDOMAIN", False),
        ("mail.cnamemx.test", "MX", "NOERROR", False),
        ("bogus.test", "MX", "SERVFAIL", False),
        ("absent.bogus.test", "A", "SERVFAIL", False),
        ("tlsafail.test", "MX", "NOERROR", True),
        ("_25._tcp.mx.tlsafail.test", "TLSA", "SERVFAIL", False),
    ],
)
def test_unbound_agrees(unbound: tuple[str, int], name: str, kind: str, rcode: str, ad: bool) -> None:
    query = dns.message.make_query(name, kind)
    query.flags |= dns.flags.AD
    response = dns.query.udp(query, unbound[0], timeout=WAIT, port=unbound[1])
    assert dns.rcode.to_text(response.rcode()) == rcode
    assert bool(response.flags & dns.flags.AD) is ad


@pytest.mark.peers
@pytest.mark.parametrize("origin", ["test.", "dane.test.", "signed.test."])
def test_ldns_verifies_the_zones(living: LivingWorld, tmp_path: Path, origin: str) -> None:
    """Signatures, and the NSEC chain from end to end."""
    zone = living.world._answers.universe.zones[dns.name.from_text(origin)]
    file = tmp_path / "zone"
    zone.data.to_file(str(file), relativize=False)
    checked = subprocess.run(["ldns-verify-zone", str(file)], capture_output=True, text=True, timeout=30, check=False)
    assert "Zone is verified and complete" in checked.stdout, checked.stdout + checked.stderr
