"""The second look sees what the door saw, and what the delivery has been through since."""

import msgspec
import pytest

from carepost.intake import facts
from carepost.policy.types import Assurance, Method, Seen, Ternary
from carepost.wire.types import Protection
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
