"""A sender domain over time: what changed in DNS and here, how each day stood, what others reported; whose, by whom."""

import uuid
from typing import Any

import msgspec
import pytest

from carepost.destinations import reports
from carepost.ground.errors import NotFound
from carepost.rfc.asking import FAILED, Found, Question, Record
from carepost.rfc.reports import Report
from carepost.senders import acts, changes, history, letters, looking
from carepost.senders.changes import Known
from carepost.senders.history import Day, Entry
from carepost.senders.models import Change, Check, Standing
from carepost.senders.types import Line, Part, State
from carepost.tenancy import scope, select
from carepost.tenancy.actions import dkim_keys, domains, organisations
from carepost.tenancy.models import SenderDomain
from carepost.tenancy.permissions import BOOTSTRAP, COMMAND_LINE
from carepost.wire.reports import Received
from carepost.wire.types import Actor
from tests.support.mailroom import KeptDoor
from tests.support.noon import DAY, NOON, at
from tests.support.outbox import office_events

__all__ = ["at"]

pytestmark = pytest.mark.django_db(databases=["default", "records"])

CLOCK = Actor("system", "journal")


class Dns:
    def __init__(self) -> None:
        self.txt = {"_dmarc.maple.test": "v=DMARC1; p=reject; rua=mailto:dmarc-reports@maple.test"}
        self.silent = False

    def ask(self, question: Question) -> Found:
        if self.silent:
            return FAILED
        text = self.txt.get(question.name) if question.record is Record.TXT else None
        return Found(texts=(text.encode(),)) if text else Found()


@pytest.fixture
def org(at: list[int], cast: Any) -> uuid.UUID:
    return uuid.UUID(bytes=cast.maple)


def row_of(org: uuid.UUID) -> SenderDomain:
    [row] = select.domains(org)
    return row


def look(org: uuid.UUID, dns: Dns, by: Actor = CLOCK) -> None:
    looking.look(org, row_of(org), dns.ask, actor=by)


def seen(org: uuid.UUID, by: Actor = COMMAND_LINE, days: int = 84) -> history.History:
    return history.history(org, by, "maple.test", days=days)


def kinds(org: uuid.UUID) -> list[str]:
    return [one.kind for one in seen(org).changes if not one.kind.startswith("key")]


def test_what_changed_stands_there_with_what_stood_there(org: uuid.UUID, at: list[int]) -> None:
    dns = Dns()
    look(org, dns)
    assert kinds(org) == ["first", "added"], "nothing changed yet"
    at[0] += DAY
    look(org, dns)
    assert kinds(org) == ["first", "added"]
    at[0] += DAY
    former = dns.txt.pop("_dmarc.maple.test")
    look(org, dns)
    [entry] = [one for one in seen(org).changes if one.kind == "record"]
    assert entry == Entry(
        at[0], "record", "_dmarc.maple.test", "What receivers should do (DMARC)",
        "It is missing now; before it was right.", former, "", True,
    )  # fmt: skip
    dns.txt["_dmarc.maple.test"] = former
    at[0] += DAY
    look(org, dns)
    back = seen(org).changes[0]
    assert (back.old, back.new, back.weaker) == ("", former, False)
    facts = [one.facts for one in office_events(looking.CHANGED)]
    assert [(one["from"], one["to"], one.get("weaker", "")) for one in facts] == [
        ("right", "missing", "yes"), ("missing", "right", ""),
    ]  # fmt: skip


def test_a_record_that_asks_for_less_is_weaker_and_told_though_it_is_right(org: uuid.UUID, at: list[int]) -> None:
    organisations.change_settings(org, actor=BOOTSTRAP, reason="r", alerts="it@maple.test")
    dns, door = Dns(), KeptDoor()
    look(org, dns)
    dns.txt["_dmarc.maple.test"] = "v=DMARC1; p=none; rua=mailto:dmarc-reports@maple.test"
    at[0] += DAY
    look(org, dns)
    entry = seen(org).changes[0]
    assert (entry.weaker, entry.text) == (True, "It asks for less than before.")
    assert [letters.mail(door, at[0]) for _ in range(2)] == [1, 0]
    assert b"protect less than they did: 1" in b" ".join(door.taken[0].body.split())
    dns.txt["_dmarc.maple.test"] = "v=DMARC1; p=quarantine; rua=mailto:dmarc-reports@maple.test"
    at[0] += DAY
    look(org, dns)
    assert not seen(org).changes[0].weaker and letters.mail(door, at[0]) == 0


def test_silence_changes_nothing_and_is_a_day_of_its_own(org: uuid.UUID, at: list[int]) -> None:
    dns = Dns()
    look(org, dns)
    dns.silent = True
    at[0] += DAY
    look(org, dns)
    at[0] += 2 * DAY
    dns.silent = False
    look(org, dns)
    assert kinds(org) == ["first", "added"]
    days = seen(org, days=4).days
    assert [one.date for one in days] == ["2026-11-21", "2026-11-22", "2026-11-23", "2026-11-24"]
    assert [one.looked for one in days] == [1, 1, 0, 1]
    assert days[1].unknown > 5 > days[0].unknown and days[1].wrong < days[0].wrong


def test_a_day_counts_by_its_worst_look_and_a_silent_one_hides_nothing(org: uuid.UUID, at: list[int]) -> None:
    dns = Dns()
    look(org, dns, COMMAND_LINE)
    [before] = seen(org, days=1).days
    dns.txt.pop("_dmarc.maple.test")
    look(org, dns, COMMAND_LINE)
    [worse] = seen(org, days=1).days
    assert worse.wrong == before.wrong + 1
    dns.txt = Dns().txt
    look(org, dns, COMMAND_LINE)
    dns.silent = True
    look(org, dns, COMMAND_LINE)
    assert seen(org, days=1).days == (worse,)


def test_weeks_add_reports_and_stand_as_on_their_worst_day() -> None:
    days = [Day(f"2026-11-{n:02}", n % 2, 5, n % 3, 0, 9, 10, 1, 4, 2) for n in range(1, 10)]
    newest, oldest = history.weeks(days)
    assert newest == Day("2026-11-03", 4, 5, 2, 0, 9, 70, 7, 28, 14)
    assert oldest == Day("2026-11-01", 1, 5, 1, 0, 9, 20, 2, 8, 4)
    assert history.weeks([Day("2026-11-01")]) == [Day("2026-11-01")]
    assert history.weeks([Day("2026-10-30")] * 60 + days) == [
        newest,
        msgspec.structs.replace(oldest, date="2026-10-30"),
    ]
    assert len(history.weeks([Day("2026-10-30")] * 60)) == 1


def test_only_proved_reports_count_on_the_day_they_begin(org: uuid.UUID, at: list[int]) -> None:
    def came(number: str, kind: str, begins: int, proved: str = "reports.test") -> None:
        told = Report(kind, "maple.test", "Example", number, begins, begins + DAY, good=40, bad=3)
        reports.keep(org.bytes, uuid.uuid4().bytes, Received(told, proved))

    came("1", "dmarc", NOON - DAY)
    came("2", "dmarc", NOON - DAY + 1)
    came("3", "dmarc", NOON - DAY, proved="")
    came("4", "tls", NOON)
    came("5", "tls", NOON - 30 * DAY)
    yesterday, today = seen(org, days=2).days
    assert (yesterday.messages, yesterday.unproved, yesterday.sessions) == (86, 6, 0)
    assert (today.messages, today.sessions, today.failed) == (0, 43, 3)


def test_what_was_done_here_stands_among_it(org: uuid.UUID, at: list[int]) -> None:
    at[0] += DAY
    acts.serve_policy(org, "maple.test", actor=COMMAND_LINE, mode="enforce", mx=("mx.maple.test",))
    acts.serve_policy(org, "maple.test", actor=COMMAND_LINE, mode="enforce", mx=("mx.maple.test",))
    at[0] += DAY
    acts.serve_policy(org, "maple.test", actor=COMMAND_LINE, mode="testing", mx=("mx.maple.test",))
    weaker, stronger = [one for one in seen(org).changes if one.kind == "policy"]
    assert (weaker.weaker, weaker.text) == (True, "The mode is now: testing; before: enforce.")
    assert (stronger.weaker, "mode: enforce" in stronger.new, stronger.old) == (False, True, "")
    at[0] += DAY
    [made] = dkim_keys.make_next(org, "maple.test", actor=COMMAND_LINE, algorithms=("ed25519-sha256",))
    at[0] += DAY
    waiting = {made.selector: (made.record.encode(),)}
    dkim_keys.switch(org, "maple.test", actor=COMMAND_LINE, shown=waiting)
    told = [(one.kind, one.at) for one in seen(org).changes if one.kind.startswith("key")]
    assert told.count(("key-made", at[0] - DAY)) == 1 and told.count(("key-signs", at[0])) == 1
    assert sum(kind == "key-retired" for kind, _ in told) == 2


def test_it_is_kept_a_while_and_the_newest_are_shown(org: uuid.UUID, at: list[int]) -> None:
    dns = Dns()
    look(org, dns)
    at[0] += (history.KEPT_DAYS + 1) * DAY
    with scope.organisation(org):
        for n in range(history.SHOWN + 1):
            Change.objects.create(org_id=org, domain=row_of(org), at=at[0] - n, kind="first", new=str(n))
    look(org, dns)
    found = seen(org)
    assert found.more and [one.kind for one in found.changes] == ["first"] * history.SHOWN
    with scope.organisation(org):
        assert Change.objects.count() == history.SHOWN + 1, "the one too old is gone"
        assert Standing.objects.count() == 1


def test_only_who_may_see_the_domain_and_only_ones_own(org: uuid.UUID, cast: Any) -> None:
    look(org, Dns())
    for by in (cast.operator, cast.auditor, cast.stranger, cast.key):
        with pytest.raises(NotFound):
            seen(org, by)
    other = uuid.UUID(bytes=cast.harbour)
    for domain in ("maple.test", str(row_of(org).pk)):
        with pytest.raises(NotFound):
            history.history(other, cast.stranger, domain)
    domains.remove_domain(org, "maple.test", actor=COMMAND_LINE, reason="sold")
    with pytest.raises(NotFound):
        seen(org)


def test_what_a_version_before_kept_is_read_and_changes_nothing(org: uuid.UUID, at: list[int]) -> None:
    dns = Dns()
    look(org, dns)
    with scope.organisation(org):
        row = Check.objects.get(org_id=org)
        old = looking._known.decode(row.known)
        row.known = looking._encode({place: {"state": o.state, "code": o.code, "at": o.at} for place, o in old.items()})
        row.known = row.known.decode()
        row.save()
    at[0] += DAY
    look(org, dns)
    assert kinds(org) == ["first", "added"]


DMARC = "_dmarc.maple.test"


@pytest.mark.parametrize(
    ("part", "record", "old", "new", "weaker"),
    [
        (Part.DMARC, "TXT", "v=DMARC1; p=reject", "v=DMARC1; p=quarantine", True),
        (Part.DMARC, "TXT", "v=DMARC1; p=reject", "v=DMARC1; p=reject; t=y", True),
        (Part.DMARC, "TXT", "v=DMARC1; p=none", "v=DMARC1; p=reject", False),
        (Part.SPF, "TXT", "v=spf1 mx -all", "v=spf1 mx ~all", True),
        (Part.SPF, "TXT", "v=spf1 mx ~all", "v=spf1 mx all", True),
        (Part.SPF, "TXT", "v=spf1 mx -all", "v=spf1 mx a -all", False),
        (Part.MTA_STS_FILE, "HTTPS", "version: STSv1\nmode: enforce", "version: STSv1\nmode: none", True),
        (Part.MX, "MX", "10 a.test", "10 b.test", False),
    ],
)
def test_less_is_weaker(part: Part, record: str, old: str, new: str, weaker: bool) -> None:
    line = Line(part, DMARC, record, State.RIGHT, "x", "", found=(new,))
    [turn] = changes.between({line.place: Known("right", "x", 1, (old,))}, [line])
    assert (turn.weaker, turn.old) == (weaker, (old,))


def test_order_and_addresses_that_come_and_go_are_no_change() -> None:
    line = Line(Part.MX, DMARC, "MX", State.RIGHT, "x", "", found=("b", "a"))
    assert not changes.between({line.place: Known("right", "y", 1, ("a", "b"))}, [line])
    line = Line(Part.HELO, DMARC, "A", State.RIGHT, "x", "", found=("192.0.2.1",))
    assert not changes.between({line.place: Known("right", "x", 1, ("192.0.2.2",))}, [line])
