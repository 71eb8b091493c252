"""What is said of destinations, the domains mail goes to: by the API, and to its clients. Nothing of a person."""

import msgspec


class DestinationLine(msgspec.Struct, frozen=True):
    """Times: UTC microseconds, 0: none. `assurance`: the best its servers proved when last met (none, encrypted,
    verified, authenticated), "": not met; `weakened`: why it is not believed now (mx-moved, tls-lost), "": it is.
    `alerts`: those nobody has looked at."""

    id: str
    domain: str
    assurance: str
    weakened: str
    words: str
    certificate_ends: int
    alerts: int
    pinned: bool
    changed_at: int
    used_at: int


class Destinations(msgspec.Struct, frozen=True):
    """By domain. `cursor`: of the next page; "" on the last."""

    destinations: tuple[DestinationLine, ...]
    cursor: str = ""


class DestinationHost(msgspec.Struct, frozen=True):
    """A server as last met. `basis`: what it is believed for, `fault`: why not for more; both in closed words, and in
    a sentence in `words`. `key`: SHA-256 of its public key, hex, as `keys` of a pin takes it."""

    host: str
    assurance: str
    basis: str
    fault: str
    words: str
    tls: str
    key: str
    certificate_ends: int
    pinned: bool


class DestinationChange(msgspec.Struct, frozen=True):
    """`weaker`: it can prove less than before."""

    at: int
    what: str
    words: str
    weaker: bool


class DestinationPin(msgspec.Struct, frozen=True):
    """`ca`: PEM, "": the system's trust store. `keys`: with them and no CA the key alone counts. `otherwise`: what
    happens where this host does not prove itself: `next` method, or `hold`."""

    domain: str
    host: str
    port: int
    ca: str
    keys: tuple[str, ...]
    otherwise: str
    reason: str
    at: int


class DestinationPins(msgspec.Struct, frozen=True):
    """By domain; also of domains that no mail went to yet."""

    pins: tuple[DestinationPin, ...]


class DestinationView(msgspec.Struct, frozen=True):
    """`changes`: newest first, `more`: there are older ones. `in_order`, `failed` (what happened -> how often):
    sessions of the last 30 days. `policy`: the MTA-STS policy that holds, as it was fetched."""

    line: DestinationLine
    hosts: tuple[DestinationHost, ...]
    policy: str
    changes: tuple[DestinationChange, ...]
    more: bool
    alerts: tuple[DestinationChange, ...]
    in_order: int
    failed: dict[str, int]
    pin: DestinationPin | None = None
