"""Sides whose protection is not what is required never see a body; the recipient gets the message another way."""

from datetime import timedelta

import msgspec
import pytest

from carepost.ground import clock, ids
from carepost.intake import agreed
from carepost.policy.types import Access, Assurance, Rule
from carepost.posture import StoredPolicy
from carepost.proof import kinds
from carepost.queue.acts import Wish
from carepost.wire.types import AccessProof, Actor, Protection
from tests.support.delivering import WILLOW, Delivering, side
from tests.support.mailhost import Ca, MailHost, Pair, make

DAY = timedelta(days=1)
CODE = Protection(access=AccessProof(Access.CODE, "", "verifier"))


def saw_no_message(host: MailHost) -> bool:
    return (
        not host.messages and not host.bodies and not any(c.startswith(("MAIL", "RCPT", "DATA")) for c in host.commands)
    )


def leaf(ca: Ca, kind: str) -> Pair:
    return {
        "expired": lambda: ca.leaf("mx.there.test", start=-40 * DAY, life=30 * DAY),
        "wrong-name": lambda: ca.leaf("mx.elsewhere.test"),
        "self-signed": lambda: make("mx.there.test", ("mx.there.test",)),
        "unknown-issuer": lambda: Ca("Another").leaf("mx.there.test"),
    }[kind]()


@pytest.mark.parametrize("kind", ["expired", "wrong-name", "self-signed", "unknown-issuer"])
async def test_a_certificate_nobody_vouches_for_leads_to_the_portal(ca: Ca, kind: str) -> None:
    """BI-038; every method change is an event with what was required and what was seen."""
    host = MailHost(leaf(ca, kind).context())
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        view = await willow.ended(await willow.submit("jane.roe@there.test"))
        assert (view.state, view.method, view.assurance, view.rule) == (
            "deposited", "portal", "MAILBOX", "portal-by-mail",
        )  # fmt: skip
        first, second = view.attempts
        assert (first.method, first.required, first.achieved, first.reason) == ("tls", "VERIFIED", "ENCRYPTED", kind)
        assert (first.stage, first.result) == ("floor", "next-method")
        assert (second.method, second.result) == ("portal", "deposited")
        assert saw_no_message(host)
        (changed,) = await willow.events(kinds.DELIVERY_METHOD_CHANGED)
        assert changed.facts["from-method"] == "tls" and changed.facts["method"] == "portal"
        assert (changed.facts["required"], changed.facts["achieved"], changed.cause) == ("VERIFIED", "ENCRYPTED", kind)


async def test_without_tls_the_portal_needs_an_access_code(ca: Ca) -> None:
    """DESIGN 3: an e-mailed code never opens it where the side ended below ENCRYPTED."""
    host = MailHost()
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        held = await willow.ended(await willow.submit("jane.roe@there.test"))
        assert (held.state, held.reason) == ("held", "needs-access-code")
        view = await willow.ended(await willow.submit("jane.roe@there.test", protection=CODE))
        assert (view.state, view.assurance) == ("deposited", "PORTAL")
        assert saw_no_message(host)
        (event,) = await willow.events(kinds.DELIVERY_HELD)
        assert (event.cause, event.facts["achieved"]) == ("needs-access-code", "NONE")


async def test_what_waits_for_a_code_is_given_one_and_the_same_message_goes_on(ca: Ca) -> None:
    host = MailHost()
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        taken = await willow.submit("jane.roe@there.test")
        held = await willow.ended(taken)
        assert (held.state, held.reason) == ("held", "needs-access-code")
        wish = Wish(access=agreed.proof("owl-7714", "", "", late=True))
        (done,) = (
            await willow.queue.act("agree", WILLOW, (ids.parse(held.id),), Actor("staff", "ada"), "by phone", (), wish)
        ).values()
        assert done == "queued"
        view = await willow.ended(taken)
        assert (view.state, view.method, view.assurance) == ("deposited", "portal", "PORTAL")
        (event,) = await willow.events(kinds.DELIVERY_ACCESS_AGREED)
        assert (event.actor.id, event.facts) == ("ada", {"state": "queued", "access": "code"})
        assert saw_no_message(host)


async def test_starttls_that_is_refused_or_gone_never_lets_a_body_through(ca: Ca) -> None:
    """BI-010 and `stripped.test`: announced once, answered 454, then not even announced."""
    host = MailHost(ca.leaf("mx.there.test").context(), says={"STARTTLS": ["454 4.7.0 not now"]})
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        first = await willow.ended(await willow.submit("jane.roe@there.test"))
        assert (first.state, first.reason, first.attempts[0].reason) == (
            "held",
            "needs-access-code",
            "starttls-refused",
        )
        host.tls = None
        for connection in list(willow.courier._live):
            connection.abort("lost")
        second = await willow.ended(await willow.submit("jane.roe@there.test", protection=CODE))
        assert (second.state, second.assurance) == ("deposited", "PORTAL")
        assert saw_no_message(host)
        assert willow.posture.starttls_once("there.test")


async def test_tls_that_was_there_and_is_lost_raises_an_alarm_and_weakens_the_destination(ca: Ca) -> None:
    """Posture: next method, and an alert, until it was stable for a day."""
    host = MailHost(ca.leaf("mx.there.test").context())
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        assert (await willow.ended(await willow.submit("jane.roe@there.test"))).state == "sent"
        tls, host.tls = host.tls, None
        for connection in list(willow.courier._live):
            connection.abort("lost")
        assert (await willow.ended(await willow.submit("jane.roe@there.test"))).state == "held"
        (alarm,) = await willow.events("destination.weakened")
        assert alarm.cause == "tls-lost"
        host.tls = tls
        again = await willow.ended(await willow.submit("jane.roe@there.test", protection=CODE))
        assert (again.state, again.method) == ("deposited", "portal")
        assert len(host.messages) == 1
        # a day later (posture's own clock is tested in tests/unit/posture)
        record = willow.posture._find("there.test")
        day = 25 * 3_600_000_000
        willow.posture._put(msgspec.structs.replace(record, lost_at=record.lost_at - day, back_at=record.back_at - day))
        willow.change()
        assert (await willow.ended(await willow.submit("jane.roe@there.test"))).state == "sent"


async def test_an_mx_that_moves_in_unsigned_dns_is_not_believed_for_a_day(ca: Ca) -> None:
    host, other = MailHost(ca.leaf("mx.there.test").context()), MailHost(ca.leaf("mx.evil.test").context())
    zone = side("there.test") | {("mx.evil.test", "A"): "8.8.4.4"}
    async with Delivering({"mx.there.test": host, "mx.evil.test": other}, zone, ca) as willow:
        assert (await willow.ended(await willow.submit("jane.roe@there.test"))).state == "sent"
        willow.names.zone["there.test", "MX"] = "10 mx.evil.test."
        willow.resolver.forget()
        willow.finder._known.clear()
        view = await willow.ended(await willow.submit("jane.roe@there.test"))
        assert (view.method, view.attempts[0].reason) == ("portal", "mx-moved")
        assert saw_no_message(other)
        assert [e.cause for e in await willow.events("destination.weakened")] == ["mx-moved"]


async def test_text_before_the_handshake_ends_the_session(ca: Ca) -> None:
    """BI-009: response injection; the extra octets are dropped and nothing is sent."""
    says = {"STARTTLS": [b"220 go ahead\r\n250 mail.test\r\n"]}
    host = MailHost(ca.leaf("mx.there.test").context(), says=says)
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        view = await willow.ended(await willow.submit("jane.roe@there.test", protection=CODE))
        assert (view.attempts[0].reason, view.method) == ("starttls-injected", "portal")
        assert saw_no_message(host)
        assert host.handshakes == 0


async def test_an_old_protocol_version_is_refused(ca: Ca) -> None:
    """BI-039: what OpenSSL answers that speaks TLS 1.1 at most: the alert protocol_version."""
    host = MailHost(ca.leaf("mx.there.test").context(), says={"HELLO": [b"\x15\x03\x02\x00\x02\x02\x46"]})
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        view = await willow.ended(await willow.submit("jane.roe@there.test", protection=CODE))
        assert (view.attempts[0].reason, view.method) == ("tls-failed", "portal")
        assert saw_no_message(host)


async def test_an_enforced_policy_without_tls_lets_nothing_through_at_any_floor(ca: Ca) -> None:
    """BI-011, with an attested floor of NONE: the recipient's own promise stands above ours."""
    lowered = Rule("no-phi", floor=Assurance.NONE, attestation="no PHI in these")
    host = MailHost()
    async with Delivering({"mx.there.test": host}, side("there.test"), ca, rules=(lowered,)) as willow:
        text = b"version: STSv1\nmode: enforce\nmx: mx.there.test\nmax_age: 86400\n"
        now = clock.now()
        willow.posture.keep_policy("there.test", StoredPolicy("1", text, now, now + 86_400_000_000))
        accepted = await willow.submit("jane.roe@there.test")
        view = await willow.until(accepted, lambda v: bool(v.attempts))
        assert (view.attempts[0].reason, view.state != "sent") == ("no-tls", True)
        assert saw_no_message(host)


async def test_an_attested_floor_of_none_may_go_in_clear_where_tls_was_never_seen(ca: Ca) -> None:
    lowered = Rule("no-phi", floor=Assurance.NONE, attestation="no PHI in these")
    host = MailHost()
    async with Delivering({"mx.there.test": host}, side("there.test"), ca, rules=(lowered,)) as willow:
        view = await willow.ended(await willow.submit("jane.roe@there.test"))
        assert (view.state, view.assurance) == ("sent", "NONE")
        assert len(host.messages) == 1


async def test_a_rule_that_requires_more_is_kept(ca: Ca) -> None:
    raised = Rule("strict", recipient_domain="there.test", floor=Assurance.AUTHENTICATED)
    host = MailHost(ca.leaf("mx.there.test").context())
    async with Delivering({"mx.there.test": host}, side("there.test"), ca, rules=(raised,)) as willow:
        view = await willow.ended(await willow.submit("jane.roe@there.test", protection=CODE))
        assert (view.attempts[0].required, view.attempts[0].achieved) == ("AUTHENTICATED", "VERIFIED")
        assert view.state == "deposited"
        assert saw_no_message(host)


async def test_a_signed_mx_name_is_authenticated(ca: Ca) -> None:
    host = MailHost(ca.leaf("mx.there.test").context())
    async with Delivering({"mx.there.test": host}, side("there.test"), ca, signed=("there.test",)) as willow:
        view = await willow.ended(await willow.submit("jane.roe@there.test"))
        assert (view.state, view.assurance) == ("sent", "AUTHENTICATED")
