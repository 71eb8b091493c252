"""Pools, addresses, own limits and lifting: each with its event, told to the engines, refused to strangers; and what
the engine's views read of it."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from carepost.destinations import ahead, sending, warming, ways
from carepost.destinations.models import Asked, SendingAddress, WarmDay
from carepost.directory import sending as told
from carepost.directory.sql import COLUMNS
from carepost.ground import clock
from carepost.ground.errors import NotFound, Refused
from carepost.pace.limits import Limits
from carepost.tenancy.models import OrgEpoch
from carepost.tenancy.permissions import BOOTSTRAP, COMMAND_LINE, Forbidden
from carepost.tenancy.scope import organisation
from carepost.wire.pacing import HeldBack, LaneView, Noticed
from carepost.wire.types import Actor
from tests.support.cast import cast, fresh_books
from tests.support.outbox import office_events

__all__ = ["cast", "fresh_books"]

pytestmark = pytest.mark.django_db(databases=["default", "records"])
DAY = 86_400_000_000


def epoch(org: uuid.UUID) -> int:
    with organisation(org):
        return OrgEpoch.objects.get(org=org).epoch


@pytest.fixture
def org(cast: Any) -> uuid.UUID:
    return uuid.UUID(bytes=cast.maple)


@pytest.fixture
def pooled(org: uuid.UUID) -> uuid.UUID:
    sending.add_pool(org, "letters", actor=BOOTSTRAP, streams=("transactional", "system"))
    sending.add_pool(org, "campaigns", actor=BOOTSTRAP, streams=("bulk",), domain="maple.test")
    sending.add_address(org, "192.0.2.10", "letters", actor=BOOTSTRAP, helo="Out1.Maple.Test.", warm=False)
    sending.add_address(org, "192.0.2.11", "campaigns", actor=BOOTSTRAP, usual=5000)
    return org


def read(org: uuid.UUID) -> told.Sending:
    """As the engine does, through its views."""
    with organisation(org), connections["default"].cursor() as cursor:
        rows = {}
        for view in told.VIEWS:
            cursor.execute(f"SELECT {', '.join(COLUMNS[view])} FROM {view} WHERE org = %s", [org.hex])
            rows[view] = cursor.fetchall()
    found = told.read(rows)
    assert found is not None
    return found


def test_an_organisation_that_decided_nothing_has_nothing_of_it(org: uuid.UUID) -> None:
    assert told.read({view: [] for view in told.VIEWS}) is None
    assert (ways.pools(org), ways.addresses(org), ways.limits(org)) == ([], [], [])


def test_what_is_decided_is_what_the_engine_reads(pooled: uuid.UUID) -> None:
    sending.set_limits(pooled, "gmail", Limits(connections=2, per_hour=1000), actor=BOOTSTRAP, reason="asked by Google")
    found = read(pooled)
    assert found.addresses == (
        told.Address("192.0.2.11", "", "campaigns", "active", warming=True),
        told.Address("192.0.2.10", "out1.maple.test", "letters", "active"),
    ) or found.addresses == (
        told.Address("192.0.2.10", "out1.maple.test", "letters", "active"),
        told.Address("192.0.2.11", "", "campaigns", "active", warming=True),
    )
    assert {pool.name: (pool.streams, pool.domain) for pool in found.pools} == {
        "letters": (("system", "transactional"), ""), "campaigns": (("bulk",), "maple.test"),
    }  # fmt: skip
    assert found.limits == {"gmail": Limits(connections=2, per_hour=1000)}
    assert told.pool_for(found, "bulk", "maple.test") == "campaigns"
    assert told.pool_for(found, "bulk", "other.test") == ""
    assert told.pool_for(found, "operational", "maple.test") == ""


#: every act, as (name, what it does); each needs the permission, writes its event and tells the engines
ACTS: dict[str, tuple[str, Callable[[uuid.UUID, Actor], object]]] = {
    "add_pool": ("sending.pool-added", lambda o, by: sending.add_pool(o, "more", actor=by)),
    "add_address": (
        "sending.address-added", lambda o, by: sending.add_address(o, "2001:db8::1", "letters", actor=by)
    ),
    "change_address": (
        "sending.address-changed",
        lambda o, by: sending.change_address(o, "192.0.2.10", actor=by, state="paused", reason="listed"),
    ),
    "remove_address": (
        "sending.address-removed", lambda o, by: sending.remove_address(o, "192.0.2.11", actor=by, reason="gone")
    ),
    "set_limits": (
        "sending.limits-set",
        lambda o, by: sending.set_limits(o, "yahoo", Limits(connections=1), actor=by, reason="slow"),
    ),
    "ahead": ("sending.ahead-set", lambda o, by: ahead.put(o, 90, actor=by, reason="recalls a year ahead")),
    "lift": ("sending.lifted", lambda o, by: sending.lift(o, "gmail", actor=by, reason="talked to them")),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(ACTS))
def test_an_act_writes_its_event_and_tells_the_engines(pooled: uuid.UUID, name: str) -> None:
    kind, act = ACTS[name]
    before = epoch(pooled)
    act(pooled, COMMAND_LINE)
    assert epoch(pooled) == before + 1
    assert office_events(kind)


@pytest.mark.parametrize("name", sorted(ACTS))
def test_strangers_and_people_without_the_permission_do_nothing(pooled: uuid.UUID, cast: Any, name: str) -> None:
    before = epoch(pooled)
    for by in (cast.stranger, cast.operator, cast.auditor, cast.sender, cast.key, Actor("staff", str(uuid.uuid4()))):
        with pytest.raises(Forbidden):
            ACTS[name][1](pooled, by)
    assert epoch(pooled) == before


def test_how_far_ahead_is_the_organisations_own(pooled: uuid.UUID, cast: Any) -> None:
    def seen() -> list[int]:
        with organisation(pooled), connections["default"].cursor() as cursor:
            cursor.execute("SELECT days FROM engine_ahead WHERE org = %s", [pooled.hex])
            return [days for (days,) in cursor.fetchall()]

    assert (ahead.days(pooled), seen()) == (31, [])
    assert ahead.put(pooled, 7, actor=BOOTSTRAP, reason="no plans")
    assert not ahead.put(pooled, 7, actor=BOOTSTRAP, reason="again")
    with pytest.raises(Forbidden):
        ahead.put(pooled, 7, actor=cast.operator, reason="again")
    assert ahead.put(pooled, 366, actor=BOOTSTRAP, reason="recalls")
    assert (ahead.days(pooled), seen(), ahead.days(uuid.UUID(bytes=cast.harbour))) == (366, [366], 31)
    for wrong in (0, -1, 367):
        with pytest.raises(Refused, match="1 to 366"):
            ahead.put(pooled, wrong, actor=BOOTSTRAP, reason="r")
    (first, last) = office_events("sending.ahead-set")
    assert (first.facts, last.facts) == ({"days": "7", "before": "31"}, {"days": "366", "before": "7"})


def test_another_organisations_pools_and_addresses_are_not_there(pooled: uuid.UUID, cast: Any) -> None:
    harbour = uuid.UUID(bytes=cast.harbour)
    with pytest.raises(Refused, match="no pool"):
        sending.add_address(harbour, "192.0.2.99", "letters", actor=BOOTSTRAP)
    with pytest.raises(NotFound):
        sending.change_address(harbour, "192.0.2.10", actor=BOOTSTRAP, state="paused", reason="r")
    with pytest.raises(NotFound):
        sending.lift(harbour, "gmail", actor=BOOTSTRAP, source="192.0.2.10", reason="r")
    assert ways.addresses(harbour) == []


@pytest.mark.parametrize(
    "wrong",
    [
        lambda o: sending.add_pool(o, "letters", actor=BOOTSTRAP),
        lambda o: sending.add_pool(o, "again", actor=BOOTSTRAP, streams=("system", "transactional")),
        lambda o: sending.add_pool(o, "Bad Name", actor=BOOTSTRAP),
        lambda o: sending.add_pool(o, "fast", actor=BOOTSTRAP, streams=("fast",)),
        lambda o: sending.add_pool(o, "foreign", actor=BOOTSTRAP, domain="harbour.test"),
        lambda o: sending.add_address(o, "192.0.2.300", "letters", actor=BOOTSTRAP),
        lambda o: sending.add_address(o, "0.0.0.0", "letters", actor=BOOTSTRAP),
        lambda o: sending.add_address(o, "192.0.2.10", "letters", actor=BOOTSTRAP),
        lambda o: sending.add_address(o, "192.0.2.12", "nowhere", actor=BOOTSTRAP),
        lambda o: sending.change_address(o, "192.0.2.10", actor=BOOTSTRAP, state="fast", reason="r"),
        lambda o: sending.change_address(o, "192.0.2.10", actor=BOOTSTRAP, state="paused", reason=" "),
        lambda o: sending.remove_pool(o, "letters", actor=BOOTSTRAP, reason="r"),
        lambda o: sending.set_limits(o, "gmail", Limits(), actor=BOOTSTRAP, reason="r"),
        lambda o: sending.set_limits(o, "gmail", Limits(connections=10_000), actor=BOOTSTRAP, reason="r"),
        lambda o: sending.set_limits(o, "no such", Limits(connections=1), actor=BOOTSTRAP, reason="r"),
    ],
    ids=lambda _: "",
)
def test_what_cannot_be_is_refused_in_words(pooled: uuid.UUID, wrong: Callable[[uuid.UUID], object]) -> None:
    with pytest.raises(Refused):
        wrong(pooled)


def test_what_a_provider_asked_for_reaches_the_engines_once_and_a_person_lifts_it(pooled: uuid.UUID) -> None:
    now = clock.now()
    said = Noticed("gmail", "", "gmail-rate", now, now + 600_000_000)
    before = epoch(pooled)
    assert warming.asked(pooled, said)
    assert not warming.asked(pooled, said), "told again"
    assert epoch(pooled) == before + 1
    (one,) = read(pooled).told
    assert (one.provider, one.measure.suspend, one.measure.until, one.lifted_at) == ("gmail", True, said.until, 0)
    assert [line.held.words for line in ways.asked(pooled) if line.held] == [
        "a pause at Gmail and Google Workspace: it says that mail comes too fast (4.7.28)"
    ]
    sending.lift(pooled, "gmail", actor=COMMAND_LINE, reason="their postmaster agreed")
    assert all(row.lifted_at for row in read(pooled).told)
    assert ways.asked(pooled) == []
    with organisation(pooled):
        assert Asked.objects.get(org_id=pooled, reaction="gmail-rate").lifted_by == "system:command-line"
    assert warming.asked(pooled, Noticed("gmail", "", "gmail-rate", now + 1_000_000, now + 601_000_000))
    assert [row.lifted_at for row in read(pooled).told if row.measure.id == "gmail-rate"] == [0], "asked anew"


def test_a_new_address_grows_by_the_days_it_did_well(pooled: uuid.UUID) -> None:
    today = clock.now() // DAY
    with organisation(pooled):
        SendingAddress.objects.filter(org_id=pooled, ip="192.0.2.11").update(warms_from=today - 3)
    warming.count(pooled, "192.0.2.11", "gmail", today - 3, {"delivered": 50})
    assert warming.plan((today - 2) * DAY) == 1
    warming.count(pooled, "192.0.2.11", "gmail", today - 2, {"delivered": 60, "deferred": 10})
    assert warming.plan((today - 1) * DAY) == 1
    warming.count(pooled, "192.0.2.11", "gmail", today - 1, {"delivered": 70})
    assert warming.plan(today * DAY) == 1
    assert warming.plan(today * DAY) == 0
    with organisation(pooled):
        caps = list(WarmDay.objects.filter(org_id=pooled).order_by("day").values_list("cap", flat=True))
    # 50, grown, held for a day with trouble, grown
    assert caps == [50, 70, 70, 98]
    (warm,) = read(pooled).warm.values()
    assert warm == told.Warm(today, 98)
    assert len(office_events("sending.warmed")) == 3
    (line,) = [one for one in ways.addresses(pooled) if one.day]
    assert (line.day, line.plans) == (4, (("Gmail and Google Workspace", 98, 0),))


def test_a_known_address_is_not_counted(pooled: uuid.UUID) -> None:
    warming.count(pooled, "192.0.2.10", "gmail", clock.now() // DAY, {"delivered": 5})
    with organisation(pooled):
        assert not WarmDay.objects.filter(org_id=pooled).exists()


def test_a_reply_that_names_reputation_puts_the_plan_back_to_half(pooled: uuid.UUID) -> None:
    today = clock.now() // DAY
    with organisation(pooled):
        SendingAddress.objects.filter(org_id=pooled, ip="192.0.2.11").update(warms_from=today - 1)
        WarmDay.objects.create(org_id=pooled, ip="192.0.2.11", provider="gmail", day=today - 1, cap=400, delivered=400)
    at = (today - 1) * DAY + 5
    warming.asked(pooled, Noticed("gmail", "192.0.2.11", "gmail-rate", at, at + 600_000_000))
    warming.plan(today * DAY)
    with organisation(pooled):
        assert WarmDay.objects.get(org_id=pooled, day=today).cap == 200


def test_engines_views_become_one_line_a_provider(pooled: uuid.UUID) -> None:
    held = HeldBack("suspension", "a pause at Gmail", 5, "gmail", "", "gmail-rate")

    class Door:
        def lanes(self, org: bytes) -> tuple[LaneView, ...]:
            assert org == pooled.bytes
            return (
                LaneView("yahoo", "", 5, 20, 0, 0, 1),
                LaneView("gmail", "", 3, 50, 0, 0, 2, held, (("gmail-rate", 5),)),
                LaneView("gmail", "", 2, 50, 0, 0, 1),
            )

    first, second = ways.lines(pooled, Door())
    assert (first.provider, first.connections, first.busy, first.held is not None) == ("gmail", 5, 3, True)
    assert first.measures == (("nothing for 10 minutes, then one connection and one more each minute", 5),)
    assert (second.name, second.held) == ("Yahoo and AOL", None)
