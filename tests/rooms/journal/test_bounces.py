"""Bounces, complaints, links to unsubscribe: what follows from them, once; what follows from forged ones (BI-028)."""

import uuid
from threading import Event as Flag
from typing import Any

import pytest

from carepost.archive import access
from carepost.archive.books import book
from carepost.archive.models import Delivery
from carepost.destinations import bounces
from carepost.destinations.models import Bounce
from carepost.ground import clock, ids
from carepost.journal.effects import Effects
from carepost.journal.status import Status
from carepost.proof import kinds
from carepost.tenancy import scope, select
from carepost.tenancy.models import OrgEpoch, Suppression
from carepost.tenancy.permissions import BOOTSTRAP
from carepost.wire import bounces as wire
from tests.support.mailroom import KeptDoor
from tests.support.outbox import SHARD, Outbox

pytestmark = pytest.mark.django_db(databases=["default", "records"])

JANE = "jane.roe@patient.test"
DAY = bounces.DAY_US


@pytest.fixture
def effects(outbox: Outbox, tmp_path: Any) -> Effects:
    return Effects(outbox.store, book(), KeptDoor(), Status(tmp_path), outbox.owed, Flag())


def sent(outbox: Outbox, org: bytes, *addresses: str) -> tuple[bytes, list[bytes]]:
    """A message with a delivery to each."""
    message, deliveries = outbox.accepted(org, addresses)
    for delivery in deliveries:
        outbox.sent(org, message, delivery)
    return message, deliveries


def back(outbox: Outbox, org: bytes, delivery: bytes = b"", reason: str = "user-unknown", klass: str = "hard",
         *, action: str = "failed", message_id: str = "", address: str = JANE) -> None:  # fmt: skip
    came = wire.Came("dsn", delivery, message_id, (wire.Of(address, action, reason, klass, "5.1.1"),))
    outbox.add(org, kinds.BOUNCE_RECEIVED, [delivery or ids.new(SHARD)], values={"bounce": wire.encode(came)})


def listed(org: bytes) -> list[tuple[str, str, str, int]]:
    rows = select.suppressions(uuid.UUID(bytes=org))
    return sorted((row.reason, row.scope, row.source, row.expires_at) for row in rows)


def kept(org: bytes) -> list[tuple[str, str, str]]:
    with scope.organisation(uuid.UUID(bytes=org)):
        return [(b.kind, b.reason, b.form) for b in Bounce.objects.filter(org_id=uuid.UUID(bytes=org)).order_by("at")]


def test_a_hard_bounce_suppresses_once_and_the_engines_are_told(cast: Any, outbox: Outbox, effects: Effects) -> None:
    _, (delivery,) = sent(outbox, cast.maple, JANE)
    back(outbox, cast.maple, delivery)
    # the same mail once more, as a server that lost our 250 sends it
    back(outbox, cast.maple, delivery)
    outbox.commit()
    with scope.organisation(uuid.UUID(bytes=cast.maple)):
        before = OrgEpoch.objects.get(org=uuid.UUID(bytes=cast.maple)).epoch
    assert effects.step() == 2
    ((reason, what, source, until),) = listed(cast.maple)
    assert (reason, what, source) == ("bounce", "all", "report")
    assert clock.now() < until <= clock.now() + bounces.KEPT_US
    assert kept(cast.maple) == [("bounce", "user-unknown", "dsn")]
    with scope.organisation(uuid.UUID(bytes=cast.maple)):
        assert OrgEpoch.objects.get(org=uuid.UUID(bytes=cast.maple)).epoch == before + 1
    assert effects.step() == 0


def test_a_crash_between_act_and_list_repeats_it_and_changes_nothing(
    cast: Any, outbox: Outbox, effects: Effects, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The effect's row goes after the act: killed between, it comes again."""
    _, (delivery,) = sent(outbox, cast.maple, JANE)
    back(outbox, cast.maple, delivery)
    outbox.commit()

    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(effects, "_done", killed)
        with pytest.raises(Killed):
            effects.step()
    first = listed(cast.maple)
    assert len(first) == 1
    assert effects.step() == 1
    assert listed(cast.maple) == first
    assert len(kept(cast.maple)) == 1


def test_bi_028_what_history_does_not_know_changes_nothing(cast: Any, outbox: Outbox, effects: Effects) -> None:
    message, _ = sent(outbox, cast.maple, JANE)
    several, _ = sent(outbox, cast.maple, JANE, "john@patient.test")
    for number, address in (
        (str(uuid.uuid4()), JANE), (ids.text(message), "else@patient.test"), (ids.text(several), JANE),
        ("no-number", JANE),
    ):  # fmt: skip
        back(outbox, cast.maple, message_id=f"<{number}@maple.test>", address=address)
    # another organisation's message, reported to this one
    foreign, _ = sent(outbox, cast.harbour, JANE)
    back(outbox, cast.maple, message_id=f"<{ids.text(foreign)}@harbour.test>")
    outbox.commit()
    effects.step()
    assert listed(cast.maple) == listed(cast.harbour) == []
    assert kept(cast.maple) == []


def test_our_number_and_its_only_recipient_are_believed(cast: Any, outbox: Outbox, effects: Effects) -> None:
    message, _ = sent(outbox, cast.maple, JANE)
    back(outbox, cast.maple, message_id=f"<{ids.text(message)}@maple.test>", address=JANE.upper())
    outbox.commit()
    effects.step()
    assert [row[:2] for row in listed(cast.maple)] == [("bounce", "all")]


@pytest.mark.parametrize(
    ("reason", "klass", "action"),
    [("reputation", "block", "failed"), ("relay-denied", "admin", "failed"), ("unknown", "undetermined", "failed"),
     ("mailbox-full", "soft", "failed"), ("user-unknown", "hard", "delayed"), ("user-unknown", "hard", "relayed"),
     ("domain-unknown", "hard", "failed")],
    ids=["block", "admin", "unknown", "one-soft", "delayed", "relayed", "one-domain"],
)  # fmt: skip
def test_what_is_not_about_the_mailbox_gives_no_address_up(
    cast: Any, outbox: Outbox, effects: Effects, reason: str, klass: str, action: str
) -> None:
    _, (delivery,) = sent(outbox, cast.maple, JANE)
    back(outbox, cast.maple, delivery, reason, klass, action=action)
    outbox.commit()
    effects.step()
    assert listed(cast.maple) == []
    assert [kind for kind, *_ in kept(cast.maple)] == ["bounce" if action == "failed" else action]


def reports(outbox: Outbox, org: bytes, delivery: bytes, action: str, *, until: int = 0, message_id: str = "") -> None:
    came = wire.Came("dsn", delivery, message_id, (wire.Of(JANE, action, "unknown", "undetermined", "", until),))
    outbox.add(org, kinds.BOUNCE_RECEIVED, [delivery or ids.new(SHARD)], values={"bounce": wire.encode(came)})


def test_how_it_went_on_is_evidence_and_changes_no_state(cast: Any, outbox: Outbox, effects: Effects) -> None:
    """Each kind of report once a delivery, beside what was known; tallies and the list do not move."""
    message, (delivery,) = sent(outbox, cast.maple, JANE)
    tries = clock.now() + DAY
    for action in ("delayed", "delayed", "delivered", "relayed", "expanded", "invented"):
        reports(outbox, cast.maple, delivery, action, until=tries if action == "delayed" else 0)
    outbox.commit()
    while effects.step():
        pass
    assert sum(event.kind == kinds.DELIVERY_REPORTED for event in outbox.commit_office()) == 4
    (shown,) = access.access_message(cast.maple, message, BOOTSTRAP).deliveries
    assert (shown.state, shown.words) == ("sent", "The server accepted it.")
    told = [(note.cause, note.until) for note in shown.notes if note.kind == kinds.DELIVERY_REPORTED]
    assert told == [("delayed", clock.rfc3339(tries)), ("delivered", ""), ("relayed", ""), ("expanded", "")]
    assert listed(cast.maple) == []


@pytest.mark.parametrize("until", [-DAY, 61 * DAY], ids=["past", "far"])
def test_a_time_that_cannot_be_is_not_told(cast: Any, outbox: Outbox, effects: Effects, until: int) -> None:
    message, (delivery,) = sent(outbox, cast.maple, JANE)
    reports(outbox, cast.maple, delivery, "delayed", until=max(0, clock.now() + until))
    outbox.commit()
    effects.step()
    outbox.commit_office()
    (shown,) = access.access_message(cast.maple, message, BOOTSTRAP).deliveries
    assert [note.until for note in shown.notes if note.kind == kinds.DELIVERY_REPORTED] == [""]


def test_bi_028_a_report_without_a_signed_path_is_no_evidence(cast: Any, outbox: Outbox, effects: Effects) -> None:
    """Not even where it names our number and its only recipient, by which a failure is believed."""
    message, _ = sent(outbox, cast.maple, JANE)
    _, (theirs,) = sent(outbox, cast.harbour, JANE)
    reports(outbox, cast.maple, b"", "delivered", message_id=f"<{ids.text(message)}@maple.test>")
    # a delivery of another organisation
    reports(outbox, cast.maple, theirs, "delivered")
    outbox.commit()
    effects.step()
    assert kept(cast.maple) == [] == kept(cast.harbour)
    assert kinds.DELIVERY_REPORTED not in [event.kind for event in outbox.commit_office()]


def failure(org: bytes, at: int, reason: str, klass: str, **changes: Any) -> str:
    given: dict[str, Any] = {
        "kind": "bounce", "delivery": ids.new(), "message": ids.new(), "address": JANE, "category": "marketing",
        "reason": reason, "klass": klass, "form": "reply", "at": at,
    }  # fmt: skip
    return bounces.take(uuid.UUID(bytes=org), bounces.Failure(**(given | changes)))


def test_soft_bounces_count_over_days(cast: Any) -> None:
    now = clock.now()
    for day, expected in ((0, "counted"), (0, "counted"), (0, "counted"), (1, "counted"), (2, "suppressed")):
        assert failure(cast.maple, now + day * DAY, "mailbox-full", "soft") == expected
    ((reason, what, _, until),) = listed(cast.maple)
    assert (reason, what, until) == ("soft-bounces", "marketing", now + 2 * DAY + bounces.KEPT_US)


def test_many_soft_bounces_of_one_day_are_one_bad_day(cast: Any) -> None:
    now = clock.now() // DAY * DAY
    for minute in range(10):
        assert failure(cast.maple, now + minute * 60_000_000, "server-trouble", "soft") == "counted"
    assert listed(cast.maple) == []


def test_hard_again_after_the_first_end_has_no_end(cast: Any) -> None:
    now = clock.now()
    assert failure(cast.maple, now, "user-unknown", "hard") == "suppressed"
    assert failure(cast.maple, now + 31 * DAY, "user-unknown", "hard") == "suppressed"
    assert [row[3] for row in listed(cast.maple)] == [0]


def test_a_domain_is_given_up_at_the_second_day(cast: Any) -> None:
    now = clock.now()
    assert failure(cast.maple, now, "domain-unknown", "hard") == "counted"
    assert failure(cast.maple, now + DAY, "domain-unknown", "hard") == "suppressed"


def test_a_complaint_ends_marketing_alone(cast: Any, outbox: Outbox, effects: Effects) -> None:
    _, (delivery,) = sent(outbox, cast.maple, JANE)
    came = wire.Came("arf", delivery, complaint="abuse")
    outbox.add(cast.maple, kinds.BOUNCE_RECEIVED, [delivery], values={"bounce": wire.encode(came)})
    outbox.commit()
    effects.step()
    assert listed(cast.maple) == [("complaint", "marketing", "complaint", 0)]
    assert kept(cast.maple) == [("complaint", "abuse", "arf")]


def complained(outbox: Outbox, org: bytes, message_id: str, kind: str = "abuse") -> None:
    came = wire.Came("arf", message_id=message_id, complaint=kind)
    outbox.add(org, kinds.BOUNCE_RECEIVED, [ids.new(SHARD)], values={"bounce": wire.encode(came)})


def test_a_complaint_whose_address_is_hidden_is_known_by_the_number_of_the_message(
    cast: Any, outbox: Outbox, effects: Effects
) -> None:
    """RFC 6590: most providers redact who complained, and some the envelope too."""
    message, _ = sent(outbox, cast.maple, JANE)
    for _ in range(2):
        complained(outbox, cast.maple, f"<{ids.text(message)}@maple.test>")
    outbox.commit()
    effects.step()
    assert listed(cast.maple) == [("complaint", "marketing", "complaint", 0)]
    assert kept(cast.maple) == [("complaint", "abuse", "arf")]


def test_bi_028_a_complaint_about_what_history_does_not_know_changes_nothing(
    cast: Any, outbox: Outbox, effects: Effects
) -> None:
    several, _ = sent(outbox, cast.maple, JANE, "john@patient.test")
    foreign, _ = sent(outbox, cast.harbour, JANE)
    for number in (ids.text(several), ids.text(foreign), str(uuid.uuid4()), "no-number"):
        complained(outbox, cast.maple, f"<{number}@maple.test>")
    outbox.commit()
    effects.step()
    assert listed(cast.maple) == listed(cast.harbour) == [] and kept(cast.maple) == []


def test_a_refusal_at_the_wire_counts_as_what_it_means(cast: Any, outbox: Outbox, effects: Effects) -> None:
    message, (delivery,) = sent(outbox, cast.maple, JANE)
    facts = {"attempt": "1", "state": "failed", "bounce": "user-unknown", "bounce-class": "hard"}
    outbox.add(cast.maple, kinds.DELIVERY_FAILED, [message, delivery], facts=facts)
    outbox.commit()
    effects.step()
    assert [row[:3] for row in listed(cast.maple)] == [("bounce", "all", "reply")]


def test_who_unsubscribes_gets_no_marketing(cast: Any, outbox: Outbox, effects: Effects) -> None:
    _, (delivery,) = sent(outbox, cast.maple, JANE)
    for _ in range(2):
        outbox.add(cast.maple, kinds.UNSUBSCRIBED, [delivery])
    outbox.commit()
    effects.step()
    assert listed(cast.maple) == [("unsubscribe", "marketing", "one-click", 0)]
    with scope.organisation(uuid.UUID(bytes=cast.maple)):
        assert Suppression.objects.filter(org_id=uuid.UUID(bytes=cast.maple)).count() == 1


def test_the_message_says_that_it_bounced_later(cast: Any, outbox: Outbox, effects: Effects) -> None:
    message, (delivery,) = sent(outbox, cast.maple, JANE)
    back(outbox, cast.maple, delivery, "mailbox-full", "soft")
    outbox.commit()
    effects.step()
    assert kinds.DELIVERY_BOUNCED in [event.kind for event in outbox.commit_office()]
    owner = uuid.UUID(bytes=cast.maple)
    with scope.organisation(owner):
        assert Delivery.objects.get(org_id=owner, pk=uuid.UUID(bytes=delivery)).state == "failed"
    (shown,) = access.access_message(cast.maple, message, BOOTSTRAP).deliveries
    assert (shown.state, shown.reason) == ("failed", "mailbox-full")
    assert shown.words.startswith("Bounced later: the mailbox is full (soft).")
