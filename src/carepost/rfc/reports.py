"""What other systems report about a domain, as values: DMARC aggregate (RFC 9990, 7489) and SMTP TLS (RFC 8460).

Numbers are bounded and texts cleaned on the way in: a report is a stranger's word about strangers."""

import msgspec

from carepost.rfc import words
from carepost.rfc.errors import RfcError

#: rows and failure details kept of one report; the rest is counted
ROWS = 500
_MOST_COUNT = 10**12


class ReportError(RfcError):
    """`code`: report-syntax | report-size | report-doctype | report-empty."""

    def __init__(self, code: str, public: str) -> None:
        super().__init__(code, public)


class Row(msgspec.Struct, frozen=True, omit_defaults=True):
    """Mail of one source. `dkim`, `spf`: what DMARC made of them (pass | fail). `signed`, `sent`: the domains."""

    source: str
    count: int
    #: none | quarantine | reject | pass
    disposition: str = "none"
    dkim: str = ""
    spf: str = ""
    header_from: str = ""
    signed: tuple[str, ...] = ()
    sent: str = ""
    reason: str = ""

    @property
    def aligned(self) -> bool:
        return "pass" in (self.dkim, self.spf)


class Failure(msgspec.Struct, frozen=True, omit_defaults=True):
    """RFC 8460 4.3. `kind`: its result-type; addresses are of servers, never of people."""

    kind: str
    count: int
    mx: str = ""
    sender: str = ""
    receiver: str = ""
    code: str = ""


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """`kind`: dmarc | tls. `reporter`: who says so; `number`: its own id of the report. Times UTC microseconds.

    `good`, `bad`: messages or sessions that were and were not as the domain wants. `more`: counted in these, and not
    in rows or failures. `policy`: as the reporter found it, in words."""

    kind: str
    domain: str
    reporter: str
    number: str
    begins: int
    ends: int
    good: int
    bad: int
    policy: str = ""
    rows: tuple[Row, ...] = ()
    failures: tuple[Failure, ...] = ()
    more: int = 0


def text(value: object, most: int = 255) -> str:
    return words.safe(str(value or "").strip())[:most]


def name(value: object) -> str:
    """A domain or host name in lower case."""
    return text(value, 253).rstrip(".").lower()


def number(value: object) -> int:
    """Of a counter; raises ReportError for what is none."""
    digits = str(value).strip()
    if not digits.isascii() or not digits.isdigit() or len(digits) > 15:
        raise ReportError("report-syntax", "A number of the report is not one.")
    return min(int(digits), _MOST_COUNT)
