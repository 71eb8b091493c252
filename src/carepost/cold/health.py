"""How the cold store is: noted by the journal in its row and, for `carepost doctor`, in a file of the run folder."""

from pathlib import Path
from typing import Final

import msgspec

from carepost.ground import clock, durable

FILE: Final = "cold.json"


class Health(msgspec.Struct, frozen=True):
    """Of all buckets. Times in UTC microseconds. `kept`: objects; `going`: to be deleted there; `fault`: a word of
    `s3.Away`, "" while all is well, since `fault_at`."""

    at: int
    store: str = ""
    kept: int = 0
    going: int = 0
    fault: str = ""
    fault_at: int = 0
    #: of the master keys that wrap the buckets' secrets
    masters: tuple[int, ...] = ()


def write(run: Path, health: Health) -> None:
    durable.write(run / FILE, msgspec.json.encode(health))


def read(run: Path) -> Health | None:
    """None: there is no cold store, or the journal has not looked yet."""
    try:
        return msgspec.json.decode((run / FILE).read_bytes(), type=Health)
    except (OSError, msgspec.MsgspecError):
        return None


def age(health: Health) -> float:
    """Seconds since the journal looked."""
    return (clock.now() - health.at) / 1_000_000
