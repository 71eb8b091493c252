"""What has been seen of a destination, as values."""

import msgspec

from carepost.policy.types import Assurance


class StoredPolicy(msgspec.Struct, frozen=True):
    """An MTA-STS policy as fetched (RFC 8461 3.2). Times: UTC microseconds."""

    id: str
    text: bytes
    fetched: int
    expires: int


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
    v: int = 1
