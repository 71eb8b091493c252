"""What is carried, what it needs of a connection, and what was learnt of the hosts that were tried."""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec

from carepost.crypto.sealed import Sealed
from carepost.delivery.connection import Connection
from carepost.delivery.exchange import Ended
from carepost.delivery.floor import Assessed
from carepost.delivery.hops import Hop, Hops
from carepost.delivery.tls import Handshake
from carepost.policy.types import Assurance
from carepost.queue.types import Stage
from carepost.rfc.envelope import Recipient

#: addresses dialled in one attempt, whatever DNS says (BI-032)
DIALS = 6
#: the host was reached, and has no TLS we take: it falls short like one that offers none
NO_TLS = frozenset({"tls-failed", "starttls-injected"})


class Limited(Protocol):
    """`lanes.Lane`: what one source may do at one provider. Times are UTC microseconds."""

    def connections(self, now: int) -> int: ...

    def messages(self, now: int) -> int: ...

    def dial(self, now: int) -> int:
        """When a connection may be opened, which counts as opened then; 0: at once."""


class Way(msgspec.Struct, frozen=True):
    """By which way a copy leaves (`ways`)."""

    #: address bound before dialling; "": the machine's own choice
    source: str = ""
    #: said in EHLO; "": the house's name
    helo: str = ""
    #: None: nothing limits it
    lane: Limited | None = None
    #: marketing: it leaves the last places to other mail
    bulk: bool = False

    def reaches(self, address: str) -> bool:
        """Nothing is dialled over IPv6 from an IPv4 address."""
        return not self.source or (":" in address) == (":" in self.source)


#: the machine's own address, limited by the settings alone
HOUSE_WAY: Final = Way()


class Need(msgspec.Struct, frozen=True):
    """What this recipient requires of a connection."""

    floor: int
    #: why unsigned DNS is not believed for now, or ""
    weakened: str = ""
    #: TLS was seen there before: nothing goes in clear
    tls_once: bool = False
    #: a TLS report: goes also where the domain's own promises are broken (RFC 8460 3, RFC 8689 TLS-Required: No)
    as_is: bool = False
    #: RFC 8689: the host must say REQUIRETLS, and be found by a look-up that nobody could forge
    requiretls: bool = False
    way: Way = HOUSE_WAY


class Met(msgspec.Struct, frozen=True):
    """A session of its own with one host: a connection that was opened, or whose TLS failed."""

    hop: Hop
    address: str
    handshake: Handshake | None
    #: None: TLS failed before anything could be measured; `error` says how
    assessed: Assessed | None
    error: str = ""


class Carried(msgspec.Struct, frozen=True):
    """The end of one attempt on the wire, with all that a record of it needs."""

    ended: Ended
    host: str = ""
    address: str = ""
    handshake: Handshake | None = None
    hop: Hop | None = None
    #: of the connection it came to; None: it came to none
    assessed: Assessed | None = None
    #: best assurance measured on any host; None: no host was reached
    achieved: Assurance | None = None
    #: some host offered STARTTLS; None: no host was reached
    offered: bool | None = None
    #: every host fell short of the floor, and nothing else went wrong
    short: bool = False
    #: NOTIFY was passed on: reports are the next server's
    passed_on: bool = False
    #: connections opened for this attempt; none where a pooled one did
    met: tuple[Met, ...] = ()
    #: the sending address it left from; "": the house's own
    source: str = ""

    @property
    def worth(self) -> Assurance | None:
        """What to say was achieved: by this connection, or at best by another host."""
        return self.assessed.achieved if self.assessed is not None else self.achieved


class Parcel(msgspec.Struct, frozen=True):
    sealed: Sealed
    recipient: Recipient
    #: called just before the final dot is handed over
    before_dot: Callable[[], None]
    #: said to the next host, which was found to offer it
    requiretls: bool = False


class Tally:
    """What was learnt of the hosts tried so far."""

    __slots__ = ("_failed", "_short", "best", "met", "offered", "settled")

    def __init__(self) -> None:
        self.best: Assurance | None = None
        self.offered: bool | None = None
        #: hosts whose other addresses need not be tried
        self.settled: set[str] = set()
        self.met: tuple[Met, ...] = ()
        self._short: list[Carried] = []
        self._failed: list[Carried] = []

    def reached(self, connection: Connection, assessed: Assessed) -> None:
        self._measured(assessed.achieved, connection.offered)

    def short(self, hop: Hop, connection: Connection, assessed: Assessed) -> None:
        self.reached(connection, assessed)
        self.settled.add(hop.host)
        ended = Ended(Stage.FLOOR, None, assessed.fault or "below-floor")
        self._short.append(
            Carried(ended, hop.host, connection.address, connection.handshake, hop, assessed, short=True)
        )

    def opened(self, hop: Hop, connection: Connection, assessed: Assessed) -> None:
        self.met = (*self.met, Met(hop, connection.address, connection.handshake, assessed))

    def failed(self, hop: Hop, address: str, ended: Ended) -> None:
        if ended.stage is Stage.STARTTLS:
            self.met = (*self.met, Met(hop, address, None, None, ended.error or "tls-failed"))
        if ended.error in NO_TLS:
            self._measured(Assurance.NONE, True)
            self.settled.add(hop.host)
            assessed = Assessed(Assurance.NONE, fault=ended.error)
            self._short.append(Carried(ended, hop.host, address, None, hop, assessed, short=True))
            return
        if ended.stage is not Stage.CONNECT:
            self.settled.add(hop.host)
        self._failed.append(Carried(ended, hop.host, address, None, hop))

    def lacking(self, hop: Hop, connection: Connection, assessed: Assessed, ended: Ended) -> None:
        self.settled.add(hop.host)
        self._failed.append(Carried(ended, hop.host, connection.address, connection.handshake, hop, assessed))

    def carried(self) -> Carried:
        """Something that may pass makes the whole temporary; only where every host fell short is it short."""
        if self._failed:
            # One that lacks something comes last, but what can be had by converting the message is tried at once.
            order = {"no-8bitmime": 2, "no-smtputf8": 0, "too-large": 0}
            chosen = max(reversed(self._failed), key=lambda one: order.get(one.ended.error, 1))
        elif self._short:
            chosen = max(self._short, key=lambda one: one.worth or Assurance.NONE)
        else:
            chosen = Carried(Ended(Stage.DNS, None, "no-usable-host"))
        return msgspec.structs.replace(chosen, achieved=self.best, offered=self.offered, met=self.met)

    def _measured(self, achieved: Assurance, offered: bool) -> None:
        self.best = achieved if self.best is None else max(self.best, achieved)
        self.offered = bool(self.offered) or offered


def dials(hops: Hops) -> Sequence[tuple[Hop, str]]:
    """(host, address) in order: every host once before any host's second address, bounded (BI-032)."""
    if len(hops.hops) == 1 and len(hops.hops[0].addresses) == 1 and not hops.hops[0].fault:
        return ((hops.hops[0], hops.hops[0].addresses[0]),)
    usable = [hop for hop in hops.hops if not hop.fault]
    pairs = [
        (hop, hop.addresses[turn])
        for turn in range(max((len(hop.addresses) for hop in usable), default=0))
        for hop in usable
        if turn < len(hop.addresses)
    ]
    return pairs[:DIALS]
