"""The replies of the SMTP server (RFC 5321 4.2, RFC 3463), and what an error of ours becomes in them."""

from carepost.ground.errors import CarepostError, NotFound, Refused
from carepost.intake import inbound
from carepost.rfc.errors import RfcError
from carepost.wire.types import Accepted

#: enhanced codes that have a basic code of their own; every other 5.x.x is 550 and 4.x.x is 451
_BASIC = {
    "5.3.4": 552,
    "5.2.3": 552,
    "5.4.6": 554,
    "5.5.2": 500,
    "5.6.7": 553,
    "5.7.8": 535,
    "4.3.1": 452,
    "4.5.3": 452,
    "4.7.0": 451,
}


def line(code: int, enhanced: str, text: str) -> bytes:
    return f"{code} {enhanced} {text}\r\n".encode()


def of_error(error: CarepostError) -> bytes:
    """Unavailable is 451 4.3.0; Refused carries its own enhanced code. The text is the error's public sentence."""
    if isinstance(error, RfcError):
        return of_syntax(error)
    if isinstance(error, Refused):
        enhanced = error.enhanced
    elif isinstance(error, NotFound):
        enhanced = "5.7.1"
    elif error.code == "bodies-full":
        enhanced = "4.3.1"
    else:
        enhanced = "4.3.0"
    code = _BASIC.get(enhanced, 451 if enhanced.startswith("4") else 550)
    return line(code, enhanced, _printable(error.public))


def of_syntax(error: RfcError) -> bytes:
    return line(error.reply, error.enhanced, _printable(error.public))


def of_accepted(accepted: Accepted) -> bytes:
    if accepted.repeated:
        return line(250, "2.0.0", f"Accepted before as {accepted.message_id}")
    if accepted.repeats:
        return line(250, "2.0.0", f"Accepted as {accepted.message_id} (repeats {accepted.repeats})")
    return line(250, "2.0.0", f"Accepted as {accepted.message_id}")


def _printable(text: str) -> str:
    """One line of ASCII, within the 512 octets of a reply (RFC 5321 4.5.3.1.5)."""
    return "".join(c if " " <= c <= "~" else "?" for c in text)[:450]


OK = line(250, "2.0.0", "OK")
SENDER_OK = line(250, "2.1.0", "OK")
RECIPIENT_OK = line(250, "2.1.5", "OK")
GO_AHEAD = b"354 Send the message, end with <CRLF>.<CRLF>\r\n"
BYE = line(221, "2.0.0", "Bye")
TLS_NOW = line(220, "2.0.0", "Ready to start TLS")
PROVED = line(235, "2.7.0", "Authentication successful")
HELP = line(214, "2.0.0", "RFC 5321")
CANNOT_VERIFY = line(252, "2.1.5", "Send some mail, and it will be seen")

CLOSING = line(421, "4.3.2", "Closing for maintenance; come again")
TOO_SLOW = line(421, "4.4.2", "Waited too long; closing")
TOO_MANY_ERRORS = line(421, "4.7.0", "Too many errors; closing")
TOO_MANY_COMMANDS = line(421, "4.7.0", "Too many commands without a message; closing")
TOO_MANY_CONNECTIONS = line(421, "4.7.0", "Too many connections; come again later")
TOO_MANY_TRIES = line(421, "4.7.0", "Too many failed sign-ins from here; come again later")
TROUBLE = line(451, "4.3.0", "Something failed here; nothing was accepted, try again")
AUTH_TROUBLE = line(454, "4.7.0", "Cannot check passwords now; try again")
NO_ROOM = line(452, "4.3.1", "Too much mail at this moment; try again")
TOO_MANY_RECIPIENTS = line(452, "4.5.3", "Too many recipients; send to the rest in another message")
ANOTHER_READER = line(452, "4.5.3", "That address is read elsewhere; send to it in another message")
ONE_ORGANISATION = line(452, "4.5.3", "Recipients of another organisation; send to them in another message")

BARE_NEWLINE = line(521, "5.5.2", "Lines end with CR LF, nothing else; closing")
UNKNOWN = line(500, "5.5.1", "No such command")
NOT_OFFERED = line(502, "5.5.1", "Not offered here")
NO_CHUNKS = line(502, "5.5.1", "BDAT is not offered; closing")
NOT_SMTP = line(554, "5.5.1", "This is an SMTP server; closing")
LINE_TOO_LONG = line(500, "5.5.6", "Line too long; closing")
BAD_ARGUMENT = line(501, "5.5.4", "Cannot read that argument")
BAD_BASE64 = line(501, "5.5.2", "Cannot read that response")
CANCELLED = line(501, "5.7.0", "Authentication cancelled")
HELLO_FIRST = line(503, "5.5.1", "Say EHLO first")
SENDER_FIRST = line(503, "5.5.1", "Say MAIL first")
RECIPIENT_FIRST = line(503, "5.5.1", "Say RCPT first")
NO_RECIPIENTS = line(554, "5.5.1", "No recipient was accepted")
NOT_NOW = line(503, "5.5.1", "Not in this order")
TLS_FIRST = line(530, "5.7.0", "Say STARTTLS first")
AUTH_FIRST = line(530, "5.7.0", "Authentication required")
AUTH_NEEDS_TLS = line(538, "5.7.11", "Encryption required: say STARTTLS first")
NO_MECHANISM = line(504, "5.5.4", "No such mechanism")
WRONG = line(535, "5.7.8", "Name or password is wrong")
REVOKED = line(535, "5.7.8", "This credential was withdrawn; closing")
NOT_YOUR_DOMAIN = line(550, "5.7.1", "This credential may not send as that domain")
UNKNOWN_PEER = line(
    530, "5.7.0", "Sign in, or show a certificate or address that a connection names (Carepost, page Gateway)"
)
NOT_THROUGH_HERE = line(
    550, "5.7.1", "No connection for that sender domain knows this server; see the page Gateway in Carepost"
)
RELAY_DENIED = line(550, "5.7.1", "Relay denied")
NO_SUCH_MAILBOX = line(550, "5.1.1", inbound.NO_SUCH_MAILBOX)
NOT_KNOWN_BEHIND = line(550, "5.1.1", "The recipient's own mail system has no such mailbox")
TOO_LARGE = line(552, "5.3.4", "Message too large")
HAS_NUL = line(550, "5.6.0", "A message may not hold NUL")
NEEDS_UTF8 = line(553, "5.6.7", "That address needs the SMTPUTF8 parameter")
NO_REQUIRETLS = line(555, "5.5.4", "REQUIRETLS is not offered here")
NO_LITERAL = line(550, "5.1.2", "Address literals are not served")
