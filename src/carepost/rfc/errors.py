"""Refusals of this room: a stable code, a sentence without a byte of what was refused, an enhanced status."""

from carepost.ground.errors import Refused


class RfcError(Refused):
    """Something is not what its RFC says. `reply` is the SMTP code that answers it, `status` the HTTP one."""

    def __init__(self, code: str, public: str, enhanced: str = "5.6.0", *, reply: int = 550, status: int = 422) -> None:
        super().__init__(code, public, enhanced=enhanced, status=status)
        self.reply = reply


class AddressError(RfcError):
    """An address, path or address list that RFC 5321 or RFC 5322 does not allow."""

    def __init__(self, code: str, public: str, enhanced: str = "5.1.3", *, reply: int = 501) -> None:
        super().__init__(code, public, enhanced, reply=reply)


class BareNewline(RfcError):
    """CR or LF alone, NUL, or a line over 998 octets (RFC 5321 2.3.8, 4.5.3.1.6)."""


class MessageError(RfcError):
    """A header section that is over a limit or structurally wrong (RFC 5322 3.6)."""


class ComposeError(RfcError, ValueError):
    """A message that cannot be built from what was given."""


class MimeError(RfcError):
    """A body that cannot be read in one certain way within the limits."""


class CommandError(RfcError):
    """A MAIL or RCPT command that is not accepted; `reply` and `enhanced` are what to answer."""
