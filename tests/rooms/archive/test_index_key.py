"""The index key changes: nothing is indexed again, old days stay searchable, a day of two keys too (DESIGN 5)."""

import uuid
from typing import Any

import pytest

from carepost.archive import books, retention, tokens
from carepost.archive.books import book
from carepost.archive.search import Wanted, search
from carepost.audit.store import Store
from carepost.crypto import index
from carepost.ground import ids
from carepost.tenancy import names
from carepost.tenancy.actions import keys, suppression
from carepost.tenancy.models import OrgKey
from carepost.tenancy.permissions import COMMAND_LINE
from tests.support.noon import DAY, HOUR, NOON
from tests.support.outbox import Outbox

pytestmark = pytest.mark.django_db(databases=["default", "records"])


def found(cast: Any, **wanted: Any) -> list[str]:
    return [m.id for m in search(cast.maple, cast.operator, Wanted(**wanted)).messages]


def entries(store: Store) -> set[bytes]:
    rows = store.rows("SELECT entries FROM archive_block")
    return {bytes(row)[at : at + 24] for (row,) in rows for at in range(0, len(bytes(row)), 24)}


def rotate(cast: Any, serves_from: int = 0) -> OrgKey:
    org = uuid.UUID(bytes=cast.maple)
    made = keys.rotate_key(org, "index", actor=COMMAND_LINE, reason="yearly", serves_from=serves_from)
    books.serving.cache_clear()
    return made


def test_a_day_of_two_keys_and_the_days_around_it(cast: Any, outbox: Outbox, at: list[int]) -> None:
    made = rotate(cast, NOON + HOUR)
    assert (made.version, made.serves_from) == (2, NOON + HOUR)
    days = []
    for moment in (NOON - 40 * DAY, NOON, NOON + HOUR - 1000, NOON + HOUR, NOON + 3 * DAY):
        at[0] = moment
        days.append(ids.text(outbox.accepted(cast.maple, subject="Your panel", tags=("lab",))[0]))
    # what comes late is indexed by the key of its own moment
    outbox.commit()
    assert found(cast, subject="panel", since=NOON - 50 * DAY) == days[::-1]
    assert found(cast, tag="lab", since=NOON - HOUR, until=NOON + DAY) == days[3:0:-1]
    first, second = (book().version(cast.maple, "index", n) for n in (1, 2))
    stored = entries(outbox.store)
    for key, moment, name, there in (
        (first, NOON + HOUR - 1000, days[2], True), (second, NOON + HOUR - 1000, days[2], False),
        (first, NOON + HOUR, days[3], False), (second, NOON + HOUR, days[3], True),
    ):  # fmt: skip
        token = index.token(key, tokens.TAG, "lab", index.day_of(moment))
        assert (token + uuid.UUID(name).bytes in stored) == there


def test_pages_of_a_day_of_two_keys_follow_each_other(cast: Any, outbox: Outbox, at: list[int]) -> None:
    rotate(cast, NOON + HOUR)
    expected = []
    for number in range(6):
        at[0] = NOON + number * HOUR // 3
        expected.insert(0, ids.text(outbox.accepted(cast.maple, tags=("batch",))[0]))
    outbox.commit()
    seen: list[str] = []
    cursor = ""
    for _ in range(6):
        page = search(cast.maple, cast.operator, Wanted(tag="batch"), after=cursor, limit=2)
        seen += [m.id for m in page.messages]
        if not (cursor := page.cursor):
            break
    assert seen == expected


def test_disposal_takes_out_what_either_key_put_in(cast: Any, outbox: Outbox, at: list[int]) -> None:
    rotate(cast, NOON + HOUR)
    messages = []
    for moment in (NOON, NOON + 2 * HOUR):
        at[0] = moment
        messages.append(outbox.accepted(cast.maple)[0])
    outbox.commit()
    assert entries(outbox.store)
    for message in messages:
        assert retention.dispose(outbox.store, cast.maple, message, actor=COMMAND_LINE, reason="due")
    assert entries(outbox.store) == set()


def test_an_engine_whose_clock_runs_ahead_is_found_all_the_same(cast: Any, outbox: Outbox, at: list[int]) -> None:
    """The journal did not know of the key when it indexed a message of a moment yet to come."""
    at[0] = NOON + HOUR
    message = ids.text(outbox.accepted(cast.maple, tags=("ahead",))[0])
    outbox.commit()
    at[0] = NOON
    rotate(cast, NOON + HOUR // 2)
    at[0] = NOON + 2 * HOUR
    assert found(cast, tag="ahead") == [message]


def test_the_moment_is_one_the_journal_can_know_of(cast: Any, at: list[int]) -> None:
    assert rotate(cast).serves_from == NOON + keys.LEAD_US
    for wrong in (NOON + 1, NOON - DAY, NOON + 400 * DAY, NOON + keys.LEAD_US - 1):
        with pytest.raises(names.Wrong):
            rotate(cast, wrong)
    later = rotate(cast, NOON + DAY)
    assert later.version == 3
    with pytest.raises(names.Wrong):
        rotate(cast, NOON + HOUR)
    assert rotate(cast).serves_from == NOON + DAY, "never before the one it follows"
    serving = books.serving()
    assert [serving.at(cast.maple, NOON + ahead) for ahead in (0, keys.LEAD_US, HOUR, DAY)] == [1, 2, 2, 4]
    assert serving.during(cast.maple, NOON, NOON + 2 * DAY) == [4, 2, 1]
    assert serving.during(cast.maple, NOON + DAY, NOON + 2 * DAY) == [4]
    assert serving.during(cast.maple, NOON - DAY, NOON) == [1]


def test_what_is_compared_without_a_day_keeps_its_key(cast: Any, at: list[int]) -> None:
    """Suppression and recipients' keys are known by tokens of the first version (decision 0023)."""
    org = uuid.UUID(bytes=cast.maple)
    suppression.suppress(org, "gone@patient.test", actor=cast.operator, reason="bounce")
    rotate(cast)
    suppression.unsuppress(org, "gone@patient.test", actor=cast.operator, reason="back again")
