"""A message asks to be watched only where its organisation lets it, and may always say no."""

import pytest

from carepost.directory.types import Tracking
from carepost.ground.errors import Refused
from carepost.policy.types import Category
from carepost.wire.types import TrackingAsk
from tests.unit.intake.office import CLINIC, Office, submission


async def accept(office: Office, asked: TrackingAsk | None) -> str:
    """The id of the message."""
    made = submission("jane@patient.test", category=Category.MARKETING, tracking=asked)
    return (await office.intake().accept(made)).message_id


@pytest.mark.parametrize("level", ["asked", "on"])
async def test_yes_where_it_is_let(office: Office, level: str) -> None:
    office.change(CLINIC, tracking={"marketing": Tracking(level, level)})
    assert await accept(office, TrackingAsk(True, True))


@pytest.mark.parametrize("asked", [TrackingAsk(True, None), TrackingAsk(None, True), TrackingAsk(True, True)])
async def test_yes_where_it_is_off_is_refused_with_what_to_do(office: Office, asked: TrackingAsk) -> None:
    office.change(CLINIC, tracking={"transactional": Tracking("on", "on")})
    with pytest.raises(Refused) as refused:
        await accept(office, asked)
    assert (refused.value.code, refused.value.status) == ("tracking-off", 422)
    assert "carepost tracking set" in refused.value.public


@pytest.mark.parametrize("asked", [None, TrackingAsk(), TrackingAsk(False, False)], ids=["nothing", "empty", "no"])
async def test_no_is_always_taken(office: Office, asked: TrackingAsk | None) -> None:
    assert await accept(office, asked)
