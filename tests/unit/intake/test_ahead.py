"""How far ahead a message may be scheduled: the organisation's own limit, said with the latest time."""

import pytest

from carepost.ground import clock
from carepost.ground.errors import Refused
from tests.unit.intake.office import CLINIC, Office, submission

DAY = 86_400_000_000


@pytest.mark.parametrize(("days", "asked"), [(31, 30), (31, 0), (1, 0), (366, 365)])
async def test_within_the_limit_it_is_taken(office: Office, days: int, asked: int) -> None:
    office.change(CLINIC, ahead=days)
    made = submission("jane@patient.test", send_at=clock.now() + asked * DAY + 3_600_000_000 if asked else 0)
    assert (await office.intake().accept(made)).message_id


@pytest.mark.parametrize("days", [1, 31, 366])
async def test_beyond_it_the_latest_time_is_named(office: Office, days: int) -> None:
    office.change(CLINIC, ahead=days)
    before = clock.now()
    with pytest.raises(Refused) as refused:
        await office.intake().accept(submission("jane@patient.test", send_at=before + days * DAY + 120_000_000))
    assert (refused.value.code, refused.value.status) == ("send-at-too-far", 422)
    latest = [clock.rfc3339(at + days * DAY) for at in (before, clock.now())]
    assert any(one[:16] in refused.value.public for one in latest)
    assert "carepost sending ahead" in refused.value.public
