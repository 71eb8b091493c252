"""What reviewers decide: each act by who may, refused to a stranger, another organisation and the sender; told clearly
to who comes second; and never less protection than the rules decide."""

import uuid
from typing import Any

import pytest

from carepost.ground.errors import NotFound, Refused
from carepost.policy.types import Assurance, Method
from carepost.review import acts, held
from carepost.tenancy.actions import staff
from carepost.tenancy.models import Organisation, Staff
from carepost.tenancy.permissions import BOOTSTRAP
from carepost.wire.types import Actor
from tests.support.heldmail import SUBJECT, HeldMail

pytestmark = [pytest.mark.django_db(databases=["default", "records"]), pytest.mark.usefixtures("log_tables")]


def person(org: Organisation, role: str, name: str = "olga") -> held.Who:
    made = staff.add_staff(org.pk, f"{name}@{org.slug}.test", name.title(), role, actor=BOOTSTRAP)
    return held.staff(org.pk, Staff.objects.get(pk=made.staff))


def release(org: Organisation, who: held.Who, *deliveries: uuid.UUID, **more: Any) -> list[acts.Done]:
    return acts.release(org.pk, who, [one.bytes for one in deliveries], **{"reason": "I looked at it", **more})


def refuse(org: Organisation, who: held.Who, *deliveries: uuid.UUID, **more: Any) -> list[acts.Done]:
    return acts.refuse(org.pk, who, [one.bytes for one in deliveries], **{"reason": "wrong person", **more})


def test_a_release_goes_on_and_is_told_again_to_who_asks_twice(maple: Organisation, waiting: HeldMail) -> None:
    delivery = waiting.mail(maple)
    who = person(maple, "operator")
    (done,) = release(maple, who, delivery)
    assert (done.code, done.again) == ("released", False)
    assert waiting.record(delivery).released
    (done,) = release(maple, who, delivery)
    assert (done.code, done.again) == ("released", True), "idempotent"


def test_who_comes_second_is_told_what_became_of_it(maple: Organisation, waiting: HeldMail) -> None:
    delivery = waiting.mail(maple)
    release(maple, person(maple, "operator", "olga"), delivery)
    (done,) = refuse(maple, person(maple, "operator", "oskar"), delivery)
    assert (done.code, done.words) == ("late", "Olga has released it already. Nothing was done now.")
    assert not waiting.record(delivery).refused


def test_two_people_neither_of_them_the_sender(maple: Organisation, waiting: HeldMail) -> None:
    delivery = waiting.mail(maple, sender="boss@maple.test")
    boss, first, second = (person(maple, "administrator", name) for name in ("boss", "fred", "sally"))
    (done,) = release(maple, boss, delivery)
    assert (done.code, done.words) == ("barred", "It is your own message: somebody else must approve it.")
    (done,) = release(maple, first, delivery)
    assert (done.code, done.again) == ("approved", False)
    (done,) = release(maple, first, delivery)
    assert (done.code, done.again) == ("approved", True), "the same person twice is one approval"
    assert len(waiting.record(delivery).approved) == 1
    (done,) = release(maple, held.Who(Actor("system", "command-line")), delivery)
    assert (done.code, done.words) == ("barred", "It needs the approval of a person, which a key cannot give.")
    (done,) = release(maple, second, delivery)
    assert done.code == "released"
    assert held.one(maple.pk, second, delivery.bytes).view.state == "queued"


@pytest.mark.parametrize("how", ["left", "role"])
def test_an_approval_counts_as_long_as_its_giver_may_approve(maple: Organisation, waiting: HeldMail, how: str) -> None:
    """Two people approve: one who left, or lost the right, in between is not one of the two."""
    delivery = waiting.mail(maple, sender="boss@maple.test")
    first, second, third = (person(maple, "operator", name) for name in ("fred", "sally", "tina"))
    assert release(maple, first, delivery)[0].code == "approved"
    fred = uuid.UUID(first.actor.id)
    if how == "left":
        staff.disable_staff(maple.pk, fred, actor=BOOTSTRAP, reason="left")
    else:
        staff.grant_role(maple.pk, fred, "auditor", actor=BOOTSTRAP, reason="moves")
        staff.revoke_role(maple.pk, fred, "operator", actor=BOOTSTRAP, reason="moves")
    seen = held.one(maple.pk, second, delivery.bytes)
    assert (seen.view.approved, seen.approved, seen.lapsed) == ((), (), ("Fred",))
    assert held.listing(maple.pk, second).rows[0].approved == ()
    assert release(maple, second, delivery)[0].code == "approved"
    assert held.one(maple.pk, third, delivery.bytes).approved == ("Sally",)
    assert release(maple, third, delivery)[0].code == "released"


def test_the_sender_may_refuse_their_own(maple: Organisation, waiting: HeldMail) -> None:
    delivery = waiting.mail(maple, sender="boss@maple.test")
    (done,) = refuse(maple, person(maple, "administrator", "boss"), delivery)
    assert done.code == "refused"


def test_a_refusal_keeps_its_note_for_the_sender(maple: Organisation, waiting: HeldMail) -> None:
    delivery = waiting.mail(maple)
    (done,) = refuse(maple, person(maple, "operator"), delivery, note="Use the results desk.")
    assert done.code == "refused"
    record = waiting.record(delivery)
    assert (record.refused, record.note) == ("refused-by-reviewer", "Use the results desk.")


@pytest.mark.parametrize(
    "note",
    [f"about {SUBJECT.upper()}", "to Jane.Quillfeather@Patient.test please", "two\r\nlines", "x" * 501],
    ids=["the subject", "the recipient", "a line of its own", "too long"],
)
def test_a_note_tells_nothing_of_the_message(maple: Organisation, waiting: HeldMail, note: str) -> None:
    delivery = waiting.mail(maple)
    with pytest.raises(Refused):
        refuse(maple, person(maple, "operator"), delivery, note=note)
    assert not waiting.record(delivery).refused


@pytest.mark.parametrize("verb", [release, refuse], ids=["release", "refuse"])
def test_strangers_are_refused_and_leave_nothing(
    maple: Organisation, harbour: Organisation, waiting: HeldMail, verb: Any
) -> None:
    delivery = waiting.mail(maple)
    theirs = person(harbour, "administrator", "hal")
    with pytest.raises(NotFound):
        verb(maple, theirs, delivery)
    (done,) = verb(harbour, theirs, delivery)
    assert done.code == "absent"
    for role in ("auditor", "sender"):
        with pytest.raises(NotFound):
            verb(maple, person(maple, role, role), delivery)
    assert held.one(maple.pk, person(maple, "operator"), delivery.bytes).view.state == "held"


def test_a_reason_is_needed(maple: Organisation, waiting: HeldMail) -> None:
    delivery = waiting.mail(maple)
    for verb in (release, refuse):
        with pytest.raises(Refused):
            verb(maple, person(maple, "operator", f"o{verb.__name__}"), delivery, reason="  ")
    with pytest.raises(Refused):
        release(maple, person(maple, "operator"))


def test_a_stronger_method_is_asked_for_and_a_weaker_one_refused(maple: Organisation, waiting: HeldMail) -> None:
    delivery = waiting.mail(maple)
    who = person(maple, "operator")
    (done,) = release(maple, who, delivery, method="smime")
    assert done.code == "not-stronger", "no certificate is known"
    (done,) = release(maple, who, delivery, method="portal")
    assert done.code == "not-stronger", "a code by mail proves less than the verified connection the rules decide"
    with pytest.raises(Refused):
        release(maple, who, delivery, method="pigeon")
    assert held.one(maple.pk, who, delivery.bytes).view.state == "held"
    (done,) = release(maple, who, delivery, method="tls")
    assert done.code == "released"
    record = waiting.record(delivery)
    assert (record.asked_methods, record.asked_floor) == ((Method.TLS,), Assurance.VERIFIED)


def test_several_at_once_each_with_its_own_end(maple: Organisation, waiting: HeldMail) -> None:
    one, other = waiting.mail(maple), waiting.mail(maple)
    boss = waiting.mail(maple, sender="boss@maple.test")
    who = person(maple, "operator")
    release(maple, who, other)
    done = release(maple, who, one, other, boss, one)
    assert [(d.code, d.again) for d in done] == [("released", False), ("released", True), ("approved", False)]
