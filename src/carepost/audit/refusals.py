"""What the sequencer refuses, by name. Nothing of the batch is written; the journal stops and raises an alarm."""

from carepost.ground.errors import CarepostError


class SequenceRefused(CarepostError):
    """`source` and `seq` name the event; never what it says."""

    def __init__(self, code: str, source: str, seq: int, words: str) -> None:
        super().__init__(code, f"Event {seq} of {source} was not taken into the log: {words}")
        self.source = source
        self.seq = seq


class SequenceGap(SequenceRefused):
    """Events are missing before this one."""

    def __init__(self, source: str, seq: int, expected: int) -> None:
        super().__init__("audit-gap", source, seq, f"event {expected} should come next.")
        self.expected = expected


class SequenceReordered(SequenceRefused):
    """The event comes after a later one of its source."""

    def __init__(self, source: str, seq: int) -> None:
        super().__init__("audit-reordered", source, seq, "it comes after a later one of its source.")


class SequenceChanged(SequenceRefused):
    """The event is in the log already, with other bytes."""

    def __init__(self, source: str, seq: int) -> None:
        super().__init__("audit-changed", source, seq, "the log has it already, with other bytes.")


class SequenceDamaged(SequenceRefused):
    """The bytes are no event, or not the one its row says."""

    def __init__(self, source: str, seq: int) -> None:
        super().__init__("audit-damaged", source, seq, "its bytes are no event, or not the one its row names.")
