"""What a verification of the log found, as values: no event's content, only where it stands."""

import msgspec


class Finding(msgspec.Struct, frozen=True):
    #: stable: leaf-missing, leaf-changed, event-damaged, event-foreign, sealed-damaged, order, tree-changed,
    #: checkpoint-wrong, checkpoint-signature, checkpoint-missing, index-changed, tail-missing, gap,
    #: history-rewritten, unreadable, key-introduction, key-unintroduced, key-retired, key-unknown
    code: str
    words: str


class LogReport(msgspec.Struct):
    """One organisation's log."""

    org: str
    size: int = 0
    checkpoints: int = 0
    #: events whose bytes are gone after retention; their hashes stand
    past_retention: int = 0
    #: openings that were opened and compared, and events whose openings could not be, for want of a key
    opened: int = 0
    unopened: int = 0
    #: sizes of the outside checkpoints that this log was found to contain
    outside: list[int] = []
    findings: list[Finding] = []

    def add(self, code: str, words: str) -> None:
        """At most 100 are kept: one altered node can show in many places."""
        if len(self.findings) < 100:
            self.findings.append(Finding(code, words))


class Report(msgspec.Struct):
    """All logs looked at, and what concerns no single one."""

    logs: list[LogReport]
    findings: list[Finding]

    @property
    def ok(self) -> bool:
        return not self.findings and not any(log.findings for log in self.logs)

    @property
    def outside(self) -> bool:
        """Whether anything kept elsewhere was compared."""
        return any(log.outside for log in self.logs)

    def words(self) -> str:
        events = sum(log.size for log in self.logs)
        if not self.ok:
            return "the log does not hold"
        if self.outside:
            return f"{events} events hold, and contain what the checkpoints kept elsewhere saw"
        return (
            f"{events} events hold among themselves. Only inner consistency was checked: whoever can write the "
            "database and sign could have rewritten all of it. Give a checkpoint kept elsewhere with --checkpoint."
        )
