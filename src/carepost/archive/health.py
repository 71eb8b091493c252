"""How far the journal is: a small file in the home's run folder, written by the journal, read by console and doctor."""

from pathlib import Path
from typing import Final

import msgspec

from carepost.ground import clock

NAME: Final = "journal.json"
#: microseconds after which a silent journal counts as down
SILENT: Final = 15_000_000


class SourceState(msgspec.Struct, frozen=True):
    """`head`: newest event of the source; `taken`: newest in the log; `since`: when the oldest that is missing there
    happened (UTC microseconds; 0: none is missing). `refused`: code of what stops it, "" when nothing does."""

    head: int
    taken: int
    since: int = 0
    refused: str = ""


class JournalState(msgspec.Struct, frozen=True):
    #: UTC microseconds; 0: no journal ever wrote here
    at: int = 0
    sources: dict[str, SourceState] = {}
    #: portal deposits, notices and mails still to be carried out
    owed: int = 0
    #: what it counted since it started, by closed words
    counted: dict[str, int] = {}

    @property
    def running(self) -> bool:
        return clock.now() - self.at < SILENT

    @property
    def lag_s(self) -> float:
        """Seconds the log is behind the slowest source."""
        waiting = [state.since for state in self.sources.values() if state.since]
        return max(0.0, (clock.now() - min(waiting)) / 1e6) if waiting else 0.0

    @property
    def events_behind(self) -> int:
        return sum(max(0, state.head - state.taken) for state in self.sources.values())

    @property
    def refused(self) -> tuple[str, ...]:
        """Sources the sequencer refused to go on with: an alarm."""
        return tuple(name for name, state in sorted(self.sources.items()) if state.refused.startswith("audit-"))


def journal(run: Path) -> JournalState:
    """`run`: the home's run folder."""
    try:
        return msgspec.json.decode((run / NAME).read_bytes(), type=JournalState)
    except (OSError, msgspec.MsgspecError):
        return JournalState()
