"""What waits, as each may see it: why, until when, who can decide; the look is on record before the page is."""

import uuid

import msgspec
import pytest

from carepost.ground import clock, ids
from carepost.ground.errors import NotFound, Refused
from carepost.phi.types import Finding, Findings, Level, Score, Strength, Where
from carepost.policy import content as policy
from carepost.policy.content import ContentFacts, Malware
from carepost.policy.ternary import Ternary
from carepost.proof import kinds
from carepost.review import held, words
from carepost.tenancy import events
from carepost.tenancy.actions import access, staff
from carepost.tenancy.models import Organisation, Staff
from carepost.tenancy.permissions import BOOTSTRAP
from carepost.wire.types import Actor, HeldFilter
from tests.support.heldmail import SUBJECT, TEXT, HeldMail
from tests.support.outbox import Outbox, office_events

pytestmark = [pytest.mark.django_db(databases=["default", "records"]), pytest.mark.usefixtures("log_tables")]

HOUR = 3_600_000_000


def person(org: Organisation, role: str, email: str = "") -> held.Who:
    made = staff.add_staff(org.pk, email or f"{role}@{org.slug}.test", f"{role.title()} Heron", role, actor=BOOTSTRAP)
    return held.staff(org.pk, Staff.objects.get(pk=made.staff))


def test_the_list_says_why_until_when_and_who_may(maple: Organisation, waiting: HeldMail) -> None:
    first = waiting.mail(maple)
    second = waiting.mail(maple, sender="boss@maple.test")
    page = held.listing(maple.pk, person(maple, "operator"))
    assert [row.id for row in page.rows] == [str(second), str(first)]
    approval, plain = page.rows
    assert (words.kind(plain), plain.rule, plain.then) == ("rule", "look-at-it", "refuse")
    assert plain.until - plain.since == 48 * HOUR, "as the rule says"
    assert (words.kind(approval), approval.approvals, approval.barred) == ("approval", 2, "")
    assert approval.until - approval.since == 48 * HOUR, "the one that says how long counts for both"
    (listed,) = office_events(kinds.MESSAGE_LISTED)
    assert sorted(listed.on) == sorted({plain.message, approval.message})


def test_kinds_and_pages(maple: Organisation, waiting: HeldMail) -> None:
    who = person(maple, "operator")
    for _ in range(3):
        waiting.mail(maple)
    boss = waiting.mail(maple, sender="boss@maple.test")
    assert [r.id for r in held.listing(maple.pk, who, kind="approval").rows] == [str(boss)]
    assert held.listing(maple.pk, who, kind="malware").rows == ()
    first = held.listing(maple.pk, who, limit=3)
    second = held.listing(maple.pk, who, limit=3, cursor=first.cursor)
    assert (len(first.rows), len(second.rows), second.cursor) == (3, 1, "")
    with pytest.raises(Refused):
        held.listing(maple.pk, who, cursor="1.nonsense")
    assert held.count(maple.pk) == 4


def test_only_some_are_asked_for(maple: Organisation, waiting: HeldMail) -> None:
    who = person(maple, "operator", "boss@maple.test")
    jane, kim = waiting.mail(maple), waiting.mail(maple, to="kim@clinic.example")
    boss = waiting.mail(maple, sender="boss@maple.test")

    def those(**only: object) -> list[str]:
        page = held.listing(maple.pk, who, only=HeldFilter(**only))  # type: ignore[arg-type]
        assert not page.cursor
        return [row.id for row in page.rows]

    assert those(recipient_domain="clinic.example") == [str(kim)]
    assert those(sender_domain="maple.test") == [str(boss), str(kim), str(jane)]
    assert those(rule="two-people") == [str(boss)]
    assert those(who="others") == [str(boss)], "one's own"
    assert those(who="me", recipient_domain="patient.test") == [str(jane)]
    held_at = held.one(maple.pk, who, jane.bytes).view.since
    assert those(until=held_at) == [] and str(jane) in those(since=held_at)


@pytest.mark.parametrize("role", ["auditor", "sender"])
def test_without_the_permission_nothing_is_there(maple: Organisation, waiting: HeldMail, role: str) -> None:
    delivery = waiting.mail(maple)
    who = person(maple, role)
    before = events.head()
    for look in (
        lambda: held.listing(maple.pk, who),
        lambda: held.one(maple.pk, who, delivery.bytes),
        lambda: held.content(maple.pk, who, delivery.bytes),
    ):
        with pytest.raises(NotFound):
            look()
    assert events.head() == before


def test_another_organisation_and_what_is_not_there_are_the_same(
    maple: Organisation, harbour: Organisation, waiting: HeldMail
) -> None:
    delivery = waiting.mail(maple)
    theirs = person(harbour, "administrator")
    assert held.listing(harbour.pk, theirs).rows == ()
    for org, who, one in (
        (harbour.pk, theirs, delivery), (maple.pk, theirs, delivery), (harbour.pk, theirs, uuid.UUID(bytes=ids.new(0))),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            held.one(org, who, one.bytes)
        with pytest.raises(NotFound):
            held.content(org, who, one.bytes)


def test_a_person_with_a_key_of_their_own_is_the_sender_of_what_it_sent(maple: Organisation, waiting: HeldMail) -> None:
    who = person(maple, "operator", "boss@maple.test")
    key = access.add_key(maple.pk, "mine", ("send",), actor=BOOTSTRAP, owner=uuid.UUID(who.actor.id))
    who = held.staff(maple.pk, Staff.objects.get(pk=who.actor.id))
    assert f"key:{key.id}" in who.also
    delivery = waiting.mail(maple, sender="boss@maple.test")
    assert held.one(maple.pk, who, delivery.bytes).view.barred == "own"


def test_the_page_explains_the_rule_by_name_and_the_ways_it_could_go(maple: Organisation, waiting: HeldMail) -> None:
    delivery = waiting.mail(maple)
    found = held.one(maple.pk, person(maple, "operator"), delivery.bytes)
    assert found.rule.name == "the rule look-at-it"
    decided, *others = found.ways
    assert (decided.method, decided.end, decided.by, decided.assurance) == ("", "deliver", "tls", "VERIFIED")
    by = {way.method: way for way in others}
    assert by["tls"].allowed
    assert by["smime"].end == "hold" and not by["smime"].allowed, "no certificate is known"


def test_findings_are_masked_and_come_from_the_log(maple: Organisation, waiting: HeldMail) -> None:
    content = ContentFacts(policy.Level.PHI_HIGH, Ternary.YES, Ternary.NO, Ternary.YES, Ternary.NO, Malware.UNAVAILABLE)
    delivery = waiting.mail(maple, content=content)
    found = Findings(
        found=(
            Finding(Score.IDENTIFIER, "ssn", Strength.STRONG, Where.SUBJECT, near="SSN"),
            Finding(Score.HEALTH, "icd10", Strength.STRONG, Where.TEXT, term="E11.9", count=2),
        ),
        level=Level.PHI_HIGH,
    )
    message = held.one(maple.pk, person(maple, "operator"), delivery.bytes).view.message
    outbox = Outbox()
    outbox.add(
        maple.pk.bytes, kinds.DELIVERY_INSPECTED, (ids.parse(message), delivery.bytes),
        values={"findings": msgspec.json.encode(found)}, facts={"content": "phi-high", "malware": "unavailable"},
    )  # fmt: skip
    outbox.commit()
    shown = held.one(maple.pk, person(maple, "administrator"), delivery.bytes)
    assert shown.kind == "unscanned"
    assert shown.findings == ("SSN near 'SSN', subject", "ICD-10 code (2 times)"), "and no code beside an address"
    assert [line.tone for line in words.content(shown.view)] == ["bad", "bad", "wait"]


def test_reading_the_message_is_on_record_before_it_is_shown(maple: Organisation, waiting: HeldMail) -> None:
    delivery = waiting.mail(maple)
    view, content = held.content(maple.pk, person(maple, "operator"), delivery.bytes)
    assert (view.subject, content.text.strip()) == (SUBJECT, TEXT)
    (viewed,) = office_events(kinds.MESSAGE_VIEWED)
    assert viewed.on == [view.message, view.id]


@pytest.mark.parametrize(
    ("reason", "content", "kind"),
    [
        ("rule-holds", ContentFacts(malware=Malware.INFECTED), "malware"),
        ("rule-holds", ContentFacts(malware=Malware.UNAVAILABLE), "unscanned"),
        ("rule-holds", ContentFacts(level=policy.Level.PHI_HIGH), "content"),
        ("rule-holds", None, "rule"),
        ("not-known-enough", ContentFacts(), "unknown"),
        ("approval-needed", ContentFacts(malware=Malware.INFECTED), "approval"),
        ("key-changed", None, "key"),
        ("no-method-left", None, "method"),
        ("needs-access-code", None, "access"),
        ("restored", None, "restored"),
        ("damaged", None, "damaged"),
        ("guest-unproved", None, "other"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_reason_has_its_kind(reason: str, content: ContentFacts | None, kind: str) -> None:
    view = msgspec.structs.replace(_VIEW, reason=reason, content=content)
    assert words.kind(view) == kind
    assert not words.REASONS[kind] or reason in words.REASONS[kind]


_VIEW = held.HeldView(
    "d", "m", "o", clock.now(), 1, 0, "", "held", "a@b.test", "c@d.test", "s", "smtp", "transactional", 1, "", "", ""
)


def test_a_key_sees_what_its_scopes_allow(maple: Organisation, waiting: HeldMail) -> None:
    delivery = waiting.mail(maple)
    may = access.add_key(maple.pk, "reviewer", ("held",), actor=BOOTSTRAP)
    may_not = access.add_key(maple.pk, "sender", ("send",), actor=BOOTSTRAP)
    assert held.listing(maple.pk, held.Who(Actor("key", may.id))).rows
    with pytest.raises(NotFound):
        held.listing(maple.pk, held.Who(Actor("key", may_not.id)))
    with pytest.raises(NotFound):
        held.content(maple.pk, held.Who(Actor("key", may.id)), delivery.bytes)
