"""Lists and search: by tokens of the day, every hit compared, each page an event before it is shown."""

from typing import Any

import pytest

from carepost.archive import lists, segments, tokens
from carepost.archive.books import book, opener
from carepost.archive.lists import listing
from carepost.archive.search import Wanted, search
from carepost.audit import reader
from carepost.crypto import index
from carepost.ground import clock, ids
from carepost.ground.errors import NotFound, Refused
from carepost.proof import kinds
from tests.support.noon import DAY, NOON
from tests.support.outbox import Outbox, office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"])


def found(cast: Any, **wanted: Any) -> list[str]:
    return [m.id for m in search(cast.maple, cast.operator, Wanted(**wanted)).messages]


def test_each_field_finds_its_message_and_only_its(cast: Any, outbox: Outbox) -> None:
    one, _ = outbox.accepted(
        cast.maple, ("Jane@patient.test", "joan@family.test"), subject="Your MRI results, Jane",
        message_id="<Abc@x.test>", tags=("mri",),
    )  # fmt: skip
    outbox.accepted(cast.maple, ("other@elsewhere.test",), sender="desk@maple.test", subject="Closed on Monday")
    outbox.accepted(cast.harbour, ("jane@patient.test",), subject="Your MRI results, Jane")
    outbox.commit()
    mine = [ids.text(one)]
    for wanted in (
        {"recipient": "jane@PATIENT.test"}, {"recipient": "joan@family.test"}, {"recipient": "@family.test"},
        {"recipient": "patient.test"}, {"sender": "Nurse@maple.test"}, {"subject": "mri"}, {"subject": "results jane"},
        {"message_id": "<Abc@x.test>"}, {"message_id": "Abc@x.test"}, {"message_id": ids.text(one)}, {"tag": "mri"},
        {"recipient": "jane@patient.test", "subject": "MRI", "sender": "nurse@maple.test"},
    ):  # fmt: skip
        assert found(cast, **wanted) == mine, wanted
    for wanted in (
        {"recipient": "jane@family.test"}, {"sender": "jane@patient.test"}, {"subject": "mri monday"},
        {"message_id": "<abc@x.test>"}, {"tag": "MR"}, {"recipient": "jane@patient.test", "sender": "desk@maple.test"},
        {"message_id": ids.text(one), "subject": "monday"}, {"subject": "mri", "state": "sent"},
    ):  # fmt: skip
        assert found(cast, **wanted) == [], wanted


def test_a_day_is_a_day_and_times_are_exact(cast: Any, outbox: Outbox, at: list[int]) -> None:
    days = []
    for back in (0, 1, 40, 100):
        at[0] = NOON - back * DAY
        days.append(ids.text(outbox.accepted(cast.maple)[0]))
    at[0] = NOON + 60_000_000
    outbox.commit()
    assert found(cast, subject="panel") == days
    assert found(cast, subject="panel", since=NOON - 90 * DAY) == days[:3]
    assert found(cast, subject="panel", since=NOON - 40 * DAY, until=NOON) == days[1:3]
    assert found(cast, subject="panel", since=NOON - DAY + 1000, until=NOON + 1) == days[:1]
    assert found(cast, since=NOON - 41 * DAY, until=NOON) == days[1:3]


def test_pages_follow_each_other_without_a_gap(cast: Any, outbox: Outbox, at: list[int]) -> None:
    expected = []
    for number in range(7):
        at[0] = NOON - (7 - number) * DAY // 3
        expected.insert(0, ids.text(outbox.accepted(cast.maple, tags=("batch",))[0]))
    at[0] = NOON
    outbox.commit()
    for wanted in (Wanted(tag="batch"), Wanted(state="queued"), Wanted()):
        seen: list[str] = []
        cursor = ""
        for _ in range(9):
            page = search(cast.maple, cast.operator, wanted, after=cursor, limit=3)
            seen += [m.id for m in page.messages]
            cursor = page.cursor
            if not cursor:
                break
        assert seen == expected


def test_a_token_that_collides_is_not_shown(cast: Any, outbox: Outbox) -> None:
    message, _ = outbox.accepted(cast.maple)
    outbox.commit()
    key, day = tokens.key_of(book(), cast.maple, clock.now()), index.day_of(clock.now())
    false = index.token(key, tokens.WORD, "elephant", day)
    with outbox.store.writing():
        segments.add(outbox.store, cast.maple, day, [false + message])
    assert found(cast, subject="elephant") == []


def test_what_was_searched_for_is_on_record_and_sealed(cast: Any, outbox: Outbox) -> None:
    message, _ = outbox.accepted(cast.maple)
    outbox.commit()
    found(cast, recipient="jane.quillfeather@patient.test")
    (seen,) = office_events(kinds.MESSAGE_SEARCHED)
    assert seen.on == [ids.text(message)]
    assert seen.facts == {"count": "1"}
    assert "quillfeather" not in str(seen)
    outbox.commit_office()
    (stored,) = [s for s in reader.events_on(outbox.store, cast.maple, ids.text(message)) if s.event.kind == seen.kind]
    opened = opener().openings(cast.maple, stored.event, stored.sealed)
    assert b"jane.quillfeather@patient.test" in opened["wanted"][1]


@pytest.mark.parametrize("who", ["sender", "stranger"])
def test_who_may_not_search_is_told_nothing(cast: Any, outbox: Outbox, who: str) -> None:
    outbox.accepted(cast.maple)
    outbox.commit()
    with pytest.raises(NotFound):
        search(cast.maple, getattr(cast, who), Wanted(subject="panel"))
    with pytest.raises(NotFound):
        listing(cast.maple, getattr(cast, who))
    assert office_events(kinds.MESSAGE_SEARCHED) == office_events(kinds.MESSAGE_LISTED) == []


def test_a_list_is_an_event_of_what_was_seen(cast: Any, outbox: Outbox) -> None:
    messages = [ids.text(outbox.accepted(cast.maple)[0]) for _ in range(3)]
    outbox.commit()
    page = listing(cast.maple, cast.auditor, limit=2)
    (seen,) = office_events(kinds.MESSAGE_LISTED)
    assert seen.on == [m.id for m in page.messages]
    assert set(seen.on) < set(messages)


def test_states_follow_events(cast: Any, outbox: Outbox) -> None:
    one, (delivery,) = outbox.accepted(cast.maple)
    two, (other,) = outbox.accepted(cast.maple)
    outbox.sent(cast.maple, one, delivery)
    outbox.commit()
    outbox.deposited(cast.maple, two, other, "jane@patient.test")
    outbox.commit()
    assert found(cast, state="sent") == [ids.text(one)]
    assert found(cast, state="deposited") == [ids.text(two)]
    assert found(cast, state="queued") == []
    (line,) = [m for m in listing(cast.maple, cast.operator).messages if m.id == ids.text(two)]
    (shown,) = line.deliveries
    assert (shown.method, shown.assurance, shown.rule) == ("portal", "MAILBOX", "portal-by-mail")


def test_what_cannot_be_searched_for_says_so(cast: Any, outbox: Outbox) -> None:
    for wanted in (Wanted(subject="a"), Wanted(subject="x", since=1, until=NOON)):
        with pytest.raises(Refused):
            search(cast.maple, cast.operator, wanted)
    with pytest.raises(Refused):
        listing(cast.maple, cast.operator, after="not-a-cursor")
    assert lists.bounds("", 0, 0)[1].int == 0


def test_an_address_is_found_however_its_domain_is_spelt(cast: Any, outbox: Outbox) -> None:
    """BI-063: tokens hold A-labels; what is typed comes in either form, in any case, with or without the @."""
    one, _ = outbox.accepted(cast.maple, ("jörg@xn--bcher-kva.test",), sender="desk@xn--bcher-kva.test")
    outbox.accepted(cast.maple, ("joerg@buecher.test",))
    outbox.commit()
    for wanted in (
        {"recipient": "jörg@bücher.test"}, {"recipient": "JÖRG@BÜCHER.test"}, {"recipient": "jörg@xn--bcher-kva.test"},
        {"recipient": "bücher.test"}, {"recipient": "@Bücher.test"}, {"recipient": "xn--bcher-kva.test."},
        {"sender": "desk@bücher.test"}, {"sender": "desk@xn--bcher-kva.test"},
    ):  # fmt: skip
        assert found(cast, **wanted) == [ids.text(one)], wanted
    for wanted in ({"recipient": "jörg@büche.test"}, {"recipient": "@"}, {"recipient": "no address at all"}):
        assert found(cast, **wanted) == [], wanted


def test_what_carepost_wrote_itself_can_be_left_out(cast: Any, outbox: Outbox) -> None:
    """A page is full of what was asked for, not of what is left after the notices were taken out of it."""
    people = [outbox.accepted(cast.maple, ("jane@patient.test",))[0] for _ in range(3)]
    own = []
    for _ in range(4):
        message, _ = outbox.accepted(cast.maple, ("jane@patient.test",), origin="notice")
        own.append(message)
    outbox.commit()
    mine = sorted((ids.text(one) for one in people), reverse=True)
    own_kinds = ("notice", "bounce", "report")
    for wanted in ({}, {"state": "queued"}, {"recipient": "jane@patient.test"}):
        page = search(cast.maple, cast.operator, Wanted(without=own_kinds, **wanted), limit=2)
        assert [m.id for m in page.messages] == mine[:2], wanted
        page = search(cast.maple, cast.operator, Wanted(without=own_kinds, **wanted), after=page.cursor, limit=2)
        assert [m.id for m in page.messages] == mine[2:], wanted
        assert len(search(cast.maple, cast.operator, Wanted(**wanted)).messages) == 7
