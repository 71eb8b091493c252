"""Which hosts are tried, in which order, and which never (RFC 5321 5.1, RFC 7505)."""

import pytest

from carepost.delivery import mx
from carepost.delivery.resolver import Resolver, Server
from tests.support.mailhost import Names

ZONE: dict[tuple[str, str], object] = {
    ("there.test", "MX"): ["30 c.there.test.", "10 a.there.test.", "20 b.there.test."],
    ("even.test", "MX"): [f"10 {letter}.even.test." for letter in "abcdefgh"],
    ("a.there.test", "A"): "203.0.113.5",
    ("null.test", "MX"): "0 .",
    ("mixed.test", "MX"): ["0 .", "10 mx.mixed.test."],
    ("implicit.test", "A"): "203.0.113.9",
    ("alias.test", "CNAME"): "there.test.",
    ("empty.test", "TXT"): '"here"',
    ("broken.test", "MX"): "SERVFAIL",
    ("forged.test", "MX"): "BOGUS",
    ("many.test", "MX"): [f"{number} mx{number}.many.test." for number in range(500)],
    ("literal.test", "MX"): ["10 203.0.113.7.", "10 127.0.0.1."],
    ("ours.test", "MX"): ["10 better.ours.test.", "20 mail.clinic.test.", "20 same.ours.test.", "30 worse.ours.test."],
    ("loop.test", "MX"): "10 mail.clinic.test.",
    ("private.test", "A"): ["10.0.0.1", "169.254.169.254", "192.168.1.1", "127.0.0.1"],
    ("private.test", "AAAA"): ["::1", "fe80::1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1"],
    ("half.test", "A"): ["10.0.0.1", "8.8.8.8"],
    ("cname.test", "CNAME"): "a.there.test.",
    ("many-addresses.test", "A"): [f"8.8.{number // 250}.{number % 250 + 1}" for number in range(200)],
    ("one-family.test", "A"): "8.8.4.4",
    ("one-family.test", "AAAA"): "SERVFAIL",
    ("lost.test", "A"): "SERVFAIL",
}


async def found(domain: str, signed: tuple[str, ...] = ()) -> mx.Mx:
    async with Names(ZONE, signed) as names:
        resolver = Resolver([Server(*names.address, trusted=True)], timeout=0.5)
        return await mx.find(resolver, domain, ours=("mail.clinic.test",))


async def reached(host: str, signed: tuple[str, ...] = (), **how: object) -> mx.Reach:
    async with Names(ZONE, signed) as names:
        resolver = Resolver([Server(*names.address, trusted=True)], timeout=0.5)
        return await mx.reach(resolver, host, 25, **how)  # type: ignore[arg-type]


async def test_hosts_come_by_preference() -> None:
    assert (await found("there.test")).hosts == ("a.there.test", "b.there.test", "c.there.test")


async def test_hosts_of_one_preference_come_at_random() -> None:
    async with Names(ZONE) as names:
        resolver = Resolver([Server(*names.address)], timeout=0.5)
        orders = {(await mx.find(resolver, "even.test")).hosts for _ in range(12)}
    assert len(orders) > 1


async def test_null_mx_takes_no_mail() -> None:
    """BI-030, RFC 7505: at once, and the domain's address is never tried."""
    assert (await found("null.test")).fault == "null-mx"
    assert (await found("mixed.test")).hosts == ("mx.mixed.test",)


async def test_without_mx_the_domain_is_its_own_host() -> None:
    got = await found("implicit.test")
    assert (got.hosts, got.implicit, got.fault) == (("implicit.test",), True, "")


async def test_a_domain_that_is_an_alias_is_followed() -> None:
    got = await found("alias.test")
    assert (got.hosts[0], got.canonical) == ("a.there.test", "there.test")


@pytest.mark.parametrize(
    ("domain", "fault"),
    [("nobody.example", "no-such-domain"), ("broken.test", "dns-failure"), ("forged.test", "dns-bogus")],
)
async def test_what_is_not_known_is_not_absent(domain: str, fault: str) -> None:
    """BI-031: SERVFAIL defers, NXDOMAIN fails."""
    assert (await found(domain)).fault == fault


async def test_five_hundred_hosts_are_bounded() -> None:
    """BI-032: the best ones are kept."""
    assert (await found("many.test")).hosts == tuple(f"mx{number}.many.test" for number in range(mx.HOSTS))


async def test_an_address_is_no_host() -> None:
    """BI-029."""
    got = await found("literal.test")
    assert (got.hosts, got.fault) == ((), "no-usable-host")
    assert {why for _, why in got.passed_over} == {"literal"}


async def test_our_own_name_ends_the_list() -> None:
    """RFC 5321 5.1: whoever is as near as we are, or farther, would hand it back."""
    assert (await found("ours.test")).hosts == ("better.ours.test",)
    assert (await found("loop.test")).fault == "mail-loop"


async def test_a_signed_answer_says_so() -> None:
    assert (await found("there.test", signed=("there.test",))).secure
    assert not (await found("there.test")).secure


@pytest.mark.parametrize(
    ("host", "fault"),
    [
        ("private.test", "private"),
        ("cname.test", "alias"),
        ("nobody.example", "no-address"),
        ("empty.test", "no-address"),
        ("lost.test", "dns-failure"),
    ],
)
async def test_a_target_is_refused(host: str, fault: str) -> None:
    """BI-029: private, link-local and loopback addresses in every spelling, and aliases."""
    assert (await reached(host)).fault == fault


async def test_a_private_address_beside_a_public_one_is_passed_over() -> None:
    assert (await reached("half.test")).addresses == ("8.8.8.8",)


async def test_two_hundred_addresses_are_bounded() -> None:
    """BI-032."""
    assert len((await reached("many-addresses.test")).addresses) == mx.ADDRESSES


async def test_the_dial_table_stands_in_for_addresses_only() -> None:
    got = await reached("private.test", signed=("private.test",), dial={"private.test": ("127.0.0.1", 2526)})
    assert (got.addresses, got.port, got.secure) == (("127.0.0.1",), 2526, True)
    assert (await reached("nobody.example", dial={"nobody.example": ("127.0.0.1", 2526)})).fault == "no-address"


async def test_a_broken_answer_of_one_family_does_not_switch_dane_off() -> None:
    """RFC 7672 2.1.1: whoever can break the AAAA answer must not make the signed A answer unsigned."""
    got = await reached("one-family.test", signed=("one-family.test",))
    assert (got.addresses, got.secure) == (("8.8.4.4",), True)


@pytest.mark.fast
@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "127.0.0.1", "0.0.0.0", "169.254.169.254", "192.168.0.1", "172.16.0.1", "100.64.0.1", "224.0.0.1",
     "240.0.0.1", "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
     "2002:7f00:1::", "64:ff9b::7f00:1", "2001:db8::1", "not-an-address"],
)  # fmt: skip
def test_an_address_that_is_not_the_public_networks_is_refused(address: str) -> None:
    """BI-029."""
    assert mx.refused(address)


@pytest.mark.fast
@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_a_public_address_is_not(address: str) -> None:
    assert not mx.refused(address)
