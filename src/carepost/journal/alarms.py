"""What is wrong with the house itself, told by letter for those whom no Prometheus watches: queue, deferrals, journal,
certificates, disk.

A letter is made of constants and figures. An engine that is down takes no letter: what it would have told of is then in
the console, in `carepost doctor` and in the figures (`CAREPOST_METRICS`).
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

import msgspec

from carepost.archive import health
from carepost.archive.marks import Marks
from carepost.ground import log, tlsfolder
from carepost.ground.config import Config
from carepost.ground.home import Home
from carepost.intake.letters import letter
from carepost.journal import rewrapping
from carepost.keyring.anew import Engine
from carepost.review.letters import Door as ReviewDoor
from carepost.rfc.asking import Found, Question
from carepost.tenancy import select
from carepost.tenancy.models import Organisation
from carepost.wire.doors import CLOCKS_DIFFER, HealthAnswer, clock_off, owned
from carepost.wire.types import Actor

MINUTE_US: Final = 60_000_000
DAY_US: Final = 86_400_000_000
#: how long something must last before anybody is written to
LASTS_US: Final = 5 * MINUTE_US
#: seconds the oldest due delivery may wait, and the log may be behind
OLD_S: Final = 600
LAG_S: Final = 120
#: more than a fifth of at least fifty attempts in ten minutes
SPIKE_US: Final = 10 * MINUTE_US
SPIKE_LEAST: Final = 50
CERTIFICATE_DAYS: Final = 14
_ENDED: Final = ("delivery-sent", "delivery-deposited", "delivery-failed", "delivery-held")
_DEFERRED: Final = "delivery-deferred"
_ACTOR: Final = Actor("system", "journal")
_TEXT: Final = (
    "Carepost itself needs your eyes.\r\n\r\n{whose}{lines}\r\n"
    "What was accepted is safe on disk. `carepost doctor` on the machine says more{where}.\r\n"
    "Each of these is told once a day as long as it lasts.\r\n"
)


class Door(ReviewDoor, Engine, Protocol):
    def health(self) -> list[HealthAnswer]: ...

    def ask(self, question: Question) -> Found: ...


class Alarm(msgspec.Struct, frozen=True):
    #: a closed word; what was told is remembered by it
    kind: str
    line: str
    #: told at once: it does not go away by itself
    lasting: bool = False


class Alarms:
    """One thread. State that must survive a restart is in `marks`; how long something lasts already is not."""

    def __init__(self, home: Home, config: Config, marks: Marks, door: Door, *, standing_by: bool = False) -> None:
        """`standing_by`: another node's journal writes, and tells of what is the same for all nodes."""
        self._home, self._config, self._marks, self._door = home, config, marks, door
        self._standing_by = standing_by
        #: each node tells of itself, and remembers for itself what it told
        self._node = f"node-{home.node}" if config.node_address else ""
        self._since: dict[str, int] = {}
        #: (when, attempts deferred, attempts ended) as the engines counted them
        self._counted: list[tuple[int, int, int]] = []
        self._looked_at = 0

    def step(self, now: int) -> int:
        """How many letters. Raises Unavailable, Refused: what was not taken is told at the next look."""
        if now - self._looked_at < MINUTE_US:
            return 0
        self._looked_at = now
        found = list(self._found(self._door.health(), now))
        self._since = {one.kind: self._since.get(one.kind, now) for one in found}
        due = [
            one for one in found
            if (one.lasting or now - self._since[one.kind] >= LASTS_US)
            and now - self._marks.get(self._mark(one.kind)) >= DAY_US
        ]  # fmt: skip
        if not due:
            return 0
        for one in due:
            log.event("alarm", kind=one.kind)
        sent = self._tell(due, now)
        # COMMIT POINT: a crash before it hands in the same letter again under the same key, which the door knows.
        for one in due:
            self._marks.put(self._mark(one.kind), now)
        return sent

    def _tell(self, due: list[Alarm], now: int) -> int:
        orgs = select.organisations()
        to = self._config.alarms or (orgs[0].alerts if len(orgs) == 1 else "")
        found = _sender(orgs)
        if not to or found is None:
            return 0
        org, domain = found
        whose = f"This is node {self._home.node} ({self._config.node_address}).\r\n\r\n" if self._node else ""
        where = f", and so does {self._config.console_url}/health" if self._config.console_url else ""
        self._door.accept(
            letter(
                org.pk.bytes,
                key=f"alarm{self._node}:{now // DAY_US}:{','.join(one.kind for one in due)}",
                name="Carepost", domain=domain, to=to, subject="Carepost itself needs your eyes",
                text=_TEXT.format(lines="".join(f"- {one.line}\r\n" for one in due), where=where, whose=whose),
                actor=_ACTOR,
            )
        )  # fmt: skip
        return 1

    def _found(self, answers: list[HealthAnswer], now: int) -> Iterator[Alarm]:
        shards = [figures for answer in answers for figures in answer.shards.values()]
        oldest = max((figures.get("oldest_s", 0) for figures in shards), default=0)
        if oldest > OLD_S:
            yield Alarm("queue-old", f"Mail that is due waits: the oldest for {oldest // 60} minutes.")
        missing = self._home.shards - len(owned(answers, self._home.node))
        if missing > 0:
            yield Alarm("shards", f"{missing} shards of the spool have no engine.")
        yield from self._spike(answers, now)
        state = health.journal(self._home.run)
        if state.refused:
            words = "The audit log refuses what a source brings. Keep the home as it is; run carepost audit verify."
            yield Alarm("log-refuses", words, lasting=True)
        if state.lag_s > LAG_S:
            yield Alarm("journal-behind", f"The log is {int(state.lag_s)} s behind; at 600 s nothing more is accepted.")
        former = 0 if self._standing_by else self._marks.get(rewrapping.PUT_BACK)
        if former:
            words = (
                f"{former} keys stand under a former master key, though all were wrapped anew: rows were put back, "
                "or a node runs with an older keyring."
            )
            yield Alarm("keys-put-back", words, lasting=True)
        off = clock_off(answers) or 0
        if abs(off) >= CLOCKS_DIFFER:
            yield Alarm(
                "clock", f"This machine's clock is {abs(off)} s {'ahead of' if off > 0 else 'behind'} PostgreSQL's."
            )
        free = shutil.disk_usage(self._home.path).free
        if free < 2 * self._config.min_free:
            mib, least = free // 1_048_576, self._config.min_free // 1_048_576
            words = f"{mib:,} MiB are free on the home's disk; below {least:,} MiB nothing more is accepted."
            yield Alarm("disk", words, lasting=True)
        folder = Path(self._config.tls_folder) if self._config.tls_folder else self._home.tls
        for name, ends in tlsfolder.ends(folder):
            days = (ends - now) // DAY_US
            if days < CERTIFICATE_DAYS:
                left = f"ends in {days} days" if days >= 0 else "has ended: clients refuse it"
                yield Alarm(f"certificate:{name}", f"The certificate {name} {left}.", lasting=True)

    def _mark(self, kind: str) -> str:
        return f"alarm{self._node}:{kind}"

    def _spike(self, answers: list[HealthAnswer], now: int) -> Iterator[Alarm]:
        deferred = sum(answer.engine.get(_DEFERRED, 0) for answer in answers)
        ended = deferred + sum(answer.engine.get(name, 0) for answer in answers for name in _ENDED)
        if self._counted and deferred < self._counted[-1][1]:
            # an engine began anew
            self._counted.clear()
        self._counted = [one for one in self._counted if now - one[0] <= SPIKE_US] + [(now, deferred, ended)]
        more, all_ = deferred - self._counted[0][1], ended - self._counted[0][2]
        if more >= SPIKE_LEAST and more * 5 > all_:
            yield Alarm("deferrals", f"{more} of {all_} attempts of the last minutes were deferred by the other side.")


def _sender(orgs: list[Organisation]) -> tuple[Organisation, str] | None:
    """The first organisation that has a sender domain."""
    for org in orgs:
        for row in select.domains(org.pk):
            return org, row.domain
    return None
