"""What waits for a person: listed for the one who asks, refused, released by more than the rules ask, and ended when
its time is over. Each in one commit with its event."""

import asyncio

import msgspec
import pytest

from carepost.ground import clock, ids
from carepost.ground.errors import NotFound
from carepost.policy.types import Assurance, Method
from carepost.proof import event, kinds
from carepost.queue import reviewing
from carepost.queue.acts import Wish
from carepost.queue.queue import Queue
from carepost.queue.reviewing import Who
from carepost.queue.sealing import Opener
from carepost.queue.types import NewMessage, State
from carepost.wire import doors
from carepost.wire.types import Actor, HeldFilter, HeldView
from tests.unit.queue import clinic
from tests.unit.queue.clinic import ADA, CANARY, CLINIC, HARBOUR, House

pytestmark = pytest.mark.fast

HOUR = 3_600_000_000
BEN = Actor("staff", "ben-2")


def held(**changes: object) -> NewMessage:
    """One held delivery, with what its record says."""
    new = clinic.message(state=State.HELD)
    (one,) = new.deliveries
    record = msgspec.structs.replace(one.record, **{"reason": "rule-holds", "rule": "look-at-it", **changes})
    return msgspec.structs.replace(new, deliveries=(msgspec.structs.replace(one, record=record),))


async def made(queue: Queue, **changes: object) -> NewMessage:
    new = held(**changes)
    await queue.accept(new)
    return new


async def test_the_list_is_of_one_organisation_newest_first_and_goes_on_where_it_ended(house: House) -> None:
    queue = await house.queue()
    several = [await made(queue) for _ in range(5)]
    await queue.accept(msgspec.structs.replace(held(), org=HARBOUR))
    found, more = await queue.held(CLINIC, Who(ADA), frozenset(), None, 3)
    assert len(found) == 3
    assert more
    rest, more = await queue.held(CLINIC, Who(ADA), frozenset(), (found[-1].since, ids.parse(found[-1].id)), 3)
    assert not more
    assert [v.id for v in (*found, *rest)] == [
        ids.text(n.deliveries[0].id)
        for n in sorted(several, key=lambda n: (n.deliveries[0].due_at, n.deliveries[0].id), reverse=True)
    ]
    assert {v.reason for v in found} == {"rule-holds"}
    assert found[0].subject == f"About {CANARY}"
    assert await queue.held(CLINIC, Who(ADA), frozenset({"key-changed"}), None, 3) == ((), None)


async def test_of_each_organisation_is_told_how_much_waits_and_until_when(house: House) -> None:
    queue = await house.queue()
    now = clock.now()
    await made(queue, held_until=now + 9 * HOUR)
    await made(queue, held_until=now + 5 * HOUR)
    await made(queue)
    (one,) = await queue.waiting()
    assert (one.org, one.held, one.ends) == (CLINIC, 3, now + 5 * HOUR)


@pytest.mark.parametrize("verbs", [("release", "release"), ("release", "refuse"), ("refuse", "refuse")], ids="+".join)
async def test_of_two_who_decide_at_the_same_moment_one_does(house: House, verbs: tuple[str, str]) -> None:
    """One act, one event; the other is told that it is not possible any more."""
    queue = await house.queue()
    both = dict(zip((ADA, BEN), verbs, strict=True))
    for _ in range(10):
        new = await made(queue)
        delivery = new.deliveries[0].id
        answers = await asyncio.gather(
            *[queue.act(verb, CLINIC, (delivery,), by, "looked at it") for by, verb in both.items()]
        )
        assert sorted(one[ids.text(delivery)] for one in answers) == ["not-possible", "queued"]
        drained, _ = await queue.drain(0, 0)
        told = [event.read(one.event) for one in drained]
        acted = [one for one in told if ids.text(delivery) in one.on and one.actor.kind == "staff"]
        (one,) = [one for one in acted if one.kind in (kinds.DELIVERY_RELEASED, kinds.DELIVERY_TURNED_DOWN)]
        assert (await queue.reviewed(CLINIC, delivery, Who(ADA))).view.last_by == f"staff:{one.actor.id}"


async def test_another_organisation_finds_nothing(house: House) -> None:
    queue = await house.queue()
    new = await made(queue)
    with pytest.raises(NotFound):
        await queue.reviewed(HARBOUR, new.deliveries[0].id, Who(ADA))
    done = await queue.act("refuse", HARBOUR, (new.deliveries[0].id,), ADA, "r")
    assert done == {ids.text(new.deliveries[0].id): "not-found"}


@pytest.mark.parametrize(
    ("who", "approved", "barred"),
    [
        (Who(ADA), (), ""),
        (Who(ADA), ("staff:ada-1",), "approved"),
        (Who(ADA, ("Nurse@Clinic.test",)), (), "own"),
        (Who(Actor("key", "k-1")), (), "people"),
    ],
    ids=["another person", "the first approver", "the sender", "a key"],
)
async def test_who_may_not_approve_is_told_why(house: House, who: Who, approved: tuple[str, ...], barred: str) -> None:
    queue = await house.queue()
    new = await made(queue, approvals=2, approved=approved, reason="approval-needed")
    delivery = new.deliveries[0].id
    assert (await queue.reviewed(CLINIC, delivery, who)).view.barred == barred
    done = await queue.act("release", CLINIC, (delivery,), who.actor, "r", who.also)
    assert (done[ids.text(delivery)] == "needs-another") is bool(barred)


async def test_a_refusal_goes_to_the_next_attempt_with_its_note_sealed(house: House) -> None:
    queue = await house.queue()
    new = await made(queue, held_until=clock.now() + HOUR, held_then="refuse")
    delivery = new.deliveries[0].id
    wish = Wish(note=f"Please ring {CANARY} first.")
    assert await queue.act("refuse", CLINIC, (delivery,), ADA, "wrong person", (), wish) == {
        ids.text(delivery): "queued"
    }
    rows, _ = await queue.drain(2, 0)
    opener = Opener(house.keys.book())
    event = opener.event(rows[0])
    assert (event.kind, event.actor.id, event.facts["state"]) == (kinds.DELIVERY_TURNED_DOWN, ADA.id, "queued")
    assert CANARY.encode() not in rows[0].event + rows[0].sealed
    personal = opener.personal(rows[0])
    assert (personal["reason"][1], personal["note"][1]) == (b"wrong person", wish.note.encode())
    assert CANARY.encode() not in house.files()
    (claim,) = await queue.claim(1)
    assert (claim.record.refused, claim.record.note, claim.record.held_until) == ("refused-by-reviewer", wish.note, 0)


async def test_the_second_of_two_at_once_is_told_and_nothing_is_done_twice(house: House) -> None:
    queue = await house.queue()
    new = await made(queue)
    delivery = new.deliveries[0].id
    await queue.act("release", CLINIC, (delivery,), ADA, "fine")
    assert await queue.act("refuse", CLINIC, (delivery,), BEN, "no") == {ids.text(delivery): "not-possible"}
    view = (await queue.reviewed(CLINIC, delivery, Who(BEN))).view
    assert (view.state, view.last_verb, view.last_by) == ("queued", "release", "staff:ada-1")
    assert (await queue.drain(2, 0))[1] == 3, "one event"


@pytest.mark.parametrize(
    ("before", "wish", "after"),
    [
        (None, Assurance.MESSAGE, Assurance.MESSAGE),
        (Assurance.MESSAGE, Assurance.VERIFIED, Assurance.MESSAGE),
        (Assurance.AUTHENTICATED, None, Assurance.AUTHENTICATED),
    ],
    ids=["raises", "never lowers", "asks nothing"],
)
async def test_a_release_may_ask_for_more_and_never_for_less(
    house: House, before: Assurance | None, wish: Assurance | None, after: Assurance
) -> None:
    queue = await house.queue()
    new = await made(queue, asked_floor=before)
    await queue.act("release", CLINIC, (new.deliveries[0].id,), ADA, "r", (), Wish(wish))
    (claim,) = await queue.claim(1)
    assert (claim.record.asked_floor, claim.record.released) == (after, True)


async def test_a_method_the_message_does_not_allow_cannot_be_chosen(house: House) -> None:
    queue = await house.queue()
    new = await made(queue, asked_methods=(Method.SMIME,))
    delivery = new.deliveries[0].id
    done = await queue.act("release", CLINIC, (delivery,), ADA, "r", (), Wish(methods=(Method.TLS,)))
    assert done == {ids.text(delivery): "not-possible"}
    done = await queue.act("release", CLINIC, (delivery,), ADA, "r", (), Wish(methods=(Method.SMIME,)))
    assert done == {ids.text(delivery): "queued"}


@pytest.mark.parametrize(
    ("then", "approvals", "refused", "waited"),
    [("refuse", 0, "held-too-long", False), ("release", 0, "", True), ("release", 2, "held-too-long", False)],
    ids=["goes back", "is let go", "is never approved by the clock"],
)
async def test_when_its_time_is_over_it_ends_as_the_rule_said(
    house: House, then: str, approvals: int, refused: str, waited: bool
) -> None:
    queue = await house.queue()
    now = clock.now()
    new = await made(queue, held_until=now + HOUR, held_then=then, approvals=approvals)
    later = await made(queue, held_until=now + 3 * HOUR, held_then=then)
    endless = await made(queue)
    assert await queue.end_overdue(now) == 0
    assert await queue.end_overdue(now + HOUR) == 1
    assert await queue.end_overdue(now + HOUR) == 0
    (claim,) = await queue.claim(5)
    assert claim.delivery == new.deliveries[0].id
    assert (claim.record.refused, claim.record.waited) == (refused, waited)
    assert not claim.record.released, "no person looked at it"
    rows, _ = await queue.drain(6, 0)
    event = Opener(house.keys.book()).event(rows[0])
    assert (event.kind, event.cause, event.actor.kind) == (kinds.DELIVERY_TIME_OVER, "held-too-long", "system")
    for one in (later, endless):
        assert (await queue.lookup(CLINIC, one.id)).deliveries[0].state == "held"


async def test_the_time_of_an_earlier_hold_does_not_end_a_later_one(house: House) -> None:
    queue = await house.queue()
    new = await made(queue, held_until=clock.now() + HOUR, held_then="refuse")
    delivery = new.deliveries[0].id
    await queue.act("release", CLINIC, (delivery,), ADA, "r")
    await queue.act("hold", CLINIC, (delivery,), ADA, "wait")
    assert await queue.end_overdue(clock.now() + 1000 * HOUR) == 0


@pytest.mark.parametrize("landed", [False, True], ids=["lost", "landed"])
@pytest.mark.parametrize("verb", ["release", "refuse"])
async def test_a_process_that_dies_at_the_acts_commit_leaves_all_of_it_or_nothing(
    house: House, verb: str, landed: bool
) -> None:
    """COMMIT POINT of an act: lost, it is held as before; landed, it goes on though nobody was told."""
    queue = await house.queue()
    new = await made(queue)
    delivery = new.deliveries[0].id
    if landed:
        await queue.act(verb, CLINIC, (delivery,), ADA, "r")
    queue = await house.again()
    view = (await queue.reviewed(CLINIC, delivery, Who(ADA))).view
    assert view.state == ("queued" if landed else "held")
    assert (await queue.drain(2, 0))[1] == (3 if landed else 2)
    if not landed:
        assert await queue.act(verb, CLINIC, (delivery,), ADA, "r") == {ids.text(delivery): "queued"}


async def test_what_is_asked_for_is_compared_after_it_is_opened(house: House) -> None:
    queue = await house.queue()
    plain, other = await made(queue), await made(queue, rule="another")
    await made(queue, approvals=1)
    start, end = (f(n.deliveries[0].due_at for n in (plain, other)) for f in (min, max))

    async def those(**only: object) -> list[str]:
        found, floor = await queue.held(CLINIC, Who(ADA), frozenset(), None, 10, HeldFilter(**only))  # type: ignore[arg-type]
        assert floor is None
        return [view.rule for view in found]

    assert await those(rule="another") == ["another"]
    everything = await queue.held(CLINIC, Who(ADA), frozenset(), None, 10)
    domain = everything[0][0].recipient.rpartition("@")[2]
    assert len(await those(recipient_domain=domain.upper())) == 3
    assert await those(recipient_domain=f"x{domain}") == await those(sender_domain="nobody.test") == []
    assert len(await those(since=start, until=end + HOUR)) == 3
    assert await those(until=start) == await those(since=end + HOUR) == []


async def test_who_may_act_is_asked_for_too(house: House) -> None:
    queue = await house.queue()
    await made(queue)
    await made(queue, approvals=1)
    key = Who(Actor("key", "k-1"))
    for who, counts in (("me", 1), ("others", 1), ("", 2)):
        found, _ = await queue.held(CLINIC, key, frozenset(), None, 10, HeldFilter(who=who))
        assert len(found) == counts
        assert {bool(view.barred) for view in found} == {"me": {False}, "others": {True}, "": {True, False}}[who]


async def test_little_among_much_is_found_page_by_page(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page opens a bounded number of rows, and the next one goes on where it ended, though nothing fitted."""
    monkeypatch.setattr(reviewing, "MOST", 4)
    monkeypatch.setattr(reviewing, "_READ", 2)
    queue = await house.queue()
    first = await made(queue, rule="rare")
    for _ in range(9):
        await made(queue)
    pages, at = [], None
    for _ in range(4):
        found, at = await queue.held(CLINIC, Who(ADA), frozenset(), at, 10, HeldFilter(rule="rare"))
        pages.append([view.id for view in found])
        if at is None:
            break
    assert pages == [[], [], [ids.text(first.deliveries[0].id)]]
    assert at is None


def test_pages_of_several_shards_are_one_and_leave_nothing_out() -> None:
    def view(since: int) -> HeldView:
        return HeldView(
            ids.text(since.to_bytes(16)), "", "", 0, since, 0, "", "held", "", "", "", "", "", 0, "", "", ""
        )  # fmt: skip

    def page(floor: int, *since: int) -> doors.HeldAnswer:
        return doors.HeldAnswer(tuple(map(view, since)), bool(floor), (floor, b"\0" * 16) if floor else None)

    whole = doors.one_page([page(0, 9, 5), page(0, 7)], 10)
    assert ([v.since for v in whole.deliveries], whole.more, whole.floor) == ([9, 7, 5], False, None)
    # the second looked only down to 6: what the first has below comes with the next page
    some = doors.one_page([page(0, 9, 5, 2), page(6, 7, 6)], 10)
    assert ([v.since for v in some.deliveries], some.more, some.floor) == ([9, 7, 6], True, (6, b"\0" * 16))
    cut = doors.one_page([page(0, 9, 5, 2), page(0, 7)], 2)
    assert ([v.since for v in cut.deliveries], cut.more, cut.floor) == ([9, 7], True, (7, (7).to_bytes(16)))
    assert doors.one_page([page(6), page(0, 2)], 10) == doors.HeldAnswer((), True, (6, b"\0" * 16))
