"""What reviewers did stands in the proof, and the verifier as it is says that it holds (DESIGN 4)."""

import uuid

import pytest

from carepost.archive import proof as proofs
from carepost.ground import ids
from carepost.proof import kinds
from carepost.proof.verify import verify
from carepost.review import acts, held
from carepost.tenancy.actions import staff
from carepost.tenancy.models import Organisation, Staff
from carepost.tenancy.permissions import BOOTSTRAP
from carepost.wire.types import Actor
from tests.support.heldmail import HeldMail
from tests.support.outbox import Outbox

pytestmark = pytest.mark.django_db(databases=["default", "records"])


def person(org: Organisation, name: str) -> held.Who:
    made = staff.add_staff(org.pk, f"{name}@maple.test", name.title(), "administrator", actor=BOOTSTRAP)
    return held.staff(org.pk, Staff.objects.get(pk=made.staff))


@pytest.mark.parametrize("verb", ["release", "refuse"])
def test_the_acts_of_reviewers_are_in_the_proof(maple: Organisation, waiting: HeldMail, verb: str) -> None:
    delivery = waiting.mail(maple, sender="boss@maple.test")
    outbox = Outbox()
    fred, sally = person(maple, "fred"), person(maple, "sally")
    message = ids.parse(held.one(maple.pk, fred, delivery.bytes).view.message)
    acts.release(maple.pk, fred, [delivery.bytes], reason="first")
    if verb == "release":
        acts.release(maple.pk, sally, [delivery.bytes], reason="second", method="tls")
    else:
        acts.refuse(maple.pk, sally, [delivery.bytes], reason="no", note="Use the portal.")
    rows, _ = waiting.thread.run(waiting.queue.drain(0, 0))
    outbox.commits.commit(list(rows))
    made = proofs.build(maple.pk.bytes, message, delivery.bytes, Actor("staff", str(uuid.UUID(fred.actor.id))))
    assert b"Use the portal." not in made and b"second" not in made, "a person's words stay closed"
    verdict = verify(made, None, None)
    assert verdict.ok, verdict.words
    told = [moment.words for moment in verdict.timeline]
    asked = kinds.DELIVERY_RELEASED if verb == "release" else kinds.DELIVERY_TURNED_DOWN
    for kind in (kinds.DELIVERY_APPROVED, asked):
        assert any(kinds.info(kind).words in words for words in told), told
