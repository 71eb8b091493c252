"""How fast mail leaves, as it crosses processes: what a provider asked for, and what an engine's lanes stand at."""

import msgspec


class Noticed(msgspec.Struct, frozen=True):
    """A provider's reply made a reaction of `pace.reactions` hold. Times are UTC microseconds."""

    provider: str
    #: the sending address; "": the house's own
    source: str
    reaction: str
    since: int
    until: int


class HeldBack(msgspec.Struct, frozen=True):
    """Why something that is due has not left."""

    #: suspension | rate | warm-up | connections | destination
    what: str
    #: what follows "Held back by …"
    words: str
    #: UTC microseconds; 0: as soon as there is room
    until: int = 0
    provider: str = ""
    source: str = ""
    #: id of the reaction, where a provider asked for it
    by: str = ""


class LaneView(msgspec.Struct, frozen=True):
    """One way out as one engine uses it."""

    provider: str
    source: str
    #: in force now, of this engine; 0: no limit
    connections: int
    messages: int
    per_minute: int
    per_hour: int
    #: deliveries under way
    busy: int
    held: HeldBack | None = None
    #: the reactions that hold, with their ends
    measures: tuple[tuple[str, int], ...] = ()
    #: of a warm-up: what may go today of this engine, and what went; None: none
    warm: tuple[int, int] | None = None


def encode(said: Noticed) -> bytes:
    return msgspec.json.encode(said)


def decode(data: bytes) -> Noticed:
    """Raises msgspec.MsgspecError."""
    return msgspec.json.decode(data, type=Noticed)
