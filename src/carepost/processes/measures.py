"""What is counted and measured in a home, gathered from its engines' doors, the journal's state, disk and certificates.

Nothing here needs a key or a database: who watches learns figures, and nothing of a message or a person (law 10).
"""

import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Protocol

import msgspec

from carepost import __version__
from carepost.archive import health
from carepost.ground import timesync, tlsfolder
from carepost.ground.config import Config
from carepost.ground.exposition import COUNTER, GAUGE, Family, family
from carepost.ground.home import Home
from carepost.processes.backup.make import MARK, Last
from carepost.wire import doors
from carepost.wire.doors import HealthAnswer

#: seconds of journal lag at which the doors close (DESIGN 2, step 12)
LAG_CLOSES: Final = 600
_STATES: Final = ("queued", "claimed", "deferred", "held")
#: what rules and dashboard ask for is there from the start: the increase of a figure that appears with its first event
#: does not hold that event
_WATCHED: Final = dict.fromkeys(
    ("delivery-sent", "delivery-deferred", "delivery-deposited", "delivery-failed", "auth_failed", "auth_throttled",
     "sender_refused", "smtp_crowded", "http_wrong_key", "http_limited", "gateway_refused"), 0,
)  # fmt: skip
_NOT_A_NAME: Final = re.compile(r"[^a-z0-9_]")


class Door(Protocol):
    def health(self) -> list[HealthAnswer]: ...


class Measures:
    def __init__(self, home: Home, config: Config, door: Door) -> None:
        self._home, self._config, self._door = home, config, door

    def families(self) -> list[Family]:
        answers = self._door.health()
        return [
            family("carepost_build_info", GAUGE, "The version that runs.", ({"version": __version__}, 1)),
            *self._shards(answers), *_engines(answers), *self._journal(), *self._machine(), *_clocks(answers),
        ]  # fmt: skip

    def problems(self) -> list[str]:
        """Why this home should be given no work, in closed words; empty: it is ready."""
        found = []
        owned = doors.owned(self._door.health(), self._home.node)
        if len(owned) < self._home.shards:
            found.append("engines")
        if not all(owned.values()):
            found.append("spool")
        state = health.journal(self._home.run)
        if not state.running or state.refused:
            found.append("journal")
        elif state.lag_s >= LAG_CLOSES:
            found.append("journal-behind")
        if shutil.disk_usage(self._home.path).free < self._config.min_free:
            found.append("disk")
        return found

    def _shards(self, answers: list[HealthAnswer]) -> Iterator[Family]:
        shards = sorted(
            ((number, figures) for answer in answers for number, figures in answer.shards.items()),
            key=lambda one: int(one[0]),
        )

        def each(name: str, kind: str, text: str, figure: str) -> Family:
            return family(name, kind, text, *(({"shard": number}, f.get(figure, 0)) for number, f in shards))

        yield family("carepost_shards", GAUGE, "Shards of the spool of this home.", ({}, self._home.shards))
        owned = sum(doors.owned(answers, self._home.node).values())
        yield family("carepost_shards_owned", GAUGE, "Shards of this home that an engine surely holds.", ({}, owned))
        waiting = [
            ({"shard": number, "state": state}, figures.get(state, 0))
            for number, figures in shards
            for state in _STATES
        ]
        yield family("carepost_queue_deliveries", GAUGE, "Deliveries in the queue, by state.", *waiting)
        yield each("carepost_queue_oldest_seconds", GAUGE, "How long the oldest due delivery waits.", "oldest_s")
        yield each("carepost_accepted_total", COUNTER, "Messages accepted since the engine started.", "accepted")
        yield each("carepost_sent_total", COUNTER, "Deliveries sent since the engine started.", "sent")
        yield each("carepost_outbox_events", GAUGE, "Events the journal has not taken yet.", "outbox")

    def _journal(self) -> Iterator[Family]:
        state = health.journal(self._home.run)
        yield family("carepost_journal_up", GAUGE, "Whether the journal runs.", ({}, state.running))
        if state.at:
            yield family(
                "carepost_journal_lag_seconds", GAUGE, "Age of the oldest event not in the log.", ({}, state.lag_s)
            )
            yield family("carepost_journal_events_behind", GAUGE, "Events not in the log.", ({}, state.events_behind))
            yield family("carepost_journal_owed", GAUGE, "Portal deposits and notices still owed.", ({}, state.owed))
            yield family("carepost_journal_refused", GAUGE, "Sources the log refused.", ({}, len(state.refused)))
            yield family("carepost_journal_happened_total", COUNTER, "What the journal counted since it started.",
                         *(({"what": what}, value) for what, value in _named(state.counted)))  # fmt: skip

    def _machine(self) -> Iterator[Family]:
        yield family("carepost_disk_free_bytes", GAUGE, "Free on the home's disk.",
                     ({}, shutil.disk_usage(self._home.path).free))  # fmt: skip
        yield family(
            "carepost_disk_min_free_bytes", GAUGE, "Below this nothing is accepted.", ({}, self._config.min_free)
        )
        word, _ = timesync.state()
        yield family("carepost_clock_synchronised", GAUGE, "Whether the kernel holds the clock to be synchronised.",
                     ({}, word == timesync.SYNCHRONISED))  # fmt: skip
        yield family("carepost_certificate_end_timestamp_seconds", GAUGE, "When a listener's certificate ends.",
                     *self._certificates())  # fmt: skip
        last = _last_backup(self._home)
        if last:
            yield family(
                "carepost_backup_timestamp_seconds", GAUGE, "When the last backup was made.", ({}, last // 10**6)
            )

    def _certificates(self) -> Iterator[tuple[dict[str, str], float]]:
        folder = Path(self._config.tls_folder) if self._config.tls_folder else self._home.tls
        for name, ends in tlsfolder.ends(folder):
            yield {"name": name}, ends // 10**6


def _engines(answers: list[HealthAnswer]) -> Iterator[Family]:
    named = [(min(answer.shards, key=int, default=""), answer.engine) for answer in answers]

    def each(name: str, text: str, figure: str) -> Family:
        return family(name, GAUGE, text, *(({"engine": engine}, f.get(figure, 0)) for engine, f in named))

    yield each("carepost_engine_resident_bytes", "Most memory the engine held.", "rss")
    yield each("carepost_engine_connections", "Open SMTP connections.", "connections")
    yield each("carepost_engine_under_way", "Deliveries being carried out.", "under_way")
    own = {"rss", "connections", "under_way", doors.CLOCK_OFF}
    counted = [
        ({"engine": engine, "what": what}, value)
        for engine, figures in named
        for what, value in _named(_WATCHED | {name: n for name, n in figures.items() if name not in own})
    ]
    yield family("carepost_engine_happened_total", COUNTER, "What an engine counted since it started.", *counted)


def _clocks(answers: list[HealthAnswer]) -> Iterator[Family]:
    off = doors.clock_off(answers)
    if off is not None:
        yield family("carepost_clock_off_seconds", GAUGE, "This node's clock ahead of PostgreSQL's.", ({}, off))


def _named(counted: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted((_NOT_A_NAME.sub("_", what), value) for what, value in counted.items())


def _last_backup(home: Home) -> int:
    try:
        return msgspec.json.decode((home.path / MARK).read_bytes(), type=Last).at
    except (OSError, msgspec.MsgspecError):
        return 0
