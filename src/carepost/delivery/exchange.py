"""The values of one SMTP exchange: how long we wait, what a server can do, how far a message came."""

from typing import Final

import msgspec

from carepost.queue.types import Stage
from carepost.rfc.reply import Reply

#: a SIZE larger than this is no limit
_LARGEST: Final = 1 << 40


class Timeouts(msgspec.Struct, frozen=True):
    """Seconds (RFC 5321 4.5.3.2). `dot`: too short a wait here makes copies (4.5.3.2.6)."""

    connect: float = 30.0
    banner: float = 300.0
    command: float = 300.0
    data: float = 120.0
    block: float = 180.0
    dot: float = 600.0
    handshake: float = 60.0
    quit: float = 5.0

    @classmethod
    def of(cls, command: float, dot: float) -> "Timeouts":
        """From the settings `command_timeout` and `data_timeout`."""
        return cls(
            connect=min(30.0, command),
            banner=command,
            command=command,
            data=min(120.0, command),
            block=min(180.0, command),
            dot=dot,
            handshake=min(60.0, command),
        )


class Capabilities(msgspec.Struct, frozen=True):
    """Of the last EHLO; all False after HELO. `size` 0: no limit was named."""

    starttls: bool = False
    pipelining: bool = False
    eightbit: bool = False
    utf8: bool = False
    dsn: bool = False
    size: int = 0
    #: RFC 8689
    requiretls: bool = False
    #: mechanisms of AUTH
    auth: frozenset[str] = frozenset()

    @classmethod
    def read(cls, reply: Reply) -> "Capabilities":
        words = {}
        for line in reply.lines[1:]:
            name, _, rest = line.partition(" ")
            words[name.upper()] = rest.strip()
        size = words.get("SIZE", "")
        limit = int(size) if size.isdigit() and len(size) <= 15 else 0
        return cls(
            starttls="STARTTLS" in words,
            pipelining="PIPELINING" in words,
            eightbit="8BITMIME" in words,
            utf8="SMTPUTF8" in words,
            dsn="DSN" in words,
            size=limit if limit < _LARGEST else 0,
            requiretls="REQUIRETLS" in words,
            auth=frozenset(words["AUTH"].upper().split()) if "AUTH" in words else frozenset(),
        )


class Ended(msgspec.Struct, frozen=True):
    """How far it came. `reply`: the server's, where it gave one; `error`: else what happened (timeout, lost,
    malformed, or a word of ours). `dot`: the final dot was handed to the network: without a valid reply the message
    may have arrived."""

    stage: Stage
    reply: Reply | None = None
    error: str = ""
    dot: bool = False
    #: the connection can take another message
    usable: bool = False
    #: nothing of this message was answered, on a connection that had been used before
    stale: bool = False
