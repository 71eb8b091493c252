"""What the sender is told (RFC 3461, RFC 3464): once, without the message, and never where nobody should be told."""

import email
import email.policy

import pytest

from carepost.delivery.schedule import Schedule
from carepost.ground.errors import Refused
from carepost.proof import kinds
from carepost.rfc import dsn
from carepost.rfc.envelope import Recipient
from carepost.wire.types import Origin
from tests.support.delivering import SENDER, Delivering, body, side
from tests.support.mailhost import Ca, MailHost

CANARY = "Quillfeather"


def world(ca: Ca, there: MailHost) -> tuple[dict[str, MailHost], dict[tuple[str, str], object], MailHost]:
    """The recipient's side, and the sender's own mail server, where reports arrive."""
    home = MailHost(ca.leaf("mx.willow.test").context())
    return {"mx.there.test": there, "mx.willow.test": home}, side("there.test") | side("willow.test"), home


def refusing(ca: Ca, reply: str = "550 5.1.1 <jane.roe@there.test>: no such user", **more: list[str]) -> MailHost:
    return MailHost(ca.leaf("mx.there.test").context(), says={"RCPT": [reply], **more})


async def test_a_refused_mailbox_is_reported_once_and_without_the_message(ca: Ca) -> None:
    hosts, zone, home = world(ca, refusing(ca))
    async with Delivering(hosts, zone, ca) as willow:
        raw = body(subject=f"About {CANARY}", text=f"Dear {CANARY}")
        view = await willow.ended(await willow.submit("jane.roe@there.test", raw=raw, envid="QQ314159"))
        assert (view.state, view.reason) == ("failed", "no-such-mailbox")
        await home.wait(1)
        ((envelope, report),) = home.messages
        assert envelope[0].startswith("MAIL FROM:<>") and envelope[1] == f"RCPT TO:<{SENDER}>"
        read = dsn.read(report)
        assert read is not None and read.envid == "QQ314159"
        (told,) = read.recipients
        assert (told.final, told.action, told.status) == ("jane.roe@there.test", "failed", "5.1.1")
        assert CANARY.encode() not in report
        assert b"no such user" not in report
        parsed = email.message_from_bytes(report, policy=email.policy.default)
        assert (parsed["Subject"], parsed["Auto-Submitted"]) == ("Delivery report", "auto-generated")
        assert parsed["From"].addresses[0].addr_spec == "mailer-daemon@willow.test"
        assert parsed["DKIM-Signature"] is not None


@pytest.mark.parametrize(
    ("domain", "status"),
    [("nobody.example", "5.1.2"), ("nullmx.test", "5.1.10"), ("empty.test", "5.1.2"), ("private.test", "5.4.4")],
)
async def test_a_domain_that_takes_no_mail_is_reported_at_once(ca: Ca, domain: str, status: str) -> None:
    """BI-029, BI-030, BI-031."""
    hosts, zone, home = world(ca, refusing(ca))
    zone |= {("nullmx.test", "MX"): "0 .", ("empty.test", "TXT"): '"x"', ("private.test", "MX"): "10 mx.private.test."}
    zone |= {("mx.private.test", "A"): "169.254.169.254"}
    async with Delivering(hosts, zone, ca) as willow:
        view = await willow.ended(await willow.submit(f"jane@{domain}"))
        assert (view.state, len(view.attempts)) == ("failed", 1)
        await home.wait(1)
        read = dsn.read(home.messages[0][1])
        assert read is not None and read.recipients[0].status == status


async def test_a_domain_whose_dns_is_broken_is_tried_again(ca: Ca) -> None:
    """BI-031, BI-033."""
    hosts, zone, home = world(ca, refusing(ca))
    zone |= {("broken.test", "MX"): "SERVFAIL", ("forged.test", "MX"): "BOGUS"}
    async with Delivering(hosts, zone, ca) as willow:
        for domain, reason in (("broken.test", "dns-failure"), ("forged.test", "dns-bogus")):
            view = await willow.deferred(await willow.submit(f"jane@{domain}"))
            assert (view.state, view.attempts[0].reason) == ("deferred", reason)
        assert not home.messages


async def test_notify_never_and_automatic_mail_are_told_nothing(ca: Ca) -> None:
    """RFC 3461 4.1, RFC 3834 2."""
    hosts, zone, home = world(ca, refusing(ca))
    async with Delivering(hosts, zone, ca) as willow:
        quiet = Recipient("jane.roe@there.test", notify=("NEVER",))
        assert (await willow.ended(await willow.submit(quiet))).state == "failed"
        only_success = Recipient("jane.roe@there.test", notify=("SUCCESS",))
        assert (await willow.ended(await willow.submit(only_success))).state == "failed"
        automatic = body(extra="Auto-Submitted: auto-replied\r\n")
        assert (await willow.ended(await willow.submit("jane.roe@there.test", raw=automatic))).state == "failed"
        bulk = body(extra="Precedence: bulk\r\n")
        assert (await willow.ended(await willow.submit("jane.roe@there.test", raw=bulk))).state == "failed"
        assert not home.messages
        assert len(await willow.events(kinds.MESSAGE_ACCEPTED)) == 4


async def test_errors_about_errors_end_here(ca: Ca) -> None:
    """BI-027, BI-028: a report that cannot be delivered makes no other."""
    hosts, zone, home = world(ca, refusing(ca))
    home.says["RCPT"] = ["550 5.1.1 no such user"]
    async with Delivering(hosts, zone, ca) as willow:
        assert (await willow.ended(await willow.submit("jane.roe@there.test"))).state == "failed"
        accepted = [e for e in await willow.events(kinds.MESSAGE_ACCEPTED) if e.facts.get("origin") == Origin.BOUNCE]
        assert len(accepted) == 1
        failed = []
        for _ in range(50):
            failed = await willow.events(kinds.DELIVERY_FAILED)
            if len(failed) == 2:
                break
            await willow.queue.drain(len(await willow.events()), 0, 1, wait_s=0.2)
        assert len(failed) == 2
        assert len(await willow.events(kinds.MESSAGE_ACCEPTED)) == 2


async def test_a_delay_is_told_once(ca: Ca) -> None:
    hosts, zone, home = world(ca, refusing(ca, "450 4.2.0 later"))
    schedule = Schedule(first=0.3, longest=0.3, give_up=24.0)
    async with Delivering(hosts, zone, ca, schedule=schedule) as willow:
        accepted = await willow.submit("jane.roe@there.test")
        await home.wait(1)
        read = dsn.read(home.messages[0][1])
        assert read is not None and read.recipients[0].action == "delayed"
        tries = len((await willow.view(accepted)).attempts)
        await willow.deferred(accepted, attempts=tries + 3)
        assert len(home.messages) == 1


async def test_success_is_relayed_never_delivered(ca: Ca) -> None:
    """A server without DSN: we tell the sender how far we know it came."""
    hosts, zone, home = world(ca, MailHost(ca.leaf("mx.there.test").context()))
    async with Delivering(hosts, zone, ca) as willow:
        asked = Recipient("jane.roe@there.test", notify=("SUCCESS", "FAILURE"))
        assert (await willow.ended(await willow.submit(asked))).state == "sent"
        await home.wait(1)
        read = dsn.read(home.messages[0][1])
        assert read is not None and read.recipients[0].action == "relayed"


async def test_a_server_with_dsn_is_handed_the_wish_and_never_asked_for_the_whole_message(ca: Ca) -> None:
    """DESIGN 3: RET=FULL is ignored; their report must not carry the message in clear."""
    there = MailHost(ca.leaf("mx.there.test").context(), offers=["PIPELINING", "DSN"])
    hosts, zone, home = world(ca, there)
    async with Delivering(hosts, zone, ca) as willow:
        asked = Recipient("jane.roe@there.test", notify=("SUCCESS",), orcpt="rfc822;jane.roe@there.test")
        assert (await willow.ended(await willow.submit(asked))).state == "sent"
        mail, rcpt = there.messages[0][0]
        assert mail == f"MAIL FROM:<{SENDER}> RET=HDRS"
        assert rcpt == "RCPT TO:<jane.roe@there.test> NOTIFY=SUCCESS ORCPT=rfc822;jane.roe@there.test"
        assert not home.messages


async def test_a_report_waits_where_the_sender_has_no_protected_side(ca: Ca) -> None:
    """DESIGN 3: it is mail at its addressee's floor; where that cannot be met it waits in the console."""
    hosts, zone, home = world(ca, refusing(ca))
    home.tls = None
    async with Delivering(hosts, zone, ca) as willow:
        await willow.ended(await willow.submit("jane.roe@there.test"))
        for _ in range(50):
            held = await willow.events(kinds.DELIVERY_HELD)
            if held:
                break
            await willow.queue.drain(len(await willow.events()), 0, 1, wait_s=0.2)
        assert [event.cause for event in held] == ["dsn-waits"]
        assert not home.messages and not home.bodies


async def test_a_message_that_has_been_everywhere_is_a_loop(ca: Ca) -> None:
    """BI-027: the door refuses the 101st Received; nothing is queued."""
    hosts, zone, _ = world(ca, refusing(ca))
    async with Delivering(hosts, zone, ca) as willow:
        trace = "Received: by mail.test with ESMTP id x;\r\n\tSat, 21 Nov 2026 12:00:00 +0000\r\n" * 101
        with pytest.raises(Refused) as refused:
            await willow.submit("jane.roe@there.test", raw=trace.encode() + body())
        assert refused.value.enhanced == "5.4.6"
