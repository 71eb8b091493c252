"""What has been seen of a destination, as values."""

import msgspec

from carepost.policy.types import Assurance


class StoredPolicy(msgspec.Struct, frozen=True):
    """An MTA-STS policy as fetched (RFC 8461 3.2). Times: UTC microseconds."""

    id: str
    text: bytes
    fetched: int
    expires: int


class Certificate(msgspec.Struct, frozen=True):
    """A server's certificate, as far as it is kept. Times: UTC microseconds; digests: SHA-256, hex."""

    fingerprint: str
    #: of its SubjectPublicKeyInfo, as pins and TLSA records 3 1 1 name it
    key: str
    not_before: int
    not_after: int
    names: tuple[str, ...] = ()
    issuer: str = ""


class Side(msgspec.Struct, frozen=True):
    """One mail host of a domain as it was last met. `at`: when it was first met so."""

    host: str
    at: int = 0
    #: TLSv1.2 | TLSv1.3 | none
    tls: str = "none"
    cipher: str = ""
    assurance: Assurance = Assurance.NONE
    #: as delivery.floor.Assessed
    basis: str = ""
    fault: str = ""
    certificate: Certificate | None = None
    #: TLSA records as in DNS, hex, sorted
    tlsa: tuple[str, ...] = ()
    #: the next hop an organisation pinned, not one its domain names
    pinned: bool = False
    #: of a pinned one: what it was held to (`directory.Route.mark`); a pin that was changed since knows nothing of it
    pin: str = ""


class Policy(msgspec.Struct, frozen=True):
    """What a session was held to (RFC 8460 4.2). `type`: tlsa | sts | no-policy-found; `text`: policy-string."""

    type: str
    domain: str
    text: tuple[str, ...] = ()
    mx: tuple[str, ...] = ()


class Failure(msgspec.Struct, frozen=True):
    """Failed sessions that are counted together. `result`: a type of RFC 8460 4.3; `reason`: our own code."""

    result: str
    host: str = ""
    address: str = ""
    reason: str = ""


class Count(msgspec.Struct):
    """Sessions under one policy."""

    policy: Policy
    good: int = 0
    failed: list[tuple[Failure, int]] = []


class Day(msgspec.Struct, frozen=True):
    """What one process counted of one organisation's sessions with one domain on one day (UTC, days since 1970)."""

    org: bytes
    domain: str
    day: int
    counts: tuple[Count, ...] = ()
    #: hex, of the process that counted: what it writes replaces what it wrote before
    run: str = ""
    v: int = 1


class Measured(msgspec.Struct, frozen=True):
    """One attempt's measurement of a domain's side, whatever became of the message."""

    #: MX hosts in the order they were to be tried; empty: nothing learnt about them
    hosts: tuple[str, ...] = ()
    #: the MX answer was validated by DNSSEC
    secure: bool = False
    #: best assurance TLS reached on any host; None: no host was reached
    tls: Assurance | None = None
    #: STARTTLS was offered by a host that was reached; None: no host was reached
    starttls: bool | None = None
    #: none | testing | enforce | unknown
    mta_sts: str = "unknown"
    #: usable TLSA records: yes | no | unknown
    dane: str = "unknown"
    #: the hosts met, where something of them is new
    sides: tuple[Side, ...] = ()


class Record(msgspec.Struct, frozen=True):
    """All that is kept of one domain; the sealed column of its row. Times: UTC microseconds, 0: never."""

    domain: str
    #: MX hosts that have been stable, sorted
    hosts: tuple[str, ...] = ()
    #: other hosts seen since `moved_at` in unsigned DNS
    moved_hosts: tuple[str, ...] = ()
    moved_at: int = 0
    #: STARTTLS was seen once; from then on never clear text (DESIGN 3)
    starttls_at: int = 0
    #: STARTTLS was missing after it had been seen
    lost_at: int = 0
    #: and was there again, without a break, since
    back_at: int = 0
    tls: Assurance | None = None
    tls_at: int = 0
    mta_sts: str = "unknown"
    dane: str = "unknown"
    policy: StoredPolicy | None = None
    #: hosts as last met
    sides: tuple[Side, ...] = ()
    v: int = 1
