"""Typed answers from a real DNS server on loopback: what is there, what is not, and what nobody knows."""

import pytest

from carepost.delivery.resolver import Resolver, Server, Status, TlsaRecord, servers
from carepost.ground.errors import ConfigError
from tests.support.mailhost import Names

ZONE: dict[tuple[str, str], object] = {
    ("there.test", "MX"): ["20 mx2.there.test.", "10 MX.There.test."],
    ("mx.there.test", "A"): ["192.0.2.1", "192.0.2.2"],
    ("mx.there.test", "AAAA"): "2001:db8::1",
    ("_25._tcp.mx.there.test", "TLSA"): "3 1 1 " + "ab" * 32,
    ("_mta-sts.there.test", "TXT"): '"v=STSv1; " "id=1"',
    ("alias.test", "CNAME"): "there.test.",
    ("broken.test", "MX"): "SERVFAIL",
    ("forged.test", "MX"): "BOGUS",
    ("deaf.test", "MX"): "DEAF",
    ("null.test", "MX"): "0 .",
    ("big.test", "TXT"): [f'"{number:03d}{"x" * 200}"' for number in range(30)],
}


async def test_answers_are_typed() -> None:
    async with Names(ZONE, signed=("there.test",)) as names:
        resolver = Resolver([Server(*names.address, trusted=True)], timeout=1.0)
        mx = await resolver.mx("There.TEST.")
        assert (mx.status, mx.secure) == (Status.OK, True)
        assert sorted(mx.records) == [(10, "mx.there.test"), (20, "mx2.there.test")]
        assert sorted((await resolver.addresses("mx.there.test")).records) == ["192.0.2.1", "192.0.2.2"]
        assert (await resolver.addresses("mx.there.test", v6=True)).records == ("2001:db8::1",)
        assert (await resolver.tlsa("mx.there.test")).records == (TlsaRecord(3, 1, 1, b"\xab" * 32),)
        assert (await resolver.txt("_mta-sts.there.test")).records == (b"v=STSv1; id=1",)
        assert (await resolver.mx("null.test")).records == ((0, ""),)


async def test_what_is_not_there_and_what_nobody_knows_are_different() -> None:
    """BI-031, BI-033."""
    async with Names(ZONE) as names:
        resolver = Resolver([Server(*names.address)], timeout=0.2)
        assert (await resolver.mx("nobody.example")).status is Status.NXDOMAIN
        assert (await resolver.mx("mx.there.test")).status is Status.NODATA
        assert (await resolver.mx("broken.test")).status is Status.SERVFAIL
        assert (await resolver.mx("forged.test")).status is Status.BOGUS
        assert (await resolver.mx("deaf.test")).status is Status.TIMEOUT
        assert all([(await resolver.mx(d)).unknown for d in ("broken.test", "forged.test", "deaf.test")])


async def test_ad_is_believed_from_a_trusted_server_only() -> None:
    """RFC 6840 5.8: a distant server's AD bit is anybody's."""
    async with Names(ZONE, signed=("there.test",)) as names:
        assert not (await Resolver([Server(*names.address, trusted=False)]).mx("there.test")).secure
        assert (await Resolver([Server(*names.address, trusted=True)]).mx("there.test")).secure


async def test_answers_are_asked_once_and_failures_every_time() -> None:
    async with Names(ZONE) as names:
        resolver = Resolver([Server(*names.address)], timeout=1.0)
        await resolver.mx("there.test")
        await resolver.mx("there.test")
        assert names.asked.count(("there.test", "MX")) == 1
        await resolver.mx("broken.test")
        asked = names.asked.count(("broken.test", "MX"))
        await resolver.mx("broken.test")
        assert names.asked.count(("broken.test", "MX")) > asked


async def test_an_alias_says_where_it_led() -> None:
    async with Names(ZONE) as names:
        answer = await Resolver([Server(*names.address)]).mx("alias.test")
        assert (answer.status, answer.canonical) == (Status.OK, "there.test")


async def test_a_long_answer_comes_over_tcp() -> None:
    async with Names(ZONE) as names:
        assert len((await Resolver([Server(*names.address)]).txt("big.test")).records) == 30


async def test_a_second_server_answers_for_a_broken_first() -> None:
    async with Names({("there.test", "MX"): "SERVFAIL"}) as broken, Names(ZONE) as sound:
        resolver = Resolver([Server(*broken.address), Server(*sound.address)], timeout=0.5)
        assert (await resolver.mx("there.test")).status is Status.OK


@pytest.mark.fast
@pytest.mark.parametrize("name", ["a..test", "x" * 64 + ".test", ".".join(["label"] * 60)])
async def test_a_name_that_cannot_be_is_not_there(name: str) -> None:
    assert (await Resolver([Server("127.0.0.1", 1)]).mx(name)).status is Status.NXDOMAIN


@pytest.mark.fast
def test_only_loopback_servers_are_trusted_to_validate() -> None:
    found = servers(["127.0.0.1:5300", "192.0.2.53", "[::1]:5300", "::1"], validate=True)
    assert [(s.address, s.port, s.trusted) for s in found] == [
        ("127.0.0.1", 5300, True),
        ("192.0.2.53", 53, False),
        ("::1", 5300, True),
        ("::1", 53, True),
    ]
    assert not any(s.trusted for s in servers(["127.0.0.1"], validate=False))


@pytest.mark.fast
@pytest.mark.parametrize("name", ["resolver.example", "127.0.0.1:dns", "[::1]x", "127.0.0.1:70000"])
def test_a_wrong_setting_names_itself(name: str) -> None:
    with pytest.raises(ConfigError, match="resolvers"):
        servers([name], validate=False)
