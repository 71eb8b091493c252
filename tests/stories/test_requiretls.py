"""REQUIRETLS (RFC 8689): what a sender asked of every hop is asked of the next one, or the copy does not go there; and
`TLS-Required: No`, which lets promises of the other side go only where the organisation allows it."""

import pytest

from carepost.policy.types import Access, Assurance, Method, Rule
from carepost.proof import kinds
from carepost.wire.types import AccessProof, Protection
from tests.support.delivering import BY_MAIL, Delivering, body, side
from tests.support.mailhost import Ca, MailHost

TO = "jane.roe@there.test"
OFFERS = ("PIPELINING", "8BITMIME", "SIZE 10000000", "REQUIRETLS")
SIGNED = ("there.test", "mx.there.test")
#: as the session asks (`reception.smtp.handover`)
ASKED = Protection(Assurance.AUTHENTICATED)
CODE = Protection(Assurance.AUTHENTICATED, (), AccessProof(Access.CODE, "", "verifier"))
DANE = {("there.test", "MX"): "10 mx.there.test.", ("mx.there.test", "A"): "8.8.8.8",
        ("_25._tcp.mx.there.test", "TLSA"): "3 1 1 " + "00" * 32}  # fmt: skip


def host(ca: Ca, *, offers: tuple[str, ...] = OFFERS) -> MailHost:
    return MailHost(ca.leaf("mx.there.test").context(), offers=offers)


async def test_it_is_said_to_the_next_host_found_by_signed_dns(ca: Ca) -> None:
    there = host(ca)
    async with Delivering({"mx.there.test": there}, side("there.test"), ca, signed=SIGNED) as willow:
        view = await willow.ended(await willow.submit(TO, requiretls=True, protection=ASKED))
        assert (view.state, view.method, view.attempts[-1].achieved) == ("sent", "tls", "AUTHENTICATED")
        ((envelope, _),) = there.messages
        assert envelope[0].startswith("MAIL FROM:<nurse@willow.test> ") and envelope[0].endswith(" REQUIRETLS")
        (accepted,) = await willow.events(kinds.MESSAGE_ACCEPTED)
        assert accepted.facts["requiretls"] == "yes"
        # another message over the same connection, which asks for nothing, says nothing
        await willow.ended(await willow.submit(TO))
        assert there.connections == 1 and "REQUIRETLS" not in there.messages[1][0][0]


@pytest.mark.parametrize("lacks", ["keyword", "secure-look-up"])
async def test_a_host_that_lacks_something_never_sees_it_and_the_sender_is_told(ca: Ca, lacks: str) -> None:
    there = host(ca, offers=OFFERS if lacks != "keyword" else OFFERS[:-1])
    zone = side("there.test")
    if lacks == "secure-look-up":
        # a certificate in the recipient's own name proves the host; its MX was still found without proof
        there.tls = ca.leaf("mx.there.test", "there.test").context()
    signed = SIGNED if lacks == "keyword" else ()
    alone = Protection(Assurance.AUTHENTICATED, (Method.TLS,))
    async with Delivering({"mx.there.test": there}, zone, ca, signed=signed, rules=()) as willow:
        accepted = await willow.submit(TO, requiretls=True, protection=alone)
        view = await willow.ended(accepted)
        assert (view.state, view.reason) == ("failed", "no-requiretls")
        assert view.attempts[-1].stage == "floor" and not there.messages
        assert not any(one.startswith("MAIL") for one in there.commands)
        origins = [one.facts["origin"] for one in await willow.events(kinds.MESSAGE_ACCEPTED)]
        assert origins == ["smtp", "bounce"]


async def test_another_method_of_the_plan_is_taken_before_it_is_given_back(ca: Ca) -> None:
    there = host(ca, offers=OFFERS[:-1])
    async with Delivering({"mx.there.test": there}, side("there.test"), ca, signed=SIGNED) as willow:
        view = await willow.ended(await willow.submit(TO, requiretls=True, protection=CODE))
        assert (view.state, view.method, view.assurance) == ("deposited", "portal", "PORTAL")
        assert view.attempts[0].reason == "no-requiretls" and not there.messages


async def test_the_second_host_that_promises_it_gets_it(ca: Ca) -> None:
    first, second = host(ca, offers=OFFERS[:-1]), MailHost(ca.leaf("mx2.there.test").context(), offers=OFFERS)
    zone = side("there.test") | {
        ("there.test", "MX"): ["10 mx.there.test.", "20 mx2.there.test."], ("mx2.there.test", "A"): "8.8.4.4",
    }  # fmt: skip
    hosts = {"mx.there.test": first, "mx2.there.test": second}
    async with Delivering(hosts, zone, ca, signed=(*SIGNED, "mx2.there.test")) as willow:
        view = await willow.ended(await willow.submit(TO, requiretls=True, protection=ASKED))
        assert view.state == "sent" and len(second.messages) == 1 and not first.messages


async def test_tls_required_no_lets_a_broken_promise_go_only_where_the_organisation_allows_it(ca: Ca) -> None:
    """RFC 8689 4.2.2. The host does not hold the key its domain publishes."""
    said = body(extra="TLS-Required: No\r\n")
    allowed = Rule(
        "unimportant", header="TLS-Required", contains="no", floor=Assurance.ENCRYPTED, methods=(Method.TLS,),
        attestation="Newsletters of the cafeteria, no health information.",
    )  # fmt: skip
    for rules, raw, sent in (
        ((allowed,), said, True),
        ((allowed,), body(), False),
        ((), said, False),
        ((allowed,), body(extra="TLS-Required: No\r\nTLS-Required: No\r\n"), False),
        ((allowed,), body(extra="TLS-Required: Nothing\r\n"), False),
    ):
        there = host(ca)
        zone = dict(DANE)
        signed = (*SIGNED, "_25._tcp.mx.there.test")
        async with Delivering({"mx.there.test": there}, zone, ca, signed=signed, rules=(*rules, BY_MAIL)) as willow:
            accepted = await willow.submit(TO, raw=raw)
            view = await willow.until(accepted, lambda view: bool(view.attempts))
            assert bool(there.messages) is sent, (rules, raw, view)
            if not sent:
                assert view.attempts[0].reason == "dane-mismatch"
            else:
                assert b"\r\nTLS-Required: No\r\n" in there.messages[0][1]
                assert "REQUIRETLS" not in there.messages[0][0][0]


async def test_where_both_are_said_requiretls_counts(ca: Ca) -> None:
    """RFC 8689 4.1: the header must then be ignored."""
    allowed = Rule(
        "unimportant", header="TLS-Required", contains="no", floor=Assurance.ENCRYPTED, attestation="No health data.",
    )  # fmt: skip
    there = host(ca)
    signed = (*SIGNED, "_25._tcp.mx.there.test")
    async with Delivering({"mx.there.test": there}, dict(DANE), ca, signed=signed, rules=(allowed,)) as willow:
        raw = body(extra="TLS-Required: No\r\n")
        accepted = await willow.submit(TO, raw=raw, requiretls=True, protection=ASKED)
        view = await willow.until(accepted, lambda view: bool(view.attempts))
        assert view.attempts[0].reason == "dane-mismatch" and not there.messages
