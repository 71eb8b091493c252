"""Connections that end, hang or babble at every stage: what was surely not sent is made again; what may have arrived is
uncertain and stays with its method (law 6)."""

import pytest

from carepost.delivery.schedule import Schedule
from carepost.policy.types import Access
from carepost.proof import kinds
from carepost.wire.types import AccessProof, Protection
from tests.support.delivering import Delivering, body, side
from tests.support.mailhost import Ca, MailHost

CODE = Protection(access=AccessProof(Access.CODE, "", "verifier"))


def there(ca: Ca, **says: list[str | bytes]) -> MailHost:
    return MailHost(ca.leaf("mx.there.test").context(), says=dict(says))


@pytest.mark.parametrize("stage", ["BANNER", "EHLO", "STARTTLS", "SECURE", "MAIL", "RCPT", "DATA"])
async def test_a_connection_that_ends_before_the_dot_is_made_again_and_not_uncertain(ca: Ca, stage: str) -> None:
    good = {"BANNER": "220 hi", "STARTTLS": "220 go", "DATA": "354 go"}.get(stage, "250 ok")
    if stage in ("EHLO", "SECURE"):
        good = (
            "250-mail.test\r\n250-PIPELINING\r\n250 STARTTLS" if stage == "EHLO" else "250-mail.test\r\n250 PIPELINING"
        )
    host = there(ca, **{stage: ["DROP", good]})
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        view = await willow.ended(await willow.submit("jane.roe@there.test"))
        assert view.state == "sent"
        first, *_, last = view.attempts
        assert (first.result, first.uncertain, last.result) == ("deferred", False, "sent")
        assert len(host.messages) == 1
        (deferred,) = await willow.events(kinds.DELIVERY_DEFERRED)
        assert deferred.cause in ("lost", "tls-broken")


async def test_a_connection_that_ends_in_the_body_is_made_again_and_not_uncertain(ca: Ca) -> None:
    """The body is larger than what the network takes, so the dot was never handed over."""
    host = MailHost(ca.leaf("mx.there.test").context(), offers=["PIPELINING"])
    host.drop_after = 100_000
    text = "\r\n".join("x" * 900 for _ in range(24_000))
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        accepted = await willow.submit("jane.roe@there.test", raw=body(text=text))
        view = await willow.deferred(accepted)
        assert (view.attempts[0].stage, view.attempts[0].uncertain) == ("data", False)


async def test_a_reply_lost_after_the_dot_is_uncertain_and_sent_again_in_the_same_way(ca: Ca) -> None:
    """BI-023: same method, same Message-ID, on record as uncertain."""
    host = there(ca, DOT=["DROP", "250 2.0.0 taken"])
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        view = await willow.ended(await willow.submit("jane.roe@there.test", protection=CODE))
        first, second = view.attempts
        assert (first.result, first.uncertain, first.reason) == ("uncertain", True, "reply-lost")
        assert (second.method, second.result) == ("tls", "sent")
        ids = [[line for line in raw.split(b"\r\n") if line.startswith(b"Message-ID")] for _, raw in host.messages]
        assert len(ids) == 2 and ids[0] == ids[1]
        (event,) = await willow.events(kinds.DELIVERY_UNCERTAIN)
        assert event.result == "uncertain" and {"sent", "mail", "wire"} <= set(event.commit)


async def test_an_uncertain_delivery_never_moves_to_another_method(ca: Ca) -> None:
    """Law 6, also when the server then loses its TLS: a person has to look."""
    host = there(ca, DOT=["DROP"])
    schedule = Schedule(first=0.5, longest=0.5, give_up=8.0)
    async with Delivering({"mx.there.test": host}, side("there.test"), ca, schedule=schedule, patience=0) as willow:
        accepted = await willow.submit("jane.roe@there.test", protection=CODE)
        await willow.until(accepted, lambda view: bool(view.attempts) and view.attempts[0].uncertain)
        host.tls = None
        view = await willow.ended(accepted)
        assert (view.state, view.reason, {a.method for a in view.attempts}) == ("held", "uncertain-bound", {"tls"})
        assert not await willow.events(kinds.DELIVERY_METHOD_CHANGED)
        assert not await willow.events(kinds.DELIVERY_DEPOSITED)


async def test_an_uncertain_delivery_fails_when_its_time_is_over(ca: Ca) -> None:
    host = there(ca, DOT=["DROP"])
    schedule = Schedule(first=0.5, longest=0.5, give_up=1.2)
    async with Delivering({"mx.there.test": host}, side("there.test"), ca, schedule=schedule, patience=0) as willow:
        view = await willow.ended(await willow.submit("jane.roe@there.test", protection=CODE))
        assert (view.state, {a.method for a in view.attempts}) == ("failed", {"tls"})
        assert "may have arrived" in view.words


@pytest.mark.parametrize("reply", [b"banana\r\n", b"999 what\r\n", b"250-ok\r\n251 ok\r\n", b"354 go on\r\n"])
async def test_an_answer_to_the_dot_that_is_none_is_uncertain(ca: Ca, reply: bytes) -> None:
    """BI-024."""
    host = there(ca, DOT=[reply, "250 ok"])
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        view = await willow.ended(await willow.submit("jane.roe@there.test"))
        assert (view.attempts[0].uncertain, view.attempts[-1].result) == (True, "sent")


async def test_a_server_that_hangs_is_left_after_its_time(ca: Ca) -> None:
    host = there(ca, DATA=["HANG"])
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        view = await willow.deferred(await willow.submit("jane.roe@there.test"))
        assert (view.attempts[0].reason, view.attempts[0].uncertain) == ("timeout", False)
        assert not host.messages


async def test_a_server_that_hangs_after_the_dot_leaves_it_uncertain(ca: Ca) -> None:
    host = there(ca, DOT=["HANG"])
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        view = await willow.deferred(await willow.submit("jane.roe@there.test"))
        assert view.attempts[0].uncertain


async def test_greylisting_passes_with_the_same_envelope(ca: Ca) -> None:
    """RFC 6647: same sender and recipient at every try."""
    host = there(ca, RCPT=["450 4.7.1 greylisted, come back", "250 ok"])
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        view = await willow.ended(await willow.submit("jane.roe@there.test"))
        assert [a.result for a in view.attempts] == ["deferred", "sent"]
        mails = {c.split(" SIZE")[0] for c in host.commands if c.startswith("MAIL")}
        assert len(mails) == 1
        assert len(host.messages) == 1


async def test_a_354_after_a_refused_recipient_gets_an_empty_message_and_never_the_body(ca: Ca) -> None:
    """RFC 2920 3.1."""
    says = {"RCPT": ["550 5.1.1 no such user", "250 ok"], "DATA": ["354 go on"], "DOT": ["554 5.5.1 nobody", "250 ok"]}
    host = there(ca, **says)
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        view = await willow.ended(await willow.submit("nobody@there.test"))
        assert (view.state, view.reason) == ("failed", "no-such-mailbox")
        assert bytes(host.bodies[0]) == b""
        # and the connection still carries the next message
        assert (await willow.ended(await willow.submit("jane.roe@there.test"))).state == "sent"
        assert host.connections == 1
        assert [len(bytes(b)) > 0 for b in host.bodies] == [False, True]


async def test_a_354_after_a_refused_sender_gets_an_empty_message_too(ca: Ca) -> None:
    says = {"MAIL": ["451 4.3.0 later", "250 ok"], "RCPT": ["503 5.5.1 no", "250 ok"], "DATA": ["354 go on"]}
    host = there(ca, DOT=["554 no", "250 ok"], **says)
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        assert (await willow.ended(await willow.submit("jane.roe@there.test"))).state == "sent"
        assert bytes(host.bodies[0]) == b""


async def test_an_endless_reply_is_cut_off(ca: Ca) -> None:
    """BI-024."""
    host = there(ca, EHLO=[b"250-again and again\r\n" * 100_000])
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        view = await willow.deferred(await willow.submit("jane.roe@there.test"))
        assert view.attempts[0].reason == "malformed"


async def test_an_early_answer_is_not_taken_for_the_answer_to_the_message(ca: Ca) -> None:
    """A 250 that comes with the 354 would be read as the delivery."""
    host = there(ca, DATA=[b"354 go on\r\n250 2.0.0 taken already\r\n", "354 go on"])
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        view = await willow.ended(await willow.submit("jane.roe@there.test"))
        assert (view.attempts[0].result, view.attempts[0].reason) == ("deferred", "malformed")
        assert len(host.messages) == 1


async def test_a_pooled_connection_that_the_server_ended_costs_no_attempt(ca: Ca) -> None:
    host = there(ca)
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        await willow.ended(await willow.submit("jane.roe@there.test"))
        host.says["MAIL"] = ["421 4.4.2 idle too long", "250 ok"]
        view = await willow.ended(await willow.submit("jane.roe@there.test"))
        assert ([a.result for a in view.attempts], host.connections) == (["sent"], 2)


async def test_patience_leads_to_the_next_method(ca: Ca) -> None:
    host = there(ca, RCPT=["451 4.3.0 later"])
    async with Delivering({"mx.there.test": host}, side("there.test"), ca, patience=1) as willow:
        view = await willow.ended(await willow.submit("jane.roe@there.test", protection=CODE))
        assert (view.state, view.method) == ("deposited", "portal")
        assert [a.result for a in view.attempts][-2:] == ["next-method", "deposited"]
        assert not host.messages


async def test_patience_without_another_method_goes_on_trying(ca: Ca) -> None:
    host = there(ca, RCPT=["451 4.3.0 later"] * 4 + ["250 ok"])
    async with Delivering({"mx.there.test": host}, side("there.test"), ca, patience=0, rules=()) as willow:
        view = await willow.ended(await willow.submit("jane.roe@there.test"))
        assert (view.state, view.method, len(view.attempts)) == ("sent", "tls", 5)


async def test_a_full_mailbox_is_deferred(ca: Ca) -> None:
    host = there(ca, RCPT=["452 4.2.2 mailbox full"])
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        view = await willow.deferred(await willow.submit("jane.roe@there.test"))
        assert (view.state, view.reason) == ("deferred", "mailbox-full-now")


async def test_refused_content_goes_another_way(ca: Ca) -> None:
    host = there(ca, DOT=["554 5.6.0 content refused"])
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        view = await willow.ended(await willow.submit("jane.roe@there.test", protection=CODE))
        assert (view.state, view.attempts[0].reason) == ("deposited", "content-refused")


async def test_a_message_too_large_for_the_server_is_never_sent_to_it(ca: Ca) -> None:
    host = MailHost(ca.leaf("mx.there.test").context(), offers=["PIPELINING", "SIZE 100"])
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        view = await willow.ended(await willow.submit("jane.roe@there.test", protection=CODE))
        assert (view.method, view.attempts[0].reason) == ("portal", "too-large")
        assert view.attempts[0].achieved == "VERIFIED" and view.attempts[0].tls.startswith("TLSv1.3")
        assert not host.bodies
