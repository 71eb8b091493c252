"""The command table of a session (RFC 5321 4.1): one line in, one reply out, and what is to happen then."""

import base64
import enum

from carepost.ground import log, metrics
from carepost.ground.errors import Unavailable
from carepost.reception.credentials import Credentials, Identity
from carepost.reception.smtp import auth, replies
from carepost.reception.smtp.effects import SenderRefused
from carepost.reception.smtp.gate import Gate
from carepost.reception.smtp.limits import Limits
from carepost.reception.smtp.transaction import Transaction
from carepost.reception.smtp.types import Role
from carepost.rfc import esmtp
from carepost.rfc.envelope import Envelope
from carepost.rfc.errors import RfcError


class Then(enum.Enum):
    NOTHING = 0
    TLS = 1
    PASSWORD = 2
    DATA = 3
    CLOSE = 4
    RECIPIENT = 5


Answer = tuple[bytes, Then]

#: verbs of protocols a browser can be made to speak to us: nothing after them is SMTP
_OTHER_PROTOCOLS = frozenset({b"GET", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"CONNECT", b"DELETE", b"PATCH", b"PRI"})
_PLAIN = Then.NOTHING


class Commands:
    """What the peer has said so far. `line` answers a command, or a response while `authenticating`."""

    def __init__(
        self, role: Role, credentials: Credentials, limits: Limits, *, hostname: str, client: str, secure: bool
    ) -> None:
        self._role = role
        self._credentials = credentials
        self._limits = limits
        self._hostname = hostname
        self._client = client
        self._secure = secure
        self._greeted = False
        self._extended = False
        self._identity: Identity | None = None
        self._exchange: auth.Exchange | None = None
        self._username = ""
        #: at a gateway's listener: whose mail it may be, once TLS has shown it
        self.gate: Gate | None = None
        #: what the peer called itself
        self.hello = ""
        #: what `Then.PASSWORD` asks to check
        self.password = ("", "")
        self.transaction = Transaction(role, credentials, limits)
        self._table = {
            b"EHLO": self._ehlo,
            b"HELO": self._helo,
            b"MAIL": self._mail,
            b"RCPT": self._rcpt,
            b"DATA": self._data,
            b"RSET": self._rset,
            b"NOOP": self._noop,
            b"QUIT": self._quit,
            b"VRFY": self._vrfy,
            b"HELP": self._help,
            b"AUTH": self._auth,
            b"STARTTLS": self._starttls,
            b"BDAT": self._bdat,
            b"EXPN": self._not_offered,
            b"TURN": self._not_offered,
            b"ETRN": self._not_offered,
        }

    @property
    def authenticating(self) -> bool:
        return self._exchange is not None

    def line(self, line: bytes) -> Answer:
        if self._exchange is not None:
            return self._respond(line)
        verb, _, argument = line.partition(b" ")
        handler = self._table.get(verb.upper())
        if handler is not None:
            return handler(argument)
        if verb.upper() in _OTHER_PROTOCOLS:
            return replies.NOT_SMTP, Then.CLOSE
        return replies.UNKNOWN, _PLAIN

    def secured(self) -> None:
        """RFC 3207 4.2: all that was known before the handshake is forgotten."""
        self._secure = True
        self._greeted = self._extended = False
        self._identity = None
        self.transaction.reset()

    def checked(self, identity: Identity | None) -> bytes:
        """The password was checked. None: wrong."""
        return self._wrong(self.password[0]) if identity is None else self._prove(identity)

    def unchecked(self) -> bytes:
        """The password could not be checked."""
        self._forget_password()
        return replies.AUTH_TROUBLE

    def handover(self) -> tuple[bytes, Envelope, str, Identity | None]:
        """(organisation, envelope, RFC 3848 word, submitter) of the message that was just received."""
        envelope = self.transaction.envelope()
        return self.transaction.org, envelope, self._via(envelope), self._identity

    @property
    def asked(self) -> tuple[bytes, str]:
        """(organisation, address) that `Then.RECIPIENT` asks about."""
        recipient = self.transaction.asked
        assert recipient is not None
        return self.transaction.org, recipient.address

    def recipient_known(self, known: bool | None) -> bytes:
        return self.transaction.answered(known)

    @property
    def requiretls(self) -> bool:
        """The message that was just received must meet what RFC 8689 asks at every hop."""
        return self.transaction.requiretls

    def reset(self) -> None:
        self.transaction.reset()

    def told(self) -> list[SenderRefused]:
        """Senders refused since this was asked last."""
        found = self.transaction.told
        if found:
            self.transaction.told = []
        return found

    # commands

    def _ehlo(self, argument: bytes) -> Answer:
        try:
            self.hello = esmtp.parse_hello(argument)
        except RfcError as error:
            return replies.of_syntax(error), _PLAIN
        self._greeted = self._extended = True
        self.transaction.reset()
        offers = [self._hostname, "PIPELINING", f"SIZE {self._limits.max_message}", "8BITMIME", "SMTPUTF8", "DSN"]
        if not self._secure:
            offers.append("STARTTLS")
        elif self._role is not Role.MX:
            offers += [f"AUTH {auth.MECHANISMS.decode()}", "REQUIRETLS"]
        offers.append("ENHANCEDSTATUSCODES")
        lines = [f"250-{offer}" for offer in offers[:-1]] + [f"250 {offers[-1]}"]
        return "".join(f"{line}\r\n" for line in lines).encode(), _PLAIN

    def _helo(self, argument: bytes) -> Answer:
        try:
            self.hello = esmtp.parse_hello(argument)
        except RfcError as error:
            return replies.of_syntax(error), _PLAIN
        self._greeted, self._extended = True, False
        self.transaction.reset()
        return f"250 {self._hostname}\r\n".encode(), _PLAIN

    def _starttls(self, argument: bytes) -> Answer:
        if argument:
            return replies.BAD_ARGUMENT, _PLAIN
        if self._secure:
            return replies.NOT_NOW, _PLAIN
        return replies.TLS_NOW, Then.TLS

    def _mail(self, argument: bytes) -> Answer:
        if not self._greeted:
            return replies.HELLO_FIRST, _PLAIN
        if self._role is not Role.MX and self._identity is None:
            if not self._secure:
                return replies.TLS_FIRST, _PLAIN
            if self.gate is None:
                return replies.AUTH_FIRST, _PLAIN
        try:
            if self.gate is not None and self._identity is None and self.transaction.begun is False:
                refusal = self.gate.mail(argument)
                if refusal:
                    return refusal, _PLAIN
            if self._identity is not None and not self._credentials.holds(self._identity):
                log.event("credential-withdrawn", credential=self._identity.credential.id)
                return replies.REVOKED, Then.CLOSE
            return self.transaction.mail(argument, self._identity), _PLAIN
        except Unavailable as error:
            return replies.of_error(error), _PLAIN

    def _rcpt(self, argument: bytes) -> Answer:
        try:
            reply = self.transaction.rcpt(argument)
            return reply, _PLAIN if reply else Then.RECIPIENT
        except Unavailable as error:
            return replies.of_error(error), _PLAIN

    def _data(self, argument: bytes) -> Answer:
        if argument:
            return replies.BAD_ARGUMENT, _PLAIN
        refusal = self.transaction.data()
        return (refusal, _PLAIN) if refusal else (replies.GO_AHEAD, Then.DATA)

    def _rset(self, argument: bytes) -> Answer:
        if argument:
            return replies.BAD_ARGUMENT, _PLAIN
        self.transaction.reset()
        return replies.OK, _PLAIN

    def _noop(self, _: bytes) -> Answer:
        return replies.OK, _PLAIN

    def _quit(self, argument: bytes) -> Answer:
        return (replies.BAD_ARGUMENT, _PLAIN) if argument else (replies.BYE, Then.CLOSE)

    def _vrfy(self, _: bytes) -> Answer:
        return replies.CANNOT_VERIFY, _PLAIN

    def _help(self, _: bytes) -> Answer:
        return replies.HELP, _PLAIN

    def _not_offered(self, _: bytes) -> Answer:
        return replies.NOT_OFFERED, _PLAIN

    def _bdat(self, _: bytes) -> Answer:
        """Not offered; the bytes that follow a BDAT are a message, and must never be read as commands (BI-006)."""
        return replies.NO_CHUNKS, Then.CLOSE

    # authentication

    def _auth(self, argument: bytes) -> Answer:
        mechanism, _, initial = argument.partition(b" ")
        refusal = self._auth_refusal()
        if refusal:
            return refusal
        exchange = auth.begin(mechanism.upper(), self._credentials)
        if exchange is None:
            return replies.NO_MECHANISM, _PLAIN
        self._exchange = exchange
        if not initial:
            return self._step(exchange, None)
        # RFC 4954 section 4: "=" is an initial response of no octets
        data = b"" if initial == b"=" else auth.decode(initial)
        return self._malformed() if data is None else self._step(exchange, data)

    def _auth_refusal(self) -> Answer | None:
        if self._role is Role.MX:
            return replies.NOT_OFFERED, _PLAIN
        if not self._secure:
            return replies.AUTH_NEEDS_TLS, _PLAIN
        if not self._extended or self._identity is not None or self.transaction.begun:
            return replies.NOT_NOW, _PLAIN
        if not self._credentials.welcome(self._client):
            metrics.count("auth_throttled")
            return replies.TOO_MANY_TRIES, Then.CLOSE
        return None

    def _respond(self, line: bytes) -> Answer:
        assert self._exchange is not None
        if line == b"*":
            self._exchange = None
            return replies.CANCELLED, _PLAIN
        data = auth.decode(line)
        return self._malformed() if data is None else self._step(self._exchange, data)

    def _step(self, exchange: auth.Exchange, data: bytes | None) -> Answer:
        try:
            step = exchange.respond(data)
        except Unavailable:
            self._exchange = None
            return replies.AUTH_TROUBLE, _PLAIN
        if isinstance(step, auth.Challenge):
            return b"334 " + base64.b64encode(step.data) + b"\r\n", _PLAIN
        self._exchange = None
        if isinstance(step, auth.Check):
            self.password = (step.username, step.password)
            return b"", Then.PASSWORD
        if isinstance(step, auth.Proved):
            return self._prove(step.identity), _PLAIN
        return (self._wrong(step.username), _PLAIN) if isinstance(step, auth.Wrong) else self._malformed()

    def _malformed(self) -> Answer:
        self._exchange = None
        return replies.BAD_BASE64, _PLAIN

    def _prove(self, identity: Identity) -> bytes:
        self._forget_password()
        self._identity = identity
        metrics.count("auth_proved")
        return replies.PROVED

    def _wrong(self, username: str) -> bytes:
        self._credentials.failed(self._client, username)
        self._forget_password()
        return replies.WRONG

    def _forget_password(self) -> None:
        self.password = ("", "")

    def _via(self, envelope: Envelope) -> str:
        """The word for Received's `with` (RFC 3848, RFC 6531)."""
        if not (self._extended or self._secure):
            return "SMTP"
        word = "UTF8SMTP" if envelope.smtputf8 else "ESMTP"
        return word + ("S" if self._secure else "") + ("A" if self._identity is not None else "")
