"""What a provider's replies lead to: the table of reactions, in time (deliverability.md §2)."""

import pytest

from carepost.pace import lane
from carepost.pace.lane import FRESH, HOUR, STEP, Measure, State
from carepost.pace.limits import Limits
from carepost.pace.providers import find

pytestmark = pytest.mark.fast

MINUTE = 60_000_000
NOW = 1_760_000_000_000_000
#: group, reply, how often it must be said, (connections, messages, per minute, dials) then, suspended, minutes
SAID = [
    ("any-ip", "clinic.test", "421 4.7.0 Messages from 192.0.2.1 temporarily deferred", 1, (1, 0, 1, 0), False, 90),
    ("any-rep", "clinic.test", "450 4.7.1 Rate limited due to IP reputation", 1, (1, 0, 1, 0), False, 90),
    ("any-sent", "clinic.test", "550 5.7.1 messages from [192.0.2.1] weren't sent", 1, (1, 0, 1, 0), False, 90),
    ("any-busy", "clinic.test", "451 Server busy. Please try again later from [192.0.2.1]", 1, (1, 0, 1, 0), False, 90),
    ("gmail-28", "gmail", "421 4.7.28 Our system has detected too much mail", 1, (), True, 10),
    ("gmail-unusual", "gmail", "421 4.7.0 an unusual rate of unsolicited mail", 2, (5, 50, 10, 0), False, 30),
    ("gmail-detected", "gmail", "421 4.7.0 Our system has detected that this message is odd", 5, (), True, 60),
    ("gmail-now", "gmail", "421 4.7.0 Gmail has detected that this message is suspicious", 5, (), True, 60),
    ("yahoo-02", "yahoo", "421 4.7.0 [TS02] Messages temporarily refused", 3, (10, 20, 1, 0), False, 30),
    ("yahoo-03", "yahoo", "421 4.7.1 [TS03] All messages put off", 3, (10, 20, 10, 0), False, 30),
    ("yahoo-04", "yahoo", "421 4.7.0 [TS04] put off", 1, (), True, 120),
    ("yahoo-s04", "yahoo", "421 4.7.0 [TSS04] put off due to complaints", 2, (), True, 120),
    ("yahoo-ip04", "yahoo", "421 4.7.0 [IPTS04] put off due to complaints", 2, (), True, 120),
    ("yahoo-s05", "yahoo", "421 4.7.0 [TSS05] put off", 2, (), True, 240),
    ("yahoo-553", "yahoo", "553 5.7.1 [BL21] Connections not accepted", 5, (), True, 120),
    ("yahoo-many", "yahoo", "421 Max message per connection reached", 3, (10, 20, 10, 0), False, 60),
    ("ms-list", "microsoft-consumer", "550 5.7.1 part of their network is on our block list (S3140)", 5, (), True, 120),
    ("ms-deny", "microsoft-365", "451 4.7.650 Access denied, try later", 5, (), True, 60),
    ("ms-busy", "microsoft-365", "451 4.7.500 Server busy, do come back", 3, (5, 50, 1, 0), False, 15),
    ("ms-many", "microsoft-365", "421 Too many concurrent connections IB007", 2, (1, 50, 0, 0), False, 60),
    ("ms-per", "microsoft-365-dane", "452 4.3.2 too many messages per connection", 2, (5, 2, 0, 0), False, 60),
    ("apple-off", "icloud", "421 4.7.1 [BS02] Service unavailable", 5, (), True, 15),
    ("apple-hcm", "icloud", "550 5.7.1 [HCM1] Message rejected", 3, (), True, 15),
    ("apple-dbl", "icloud", "550 5.7.1 blocked using spamhaus DBL", 3, (), True, 240),
    ("gmx-conn", "gmx", "421 Too many connections", 3, (1, 20, 0, 0), False, 30),
    ("gmx-policy", "gmx", "554 Transaction failed, policy restrictions", 5, (4, 20, 1, 0), False, 60),
    ("comcast", "comcast", "421 4.1.0 RL0000 throttled", 2, (25, 1000, 0, 166), False, 120),
    ("comcast-10", "comcast", "421 4.1.0 RL000010 throttled", 1, (), True, 5),
    ("mimecast", "mimecast", "451 Internal resource temporarily unavailable", 3, (), True, 30),
]  # fmt: skip


def say(group: str, text: str, times: int, at: int = NOW, state: State = FRESH) -> State:
    for i in range(times):
        state, _ = lane.refused(state, group, text, at + i)
    return state


def base(group: str) -> Limits:
    """The default's rates would hide what a reaction does."""
    return find(group).limits if group != "clinic.test" else Limits()


@pytest.mark.parametrize(
    ("group", "text", "times", "limits", "suspended", "minutes"),
    [row[1:] for row in SAID],
    ids=[row[0] for row in SAID],
)
def test_a_reply_leads_to_what_the_table_says(
    group: str, text: str, times: int, limits: tuple[int, ...], suspended: bool, minutes: int
) -> None:
    before = lane.in_force(say(group, text, times - 1), base(group), NOW + times)
    assert before == lane.InForce(base(group))
    state = say(group, text, times)
    last = NOW + times - 1
    after = lane.in_force(state, base(group), last)
    if suspended:
        assert after.until == last + minutes * MINUTE
        assert after.by
    else:
        got = after.limits
        assert (got.connections, got.messages, got.per_minute, got.dials) == limits
        assert after.until == 0
    # to the microsecond
    end = last + minutes * MINUTE
    assert lane.in_force(state, base(group), end - 1) != lane.InForce(base(group))
    recovered = lane.in_force(state, base(group), end)
    assert recovered.until == 0
    if "4.7.28" not in text:
        assert recovered == lane.InForce(base(group))


@pytest.mark.parametrize(
    ("group", "text"),
    [
        ("yahoo", "421 4.7.28 too much"),
        ("gmail", "421 4.7.0 [TSS04] put off"),
        ("gmail", "450 4.2.1 the mailbox is busy"),
        ("comcast", "421 RL000010 once more"),
    ],
    ids=["gmails-at-yahoo", "yahoos-at-gmail", "a-mailbox", "rl000010-is-not-rl0000"],
)
def test_what_is_said_elsewhere_or_of_a_mailbox_changes_nothing_more(group: str, text: str) -> None:
    state = say(group, text, 1)
    assert all(m.id == "comcast-rl-tenant" for m in state.measures)


def test_matches_of_more_than_an_hour_ago_do_not_count() -> None:
    text = "421 4.7.0 an unusual rate of unsolicited mail"
    state = say("gmail", text, 1)
    state, begun = lane.refused(state, "gmail", text, NOW + HOUR + 1)
    assert begun == ()
    _, begun = lane.refused(state, "gmail", text, NOW + HOUR + 2)
    assert [one.id for one in begun] == ["gmail-unusual-rate"]


def test_gmails_ten_minutes_then_one_connection_then_one_more_a_minute() -> None:
    """Google 81126: stop for 10 minutes, one connection; works: one more at a time; fails: 10 minutes more."""
    limits = find("gmail").limits
    state = say("gmail", "421 4.7.28 too fast", 1)
    end = NOW + 10 * MINUTE
    assert lane.in_force(state, limits, end - 1).until == end
    assert lane.in_force(state, limits, end).limits.connections == 1
    state = lane.accepted(state, end + 1, limits.connections)
    assert lane.in_force(state, limits, end + 1).limits.connections == 1
    at, seen = end, []
    for _ in range(4):
        at += STEP
        state = lane.accepted(state, at, limits.connections)
        state = lane.accepted(state, at + 1, limits.connections)
        seen.append(lane.in_force(state, limits, at + 1).limits.connections)
    assert seen == [2, 3, 4, 5]
    assert state.measures == ()
    again = say("gmail", "421 4.7.28 too fast", 1, end + 30)
    assert lane.in_force(again, limits, end + 31).until == end + 30 + 10 * MINUTE


def test_what_was_under_way_does_not_lengthen_a_suspension() -> None:
    state = say("gmail", "421 4.7.28 too fast", 1)
    later, begun = lane.refused(state, "gmail", "421 4.7.28 too fast", NOW + MINUTE)
    assert begun == ()
    assert lane.in_force(later, Limits(), NOW + MINUTE).until == NOW + 10 * MINUTE


def test_the_strictest_of_several_measures_counts() -> None:
    text = "451 4.7.500 Server busy. Please try again later from [192.0.2.1]"
    state = say("microsoft-365", text, 3)
    got = lane.in_force(state, find("microsoft-365").limits, NOW + 5)
    assert (got.limits.connections, got.limits.per_minute) == (1, 1)
    later = lane.in_force(state, find("microsoft-365").limits, NOW + 16 * MINUTE)
    assert (later.limits.connections, later.limits.per_minute) == (1, 1)


def test_a_person_ends_what_began_before_and_nothing_after() -> None:
    state = say("gmail", "421 4.7.28 too fast", 1)
    lifted = lane.lifted(state, NOW + MINUTE)
    assert lane.in_force(lifted, Limits(), NOW + MINUTE) == lane.InForce(Limits())
    assert lane.closed_for(lifted, NOW, NOW + HOUR) == MINUTE
    assert lane.lifted(state, NOW - 1) == state


def test_a_measure_of_another_process_is_taken_over_once() -> None:
    theirs = Measure("gmail-rate", NOW, NOW + MINUTE, suspend=True, level=1, stepped=NOW + MINUTE)
    state = lane.adopt(FRESH, theirs)
    assert lane.adopt(state, theirs) == state
    older = Measure("gmail-rate", NOW - 5, NOW + 2 * MINUTE, suspend=True)
    assert lane.adopt(state, older) == state


def test_closed_time_is_counted_once_where_spans_overlap() -> None:
    state = State(closed=((NOW, NOW + 10), (NOW + 5, NOW + 20), (NOW + 40, NOW + 50)))
    assert lane.closed_for(state, NOW - 5, NOW + 45) == 25
    assert lane.closed_for(state, NOW + 15, NOW + 45) == 10


def test_what_is_over_is_forgotten() -> None:
    state = say("clinic.test", "421 Messages from 192.0.2.1 temporarily deferred", 1)
    assert lane.tidied(state, NOW + 1) == state
    assert lane.tidied(state, NOW + 2 * HOUR).measures == ()
