"""The second look sees what the door saw, and what the delivery has been through since."""

import msgspec
import pytest

from carepost.ground import ids
from carepost.intake import facts
from carepost.policy.decide import decide
from carepost.policy.types import Assurance, Deliver, Method, Rule, Seen, Ternary
from carepost.wire.types import Actor, Protection
from tests.unit.intake import office as cast
from tests.unit.intake.office import CLINIC, Office, submission

pytestmark = pytest.mark.fast


async def test_before_an_attempt_the_facts_are_those_of_the_door(office: Office) -> None:
    intake = office.intake()
    asked = submission(protection=Protection(Assurance.AUTHENTICATED, (Method.TLS,)))
    snapshot, _, about = intake._read(asked)
    door = facts.gather(snapshot, Seen(), about, "jane.roe@verified.test", Ternary.NO)
    await intake.accept(asked)
    (claim,) = await office.queue.claim(1)
    message = await office.queue.message(claim)
    assert facts.for_claim(snapshot, Seen(), message, claim.record) == door
    assert (door.sender, door.sender_domain) == ("nurse@clinic.test", "clinic.test")


async def test_what_happened_since_is_added(office: Office) -> None:
    await office.intake().accept(submission())
    (claim,) = await office.queue.claim(1)
    record = msgspec.structs.replace(
        claim.record, exhausted=(Method.TLS,), bound_to=Method.PORTAL, last_achieved=Assurance.ENCRYPTED, released=True
    )
    message = await office.queue.message(claim)
    found = facts.for_claim(office.directory.snapshot(CLINIC), Seen(), message, record, Ternary.YES)
    assert (found.exhausted, found.bound_to) == ((Method.TLS,), Method.PORTAL)
    assert (found.last_achieved, found.released, found.suppressed) == (Assurance.ENCRYPTED, True, Ternary.YES)


async def test_a_pinned_route_is_a_fact(office: Office) -> None:
    office.change(CLINIC, routes=(cast.route("verified.test"),))
    snapshot, _, about = office.intake()._read(submission())
    assert facts.gather(snapshot, Seen(), about, "jane@verified.test", Ternary.NO).pinned_route
    assert not facts.gather(snapshot, Seen(), about, "jane@other.test", Ternary.NO).pinned_route


async def test_what_a_person_released_is_not_held_by_the_same_rule_again(office: Office) -> None:
    rules = (
        Rule("look-first", recipient_domain="verified.test", action="hold", floor=Assurance.AUTHENTICATED),
        Rule("never", recipient_domain="never.test", action="refuse"),
    )
    office.change(CLINIC, rules=rules)
    accepted = await office.intake().accept(submission())
    delivery = ids.parse(accepted.deliveries[0].id)
    await office.queue.act("release", CLINIC, (delivery,), Actor("staff", "ada"), "I have looked at it")
    (claim,) = await office.queue.claim(1)
    message = await office.queue.message(claim)
    snapshot = office.directory.snapshot(CLINIC)
    found = facts.for_claim(snapshot, Seen(), message, claim.record)
    decision = decide(found)
    assert isinstance(decision, Deliver)
    assert decision.plan.floor is Assurance.AUTHENTICATED, "what the rule requires still counts"
    assert found.rules is snapshot.rules, "as policy indexes them"
