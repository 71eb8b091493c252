"""Every posture of the sandbox world, over its own signed DNS and over a real validating resolver (unbound)."""

import shutil
import subprocess
from collections.abc import Iterator

import dns.exception
import dns.message
import dns.query
import pytest

from carepost.delivery.schedule import Schedule
from carepost.policy.types import Access
from carepost.sandbox.domains import ALL
from carepost.sandbox.expected import EXPECTED, unknown
from carepost.wire.types import AccessProof, DeliveryView, Protection
from tests.support.delivering import Delivering, body
from tests.support.mailhost import Ca, free_port
from tests.support.sandboxed import LivingWorld, living_world

CODE = Protection(access=AccessProof(Access.CODE, "", "verifier"))

#: what DESIGN 6 does not list: state, method, assurance, reason of the first attempt (with an access code)
OTHERS = {
    "signed.test": ("sent", "tls", "AUTHENTICATED", "accepted"),
    "owncert.test": ("sent", "tls", "AUTHENTICATED", "accepted"),
    "implicit.test": ("sent", "tls", "AUTHENTICATED", "accepted"),
    "ststesting.test": ("sent", "tls", "VERIFIED", "accepted"),
    "twomx.test": ("sent", "tls", "VERIFIED", "accepted"),
    "tlsamismatch.test": ("deposited", "portal", "PORTAL", "dane-mismatch"),
    "tlsaunusable.test": ("deposited", "portal", "PORTAL", "dane-unusable"),
    "stsother.test": ("deposited", "portal", "PORTAL", "mta-sts-mx"),
    "oldtls.test": ("deposited", "portal", "PORTAL", "tls-failed"),
    "injecting.test": ("deposited", "portal", "PORTAL", "starttls-injected"),
    "reject.test": ("deposited", "portal", "PORTAL", "content-refused"),
    "small.test": ("deposited", "portal", "PORTAL", "too-large"),
    # where nobody looks for keys, and where they prove nothing
    "smimea.test": ("deposited", "portal", "PORTAL", "self-signed"),
    "openpgpkey.test": ("deposited", "portal", "PORTAL", "self-signed"),
    "wkd.test": ("deposited", "portal", "PORTAL", "self-signed"),
    "wkddirect.test": ("deposited", "portal", "PORTAL", "self-signed"),
    "wkdmoved.test": ("deposited", "portal", "PORTAL", "self-signed"),
    "unsignedkeys.test": ("deposited", "portal", "PORTAL", "self-signed"),
    "nullmx.test": ("failed", "tls", "", "null-mx"),
    "privatemx.test": ("failed", "tls", "", "no-usable-host"),
    "cnamemx.test": ("failed", "tls", "", "no-usable-host"),
    "literalmx.test": ("failed", "tls", "", "no-usable-host"),
    "manymx.test": ("failed", "tls", "", "no-usable-host"),
    "lostmx.test": ("failed", "tls", "", "no-mail-host"),
    "empty.test": ("failed", "tls", "", "no-mail-host"),
    "tlsafail.test": ("deferred", "tls", "", "tlsa-failure"),
    "closed.test": ("deferred", "tls", "", "refused"),
    "babble.test": ("deferred", "tls", "", "malformed"),
    "lostreply.test": ("deferred", "tls", "", "reply-lost"),
}


@pytest.fixture(scope="module")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingWorld]:
    with living_world(tmp_path_factory.mktemp("home") / "sandbox") as world:
        yield world


def delivering(living: LivingWorld, dns: tuple[str, int]) -> Delivering:
    world = living.world
    schedule = Schedule(first=1.0, longest=1.0, give_up=120.0)
    return Delivering({}, {}, Ca(), dial=dict(world.dial), dns=dns, ca_file=world.ca_file, schedule=schedule)


def ends(wanted: str, view: DeliveryView) -> bool:
    return view.state == wanted and bool(view.attempts)


async def test_each_sandbox_domain_ends_as_designed(living: LivingWorld) -> None:
    """DESIGN 6, with and without an access code; the servers that must not see the message did not."""
    async with delivering(living, living.world.dns_address) as willow:
        for row in map(unknown, EXPECTED):
            for want, protection in ((row.without_code, Protection()), (row.with_code, CODE)):
                accepted = await willow.submit(f"testina.sample@{row.domain}", protection=protection)
                view = await willow.until(accepted, lambda view, want=want: ends(want.state, view), within=20)
                got = (view.method if want.method else "", view.assurance)
                assert got == (want.method, want.assurance), (row.domain, view)
                if row.attempts:
                    tls = [a for a in view.attempts if a.method == "tls"]
                    assert len(tls) <= row.attempts + (want.state == "held")
            seen = living.arrived(f"testina.sample@{row.domain}", count=0, within=1)
            assert bool(seen) is row.sees_message, row.domain


@pytest.mark.parametrize("domain", OTHERS)
async def test_what_tests_need_besides(living: LivingWorld, domain: str) -> None:
    state, method, assurance, reason = OTHERS[domain]
    async with delivering(living, living.world.dns_address) as willow:
        raw = body(text="A line of an invented letter.\r\n" * 50)
        accepted = await willow.submit(f"testina.sample@{domain}", protection=CODE, raw=raw)
        view = await willow.until(accepted, lambda view: ends(state, view), within=20)
        assert (view.method, view.assurance, view.attempts[0].reason) == (method, assurance, reason)


@pytest.fixture(scope="module")
def unbound(living: LivingWorld, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """A real validating resolver whose only anchor is the sandbox's."""
    host, upstream = living.world.dns_address
    binary = shutil.which("unbound") or "/usr/sbin/unbound"
    for attempt in range(5):
        folder = tmp_path_factory.mktemp(f"unbound{attempt}")
        port = free_port()
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
  ede: yes
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
        process = subprocess.Popen([binary, "-d", "-c", str(config)], stderr=subprocess.DEVNULL)
        try:
            if not _answers(process, port):
                continue  # somebody else took the port
            yield "127.0.0.1", port
            return
        finally:
            process.terminate()
            process.wait(10)
    raise AssertionError("unbound did not come up")


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    query = dns.message.make_query("ns.test", "A")
    for _ in range(60):
        if process.poll() is not None:
            return False
        try:
            dns.query.udp(query, "127.0.0.1", timeout=0.5, port=port)
            return True
        except (dns.exception.Timeout, OSError):
            continue
    return False


@pytest.mark.peers
@pytest.mark.parametrize(
    ("domain", "state", "assurance", "reason"),
    [
        ("dane.test", "sent", "AUTHENTICATED", "accepted"),
        ("signed.test", "sent", "AUTHENTICATED", "accepted"),
        ("verified.test", "sent", "VERIFIED", "accepted"),
        ("tlsamismatch.test", "deposited", "PORTAL", "dane-mismatch"),
        ("tlsaunusable.test", "deposited", "PORTAL", "dane-unusable"),
        ("tlsafail.test", "deferred", "", "tlsa-failure"),
        ("bogus.test", "deferred", "", "dns-bogus"),
    ],
)
async def test_a_real_validating_resolver_says_secure_insecure_and_bogus(
    living: LivingWorld, unbound: tuple[str, int], domain: str, state: str, assurance: str, reason: str
) -> None:
    """BI-033, BI-034: unbound validates; we believe its AD bit because it is on loopback."""
    async with delivering(living, unbound) as willow:
        accepted = await willow.submit(f"testina.sample@{domain}", protection=CODE)
        view = await willow.until(accepted, lambda view: ends(state, view), within=20)
        assert (view.assurance, view.attempts[0].reason) == (assurance, reason)


def test_every_sandbox_domain_is_looked_at() -> None:
    covered = {row.domain for row in EXPECTED} | set(OTHERS)
    left = {domain.name for domain in ALL} - covered
    # deaf and bogus take their time; lapsed is stories/test_delivery_unprotected; clinic is the sender's own side
    assert left == {"clinic.test", "deaf.test", "bogus.test", "lapsed.test"}
