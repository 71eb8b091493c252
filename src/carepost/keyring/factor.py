"""A second factor shown just now: what private keys and authorities ask of whoever acts at the console."""

from typing import Final

from carepost.ground import clock
from carepost.ground.errors import Refused

#: seconds since it was shown, at most
FRESH_S: Final = 300


def fresh(confirmed_at: int) -> bool:
    """`confirmed_at`: when it was shown, UTC microseconds; 0: never. A moment to come does not count."""
    return 0 <= clock.now() - confirmed_at <= FRESH_S * 1_000_000


def need(confirmed_at: int) -> None:
    """Raises Refused."""
    if not fresh(confirmed_at):
        raise Refused("factor-not-fresh", "Confirm with your second factor first.", status=403)
