"""What waits for a person ends as that person decided, or as the rule said when its time was over: with a report to the
sender, by a stronger method, and never by a weaker one."""

import asyncio
from typing import Any

import msgspec
import pytest

from carepost.ground import clock, ids
from carepost.ground.errors import Refused
from carepost.policy.types import Access, Assurance, Method, Rule
from carepost.proof import kinds
from carepost.queue.acts import NO_WISH, Wish
from carepost.queue.reviewing import Who
from carepost.wire.types import Accepted, AccessProof, Actor, DeliveryView, Origin, Protection
from tests.support.delivering import SENDER, WILLOW, Delivering, body, side
from tests.support.mailhost import Ca, MailHost

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADA, BEN = Actor("staff", "ada"), Actor("staff", "ben")
HOLD = Rule("look-at-it", sender=SENDER, action="hold", held_hours=1)
CODE = Protection(access=AccessProof(Access.CODE, "", "v"))


def hosts(ca: Ca) -> dict[str, MailHost]:
    return {f"mx.{name}.test": MailHost(ca.leaf(f"mx.{name}.test").context()) for name in ("there", "willow")}


def zone() -> dict[tuple[str, str], object]:
    return side("there.test") | side("willow.test")


async def act(willow: Delivering, verb: str, held: Accepted, by: Actor, wish: Wish = NO_WISH) -> None:
    delivery = ids.parse(held.deliveries[0].id)
    done = await willow.queue.act(verb, WILLOW, (delivery,), by, "looked at it", (), wish)
    assert done == {ids.text(delivery): "queued"} or (verb == "release" and "held" in done.values())


async def over(willow: Delivering, accepted: Accepted) -> DeliveryView:
    return await willow.until(accepted, lambda view: view.state in ("sent", "deposited", "failed"))


async def report(willow: Delivering, held: Accepted) -> str:
    """The one report that came back to the sender's own server."""
    seen = 0
    async with asyncio.timeout(15):
        while not willow.hosts["mx.willow.test"].bodies:
            _, seen = await willow.queue.drain(seen, 0, 1, wait_s=0.2)
    (raw,) = willow.hosts["mx.willow.test"].bodies
    return " ".join(raw.decode().split())


async def held_(willow: Delivering, **more: Any) -> Accepted:
    accepted = await willow.submit("jane.roe@there.test", **more)
    assert (await willow.ended(accepted)).state == "held"
    return accepted


async def test_a_refusal_tells_the_sender_once_and_sends_nothing(ca: Ca) -> None:
    async with Delivering(hosts(ca), zone(), ca, rules=(HOLD,)) as willow:
        held = await held_(willow, raw=body("Quillfeather results"))
        await act(willow, "refuse", held, ADA, Wish(note="Use the results desk instead."))
        view = await over(willow, held)
        assert (view.state, view.reason) == ("failed", "refused-by-reviewer")
        said = await report(willow, held)
        assert "decided that it is not sent. They write: Use the results desk instead." in said
        assert "Quillfeather" not in said and "looked at it" not in said
        assert not willow.hosts["mx.there.test"].bodies
        told = [one.kind for one in await willow.events() if held.deliveries[0].id in one.on]
        assert told[-3:] == [kinds.DELIVERY_TURNED_DOWN, kinds.DELIVERY_ATTEMPTED, kinds.DELIVERY_REFUSED]


async def test_when_nobody_acts_in_time_it_goes_back(ca: Ca) -> None:
    async with Delivering(hosts(ca), zone(), ca, rules=(HOLD,)) as willow:
        before = clock.now()
        held = await held_(willow)
        waits = await willow.view(held)
        assert before < waits.until - 3_600_000_000 < clock.now() and waits.then == "refuse"
        assert await willow.queue.end_overdue(clock.now()) == 0
        assert await willow.queue.end_overdue(clock.now() + 3_700_000_000) == 1
        view = await over(willow, held)
        assert (view.state, view.reason) == ("failed", "held-too-long")
        assert (view.until, view.then) == (0, "")
        assert "nobody did in the time allowed" in await report(willow, held)
        assert not willow.hosts["mx.there.test"].bodies


async def test_a_rule_may_let_it_go_when_its_time_is_over(ca: Ca) -> None:
    gone = msgspec.structs.replace(HOLD, held_then="release")
    async with Delivering(hosts(ca), zone(), ca, rules=(gone,)) as willow:
        held = await held_(willow)
        await willow.queue.end_overdue(clock.now() + 3_700_000_000)
        view = await over(willow, held)
        assert (view.state, view.method, view.assurance) == ("sent", "tls", "VERIFIED")
        assert [one.number for one in view.attempts] == [1], "it was sent once, and tried once"
        told = [one for one in await willow.events() if held.deliveries[0].id in one.on]
        planned = next(one for one in told if one.kind == kinds.DELIVERY_PLAN_CHANGED)
        assert (planned.cause, "from-method" in planned.facts) == ("tls", False)


async def test_a_release_by_the_portal_alone_goes_by_it_alone(ca: Ca) -> None:
    async with Delivering(hosts(ca), zone(), ca, rules=(HOLD,)) as willow:
        held = await held_(willow, protection=CODE)
        found = await willow.queue.reviewed(WILLOW, ids.parse(held.deliveries[0].id), Who(ADA))
        assert found.message is not None and found.record is not None
        ways = {way.method: way for way in willow.intake.ways(WILLOW, found.message, found.record)}
        assert (ways[""].by, ways["portal"].assurance, ways["portal"].allowed) == ("tls", "PORTAL", True)
        await act(willow, "release", held, ADA, Wish(ways["portal"].minimum, (Method.PORTAL,)))
        view = await over(willow, held)
        assert (view.state, view.method, view.assurance) == ("deposited", "portal", "PORTAL")
        assert not willow.hosts["mx.there.test"].bodies


async def test_two_people_release_and_then_it_goes(ca: Ca) -> None:
    two = Rule("two", action="approve", approvals=2)
    async with Delivering(hosts(ca), zone(), ca, rules=(two,)) as willow:
        held = await held_(willow)
        await act(willow, "release", held, ADA)
        await act(willow, "release", held, BEN)
        assert (await over(willow, held)).state == "sent"
        asked = (kinds.DELIVERY_APPROVED, kinds.DELIVERY_RELEASED)
        assert [one.actor.id for one in await willow.events() if one.kind in asked] == ["ada", "ben"]


@pytest.mark.parametrize("origin", [Origin.REPLY, Origin.PORTAL])
async def test_a_rule_about_mail_from_outside_holds_an_answer(ca: Ca, origin: Origin) -> None:
    inbound = Rule("from-outside", direction="inbound", action="hold", tags=("from-outside",))
    async with Delivering(hosts(ca), zone(), ca, rules=(inbound,)) as willow:
        answer = await willow.submit("jane.roe@there.test", origin=origin)
        view = await willow.ended(answer)
        assert (view.state, view.rule) == ("held", "from-outside")
        found = await willow.queue.reviewed(WILLOW, ids.parse(answer.deliveries[0].id), Who(ADA))
        assert found.message is not None and found.message.tags == ("from-outside",)
        assert (await willow.ended(await willow.submit("jane.roe@there.test"))).state == "sent", "and nothing else"


@pytest.mark.parametrize("origin", [Origin.REPLY, Origin.PORTAL])
async def test_a_rule_that_refuses_mail_from_outside_is_told_at_the_door(ca: Ca, origin: Origin) -> None:
    """No report to a stranger: whoever hands it over is told (BI-028)."""
    inbound = Rule("no-answers", direction="inbound", action="refuse")
    async with Delivering(hosts(ca), zone(), ca, rules=(inbound,)) as willow:
        with pytest.raises(Refused) as refused:
            await willow.submit("jane.roe@there.test", origin=origin)
        assert (refused.value.code, refused.value.enhanced) == ("rule-refuses", "5.7.1")


@pytest.mark.parametrize(("origin", "floor"), [(Origin.REPLY, "VERIFIED"), (Origin.PORTAL, "VERIFIED"), (None, "NONE")])
async def test_a_trigger_of_an_answer_from_outside_lowers_nothing(ca: Ca, origin: Origin | None, floor: str) -> None:
    """DMARC proves the domain, never that it was the one who may opt out."""
    opt_out = Rule(
        "opt-out", sender=SENDER, header="subject", contains="[open]", remove=True, floor=Assurance.NONE,
        attestation="no PHI",
    )  # fmt: skip
    async with Delivering(hosts(ca), zone(), ca, rules=(opt_out,)) as willow:
        more = {"origin": origin} if origin is not None else {}
        sent = await willow.submit("jane.roe@there.test", raw=body("[open] Re: visit"), **more)
        view = await willow.ended(sent)
        assert (view.state, view.attempts[-1].required) == ("sent", floor)
