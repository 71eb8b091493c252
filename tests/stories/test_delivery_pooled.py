"""One mail host serves two domains: the connection opened for one is measured against the other's own promises (law 4).

What is reused is the connection, never the verdict."""

import hashlib

from carepost.directory.types import Route
from carepost.ground import clock
from carepost.policy.types import Access
from carepost.posture import StoredPolicy
from carepost.wire.types import AccessProof, Protection
from tests.support.delivering import Delivering, body
from tests.support.mailhost import Ca, MailHost

CODE = Protection(access=AccessProof(Access.CODE, "", "verifier"))
HOST = "mx.shared.test"


def zone() -> dict[tuple[str, str], object]:
    return {
        ("easy.test", "MX"): f"10 {HOST}.",
        ("strict.test", "MX"): f"10 {HOST}.",
        (HOST, "A"): "8.8.8.8",
    }


def recipients(host: MailHost) -> list[str]:
    return [envelope[1] for envelope, _ in host.messages]


async def test_an_enforced_policy_of_the_second_domain_is_kept_on_the_firsts_connection(ca: Ca) -> None:
    host = MailHost(ca.leaf(HOST).context())
    async with Delivering({HOST: host}, zone(), ca) as willow:
        now = clock.now()
        text = b"version: STSv1\nmode: enforce\nmx: mx.other.test\nmax_age: 86400\n"
        willow.posture.keep_policy("strict.test", StoredPolicy("1", text, now, now + 86_400_000_000))
        assert (await willow.ended(await willow.submit("jane@easy.test"))).assurance == "VERIFIED"
        view = await willow.ended(await willow.submit("john@strict.test", protection=CODE))
        assert (view.method, view.attempts[0].reason) == ("portal", "mta-sts-mx")
        assert (await willow.ended(await willow.submit("june@easy.test"))).state == "sent"
        assert recipients(host) == ["RCPT TO:<jane@easy.test>", "RCPT TO:<june@easy.test>"]


async def test_a_certificate_that_satisfies_one_policy_may_fail_the_others(ca: Ca) -> None:
    """The host's certificate names the easy domain alone: enough there, and not for a policy in force (BI-037)."""
    host = MailHost(ca.leaf("easy.test").context())
    async with Delivering({HOST: host}, zone(), ca) as willow:
        now = clock.now()
        text = b"version: STSv1\nmode: enforce\nmx: mx.shared.test\nmax_age: 86400\n"
        willow.posture.keep_policy("strict.test", StoredPolicy("1", text, now, now + 86_400_000_000))
        assert (await willow.ended(await willow.submit("jane@easy.test"))).assurance == "AUTHENTICATED"
        view = await willow.ended(await willow.submit("john@strict.test", protection=CODE))
        assert (view.method, view.attempts[0].reason) == ("portal", "wrong-name")
        assert (len(host.messages), host.handshakes) == (1, 1)


async def test_the_second_domains_signed_dns_makes_more_of_the_same_connection(ca: Ca) -> None:
    host = MailHost(ca.leaf(HOST).context())
    async with Delivering({HOST: host}, zone(), ca, signed=("strict.test",)) as willow:
        assert (await willow.ended(await willow.submit("jane@easy.test"))).assurance == "VERIFIED"
        assert (await willow.ended(await willow.submit("john@strict.test"))).assurance == "AUTHENTICATED"
        assert (host.connections, host.handshakes) == (1, 1)


async def test_a_tlsa_set_is_compared_with_the_pooled_connections_key(ca: Ca) -> None:
    """DANE for the signed domain, on a connection opened without it; a key that does not fit bars it."""
    leaf, other = ca.leaf(HOST), ca.leaf(HOST)
    host = MailHost(leaf.context())
    found = zone() | {(f"_25._tcp.{HOST}", "TLSA"): "3 1 1 " + hashlib.sha256(other.spki).hexdigest()}
    async with Delivering({HOST: host}, found, ca, signed=("strict.test", "shared.test")) as willow:
        assert (await willow.ended(await willow.submit("jane@easy.test"))).assurance == "VERIFIED"
        view = await willow.ended(await willow.submit("john@strict.test", protection=CODE))
        assert (view.method, view.attempts[0].reason) == ("portal", "dane-mismatch")
        assert recipients(host) == ["RCPT TO:<jane@easy.test>"]


async def test_a_pinned_route_never_shares_a_connection_with_others(ca: Ca) -> None:
    """Its own authority judges it; the same host over the system's store is another connection."""
    own = Ca("Clinic's own CA")
    host = MailHost(own.leaf(HOST).context())
    route = Route("easy.test", HOST, 25, own.pem)
    async with Delivering({HOST: host}, zone(), ca, routes=(route,)) as willow:
        pinned = await willow.ended(await willow.submit("jane@easy.test"))
        assert (pinned.state, pinned.assurance) == ("sent", "AUTHENTICATED")
        view = await willow.ended(await willow.submit("john@strict.test", protection=CODE))
        assert (view.method, view.attempts[0].reason) == ("portal", "unknown-issuer")
        assert (host.connections, recipients(host)) == (2, ["RCPT TO:<jane@easy.test>"])


async def test_a_pinned_route_with_another_certificate_takes_nothing(ca: Ca) -> None:
    host = MailHost(ca.leaf(HOST).context())
    route = Route("easy.test", HOST, 25, Ca("Clinic's own CA").pem)
    async with Delivering({HOST: host}, zone(), ca, routes=(route,)) as willow:
        view = await willow.ended(await willow.submit("jane@easy.test", protection=CODE))
        assert (view.method, view.attempts[0].reason) == ("portal", "unknown-issuer")
        assert not host.bodies


async def test_twenty_messages_at_once_use_no_more_connections_than_allowed(ca: Ca) -> None:
    host = MailHost(ca.leaf(HOST).context())
    async with Delivering({HOST: host}, zone(), ca) as willow:
        willow.courier._per_host = 3
        accepted = [await willow.submit(f"person{n}@easy.test", raw=body()) for n in range(20)]
        assert {(await willow.ended(one)).state for one in accepted} == {"sent"}
        assert (len(host.messages), host.connections <= 3) == (20, True)
