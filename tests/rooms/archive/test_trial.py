"""A changed policy on the newest messages: whose protection would be another. Looking is an event, nothing changes."""

import uuid
from typing import Any

import pytest

from carepost.archive.trial import trial
from carepost.ground import ids
from carepost.ground.errors import NotFound
from carepost.policy.types import Assurance, Level, Rule
from carepost.proof import kinds
from carepost.tenancy.actions import staff
from carepost.tenancy.permissions import BOOTSTRAP
from carepost.wire.types import Actor
from tests.support.outbox import Outbox, office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"])

BY_MAIL = Rule("portal-by-mail", portal_by_mail=True)
STRONG = Rule("strong", recipient_domain="patient.test", floor=Assurance.AUTHENTICATED)


@pytest.fixture
def ada(cast: Any) -> Actor:
    made = staff.add_staff(uuid.UUID(bytes=cast.maple), "ada@maple.test", "Ada", "administrator", actor=BOOTSTRAP)
    return Actor("staff", str(made.staff))


@pytest.fixture
def history(cast: Any, outbox: Outbox) -> list[bytes]:
    """One message to two people, sent by TLS to one of them; another organisation's beside it."""
    one, (jane, _) = outbox.accepted(cast.maple, ("jane@patient.test", "joan@family.test"), subject="[lab] results")
    outbox.sent(cast.maple, one, jane)
    outbox.accepted(cast.harbour, ("jane@patient.test",))
    outbox.commit()
    return [one]


def run(cast: Any, actor: Actor, now: tuple[Rule, ...], then: tuple[Rule, ...], **more: Any) -> Any:
    return trial(cast.maple, actor, now, then, floor=Assurance.VERIFIED, **more)


def test_it_tells_whose_protection_would_change(cast: Any, ada: Actor, history: list[bytes]) -> None:
    found = run(cast, ada, (BY_MAIL,), (BY_MAIL, STRONG))
    assert (found.messages, found.copies) == (1, 2)
    assert (found.stronger, found.weaker, found.other) == (1, 0, 0)
    (one,) = found.differences
    assert (one.message, one.recipient, one.way) == (ids.text(history[0]), "jane@patient.test", "stronger")
    assert (one.before.method, one.before.assurance) == ("tls", "VERIFIED")
    assert one.after.rule in ("strong", "portal-by-mail", "default-floor")
    assert not one.depends and not found.depends
    (seen,) = office_events(kinds.MESSAGE_LISTED)
    assert seen.on == [ids.text(history[0])]


def test_the_other_way_round_it_is_weaker_and_stands_first(cast: Any, ada: Actor, history: list[bytes]) -> None:
    warn = Rule("check", recipient_domain="family.test", warn=True)
    found = run(cast, ada, (BY_MAIL, STRONG), (BY_MAIL, warn))
    assert [d.way for d in found.differences] == ["weaker", "other"]
    assert found.differences[1].after.warned == ("check",)


def test_subjects_are_known_and_content_may_decide(cast: Any, ada: Actor, history: list[bytes]) -> None:
    lab = Rule("lab", header="subject", contains="[lab]", action="hold")
    found = run(cast, ada, (BY_MAIL,), (BY_MAIL, lab))
    assert {d.after.end for d in found.differences} == {"hold"}
    assert found.stronger == 2
    phi = Rule("phi", levels=(Level.PHI_HIGH,), action="hold")
    tried = run(cast, ada, (BY_MAIL,), (BY_MAIL, phi))
    assert tried.differences and all(d.depends for d in tried.differences)
    assert tried.depends == tried.changed, "the headline says that they may be fewer"


@pytest.mark.parametrize(
    "known",
    [
        Rule("addin", header="x-protect", remove=True, floor=Assurance.MESSAGE),
        Rule("phi", levels=(Level.PHI_HIGH,), action="hold"),
    ],
    ids=["a header field", "content"],
)
def test_a_rule_in_force_that_asks_what_is_not_kept_hides_no_other(
    cast: Any, ada: Actor, history: list[bytes], known: Rule
) -> None:
    """Taken as the strictest alone, every copy would be held or in the portal, whatever else is asked."""
    found = run(cast, ada, (BY_MAIL, known), (BY_MAIL, known, STRONG))
    (one,) = found.differences
    assert (one.recipient, one.way, one.before.assurance, one.depends) == (
        "jane@patient.test",
        "stronger",
        "VERIFIED",
        True,
    )
    (weaker,) = run(cast, ada, (BY_MAIL, known, STRONG), (BY_MAIL, known)).differences
    assert weaker.way == "weaker"


def test_the_rule_it_went_by_says_what_stood_there(cast: Any, ada: Actor, outbox: Outbox) -> None:
    """The text of a trigger is taken out before the message is kept."""
    secure = Rule("secure", header="subject", contains="[secure]", remove=True, floor=Assurance.MESSAGE)
    for rule in ("secure", "default-floor"):
        one, (jane,) = outbox.accepted(cast.maple, (f"{rule}@patient.test",), subject="Results")
        outbox.sent(cast.maple, one, jane, rule=rule)
    outbox.commit()
    (gone,) = run(cast, ada, (BY_MAIL, secure), (BY_MAIL,)).differences
    assert (gone.recipient, gone.way) == ("secure@patient.test", "weaker")


def test_mail_inside_and_from_outside_is_tried_as_such(cast: Any, ada: Actor, outbox: Outbox) -> None:
    outbox.accepted(cast.maple, ("owl@maple.test", "jane@patient.test"))
    outbox.accepted(cast.maple, ("kite@maple.test",), origin="portal")
    outbox.commit()
    for direction, held in (
        ("internal", "owl@maple.test"),
        ("outbound", "jane@patient.test"),
        ("inbound", "kite@maple.test"),
    ):
        found = run(cast, ada, (), (Rule("one", direction=direction, action="hold"),))
        assert [one.recipient for one in found.differences] == [held]


def test_routes_count_as_changes_and_equal_policies_change_nothing(cast: Any, ada: Actor, history: list[bytes]) -> None:
    desk = Rule("desk", recipient="joan@family.test", redirect="desk@maple.test", copies=("record@maple.test",))
    (one,) = run(cast, ada, (BY_MAIL,), (BY_MAIL, desk)).differences
    assert (one.after.instead, one.after.copies) == ("desk@maple.test", ("record@maple.test",))
    assert run(cast, ada, (BY_MAIL,), (BY_MAIL,)).differences == ()


def test_what_carepost_wrote_is_left_out_and_the_number_is_bounded(cast: Any, ada: Actor, outbox: Outbox) -> None:
    for _ in range(3):
        outbox.accepted(cast.maple, ("jane@patient.test",))
    outbox.commit()
    assert run(cast, ada, (), (STRONG,), last=2).messages == 2


@pytest.mark.parametrize("who", ["operator", "auditor", "sender", "stranger", "key"])
def test_only_who_decides_about_rules_may_try_them(cast: Any, history: list[bytes], who: str) -> None:
    with pytest.raises(NotFound):
        run(cast, getattr(cast, who), (), (STRONG,))
    assert office_events(kinds.MESSAGE_LISTED) == []
