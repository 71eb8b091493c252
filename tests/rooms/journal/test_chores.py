"""By the clock: the clock's own state, expiry, the daily checkpoint to the auditor; and the journal's own state."""

from pathlib import Path
from threading import Event as Flag
from typing import Any
from uuid import UUID

import pytest

from carepost.archive import health
from carepost.archive.marks import Marks
from carepost.ground import clock
from carepost.journal import checkpoints
from carepost.journal.chores import Chores
from carepost.journal.status import Status
from carepost.proof import kinds, note
from carepost.proof.note import Checkpoint
from carepost.rfc import mime
from carepost.tenancy.actions import organisations
from carepost.tenancy.permissions import BOOTSTRAP
from tests.support.mailroom import KeptDoor
from tests.support.outbox import Outbox, office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"])
NOON = 1_795_262_400_000_000
HOUR = 3_600_000_000


@pytest.fixture
def at() -> Any:
    now = [NOON]
    clock.set_source(lambda: now[0])
    yield now
    clock.set_source(None)


def test_the_state_of_the_clock_is_an_event_every_hour(cast: Any, outbox: Outbox, at: list[int]) -> None:
    work = Chores(outbox.store, KeptDoor(), Flag())
    for _ in range(3):
        work.step()
    assert len(office_events(kinds.CLOCK_STATE)) == 1
    at[0] += HOUR
    work.step()
    first, second = office_events(kinds.CLOCK_STATE)
    assert first.org == "00000000-0000-0000-0000-000000000000"
    assert first.facts["clock"] in ("synchronised", "unsynchronised", "unknown")
    assert second.at - first.at == HOUR
    outbox.commit_office()


def test_the_auditor_gets_todays_checkpoint_once(cast: Any, outbox: Outbox, at: list[int]) -> None:
    organisations.change_settings(
        UUID(bytes=cast.maple), actor=BOOTSTRAP, reason="an auditor", auditor="auditor@outside.test"
    )
    outbox.accepted(cast.maple)
    outbox.commit()
    door, marks = KeptDoor(), Marks(outbox.store)
    assert [checkpoints.mail(outbox.store, marks, door, clock.now()) for _ in range(3)] == [1, 0, 0]
    (sent,) = door.taken
    assert sent.envelope.recipients[0].address == "auditor@outside.test"
    text = mime.read(sent.body).text.replace("\r\n", "\n")
    signed = text.split("-" * 40 + "\n")[1]
    assert Checkpoint.parse(note.parse(signed.encode()).text).size == 2
    assert b"uillfeather" not in sent.body
    assert len(office_events(kinds.CHECKPOINT_MAILED)) == 1
    at[0] += 24 * HOUR
    assert checkpoints.mail(outbox.store, marks, door, clock.now()) == 1


def test_a_closed_door_loses_no_checkpoint(cast: Any, outbox: Outbox, at: list[int]) -> None:
    organisations.change_settings(
        UUID(bytes=cast.maple), actor=BOOTSTRAP, reason="an auditor", auditor="auditor@outside.test"
    )
    outbox.accepted(cast.maple)
    outbox.commit()
    door = KeptDoor()
    door.closed = True
    with pytest.raises(Exception, match="no-engine"):
        checkpoints.mail(outbox.store, Marks(outbox.store), door, clock.now())
    door.closed = False
    assert checkpoints.mail(outbox.store, Marks(outbox.store), door, clock.now()) == 1


def test_the_lag_is_told_where_others_can_read_it(tmp_path: Path, at: list[int]) -> None:
    """DESIGN, step 12: lag is shown."""
    assert not health.journal(tmp_path).running
    status = Status(tmp_path)
    status.at("shard-0000", 50, 20, NOON - 90_000_000)
    status._written = 0.0
    status.failed("shard-0001", "audit-gap")
    state = health.journal(tmp_path)
    assert state.running
    assert (state.lag_s, state.events_behind, state.refused) == (90.0, 30, ("shard-0001",))
    at[0] += 20_000_000
    assert not health.journal(tmp_path).running
