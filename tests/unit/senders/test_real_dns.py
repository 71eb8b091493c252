"""The course of questions over real packets: a name server on loopback, the engine's resolver, past its memory."""

import msgspec
import pytest

from carepost.crypto import dkim
from carepost.delivery.questions import Questions
from carepost.delivery.resolver import Resolver, Server
from carepost.rfc.asking import FAILED, Found, Question, Record
from carepost.senders import check, transport
from carepost.senders.types import Address, Asked, Key, Line, Part, State, Sts
from tests.support.nameserver import Names

_, RECORD = dkim.generate(dkim.RSA)
STS = Sts("enforce", ("*.clinic.test",), 604_800, "1")
ASKED = Asked(
    "clinic.test", "mail.clinic.test", (Key("s1", RECORD),), (Address("192.0.2.7", "mail.clinic.test"),),
    "d@clinic.test", "t@clinic.test", "bounce.clinic.test", "links.clinic.test", "portal.clinic.test", STS,
)  # fmt: skip
ZONE: dict[tuple[str, str], object] = {
    ("clinic.test", "TXT"): ['"v=spf1 include:_spf.clinic.test -all"', '"something else"'],
    ("_spf.clinic.test", "TXT"): '"v=spf1 ip4:192.0.2.0/24 -all"',
    # an RSA key is longer than one string of a TXT record
    ("s1._domainkey.clinic.test", "TXT"): f'"{RECORD[:200]}" "{RECORD[200:]}"',
    ("_dmarc.clinic.test", "TXT"): '"v=DMARC1; p=quarantine; rua=mailto:d@clinic.test"',
    ("_mta-sts.clinic.test", "TXT"): '"v=STSv1; id=1"',
    ("_smtp._tls.clinic.test", "TXT"): '"v=TLSRPTv1; rua=mailto:t@clinic.test"',
    ("clinic.test", "MX"): "10 mx.clinic.test.",
    ("bounce.clinic.test", "MX"): "10 mail.clinic.test.",
    ("bounce.clinic.test", "TXT"): '"v=spf1 a:mail.clinic.test -all"',
    ("mail.clinic.test", "A"): "192.0.2.7",
    ("portal.clinic.test", "A"): "192.0.2.9",
    ("links.clinic.test", "CNAME"): "portal.clinic.test.",
    ("7.2.0.192.in-addr.arpa", "PTR"): "mail.clinic.test.",
}


async def looked(names: Names, questions: Questions, asked: Asked = ASKED) -> dict[str, Line]:
    course = check.check(asked)
    try:
        question = next(course)
        while True:
            question = course.send(await questions.ask(msgspec.structs.replace(question, fresh=True)))
    except StopIteration as end:
        return {line.part.value: line for line in end.value}


async def policy(host: str) -> bytes:
    assert host == "mta-sts.clinic.test"
    return transport.text_of(STS).encode()


async def test_every_record_is_found_over_the_wire_and_a_change_is_seen_at_once() -> None:
    async with Names(ZONE) as names:
        questions = Questions(Resolver([Server(*names.address)], timeout=0.5), policy)
        found = await looked(names, questions)
        assert {line.state for line in found.values()} == {State.RIGHT}, found
        assert len(found) == len(Part) - 1, "all but reports to another domain"
        names.zone["s1._domainkey.clinic.test", "TXT"] = '"v=DMARC1; p="'
        names.zone["mail.clinic.test", "A"] = "198.51.100.1"
        after = await looked(names, questions)
        assert after["dkim"].state is State.DIFFERENT
        assert (after["return-spf"].code, after["reverse"].code) == ("without-us", "no-way-back")
        assert after["helo"].code == "elsewhere"


@pytest.mark.parametrize("how", ["SERVFAIL", "BOGUS", "DEAF"])
async def test_what_dns_does_not_say_is_unknown(how: str) -> None:
    zone = {place: how if place[0].startswith(("_dmarc", "s1.")) else found for place, found in ZONE.items()}
    async with Names(zone) as names:
        found = await looked(names, Questions(Resolver([Server(*names.address)], timeout=0.1), policy))
    assert {found[part].state for part in ("dkim", "dmarc")} == {State.UNKNOWN}
    assert found["spf"].state is State.RIGHT


async def test_a_policy_that_cannot_be_fetched_is_not_known() -> None:
    async def refused(host: str) -> bytes:
        raise OSError(host)

    for fetch in (refused, None):
        questions = Questions(Resolver([Server("127.0.0.1", 9)], timeout=0.05), fetch)
        assert await questions.ask(Question(Record.POLICY, "clinic.test")) == FAILED
    async with Names(ZONE) as names:
        answers = Questions(Resolver([Server(*names.address)], timeout=0.5), policy)
        assert await answers.ask(Question(Record.CNAME, "links.clinic.test")) == Found(names=("portal.clinic.test",))
