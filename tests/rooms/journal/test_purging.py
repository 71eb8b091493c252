"""Evidence goes when six years are over: bytes and what is sealed, never the hashes; what is held stays whole."""

from typing import Any
from uuid import UUID

import pytest

from carepost.archive import proof, retention
from carepost.archive.marks import Marks
from carepost.audit.verify_log import verify_log
from carepost.ground import clock
from carepost.journal import holds as carried
from carepost.journal.disposal import Disposal
from carepost.journal.purging import STEP, Purging
from carepost.proof import kinds
from carepost.proof.verify import verify
from carepost.tenancy.actions import holds
from carepost.tenancy.actions import retention as keeping
from carepost.tenancy.permissions import BOOTSTRAP
from carepost.wire.types import Actor
from tests.support.outbox import Outbox, office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"])
NOON = 1_795_262_400_000_000
DAY = 86_400_000_000
JOURNAL = Actor("system", "journal")


@pytest.fixture
def at() -> Any:
    now = [NOON]
    clock.set_source(lambda: now[0])
    yield now
    clock.set_source(None)


def sent(outbox: Outbox, org: bytes) -> tuple[bytes, bytes]:
    message, (delivery,) = outbox.accepted(org)
    outbox.sent(org, message, delivery)
    return message, delivery


def whole(work: Any, now: int) -> int:
    """Everything of a day; how many steps it took."""
    steps = 0
    while work.step(now):
        steps += 1
        assert steps < 100
    return steps


def left(outbox: Outbox, org: bytes) -> int:
    """Leaves whose event is there."""
    return int(outbox.store.rows("SELECT count(*) FROM audit_leaf WHERE org = ? AND event IS NOT NULL", (org,))[0][0])


def leaves(outbox: Outbox, org: bytes) -> int:
    return int(outbox.store.rows("SELECT count(*) FROM audit_leaf WHERE org = ?", (org,))[0][0])


def about(outbox: Outbox, message: bytes) -> int:
    rows = outbox.store.rows("SELECT count(*) FROM archive_delivery WHERE message = ?", (message.hex(),))
    return int(rows[0][0])


def test_after_six_years_only_hashes_are_left_and_log_and_proof_still_hold(
    cast: Any, outbox: Outbox, at: list[int]
) -> None:
    message, delivery = sent(outbox, cast.maple)
    others = sent(outbox, cast.harbour)[0]
    outbox.commit()
    made = proof.build(cast.maple, message, delivery, cast.auditor)
    before = left(outbox, cast.maple)
    at[0] += 2191 * DAY
    whole(Disposal(outbox.store, Marks(outbox.store)), at[0])
    whole(Purging(outbox.store, Marks(outbox.store)), at[0])
    assert left(outbox, cast.maple) == before > 0
    at[0] += 2 * DAY
    keeping.keep_content(UUID(bytes=cast.harbour), 3000, actor=BOOTSTRAP, reason="children's records")
    whole(Disposal(outbox.store, Marks(outbox.store)), at[0])
    whole(Purging(outbox.store, Marks(outbox.store)), at[0])
    assert left(outbox, cast.maple) == 0 and leaves(outbox, cast.maple) == before
    assert outbox.store.rows("SELECT count(*) FROM audit_leaf WHERE org = ? AND sealed <> ?", (cast.maple, b"")) == [
        (0,)
    ]
    assert left(outbox, cast.harbour) > 0 and about(outbox, others) == 1, "content that is kept longer keeps its events"
    assert about(outbox, message) == 0
    report = verify_log(outbox.store, org=cast.maple)
    assert report.ok, report
    assert verify(made, None, None).ok
    (event,) = office_events(kinds.EVENTS_DISPOSED)
    assert event.facts == {"count": str(before)}


def test_a_legal_hold_keeps_a_messages_events_until_it_is_lifted(cast: Any, outbox: Outbox, at: list[int]) -> None:
    org = UUID(bytes=cast.maple)
    kept, gone = sent(outbox, cast.maple)[0], sent(outbox, cast.maple)[0]
    outbox.commit()
    row = holds.place_hold(org, UUID(bytes=kept), actor=BOOTSTRAP, reason="a law suit")
    at[0] += 2193 * DAY
    marks = Marks(outbox.store)
    whole(Disposal(outbox.store, marks), at[0])
    whole(Purging(outbox.store, marks), at[0])
    assert left(outbox, cast.maple) == leaves(outbox, cast.maple) // 2 > 0
    assert (about(outbox, kept), about(outbox, gone)) == (1, 0)
    assert verify_log(outbox.store, org=cast.maple).ok
    carried.step(outbox.store)
    holds.lift_hold(org, row.pk, actor=BOOTSTRAP, reason="settled")
    carried.step(outbox.store)
    at[0] += DAY
    whole(Disposal(outbox.store, marks), at[0])
    whole(Purging(outbox.store, marks), at[0])
    assert left(outbox, cast.maple) == about(outbox, kept) == 0
    assert verify_log(outbox.store, org=cast.maple).ok


def test_for_ever_is_for_ever_and_a_short_retention_of_content_does_not_shorten_it(
    cast: Any, outbox: Outbox, at: list[int]
) -> None:
    keeping.keep_content(UUID(bytes=cast.maple), 0, actor=BOOTSTRAP, reason="research")
    keeping.keep_content(UUID(bytes=cast.harbour), 30, actor=BOOTSTRAP, reason="short")
    sent(outbox, cast.maple)
    message = sent(outbox, cast.harbour)[0]
    outbox.commit()
    at[0] += 100 * DAY
    assert retention.dispose(outbox.store, cast.harbour, message, actor=JOURNAL, reason="over")
    whole(Purging(outbox.store, Marks(outbox.store)), at[0])
    assert left(outbox, cast.harbour) > 0 and about(outbox, message) == 1
    at[0] += 9000 * DAY
    whole(Purging(outbox.store, Marks(outbox.store)), at[0])
    assert left(outbox, cast.maple) > 0 and left(outbox, cast.harbour) == 0


def test_it_goes_on_in_steps_and_after_a_restart(cast: Any, outbox: Outbox, at: list[int]) -> None:
    for _ in range(STEP // 2):
        sent(outbox, cast.maple)
    outbox.commit()
    total = leaves(outbox, cast.maple)
    assert total > STEP
    at[0] += 2193 * DAY
    assert Purging(outbox.store, Marks(outbox.store)).step(at[0]) == STEP
    assert left(outbox, cast.maple) == total - STEP
    whole(Purging(outbox.store, Marks(outbox.store)), at[0])
    assert left(outbox, cast.maple) == 0
