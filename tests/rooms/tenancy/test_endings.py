"""Each step of a warning is told once, whenever somebody looks."""

import pytest

from carepost.tenancy.endings import DAY_US, step

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(
    ("days", "warned", "told"),
    [
        (31, 99, None), (30, 99, (30, 30)), (29, 30, None), (7, 30, (7, 7)), (3, 99, (3, 7)), (3, 7, None),
        (0, 7, (0, 0)), (0, 0, None), (-4, 99, (0, 0)), (-4, 0, None),
    ],
    ids=lambda value: str(value).replace(" ", ""),
)  # fmt: skip
def test_the_step_that_is_due(days: int, warned: int, told: tuple[int, int] | None) -> None:
    now = 40 * DAY_US
    assert step(now + days * DAY_US + 5, now, warned) == told
