"""From hits to verdicts and their events: once, folded back, under the account's switch for the past too."""

import uuid
from typing import Any

import pytest

from carepost.archive.access import access_message
from carepost.archive.marks import Marks
from carepost.archive.search import Wanted, meant, search
from carepost.engagement import acts, forgetting, select
from carepost.engagement.counting import Counting
from carepost.engagement.folding import Folding
from carepost.engagement.models import Account, Copy, Hit
from carepost.engagement.types import Engaged
from carepost.ground import ids
from carepost.journal.disposal import Disposal
from carepost.proof import kinds
from carepost.proof.event import Event
from carepost.tenancy import scope
from carepost.tenancy.permissions import COMMAND_LINE
from carepost.tracking.types import RULES, Switch
from tests.rooms.engagement.conftest import MINUTE, Copies

pytestmark = [
    pytest.mark.django_db(databases=["default", "records"]),
    pytest.mark.urls("carepost.settings.urls_outside"),
]

CURL = {"User-Agent": "curl/8.5.0", "Accept": "*/*"}
HOUR = 60 * MINUTE


def fold(maple: Copies, after: int = MINUTE + 1) -> list[Event]:
    """What waits is written, and judged `after` so long; the events it made."""
    maple.arrivals.write()
    maple.later(after)
    Folding(maple.box.store).step(maple.at[0])
    return [one for one in maple.box.commit_office() if one.kind.startswith("tracking.")]


def copy(maple: Copies, delivery: bytes) -> Copy:
    with scope.organisation(maple.owner):
        return Copy.objects.get(org_id=maple.owner, delivery=uuid.UUID(bytes=delivery))


def test_a_persons_click_is_an_event_with_reason_and_confidence(maple: Copies) -> None:
    message, (delivery,) = maple.send()
    maple.later(2 * HOUR)
    maple.click(delivery, 2)
    (said,) = fold(maple)
    assert (said.kind, said.on) == (kinds.TRACKING_CLICKED, [ids.text(message), ids.text(delivery)])
    assert said.facts["verdict"] == "human"
    assert (said.facts["link"], said.facts["rules"]) == ("2", str(RULES))
    assert said.cause
    assert 50 <= int(said.facts["confidence"]) <= 99
    assert set(said.facts) <= kinds.FACTS
    assert not said.commit
    found = copy(maple, delivery)
    assert (found.opened, found.clicked, found.due_at) == ("human", "human", 0)
    assert found.message == uuid.UUID(bytes=message)
    assert fold(maple) == []


def test_a_machine_is_called_one_and_stays_on_record(maple: Copies) -> None:
    _, (delivery,) = maple.send()
    maple.later(30_000_000)
    maple.click(delivery, 1, headers=CURL)
    (said,) = fold(maple)
    assert said.facts["verdict"] == "automated"
    found = copy(maple, delivery)
    assert (found.opened, found.clicked) == ("automated", "automated")


def test_nothing_is_judged_before_its_minute_is_over(maple: Copies) -> None:
    _, (delivery,) = maple.send()
    maple.click(delivery, 1)
    assert fold(maple, MINUTE - 1) == []
    assert copy(maple, delivery).judged_at == 0
    assert len(fold(maple, 2)) == 1


def test_what_comes_later_changes_what_was_said_and_that_is_on_record(maple: Copies) -> None:
    """A link that looked like a person's, and then the hidden link and every other from the same place."""
    _, (delivery,) = maple.send()
    maple.later(10 * MINUTE)
    place = "203.0.113.77"
    maple.click(delivery, 1, address=place)
    assert [one.facts["verdict"] for one in fold(maple)] == ["human"]
    for number in (2, 3):
        maple.click(delivery, number, address=place)
    maple.click(delivery, 0, decoy=True, address=place)
    told = fold(maple)
    changed = [one for one in told if one.kind == kinds.TRACKING_REJUDGED]
    assert [(one.facts["verdict-before"], one.facts["link"]) for one in changed] == [("human", "1")]
    assert changed[0].facts["verdict"] != "human"
    clicked = [one for one in told if one.kind == kinds.TRACKING_CLICKED]
    assert "human" not in {one.facts["verdict"] for one in clicked}
    # nobody clicked the hidden link
    assert {one.facts["link"] for one in clicked} == {"2", "3"}
    assert copy(maple, delivery).clicked != "human"


def test_time_counts_from_the_servers_answer(maple: Copies) -> None:
    """Between our attempt and the 250 lie queues: stored is the time since the attempt, judged that since the 250."""
    message, (delivery,) = maple.send()
    with scope.organisation(maple.owner):
        token = maple.token("click", delivery, 1, made=maple.at[0] // 1_000_000 - 900)
    maple.later(1_000_000)
    maple.fetch(f"/c/{token}")
    assert maple.arrivals.waiting[0].seen.provisional
    (said,) = fold(maple)
    assert copy(maple, delivery).sent_at == maple.at[0] - MINUTE - 1 - 1_000_000
    assert said.on[0] == ids.text(message)


def test_a_hit_before_the_log_knows_of_the_copy_waits_for_it(maple: Copies) -> None:
    delivery = ids.new(1)
    maple.click(delivery, 1)
    assert fold(maple) == []
    assert copy(maple, delivery).due_at > maple.at[0]
    maple.later(HOUR)
    Folding(maple.box.store).step(maple.at[0])
    found = copy(maple, delivery)
    # nobody ever says that it was sent: judged by what there is, told to nobody
    assert (found.judged_at > 0, found.due_at, found.message) == (True, 0, None)


def test_rules_that_are_newer_judge_the_past_anew(maple: Copies) -> None:
    _, (delivery,) = maple.send()
    maple.click(delivery, 1, headers=CURL)
    fold(maple)
    with scope.organisation(maple.owner):
        Copy.objects.filter(org_id=maple.owner).update(rules=RULES - 1)
        Hit.objects.filter(org_id=maple.owner).update(verdict="human", reason="usual")
    (said,) = fold(maple)
    assert (said.kind, said.facts["verdict-before"], said.facts["verdict"]) == (
        kinds.TRACKING_REJUDGED, "human", "automated",
    )  # fmt: skip
    assert copy(maple, delivery).rules == RULES


def test_a_crash_before_the_commit_leaves_the_copy_due(maple: Copies, monkeypatch: pytest.MonkeyPatch) -> None:
    _, (delivery,) = maple.send()
    maple.click(delivery, 1)
    maple.arrivals.write()
    maple.later(MINUTE + 1)

    def dies(*_: Any, **__: Any) -> None:
        raise OSError("gone")

    with monkeypatch.context() as patched:
        patched.setattr("carepost.engagement.folding.events.append", dies)
        with pytest.raises(OSError, match="gone"):
            Folding(maple.box.store).step(maple.at[0])
    assert copy(maple, delivery).judged_at == 0
    assert len(fold(maple)) == 1


def numbers(maple: Copies, counts: Switch | None = None) -> dict[str, int]:
    day = maple.at[0] // 86_400_000_000
    clicked = select.access_report(maple.owner, COMMAND_LINE, first=day - 3, last=day, counts=counts).clicked
    names = ("sent", "human", "undetermined", "automated", "counted")
    return {name: getattr(clicked, name) for name in names}


def test_the_report_counts_copies_and_the_switch_holds_for_the_past(maple: Copies) -> None:
    _, (first, second, _) = maple.send("a@patient.test", "b@patient.test", "c@patient.test")
    maple.send("d@patient.test", tracked="opens")
    maple.later(2 * HOUR)
    maple.click(first, 1)
    maple.click(first, 2)
    maple.click(second, 1, headers=CURL)
    fold(maple)
    Counting(maple.box.store).step()
    assert numbers(maple) == {"sent": 3, "human": 1, "undetermined": 0, "automated": 1, "counted": 1}
    assert numbers(maple, Switch.ALL)["counted"] == 2
    acts.count_as(maple.owner, "all", actor=COMMAND_LINE, reason="as before")
    assert numbers(maple)["counted"] == 2
    acts.count_as(maple.owner, "human", actor=COMMAND_LINE, reason="strict")
    assert numbers(maple)["counted"] == 1
    day = maple.at[0] // 86_400_000_000
    opened = select.access_report(maple.owner, COMMAND_LINE, first=day - 3, last=day).opened
    # who follows a link has opened the message
    assert (opened.sent, opened.human, opened.automated) == (4, 1, 1)
    assert copy(maple, first).clicked == "human"


def test_who_opened_and_who_did_not_is_found_by_what_the_account_counts(maple: Copies, cast: Any) -> None:
    """A6.10: what a search finds can be sent again, to those alone."""
    message, (first, second, third) = maple.send("a@patient.test", "b@patient.test", "c@patient.test")
    maple.send("d@patient.test", tracked="")
    maple.later(2 * HOUR)
    maple.click(first, 1)
    maple.click(second, 1, headers=CURL)
    fold(maple)
    maple.box.commit_office()

    def those(asked: Engaged) -> set[bytes]:
        opened, clicked = select.engaged(maple.owner, asked)
        wanted = Wanted(opened=opened, clicked=clicked)
        found = search(maple.org, cast.operator, wanted).messages
        assert {one.id for one in found} <= {ids.text(message)}
        return {delivery for one in found for delivery in meant(one, wanted)}

    assert those(Engaged.OPENED) == those(Engaged.CLICKED) == {first}
    assert those(Engaged.NOT_OPENED) == those(Engaged.NOT_CLICKED) == {second, third}
    acts.count_as(maple.owner, "all", actor=COMMAND_LINE, reason="as before")
    assert those(Engaged.CLICKED) == {first, second}
    assert those(Engaged.NOT_CLICKED) == {third}
    view = access_message(maple.org, message, cast.operator)
    assert {ids.parse(one.id): one.clicked for one in view.deliveries} == {
        first: "human", second: "automated", third: "no"
    }  # fmt: skip


def test_copies_are_counted_once_from_the_first_watching_on(maple: Copies, cast: Any) -> None:
    counting = Counting(maple.box.store)
    maple.send("a@patient.test", "b@patient.test")
    assert counting.step() > 0
    assert counting.step() == 0
    maple.send()
    counting.step()
    assert numbers(maple)["sent"] == 3
    with scope.organisation(uuid.UUID(bytes=cast.harbour)):
        assert not Account.objects.filter(org_id=uuid.UUID(bytes=cast.harbour)).exists()


def test_a_messages_page_shows_its_fetches_to_those_who_may_read_it(maple: Copies, cast: Any) -> None:
    message, (delivery,) = maple.send()
    maple.later(2 * HOUR)
    maple.fetch(f"/o/{maple.token('open', delivery)}")
    maple.later(MINUTE // 10)
    maple.click(delivery, 1, headers=CURL)
    fold(maple)
    shown = select.access_copies(maple.owner, cast.operator, message)[ids.text(delivery)]
    assert [(one.kind, one.link, one.verdict, one.counted) for one in shown] == [
        ("open", 0, shown[0].verdict, shown[0].verdict != "automated"),
        ("click", 1, "automated", False),
    ]
    assert all(one.because for one in shown)
    harbour = uuid.UUID(bytes=cast.harbour)
    assert select.access_copies(harbour, cast.stranger, message) == {}
    day = maple.at[0] // 86_400_000_000
    assert select.access_report(harbour, cast.stranger, first=day - 3, last=day).lines == ()


def test_features_go_with_the_content_and_verdicts_stay(maple: Copies) -> None:
    message, (delivery,) = maple.send()
    maple.click(delivery, 1)
    fold(maple)
    before = copy(maple, delivery).clicked
    assert forgetting.forget(maple.org, message) == 1
    with scope.organisation(maple.owner):
        assert not Hit.objects.filter(org_id=maple.owner).exists()
    assert copy(maple, delivery).clicked == before


def test_features_are_over_after_a_year_and_a_bit_whatever_is_kept(maple: Copies) -> None:
    _, (delivery,) = maple.send()
    maple.click(delivery, 1)
    fold(maple)
    assert forgetting.sweep(maple.at[0] + forgetting.LIFE_US - HOUR) == 0
    assert forgetting.sweep(maple.at[0] + forgetting.LIFE_US) == 1


def test_features_go_when_the_journal_disposes_of_the_content(maple: Copies) -> None:
    message, (delivery,) = maple.send()
    maple.click(delivery, 1)
    fold(maple)
    Disposal(maple.box.store, Marks(maple.box.store))._dispose(maple.owner, uuid.UUID(bytes=message), 30)
    with scope.organisation(maple.owner):
        assert not Hit.objects.filter(org_id=maple.owner).exists()
    assert copy(maple, delivery).hits == 1
