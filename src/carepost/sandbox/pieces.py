"""Pieces of an SMTP session without a socket: the body up to its dot, a path with parameters, a handshake too old."""

import ssl


class Body:
    """Collects what follows 354 up to the final dot (RFC 5321 4.1.1.4); only CRLF.CRLF ends it."""

    def __init__(self) -> None:
        self._searched = 0

    def take(self, buffer: bytearray) -> bytes | None:
        """The stuffed body, taken out of `buffer` with its dot; None: the dot has not come."""
        if buffer.startswith(b".\r\n"):
            del buffer[:3]
            return b""
        end = buffer.find(b"\r\n.\r\n", max(0, self._searched - 4))
        if end < 0:
            self._searched = len(buffer)
            return None
        raw = bytes(buffer[: end + 2])
        del buffer[: end + 5]
        return raw


def unstuffed(raw: bytes) -> bytes:
    """RFC 5321 4.5.2."""
    whole = raw.replace(b"\r\n.", b"\r\n")
    return whole[1:] if whole.startswith(b".") else whole


class OldTls:
    """OpenSSL's side of a handshake that has nothing newer than TLS 1.1."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    def answer(self, data: bytes) -> bytes | None:
        """The alert (or its first flight, to a hello of its own age): the connection ends with it. None: go on."""
        self._incoming.write(data)
        try:
            self._object.do_handshake()
        except ssl.SSLError:
            pass  # the alert, or a first flight that waits for an answer, stands in `_outgoing`
        return self._outgoing.read() or None


def path(argument: str, prefix: str) -> tuple[str | None, list[str]]:
    """`FROM:<a@b> KEY=VALUE …` -> address and parameters; None when it is not that."""
    if not argument.upper().startswith(prefix):
        return None, []
    rest = argument[len(prefix) :].lstrip()
    if not rest.startswith("<"):
        return None, []
    path, closed, parameters = rest[1:].partition(">")
    return (path, parameters.split()) if closed else (None, [])
