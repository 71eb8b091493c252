"""What is asked about a sender domain, and a line of the answer: one record, found beside wanted."""

import enum
from typing import Final

import msgspec

#: characters of a found record that are kept and shown
SHOWN: Final = 900


class State(enum.StrEnum):
    RIGHT = "right"
    MISSING = "missing"
    DIFFERENT = "different"
    #: DNS did not answer: neither there nor absent
    UNKNOWN = "unknown"


class Part(enum.StrEnum):
    SPF = "spf"
    DKIM = "dkim"
    DMARC = "dmarc"
    DMARC_REPORTS = "dmarc-reports"
    MTA_STS = "mta-sts"
    MTA_STS_FILE = "mta-sts-file"
    TLS_REPORTS = "tls-reports"
    RETURN_MX = "return-mx"
    RETURN_SPF = "return-spf"
    TRACKING = "tracking"
    MX = "mx"
    REVERSE = "reverse"
    HELO = "helo"


class Phase(enum.StrEnum):
    """Of a DKIM key. NEXT signs nothing until DNS shows it. OLD signs nothing more, and mail on its way needs it for a
    while. DUE: that while is over. REVOKED: nobody may believe it."""

    NEXT = "next"
    ACTIVE = "active"
    OLD = "old"
    DUE = "due"
    REVOKED = "revoked"


class Key(msgspec.Struct, frozen=True):
    """`record`: the TXT record to publish. `until`: UTC microseconds; of an OLD key, how long it must stay."""

    selector: str
    record: str
    phase: Phase = Phase.ACTIVE
    until: int = 0


class Sts(msgspec.Struct, frozen=True):
    """The MTA-STS policy we serve for the domain (RFC 8461 3.2). `id`: of the TXT record. `host`: whose addresses
    `mta-sts.<domain>` must have, "" where that is not known."""

    mode: str
    mx: tuple[str, ...]
    max_age: int
    id: str
    host: str = ""


class Address(msgspec.Struct, frozen=True):
    """An address mail leaves from, and the name it says in HELO; "": this system's."""

    ip: str
    helo: str


class Asked(msgspec.Struct, frozen=True):
    """`host`: this system's name, in HELO and as MX; "" where it was given none. `addresses`: those mail leaves from;
    empty: those of `host` in DNS. `house`: some of it leaves by those of `host` besides. `dmarc`, `tls`: addresses that
    reports go to. `return_path`, `tracking`: host names, "" where there is none. `tracking_to`: where the tracking host
    must lead. `sts`: None where we serve no policy for the domain."""

    domain: str
    host: str
    keys: tuple[Key, ...] = ()
    addresses: tuple[Address, ...] = ()
    dmarc: str = ""
    tls: str = ""
    return_path: str = ""
    tracking: str = ""
    tracking_to: str = ""
    sts: Sts | None = None
    house: bool = False


class Line(msgspec.Struct, frozen=True):
    """One record. `record`: TXT, MX, CNAME, A, PTR or HTTPS. `wanted`: the exact value to publish, "" where that is not
    ours to say. `code`: which case it is, a word for programs. `why`: what the record is for, one sentence. `todo`:
    what to do, "" where nothing is. `needed`: mail suffers without it; others only help."""

    part: Part
    name: str
    record: str
    state: State
    code: str
    why: str
    todo: str = ""
    wanted: str = ""
    found: tuple[str, ...] = ()
    needed: bool = True
    phase: str = ""

    @property
    def right(self) -> bool:
        return self.state is State.RIGHT

    @property
    def place(self) -> str:
        """The same record at another time."""
        return f"{self.part.value} {self.name}"
