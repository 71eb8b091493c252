"""How the parts of this installation are: engines, queue, journal, clock, disk. Figures only, nothing of a message."""

import shutil
from uuid import UUID

import msgspec
from django.conf import settings

from carepost.cold import targets
from carepost.console import records
from carepost.ground import clock, timesync
from carepost.ground.errors import Unavailable
from carepost.mailbox import door
from carepost.ui import times
from carepost.wire.doors import HealthAnswer, owned

#: seconds of journal lag at which somebody should look, and at which the doors will close (DESIGN, step 12)
_LAG_LOOK, _LAG_CLOSES = 60, 600


class Check(msgspec.Struct, frozen=True):
    name: str
    #: good | wait | bad
    tone: str
    word: str
    text: str
    mend: str = ""


class Engine(msgspec.Struct, frozen=True):
    shards: str
    connections: int
    under_way: int
    memory: int
    accepted: int
    sent: int


class House(msgspec.Struct, frozen=True):
    """`totals`: (what is counted, how many, tone), over all engines that answer."""

    checks: tuple[Check, ...]
    engines: tuple[Engine, ...]
    totals: tuple[tuple[str, int, str], ...]
    held: int

    @property
    def attention(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.tone != "good")


def look(org: UUID) -> House:
    answers = _answers()
    held = _sum(answers, "held")
    totals = (
        ("waiting to be sent", _sum(answers, "queued") + _sum(answers, "claimed"), "wait"),
        ("will be tried again", _sum(answers, "deferred"), "wait"),
        ("held for a person", held, "bad" if held else "good"),
        ("accepted since the engines started", _sum(answers, "accepted"), "plain"),
        ("sent since the engines started", _sum(answers, "sent"), "plain"),
    )
    checks = (_engines(answers), _journal(), *_store(), _disk(answers), _clock())
    return House(checks, _each(answers), totals, held)


def _answers() -> list[HealthAnswer]:
    try:
        return door.client().health()
    except Unavailable:
        return []


def _sum(answers: list[HealthAnswer], figure: str) -> int:
    return sum(shard.get(figure, 0) for answer in answers for shard in answer.shards.values())


def _each(answers: list[HealthAnswer]) -> tuple[Engine, ...]:
    return tuple(
        Engine(
            ", ".join(sorted(answer.shards)),
            answer.engine.get("connections", 0),
            answer.engine.get("under_way", 0),
            answer.engine.get("rss", 0),
            sum(shard.get("accepted", 0) for shard in answer.shards.values()),
            sum(shard.get("sent", 0) for shard in answer.shards.values()),
        )
        for answer in answers
    )


def _engines(answers: list[HealthAnswer]) -> Check:
    home = settings.CAREPOST_HOME
    wanted, node = (home.shards, home.node) if home is not None else (0, 0)
    held = len(owned(answers, node))
    if held >= wanted and answers:
        return Check("Engines", "good", "Running", f"{len(answers)} answer and hold all {held} shards of the spool.")
    if answers:
        text = f"{len(answers)} answer, but {wanted - held} of {wanted} shards have no engine."
        return Check("Engines", "bad", "Not complete", text, "Look at the log, and start Carepost again.")
    text = "No engine answers. Nothing is accepted or sent; nothing accepted before is lost."
    return Check("Engines", "bad", "Stopped", text, "Start Carepost with: carepost up")


def _journal() -> Check:
    home = settings.CAREPOST_HOME
    if home is None:
        return Check("Journal", "wait", "Not known", "This process has no home to look at.")
    state = records.journal(home)
    lag, waiting = state.lag_s, state.events_behind
    text = "Every event is in the records."
    if waiting:
        text = f"{waiting} events wait to be written into the records; the oldest for {times.span(lag)}."
    if state.owed:
        text += f" {state.owed} portal deposits and notices are still to be made."
    if state.refused:
        refused = f"The log refused the events of {', '.join(state.refused)}: they do not follow on. " + text
        return Check("Journal", "bad", "Refused", refused, "Run carepost audit verify, and keep the home as it is.")
    if not state.running:
        return Check("Journal", "bad", "Stopped", text, "Start Carepost again; nothing is lost meanwhile.")
    if lag >= _LAG_CLOSES:
        return Check("Journal", "bad", "Behind", text, "The doors are closed until it has caught up. Look at its log.")
    if lag >= _LAG_LOOK:
        return Check("Journal", "wait", "Behind", text, "It usually catches up. Past 10 minutes the doors close.")
    return Check("Journal", "good", "Keeps up", text)


def _store() -> tuple[Check, ...]:
    """None where no cold store was chosen."""
    rows = targets.every()
    if not rows:
        return ()
    ill = next((row for row in rows if row.fault), None)
    if ill is not None:
        since = times.span((clock.now() - ill.fault_at) / 1_000_000)
        text = f"For {since}: {targets.words(ill.fault)}. Bodies kept there cannot be shown meanwhile; mail goes on."
        return (Check("Cold store", "bad", "Not reachable", text, "Run carepost cold check on the machine."),)
    active = next((row for row in rows if row.state == "active"), None)
    text = f"Bodies older than {active.days} days are kept there." if active else "What lies there is read there."
    return (Check("Cold store", "good", "Answers", text),)


def _disk(answers: list[HealthAnswer]) -> Check:
    home = settings.CAREPOST_HOME
    if home is None:
        return Check("Disk", "wait", "Not known", "This process has no home to look at.")
    free, least = shutil.disk_usage(home.path).free, settings.CAREPOST_CONFIG.min_free
    free = min([free, *(shard["disk_free"] for a in answers for shard in a.shards.values() if shard.get("disk_free"))])
    text = f"{free / 1e9:.1f} GB are free; below {least / 1e9:.1f} GB nothing new is accepted."
    if free < least:
        return Check("Disk", "bad", "Full", text, "Free space now. Delivery of what was accepted goes on.")
    if free < 3 * least:
        return Check("Disk", "wait", "Getting full", text, "Free space, or give the home a larger disk.")
    return Check("Disk", "good", "Enough", text)


def _clock() -> Check:
    word, error = timesync.state()
    if word == timesync.SYNCHRONISED:
        return Check("Clock", "good", "Synchronised", f"The kernel says it is right to within {error / 1000:.0f} ms.")
    text = "Times in records and proofs rest on a clock that nobody vouches for; proofs say so."
    return Check("Clock", "wait", "Not synchronised", text, "Run chrony or systemd-timesyncd on this machine.")
