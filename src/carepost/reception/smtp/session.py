"""One SMTP conversation without a socket: bytes in, effects out (RFC 5321, pipelined as RFC 2920 allows).

The session waits while an effect of it is carried out (TLS, a password, a message handed over); what the peer sends
meanwhile is kept and read when the answer came. After STARTTLS nothing of it is kept (BI-008).
"""

import enum

from carepost.ground.errors import CarepostError
from carepost.reception.credentials import Credentials, Identity
from carepost.reception.smtp import replies
from carepost.reception.smtp.commands import Commands, Then
from carepost.reception.smtp.data import DataReader, Fault
from carepost.reception.smtp.effects import Accept, AskRecipient, Authenticate, Close, Effect, Reply, StartTls
from carepost.reception.smtp.gate import Gate
from carepost.reception.smtp.limits import Limits
from carepost.reception.smtp.types import Role
from carepost.spool.budget import Budget
from carepost.wire.types import Accepted


class _Waiting(enum.Enum):
    NO = 0
    TLS = 1
    PASSWORD = 2
    ACCEPT = 3
    RECIPIENT = 4


_DATA_FAULTS = {
    Fault.NUL: replies.HAS_NUL,
    Fault.TOO_LARGE: replies.TOO_LARGE,
    Fault.NO_ROOM: replies.NO_ROOM,
}
#: refusals that ask for another transaction, not a sign of a broken peer (BI-020)
_NO_ERROR = (replies.TOO_MANY_RECIPIENTS, replies.ONE_ORGANISATION, replies.ANOTHER_READER)


class Session:
    """`begin`, then `feed` whatever comes; answer StartTls by `secured`, Authenticate by `authenticated`, AskRecipient
    by `recipient_known`, Accept by `accepted` or `failed`. Each returns the effects to carry out, in order."""

    def __init__(
        self,
        role: Role,
        credentials: Credentials,
        bodies: Budget,
        limits: Limits,
        *,
        hostname: str,
        client: str,
        secure: bool = False,
    ) -> None:
        self._bodies = bodies
        self._limits = limits
        self._hostname = hostname
        self._commands = Commands(role, credentials, limits, hostname=hostname, client=client, secure=secure)
        self._buffer = b""
        self._out: list[bytes] = []
        self._next: Effect | None = None
        self._waiting = _Waiting.NO
        #: an effect is being carried out: the peer owes us nothing
        self.waiting = False
        self._reader: DataReader | None = None
        self._held = 0
        self._errors = 0
        self._refused_recipients = 0
        #: commands since the last accepted message: RCPT, and all others
        self._recipients = 0
        self._idle = 0
        self._steps = 0
        self._draining = False
        self.closed = False

    @property
    def in_data(self) -> bool:
        return self._reader is not None

    @property
    def buffered(self) -> int:
        return len(self._buffer)

    @property
    def progress(self) -> int:
        """Grows with every whole command and every `data_step` bytes of a message; patience is measured by it."""
        return self._steps + (self._reader.seen // self._limits.data_step if self._reader is not None else 0)

    def begin(self) -> list[Effect]:
        self._out.append(f"220 {self._hostname} ESMTP Carepost\r\n".encode())
        return self._flush()

    def feed(self, data: bytes) -> list[Effect]:
        if self.closed:
            return []
        self._buffer = self._buffer + data if self._buffer else data
        return self._work()

    def secured(self, gate: Gate | None = None) -> list[Effect]:
        """The handshake is done: nothing said before it counts (RFC 3207 4.2). `gate`: of a gateway's listener."""
        self._commands.secured()
        self._commands.gate = gate
        return self._resume()

    def authenticated(self, identity: Identity | None) -> list[Effect]:
        """None: wrong."""
        self._answer(self._commands.checked(identity))
        return self._resume()

    def recipient_known(self, known: bool | None) -> list[Effect]:
        """None: nothing was learnt."""
        self._answer(self._commands.recipient_known(known), recipient=True)
        return self._resume()

    def accepted(self, accepted: Accepted) -> list[Effect]:
        self._out.append(replies.of_accepted(accepted))
        self._idle = self._recipients = 0
        return self._over()

    def failed(self, error: CarepostError | None) -> list[Effect]:
        """What was waited for did not happen. None: by a fault of ours."""
        if self._waiting is _Waiting.PASSWORD:
            self._answer(self._commands.unchecked())
            return self._resume()
        self._answer(replies.TROUBLE if error is None else replies.of_error(error))
        return self._over()

    def drain(self) -> list[Effect]:
        """Closes now when nothing is under way, else after the answer to the message that is."""
        self._draining = True
        if not self.waiting and self._reader is None:
            self._leave(replies.CLOSING)
        return self._flush()

    def expire(self) -> list[Effect]:
        """The peer was too slow (BI-022)."""
        self._leave(replies.TOO_SLOW)
        return self._flush()

    def lost(self) -> None:
        """The connection is gone: nothing half done stays."""
        self.closed = True
        self._buffer = b""
        if self._waiting is not _Waiting.ACCEPT:
            self._let_go()

    # the peer's bytes, piece by piece

    def _work(self) -> list[Effect]:
        at = 0
        while at < len(self._buffer) and not self.closed and not self.waiting:
            if self._reader is not None:
                at = self._collect(self._reader, at)
                continue
            end = self._buffer.find(b"\r\n", at)
            if end < 0:
                self._check_partial(self._buffer[at:])
                break
            line = self._buffer[at:end]
            at = end + 2
            self._line(line)
        # what a peer sent behind STARTTLS it sent in clear: it is gone (BI-008)
        drop = self.closed or self._waiting is _Waiting.TLS
        self._buffer = b"" if drop else self._buffer[at:]
        return self._flush()

    def _line(self, line: bytes) -> None:
        self._steps += 1
        limits = self._limits
        # RCPT is counted apart: a list of 50,000 gets its 452s, and what was accepted of it is sent (BI-020)
        recipient = line[:4].upper() == b"RCPT"
        if recipient:
            self._recipients += 1
        else:
            self._idle += 1
        if b"\n" in line or b"\r" in line:
            self._leave(replies.BARE_NEWLINE)
        elif len(line) > limits.max_line and len(line) > self._longest:
            self._leave(replies.LINE_TOO_LONG)
        elif self._idle > limits.max_idle_commands or self._recipients > limits.max_recipient_commands:
            self._leave(replies.TOO_MANY_COMMANDS)
        else:
            reply, then = self._commands.line(line)
            self._answer(reply, recipient=recipient)
            if then is not Then.NOTHING and not self.closed:
                self._then(then, leaving=reply is replies.BYE)

    def _then(self, then: Then, *, leaving: bool) -> None:
        if then is Then.CLOSE:
            self._close(linger=not leaving)
        elif then is Then.TLS:
            self._wait(_Waiting.TLS, StartTls())
        elif then is Then.PASSWORD:
            self._wait(_Waiting.PASSWORD, Authenticate(*self._commands.password))
        elif then is Then.RECIPIENT:
            self._wait(_Waiting.RECIPIENT, AskRecipient(*self._commands.asked))
        elif then is Then.DATA:
            self._reader = DataReader(self._limits.max_message)

    @property
    def _longest(self) -> int:
        return self._limits.max_auth_line if self._commands.authenticating else self._limits.max_line

    def _check_partial(self, rest: bytes) -> None:
        if b"\n" in rest or b"\r" in rest[:-1]:
            self._leave(replies.BARE_NEWLINE)
        elif len(rest) > self._longest:
            self._leave(replies.LINE_TOO_LONG)

    def _collect(self, reader: DataReader, at: int) -> int:
        chunk = self._buffer[at:] if at else self._buffer
        if reader.fault is Fault.NONE and not self._bodies.take(len(chunk)):
            reader.refuse(Fault.NO_ROOM)
        elif reader.fault is Fault.NONE:
            self._held += len(chunk)
        rest = reader.feed(chunk)
        if reader.fault is Fault.BARE_NEWLINE:
            self._leave(replies.BARE_NEWLINE)
        elif rest is not None:
            self._end_of_data(reader)
            return len(self._buffer) - len(rest)
        elif reader.seen > 2 * self._limits.max_message:
            self._leave(replies.TOO_LARGE)
        return len(self._buffer)

    def _end_of_data(self, reader: DataReader) -> None:
        self._steps += 1 + reader.seen // self._limits.data_step
        self._reader = None
        if reader.fault is Fault.NONE:
            org, envelope, via, identity = self._commands.handover()
            peer = self._commands.gate.peer if self._commands.gate is not None and identity is None else None
            commands = self._commands
            made = Accept(org, envelope, reader.body(), via, identity, commands.hello, peer, commands.requiretls)
            self._wait(_Waiting.ACCEPT, made)
            return
        self._answer(_DATA_FAULTS[reader.fault])
        self._let_go()
        self._commands.reset()
        if self._draining:
            self._leave(replies.CLOSING)

    # what goes back

    def _answer(self, reply: bytes, *, recipient: bool = False) -> None:
        self._out.append(reply)
        if reply and reply[0] in b"45" and reply not in _NO_ERROR:
            if recipient:
                self._refused_recipients += 1
            else:
                self._errors += 1
            limits = self._limits
            if self._errors > limits.max_errors or self._refused_recipients > limits.max_refused_recipients:
                self._leave(replies.TOO_MANY_ERRORS)

    def _wait(self, state: _Waiting, effect: Effect) -> None:
        self._waiting, self.waiting = state, True
        self._next = effect

    def _resume(self) -> list[Effect]:
        self._waiting, self.waiting = _Waiting.NO, False
        self._steps += 1
        return self._work()

    def _over(self) -> list[Effect]:
        self._let_go()
        self._commands.reset()
        if self._draining:
            self._leave(replies.CLOSING)
        return self._resume()

    def _let_go(self) -> None:
        self._bodies.give(self._held)
        self._held = 0
        self._reader = None

    def _leave(self, reply: bytes) -> None:
        """The last reply of this conversation."""
        if not self.closed:
            self._out.append(reply)
            self._close(linger=True)

    def _close(self, *, linger: bool) -> None:
        self.closed = True
        self._let_go()
        self._next = Close(linger)

    def _flush(self) -> list[Effect]:
        effects: list[Effect] = []
        out = self._out
        if out:
            effects.append(Reply(out[0] if len(out) == 1 else b"".join(out)))
            self._out = []
        if self._commands.transaction.told:
            effects += self._commands.told()
        if self._next is not None:
            effects.append(self._next)
            self._next = None
        return effects
