"""The SMTP envelope (RFC 5321, RFC 3461) as a value."""

import msgspec


class Recipient(msgspec.Struct, frozen=True):
    #: addr-spec: local part as given, domain lower case in A-labels
    address: str
    #: RFC 3461 NOTIFY: subset of NEVER SUCCESS FAILURE DELAY; empty means not given (FAILURE, DELAY)
    notify: tuple[str, ...] = ()
    #: RFC 3461 ORCPT as given (`rfc822;...`), or None
    orcpt: str | None = None

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


class Envelope(msgspec.Struct, frozen=True):
    #: reverse path; "" is the null sender
    sender: str
    recipients: tuple[Recipient, ...]
    #: RET=FULL is accepted and ignored (DESIGN 3)
    ret: str | None = None
    envid: str | None = None
    smtputf8: bool = False
    eightbit: bool = False
