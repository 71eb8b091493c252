"""A message sent as a test: the same decision, nothing on any wire, nobody asked, nobody told."""

from collections.abc import AsyncIterator

import pytest

from carepost.ground.errors import Refused
from carepost.policy.types import Assurance, Rule
from carepost.proof import kinds
from carepost.wire.types import Protection
from tests.support.delivering import BY_MAIL, Delivering, side
from tests.support.mailhost import Ca, MailHost

JANE = "jane.roe@there.test"


@pytest.fixture
async def willow(ca: Ca) -> AsyncIterator[Delivering]:
    host = MailHost(ca.leaf("mx.there.test").context())
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as made:
        yield made


async def test_it_is_decided_made_ready_and_not_sent(willow: Delivering) -> None:
    real = await willow.ended(await willow.submit(JANE))
    view = await willow.ended(await willow.submit(JANE, test=True))
    assert (real.state, view.state) == ("sent", "tested")
    assert (view.method, view.rule) == (real.method, real.rule)
    assert "nothing was sent" in view.words and view.attempts[0].result == "tested" and not view.attempts[0].mx
    assert len(willow.hosts["mx.there.test"].messages) == 1
    (event,) = await willow.events(kinds.DELIVERY_TESTED)
    assert event.facts["state"] == "tested" and event.facts["method"] == "tls"
    assert [e.facts.get("test") for e in await willow.events(kinds.MESSAGE_ACCEPTED)] == [None, "yes"]


async def test_what_would_be_held_says_so_and_waits_for_nobody(willow: Delivering) -> None:
    hold = Rule("ask-a-person", action="hold")
    willow.change(rules=(BY_MAIL, hold))
    held = await willow.ended(await willow.submit(JANE))
    view = await willow.ended(await willow.submit(JANE, test=True))
    assert (held.state, view.state) == ("held", "tested")
    assert view.rule == held.rule and "would have been held" in view.words
    assert view.reason == held.reason
    assert not await willow.events(kinds.DELIVERY_TURNED_DOWN)


async def test_what_a_rule_refuses_is_refused_and_nobody_is_told_of_a_failure(willow: Delivering) -> None:
    willow.change(rules=(BY_MAIL, Rule("never", recipient_domain="there.test", action="refuse")))
    with pytest.raises(Refused):
        await willow.submit(JANE, test=True)
    assert not willow.hosts["mx.there.test"].messages


async def test_one_for_the_portal_is_not_laid_into_it(willow: Delivering) -> None:
    view = await willow.ended(await willow.submit("ann@nowhere.test", test=True))
    assert view.state == "tested"
    portal = await willow.ended(await willow.submit(JANE, test=True, protection=Protection(minimum=Assurance.MESSAGE)))
    assert portal.state == "tested"
    assert not await willow.events(kinds.DELIVERY_DEPOSITED)
