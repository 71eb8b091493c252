"""What became of a call: which rows go, which are tried again and when, how the endpoint is, what stands on record."""

from typing import Final, Protocol

import msgspec

from carepost.ground import ids
from carepost.webhooks import masking, schedule
from carepost.webhooks.calls.rows import Pending, State, Try
from carepost.webhooks.composing import Parcel, Told
from carepost.webhooks.filters import TESTED
from carepost.webhooks.schedule import DAY, ENDPOINT, GONE, SENT

SENT_, AGAIN, GAVE_UP, LEFT_OUT = "sent", "again", "gave-up", "left-out"
RESULTS: Final = (SENT_, AGAIN, GAVE_UP, LEFT_OUT)


class Ended(Protocol):
    """`delivery.hooks.Ended`."""

    status: int
    code: str
    took: float
    body: bytes
    retry_after: int


class Outcome(msgspec.Struct):
    done: list[Pending] = []
    later: list[Pending] = []
    tries: list[Try] = []
    gone: bool = False


def settle(parcel: Parcel, ended: Ended, state: State, began: int, now: int, *, quick: bool) -> Outcome:
    """Changes `state`. `began`: when the call was made; `quick`: a sandbox home's waits."""
    judged = schedule.judged(ended.status)
    outcome = Outcome()
    test = all(told.kind == TESTED for told in parcel.told)
    state.tried_at, state.status, state.code = now, ended.status, ended.code
    if judged == SENT:
        state.failing_since = state.failures = state.not_before = 0
        state.good_at = now
    elif not test:
        state.failing_since = state.failing_since or now
        if judged in (ENDPOINT, GONE) and began >= state.not_before:
            # of several calls under way together one failure is counted
            state.failures += 1
            state.not_before = now + schedule.wait(state.failures, quick=quick, asked=ended.retry_after)
        outcome.gone = judged == GONE
    for told in parcel.told:
        _row(outcome, told, judged, ended, state, now, quick=quick)
    return outcome


def left_out(parcel: Parcel, now: int) -> Outcome:
    """What is told in no call. What a filter leaves out is not put on record: it was never meant."""
    noted = [(told, code) for told, code in parcel.left_out if code == "past-retention"]
    tries = [_try(told, now, LEFT_OUT, 0, code, 0, "") for told, code in noted]
    return Outcome([told.row for told, _ in parcel.left_out], [], tries)


def _row(outcome: Outcome, told: Told, judged: str, ended: Ended, state: State, now: int, *, quick: bool) -> None:
    row = told.row
    took, said = int(ended.took * 1000), "" if judged == SENT else masking.words(ended.body)
    first = row.first_at or now
    if judged == SENT:
        result = SENT_
    elif told.kind == TESTED or judged == GONE or now - first >= DAY:
        result = GAVE_UP
    else:
        result = AGAIN
    outcome.tries.append(_try(told, now, result, ended.status, ended.code, took, said))
    if result != AGAIN:
        outcome.done.append(row)
        return
    due = state.not_before if judged == ENDPOINT else now + schedule.wait(row.tries + 1, quick=quick)
    outcome.later.append(
        msgspec.structs.replace(row, tries=row.tries + 1, first_at=first, due_at=min(max(due, now), first + DAY))
    )


def _try(told: Told, now: int, result: str, status: int, code: str, took: int, said: str) -> Try:
    row = told.row
    return Try(
        row.org, row.endpoint, ids.new(), row.event, told.kind, row.message, now, row.tries + 1, result, status, code,
        took, said,
    )  # fmt: skip
