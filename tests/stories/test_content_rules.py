"""A rule asks what a message contains: it is accepted first, looked into by a worker process, and only then decided."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from carepost.directory.words import OwnWords, Person
from carepost.inspection.inspector import Inspector
from carepost.inspection.pool import Limits, Pool
from carepost.inspection.process import Start
from carepost.policy.types import Access, Assurance, Level, Rule
from carepost.proof import kinds
from carepost.wire.types import AccessProof, Protection
from tests.support.delivering import BY_MAIL, Delivering, body, side
from tests.support.mailhost import Ca, MailHost

pytestmark = pytest.mark.asyncio(loop_scope="module")

PHI = (Level.PHI_HIGH, Level.PHI_LIKELY)
RESULTS = Rule("results", levels=PHI, floor=Assurance.MESSAGE)
CODE = Protection(access=AccessProof(Access.CODE, "", "v"))


def result() -> bytes:
    return body("Your results", text="Your A1c is 8.4%. Your next visit is on Monday.")


def lunch() -> bytes:
    return body("Lunch", text="The cafeteria opens at eleven.")


class Counted(Pool):
    asked = 0

    async def inspect(self, raw, custom=None, *, detect=True, deadline=60.0):  # type: ignore[no-untyped-def]
        self.asked += 1
        return await super().inspect(raw, custom, detect=detect, deadline=deadline)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[Counted]:
    made = Counted(Limits(workers=1), Start(ocr=False))
    yield made
    await made.close()


def host(ca: Ca) -> dict[str, MailHost]:
    return {"mx.there.test": MailHost(ca.leaf("mx.there.test").context())}


async def test_what_it_contains_decides_how_it_goes(ca: Ca, pool: Counted) -> None:
    pool.asked = 0
    async with Delivering(host(ca), side("there.test"), ca, rules=(RESULTS,), inspector=Inspector(pool)) as willow:
        health = await willow.submit("jane.roe@there.test", raw=result(), protection=CODE)
        assert (health.deliveries[0].state, health.deliveries[0].reason) == ("queued", "content-pending")
        view = await willow.ended(health)
        assert (view.state, view.method, view.assurance) == ("deposited", "portal", "PORTAL")
        plain = await willow.ended(await willow.submit("jane.roe@there.test", raw=lunch(), protection=CODE))
        assert (plain.state, plain.method) == ("sent", "tls"), "the strictest it might have been binds nothing"
        assert pool.asked == 2
        looked = await willow.events(kinds.DELIVERY_INSPECTED)
        assert [one.facts["content"] for one in looked] == ["phi-high", "none"]
        assert all("findings" in one.commit for one in looked)


async def test_nothing_is_looked_into_where_it_could_change_nothing(ca: Ca, pool: Counted) -> None:
    pool.asked = 0
    elsewhere = Rule("results", recipient_domain="else.test", levels=PHI, floor=Assurance.MESSAGE)
    async with Delivering(host(ca), side("there.test"), ca, rules=(elsewhere,), inspector=Inspector(pool)) as willow:
        view = await willow.ended(await willow.submit("jane.roe@there.test", raw=result()))
        assert view.state == "sent"
        assert pool.asked == 0
        assert not await willow.events(kinds.DELIVERY_INSPECTED)


async def test_what_the_subject_alone_says_counts_as_what_the_text_says(ca: Ca, pool: Counted) -> None:
    """Decision 0070: there is no method to which the subject is worth less than the body."""
    async with Delivering(host(ca), side("there.test"), ca, rules=(RESULTS,), inspector=Inspector(pool)) as willow:
        raw = body("Your biopsy results are back", text="Please log in.")
        view = await willow.ended(await willow.submit("jane.roe@there.test", raw=raw, protection=CODE))
        assert (view.state, view.method) == ("deposited", "portal")
        assert not willow.hosts["mx.there.test"].bodies


async def test_a_rule_that_only_tags_has_every_message_looked_into_and_delays_none_for_a_person(
    ca: Ca, pool: Counted
) -> None:
    """A15.5: which conversations hold health information is to be found, whatever the rules make of it."""
    classify = Rule("classify", levels=PHI, tags=("phi", "review"))
    async with Delivering(host(ca), side("there.test"), ca, rules=(classify,), inspector=Inspector(pool)) as willow:
        for raw in (result(), lunch()):
            view = await willow.ended(await willow.submit("jane.roe@there.test", raw=raw))
            assert (view.state, view.method) == ("sent", "tls")
        looked = await willow.events(kinds.DELIVERY_INSPECTED)
        assert [(one.facts["content"], one.facts.get("tags")) for one in looked] == [
            ("phi-high", "phi review"), ("none", None)
        ]  # fmt: skip


class Asked(Inspector):
    """Counts what the delivery asks of it: each time a body was read for it."""

    bodies = 0

    async def content(self, message, *asked, **more):  # type: ignore[no-untyped-def]
        self.bodies += 1
        return await super().content(message, *asked, **more)


async def test_without_a_rule_about_content_no_message_is_looked_into_and_no_worker_starts(ca: Ca) -> None:
    never = Counted(Limits(workers=1), Start(ocr=False))
    others = (
        Rule("sender", sender="nurse@willow.test", floor=Assurance.VERIFIED),
        Rule("words", header="subject", contains="results", floor=Assurance.VERIFIED),
        Rule("large", size_over=10, warn=True),
    )
    asked = Asked(never)
    async with Delivering(host(ca), side("there.test"), ca, rules=others, inspector=asked) as willow:
        for raw in (result(), lunch()):
            assert (await willow.ended(await willow.submit("jane.roe@there.test", raw=raw))).state == "sent"
    assert (asked.bodies, never.asked, never.started) == (0, 0, 0)


async def test_with_a_rule_about_one_sender_only_that_senders_mail_is_looked_into(ca: Ca, pool: Counted) -> None:
    pool.asked = 0
    one = Rule("results", sender="results@willow.test", levels=PHI, action="hold")
    asked = Asked(pool)
    async with Delivering(host(ca), side("there.test"), ca, rules=(one,), inspector=asked) as willow:
        sent = await willow.ended(await willow.submit("jane.roe@there.test", raw=result()))
        assert (sent.state, asked.bodies, pool.asked) == ("sent", 0, 0)
        theirs = result().replace(b"nurse@willow.test", b"results@willow.test")
        held = await willow.ended(await willow.submit("jane.roe@there.test", raw=theirs))
        assert (held.state, held.rule, asked.bodies, pool.asked) == ("held", "results", 1, 1)
        (looked,) = await willow.events(kinds.DELIVERY_INSPECTED)
        assert looked.on[1] == held.id


async def test_a_rule_that_refuses_is_carried_out_after_the_look(ca: Ca, pool: Counted) -> None:
    never = Rule("never", levels=PHI, action="refuse", words="Use the results desk.")
    async with Delivering(
        host(ca), side("there.test"), ca, rules=(never, BY_MAIL), inspector=Inspector(pool)
    ) as willow:
        view = await willow.ended(await willow.submit("jane.roe@there.test", raw=result(), sender=""))
        assert (view.state, view.reason) == ("failed", "rule-refuses")
        assert view.words.endswith("Use the results desk.")
        assert not willow.hosts["mx.there.test"].bodies


async def test_a_list_of_people_waits_for_a_second_person(ca: Ca, pool: Counted) -> None:
    many = Rule("many", levels=(Level.BULK,), action="approve")
    rows = [f"Member {number}, SSN 512-44-{9000 + number}" for number in range(10)]
    async with Delivering(host(ca), side("there.test"), ca, rules=(many,), inspector=Inspector(pool)) as willow:
        ten = await willow.ended(await willow.submit("jane.roe@there.test", raw=body("List", text="\r\n".join(rows))))
        assert (ten.state, ten.reason, ten.rule) == ("held", "approval-needed", "many")
        nine = await willow.ended(
            await willow.submit("jane.roe@there.test", raw=body("List", text="\r\n".join(rows[1:])))
        )
        assert nine.state == "sent"


async def test_a_list_of_an_excepted_sender_is_neither_read_nor_held(ca: Ca, pool: Counted) -> None:
    pool.asked = 0
    rules = (Rule("many", levels=(Level.BULK,), action="approve"), Rule("held", levels=PHI, action="hold"))
    own = OwnWords(senders=(Person("newsletter", "nurse@willow.test"),))
    rows = "\r\n".join(f"Patient {number}, SSN 512-44-{9000 + number}, asthma" for number in range(10))
    async with Delivering(
        host(ca), side("there.test"), ca, rules=rules, inspector=Inspector(pool), own_words=own
    ) as willow:
        view = await willow.ended(await willow.submit("jane.roe@there.test", raw=body("List", text=rows)))
        assert (view.state, view.method) == ("sent", "tls")
        assert pool.asked == 0
        (looked,) = await willow.events(kinds.DELIVERY_INSPECTED)
        assert (looked.facts["content"], looked.facts["exception"]) == ("none", "newsletter")


async def test_without_an_inspector_content_is_unknown_and_taken_as_the_strictest(ca: Ca) -> None:
    never = Rule("never", levels=PHI, action="refuse")
    async with Delivering(host(ca), side("there.test"), ca, rules=(never,)) as willow:
        view = await willow.ended(await willow.submit("jane.roe@there.test", raw=lunch()))
        assert (view.state, view.reason) == ("held", "not-known-enough")
        assert not willow.hosts["mx.there.test"].bodies


async def test_a_dead_worker_holds_rather_than_sends(ca: Ca) -> None:
    """Too slow, dead, unreadable: unknown, and the strictest."""
    hurried = Pool(Limits(workers=1, seconds=0.001), Start(ocr=False))
    hold = Rule("review", levels=PHI, action="hold")
    try:
        async with Delivering(host(ca), side("there.test"), ca, rules=(hold,), inspector=Inspector(hurried)) as willow:
            view = await willow.ended(await willow.submit("jane.roe@there.test", raw=lunch()))
            assert (view.state, view.reason) == ("held", "rule-holds")
            (looked,) = await willow.events(kinds.DELIVERY_INSPECTED)
            assert looked.facts["content"] == "unknown"
    finally:
        await hurried.close()
