"""Connections to one server, kept and shared by threads. One exchange at a time on each; nothing is pipelined."""

import http.client
import select
import ssl
import threading
from urllib.parse import urlsplit

from carepost.client.calls import Call, Reply


class Lost(Exception):
    """No answer. `sent`: the request may have been read."""

    def __init__(self, *, sent: bool) -> None:
        super().__init__()
        self.sent = sent


class Transport:
    def __init__(self, url: str, key: str, *, timeout: float, context: ssl.SSLContext | None) -> None:
        """`url`: origin of the API. Raises ValueError for one that is none, and for a key that would leave in clear to
        anything but this machine."""
        parts = urlsplit(url)
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.path not in ("", "/") or parts.query:
            raise ValueError("Give the address of the API as https://host[:port].")
        if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
            raise ValueError("The key would be readable on the way: use https.")
        self._host, self._port, self._tls = parts.hostname, parts.port, parts.scheme == "https"
        self._key = key
        self._timeout = timeout
        self._context = context or (ssl.create_default_context() if self._tls else None)
        self._lock = threading.Lock()
        self._idle: list[http.client.HTTPConnection] = []
        self._closed = False

    def __repr__(self) -> str:
        return f"Transport({self._host!r})"

    def exchange(self, call: Call) -> Reply:
        """Raises Lost. A kept connection that the server closed meanwhile is replaced once."""
        kept = self._kept()
        if kept is not None:
            try:
                return self._on(kept, call)
            except Lost as error:
                if error.sent and not call.again:
                    raise
        return self._on(self._new(), call)

    def close(self) -> None:
        """What is under way goes on; its connection is closed after it."""
        with self._lock:
            idle, self._idle = self._idle, []
            self._closed = True
        for connection in idle:
            connection.close()

    def _kept(self) -> http.client.HTTPConnection | None:
        while True:
            with self._lock:
                found = self._idle.pop() if self._idle else None
            if found is None or not _ended(found):
                return found
            found.close()

    def _new(self) -> http.client.HTTPConnection:
        if self._tls:
            return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=self._context)
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)

    def _on(self, connection: http.client.HTTPConnection, call: Call) -> Reply:
        headers = {"authorization": f"Bearer {self._key}", "accept": "application/json", **call.headers}
        sent = connection.sock is not None
        try:
            if connection.sock is None:
                connection.connect()
            sent = True
            connection.request(call.method, call.path, call.body or None, headers)
            answer = connection.getresponse()
            # whole, or IncompleteRead: with a bound it gives what came before a connection was cut as if it were all
            body = answer.read()
            reply = Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, body)
        except (OSError, http.client.HTTPException):
            connection.close()
            raise Lost(sent=sent) from None
        except BaseException:
            connection.close()
            raise
        with self._lock:
            keep = not answer.will_close and not self._closed
            if keep:
                self._idle.append(connection)
        if not keep:
            connection.close()
        return reply


def _ended(connection: http.client.HTTPConnection) -> bool:
    """The server closed it while nothing was asked: a request into it is lost, and looks like one that was read."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))
