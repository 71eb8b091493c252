"""One SMTP session of a sandbox mail server (RFC 5321, 3207, 1870, 6152, 6531), with the faults its domain asks for."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Protocol, cast

from carepost.sandbox import pieces
from carepost.sandbox.domains import ALIASES, Behaviour, Domain, Starttls
from carepost.sandbox.store import Store, Tls, new_mail

MAX_LINE = 4096
MAX_SIZE = 64 * 1024 * 1024
SMALL_SIZE = 1000
MAX_RECIPIENTS = 1000
IDLE = 300.0
#: how much of an endless EHLO reply is sent before the server gives up (BI-024)
BABBLE_LINES = 100_000


class Host(Protocol):
    """What a session needs of its server."""

    domain: Domain
    store: Store
    greylisted: set[tuple[str, str]]
    looked_at: bool

    @property
    def sessions(self) -> set["Session"]: ...

    def context(self) -> ssl.SSLContext: ...


class Session(asyncio.Protocol):
    """State of one connection. Commands are taken one after the other; a reply may be delayed (slow.test)."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._domain = host.domain
        self._counters = host.store.count(host.domain.name)
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        #: nothing is taken from the buffer: a reply is on its delayed way, or a handshake runs
        self._waiting = False
        self._tls: Tls | None = None
        self._helo = ""
        self._number = 0
        self._transactions = 0
        self._idle: asyncio.TimerHandle | None = None
        self._upgrade: asyncio.Task[None] | None = None
        self._old: pieces.OldTls | None = None
        self._reset()

    def _reset(self) -> None:
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._parameters: list[str] = []
        self._body: pieces.Body | None = None

    # connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without inheriting
        self._host.sessions.add(self)
        self._counters.connections += 1
        self._number = self._counters.connections
        self._restart_idle()
        self._reply(f"220 {self._domain.mx} ESMTP sandbox")

    def connection_lost(self, exc: Exception | None) -> None:
        self._host.sessions.discard(self)
        if self._idle is not None:
            self._idle.cancel()
        if self._body is not None and self._buffer:
            self._store(bytes(self._buffer), complete=False)
        self._body = None

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._restart_idle()
        if self._old is not None:
            self._refuse_hello(data)
            return
        self._buffer += data
        self._pump()

    def _restart_idle(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(IDLE, self.abort)

    def _pump(self) -> None:
        while not self._waiting and self._transport is not None and not self._transport.is_closing():
            if self._body is not None:
                if not self._take_body(self._body):
                    return
                continue
            end = self._buffer.find(b"\r\n")
            if end < 0:
                if len(self._buffer) > MAX_LINE:
                    self._close("500 5.5.2 Line too long")
                return
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 2]
            self._command(line)

    def _reply(self, *lines: str, then: Callable[[], None] | None = None) -> None:
        text = "".join(f"{line}\r\n" for line in lines).encode()
        if self._domain.delay:
            self._waiting = True
            asyncio.get_running_loop().call_later(self._domain.delay, self._say, text, then)
        else:
            self._say(text, then)

    def _say(self, text: bytes, then: Callable[[], None] | None) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        self._waiting = False
        self._transport.write(text)
        if then is not None:
            then()
        elif self._domain.delay:
            self._pump()

    def _close(self, *lines: str) -> None:
        if self._transport is None:
            return
        if lines:
            self._transport.write("".join(f"{line}\r\n" for line in lines).encode())
        self._transport.close()

    # commands

    def _command(self, line: bytes) -> None:
        text = line.decode("utf-8", "surrogateescape")
        verb, _, argument = text.partition(" ")
        act = {
            "EHLO": self._ehlo,
            "HELO": self._hello,
            "STARTTLS": self._starttls,
            "MAIL": self._mail,
            "RCPT": self._rcpt,
            "DATA": self._data,
        }.get(verb.upper())
        if act is not None:
            act(argument.strip())
        elif verb.upper() == "RSET":
            self._reset()
            self._reply("250 2.0.0 OK")
        elif verb.upper() == "NOOP":
            self._reply("250 2.0.0 OK")
        elif verb.upper() == "QUIT":
            self._reply("221 2.0.0 Bye", then=self._close)
        else:
            self._reply("500 5.5.1 Unknown command")

    def _hello(self, argument: str) -> None:
        self._reset()
        self._helo = argument
        self._reply(f"250 {self._domain.mx}")

    def _ehlo(self, argument: str) -> None:
        self._reset()
        self._helo = argument
        if self._domain.behaviour is Behaviour.BABBLE:
            self._babble(BABBLE_LINES)
            return
        size = SMALL_SIZE if self._domain.behaviour is Behaviour.SMALL else MAX_SIZE
        offers = ["PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", f"SIZE {size}"]
        if self._offers_tls():
            offers.append("STARTTLS")
            self._host.looked_at = True
        lines = [self._domain.mx, *offers]
        self._reply(*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}")

    def _babble(self, left: int) -> None:
        """Piece by piece, as fast as the client takes it, so that neither side holds it in memory."""
        if self._transport is None or self._transport.is_closing():
            return
        if left <= 0:
            self._close()
            return
        self._waiting = True
        self._transport.write(b"250-and another thing\r\n" * 100)
        asyncio.get_running_loop().call_later(0.001, self._babble, left - 100)

    def _offers_tls(self) -> bool:
        if self._tls is not None:
            return False
        policy = self._domain.starttls
        if policy is Starttls.FIRST_LOOK:
            return not self._host.looked_at
        if policy is Starttls.FIRST_SESSION:
            return self._counters.tls_sessions == 0
        return policy is not Starttls.NEVER

    def _starttls(self, argument: str) -> None:
        policy = self._domain.starttls
        if self._tls is not None or policy is Starttls.NEVER:
            self._reply("502 5.5.1 Not offered")
        elif policy is Starttls.FIRST_LOOK:
            self._reply("454 4.7.0 TLS not available")
        elif policy is Starttls.INJECTED:
            self._reply("220 2.0.0 Go ahead", "250 2.0.0 Never mind", then=self._begin_upgrade)
        else:
            self._reply("220 2.0.0 Go ahead", then=self._begin_upgrade)

    def _begin_upgrade(self) -> None:
        # What came before the handshake is dropped, not carried into TLS (RFC 3207 5, BI-008).
        assert self._transport is not None
        self._buffer.clear()
        self._waiting = True
        if self._domain.starttls is Starttls.OLD:
            self._old = pieces.OldTls(self._host.context())
            return
        self._transport.pause_reading()
        self._upgrade = asyncio.get_running_loop().create_task(self._handshake())

    def _refuse_hello(self, data: bytes) -> None:
        """asyncio would end the connection without the alert that a real server's handshake ends with."""
        assert self._old is not None
        assert self._transport is not None
        answer = self._old.answer(data)
        if answer is not None:
            self._counters.tls_failures += 1
            self._transport.write(answer)
            self._transport.close()

    async def _handshake(self) -> None:
        assert self._transport is not None
        try:
            loop = asyncio.get_running_loop()
            upgraded = await loop.start_tls(
                self._transport, self, self._host.context(), server_side=True, ssl_handshake_timeout=30.0
            )
        except (OSError, ssl.SSLError):
            self._counters.tls_failures += 1
            self.abort()
            return
        if upgraded is None:  # the client went away during the handshake
            self._counters.tls_failures += 1
            return
        self._transport = upgraded
        cipher = upgraded.get_extra_info("cipher")
        self._tls = Tls(cipher[1], cipher[0])
        self._counters.tls_sessions += 1
        self._reset()
        self._helo = ""
        self._waiting = False
        self._pump()

    def _mail(self, argument: str) -> None:
        path, parameters = pieces.path(argument, "FROM:")
        if not self._helo or path is None or self._sender is not None:
            self._reply("503 5.5.1 Not now" if path is not None else "501 5.5.4 MAIL FROM:<address>")
            return
        declared = next((p[5:] for p in parameters if p.upper().startswith("SIZE=")), "0")
        if self._domain.behaviour is Behaviour.SMALL and declared.isdigit() and int(declared) > SMALL_SIZE:
            self._reply("552 5.3.4 Too large")
            return
        self._sender = path
        self._parameters += parameters
        self._transactions += 1
        self._counters.transactions += 1
        self._reply("250 2.1.0 OK")

    def _rcpt(self, argument: str) -> None:
        path, parameters = pieces.path(argument, "TO:")
        if self._sender is None or not path:
            self._reply("503 5.5.1 MAIL first" if path else "501 5.5.4 RCPT TO:<address>")
            return
        refusal = self._refusal(path)
        if refusal:
            self._counters.recipients_refused += 1
            self._reply(refusal)
            return
        self._recipients.append(path)
        self._parameters += parameters
        self._reply("250 2.1.5 OK")

    def _refusal(self, recipient: str) -> str:
        behaviour = self._domain.behaviour
        if len(self._recipients) >= MAX_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        if recipient.rpartition("@")[2].lower() not in (self._domain.name, *ALIASES.get(self._domain.name, ())):
            return "550 5.7.1 Not served here"
        if behaviour is Behaviour.FULL:
            return f"452 4.2.2 <{recipient}>: mailbox full"
        if behaviour is Behaviour.UNKNOWN_USER:
            # as most servers do it: what they answer is personal too, and must be treated so
            return f"550 5.1.1 <{recipient}>: no such mailbox"
        pair = (self._sender or "", recipient)
        if behaviour is Behaviour.GREYLIST and pair not in self._host.greylisted:
            self._host.greylisted.add(pair)
            return "450 4.7.1 Come back later"
        return ""

    def _data(self, argument: str) -> None:
        if not self._recipients:
            self._reply("554 5.5.1 No valid recipients")
        elif self._domain.behaviour is Behaviour.HANG_UP:
            self._close()
        else:
            self._body = pieces.Body()
            self._reply("354 Go ahead")

    # body

    def _take_body(self, body: pieces.Body) -> bool:
        """Whether the final dot was found."""
        raw = body.take(self._buffer)
        if raw is None:
            if len(self._buffer) > MAX_SIZE:
                self._close("552 5.3.4 Too large")
            return False
        self._finish(raw)
        return True

    def _finish(self, raw: bytes) -> None:
        behaviour = self._domain.behaviour
        refused = behaviour is Behaviour.REJECT_CONTENT or (behaviour is Behaviour.SMALL and len(raw) > SMALL_SIZE)
        self._store(raw, complete=not refused)
        self._reset()
        if behaviour is Behaviour.LOSE_REPLY:
            self.abort()
        elif behaviour is Behaviour.REJECT_CONTENT:
            self._reply("554 5.6.0 Content refused")
        elif refused:
            self._reply("552 5.3.4 Too large")
        else:
            self._reply(f"250 2.0.0 Taken by {self._domain.name}")

    def _store(self, stuffed: bytes, *, complete: bool) -> None:
        self._host.store.add(
            new_mail(
                domain=self._domain.name,
                sender=self._sender or "",
                recipients=tuple(self._recipients),
                parameters=tuple(self._parameters),
                raw=pieces.unstuffed(stuffed),
                tls=self._tls,
                helo=self._helo,
                connection=self._number,
                transaction=self._transactions,
                complete=complete,
            )
        )
