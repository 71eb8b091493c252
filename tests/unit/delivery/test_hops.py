"""The next hops of a domain, from DNS on loopback: what is asked, what is not, and when it is temporary."""

from pathlib import Path

import pytest

from carepost.delivery import dane
from carepost.delivery.hops import Finder, Hops
from carepost.delivery.mtasts import Mode, Policy, Sts
from carepost.delivery.resolver import Resolver, Server
from carepost.directory.types import Route
from tests.support.mailhost import Ca, Names

TLSA = "3 1 1 " + "ab" * 32
ZONE: dict[tuple[str, str], object] = {
    ("there.test", "MX"): ["10 mx1.there.test.", "20 mx2.there.test."],
    ("mx1.there.test", "A"): "8.8.8.8",
    ("mx2.there.test", "A"): "8.8.4.4",
    ("_25._tcp.mx1.there.test", "TLSA"): TLSA,
    ("bad-tlsa.test", "MX"): "10 mx.bad-tlsa.test.",
    ("mx.bad-tlsa.test", "A"): "8.8.8.8",
    ("_25._tcp.mx.bad-tlsa.test", "TLSA"): "BOGUS",
    ("private.test", "MX"): ["10 mx.private.test.", "20 alias.private.test."],
    ("mx.private.test", "A"): "10.0.0.1",
    ("alias.private.test", "CNAME"): "mx1.there.test.",
    ("half.test", "MX"): ["10 lost.half.test.", "20 mx1.there.test."],
    ("lost.half.test", "A"): "SERVFAIL",
    ("gone.test", "MX"): "10 nowhere.gone.test.",
    ("hub.inside.test", "A"): "10.1.2.3",
}


class Known:
    """MTA-STS policies by domain."""

    def __init__(self, **policies: Policy) -> None:
        self.policies = {name.replace("_", "."): policy for name, policy in policies.items()}

    async def find(self, domain: str) -> Sts:
        return Sts(self.policies.get(domain))


async def find(domain: str, *signed: str, route: Route | None = None, **policies: Policy) -> tuple[Hops, Names]:
    async with Names(ZONE, signed) as names:
        resolver = Resolver([Server(*names.address, trusted=True)], timeout=0.5)
        return await Finder(resolver, Known(**policies)).find(domain, route), names


async def test_hosts_with_their_addresses_in_order() -> None:
    hops, _ = await find("there.test")
    assert [(hop.host, hop.addresses) for hop in hops.hops] == [
        ("mx1.there.test", ("8.8.8.8",)),
        ("mx2.there.test", ("8.8.4.4",)),
    ]
    assert (hops.fault, hops.secure) == ("", False)


async def test_tlsa_is_asked_only_where_mx_and_addresses_are_signed() -> None:
    """RFC 7672 2.2."""
    hops, names = await find("there.test", "there.test")
    assert [hop.tlsa.state for hop in hops.hops] == [dane.State.USABLE, dane.State.NONE]
    hops, names = await find("there.test")
    assert not any(kind == "TLSA" for _, kind in names.asked)
    assert [hop.tlsa.state for hop in hops.hops] == [dane.State.NONE, dane.State.NONE]


async def test_a_bogus_tlsa_answer_takes_the_host_out_and_may_pass() -> None:
    """BI-033: defer, never downgrade."""
    hops, _ = await find("bad-tlsa.test", "bad-tlsa.test")
    assert (hops.hops[0].fault, hops.fault) == ("tlsa-failure", "tlsa-failure")


async def test_private_and_aliased_hosts_leave_nothing_to_try() -> None:
    """BI-029."""
    hops, _ = await find("private.test")
    assert ([hop.fault for hop in hops.hops], hops.fault) == (["private", "alias"], "no-usable-host")
    hops, _ = await find("gone.test")
    assert hops.fault == "no-mail-host"


async def test_one_host_that_cannot_be_looked_up_leaves_the_other() -> None:
    hops, _ = await find("half.test")
    assert ([hop.fault for hop in hops.hops], hops.fault) == (["dns-failure", ""], "")


async def test_a_policy_in_force_takes_out_the_hosts_it_does_not_name() -> None:
    enforce = Policy(Mode.ENFORCE, ("mx2.there.test",), 86_400)
    hops, _ = await find("there.test", there_test=enforce)
    assert ([hop.fault for hop in hops.hops], hops.fault) == (["mta-sts-mx", ""], "")
    other = Policy(Mode.ENFORCE, ("mx.other.test",), 86_400)
    hops, _ = await find("there.test", there_test=other)
    assert hops.fault == "mta-sts-mx"
    testing = Policy(Mode.TESTING, ("mx.other.test",), 86_400)
    hops, _ = await find("there.test", there_test=testing)
    assert hops.fault == ""


async def test_a_pinned_route_may_stand_in_a_private_network() -> None:
    route = Route("there.test", "hub.inside.test", 2525, Ca().pem)
    hops, _ = await find("there.test", route=route)
    assert [(hop.host, hop.addresses, hop.port) for hop in hops.hops] == [("hub.inside.test", ("10.1.2.3",), 2525)]
    assert hops.pinned and hops.anchors is not None
    local, names = await find("there.test", route=Route("there.test", "localhost", 2526, Ca().pem))
    assert local.hops[0].addresses == ("127.0.0.1",)
    assert names.asked == []


async def test_routes_with_different_authorities_never_share_connections() -> None:
    one, _ = await find("there.test", route=Route("there.test", "localhost", 25, Ca().pem))
    two, _ = await find("there.test", route=Route("there.test", "localhost", 25, Ca().pem))
    assert one.identity != two.identity


async def test_the_answer_is_kept_and_said_again_as_the_same_value() -> None:
    async with Names(ZONE) as names:
        finder = Finder(Resolver([Server(*names.address)]), Known())
        assert finder.known("there.test") is None
        first = await finder.find("there.test")
        asked = len(names.asked)
        assert await finder.find("there.test") is first
        assert finder.known("there.test") is first
        assert len(names.asked) == asked


@pytest.mark.parametrize("domain", ["nobody.example"])
async def test_a_failure_is_asked_again_soon(domain: str, tmp_path: Path) -> None:
    async with Names(ZONE) as names:
        resolver = Resolver([Server(*names.address)])
        finder = Finder(resolver, Known())
        assert (await finder.find(domain)).fault == "no-such-domain"
        names.zone[domain, "MX"] = "10 mx1.there.test."
        resolver.forget()
        finder._known.clear()
        assert (await finder.find(domain)).fault == ""
