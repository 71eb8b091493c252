"""Clients that put a home under load and keep books: what was answered 250 or 202, what was refused, what is unknown.

Every message goes to an address of its own, so that an inbox tells how often it arrived.
"""

import base64
import http.client
import json
import socket
import ssl
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.support.house import House

SENDER = "nora.sample@clinic.test"
#: seconds between tries while nobody answers
AGAIN = 0.05


class Books:
    """`acked`: address -> (how, message id). `unknown`: handed over, and the connection ended before an answer."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.acked: dict[str, tuple[str, str]] = {}
        self.unknown: set[str] = set()
        self.refused: Counter[str] = Counter()

    def ack(self, address: str, how: str, message: str) -> None:
        with self.lock:
            assert address not in self.acked, f"answered twice: {address}"
            self.acked[address] = (how, message)

    def doubt(self, *addresses: str) -> None:
        with self.lock:
            self.unknown.update(addresses)

    def refuse(self, code: str) -> None:
        with self.lock:
            self.refused[code] += 1


class Gone(Exception):
    """The connection ended."""


class Smtp:
    """A submission session with AUTH; replies are read as they come, one at a time or many to a packet."""

    def __init__(
        self, house: House, *, implicit: bool = False, authenticate: bool = True, within: float = 20.0
    ) -> None:
        tls = ssl.create_default_context(cafile=str(house.path / "tls" / "ca.pem"))
        port = house.ports["submission_tls" if implicit else "submission"]
        self._buffer = b""
        try:
            self._socket: socket.socket = socket.create_connection(("127.0.0.1", port), timeout=within)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if implicit:
                self._socket = tls.wrap_socket(self._socket, server_hostname="localhost")
            self.expect(220)
            self.say("EHLO mailer.clinic.test")
            self.expect(250)
            if not implicit:
                self.say("STARTTLS")
                self.expect(220)
                self._socket = tls.wrap_socket(self._socket, server_hostname="localhost")
                self.say("EHLO mailer.clinic.test")
                self.expect(250)
            if not authenticate:
                return
            made = house.made
            plain = base64.b64encode(f"\0{made.smtp_username}\0{made.smtp_password}".encode()).decode()
            self.say(f"AUTH PLAIN {plain}")
            self.expect(235)
        except OSError as error:
            raise Gone from error

    def say(self, *lines: str | bytes) -> None:
        out = b"".join(line if isinstance(line, bytes) else line.encode() + b"\r\n" for line in lines)
        try:
            self._socket.sendall(out)
        except OSError as error:
            raise Gone from error

    def reply(self) -> tuple[int, str]:
        """The next reply. Raises Gone."""
        texts: list[str] = []
        while True:
            line = self._line()
            texts.append(line[4:])
            if line[3:4] != "-":
                return int(line[:3]), " ".join(texts)

    def expect(self, code: int) -> str:
        found, text = self.reply()
        if found == 421:
            raise Gone
        assert found == code, (found, text)
        return text

    def envelope(self, to: str) -> tuple[str, str, str]:
        return f"MAIL FROM:<{SENDER}>", f"RCPT TO:<{to}>", "DATA"

    def close(self) -> None:
        self._socket.close()

    def _line(self) -> str:
        while b"\r\n" not in self._buffer:
            try:
                piece = self._socket.recv(65_536)
            except OSError as error:
                raise Gone from error
            if not piece:
                raise Gone
            self._buffer += piece
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line.decode()


def mail(to: str, *, subject: str = "An invented matter", text: str = "Nothing real.") -> bytes:
    unique = to.replace("@", ".at.")
    return (
        f"From: Nora Sample <{SENDER}>\r\nTo: {to}\r\nSubject: {subject}\r\n"
        f"Message-ID: <{unique}@clinic.test>\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\n\r\n{text}\r\n"
    ).encode()


def message_id(text: str) -> str:
    """The id in the 250 of the final dot."""
    return text.partition("Accepted as ")[2].split(" ")[0] or text.partition("Accepted before as ")[2].split(" ")[0]


class Load(threading.Thread, ABC):
    """`addresses()` is asked for each message; `pause` seconds lie between two. Ended by `finish`."""

    def __init__(self, house: House, books: Books, addresses: Callable[[], str], pause: float, body: int = 0) -> None:
        super().__init__(daemon=True)
        self.house, self.books, self.addresses, self.pause = house, books, addresses, pause
        self.text = "Nothing real." + "\r\n" + ("x" * 76 + "\r\n") * (body // 78)
        self.ended = threading.Event()
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.ended.is_set():
                try:
                    self.session()
                except Gone:
                    self.ended.wait(AGAIN)
        except BaseException as error:
            self.failure = error

    @abstractmethod
    def session(self) -> None:
        """Sends until the connection ends (Gone) or the load is finished."""

    def finish(self) -> None:
        self.ended.set()
        self.join(60)
        assert not self.is_alive(), "a client hangs"
        if self.failure is not None:
            raise self.failure


class SmtpLoad(Load):
    """One message after the other."""

    def session(self) -> None:
        smtp = Smtp(self.house)
        try:
            while not self.ended.wait(self.pause):
                to = self.addresses()
                try:
                    self._one(smtp, to)
                except Gone:
                    self.books.doubt(to)
                    raise
        finally:
            smtp.close()

    def _one(self, smtp: Smtp, to: str) -> None:
        for command in smtp.envelope(to):
            smtp.say(command)
            code, text = smtp.reply()
            if code == 421:
                raise Gone
            if code >= 400:
                self.books.refuse(f"{code} {text[:5]}")
                smtp.say("RSET")
                smtp.reply()
                return
        smtp.say(mail(to, text=self.text), b".\r\n")
        code, text = smtp.reply()
        if code == 421:
            raise Gone
        if code == 250:
            self.books.ack(to, "smtp", message_id(text))
        else:
            self.books.refuse(f"{code} {text[:5]}")


class PipelinedSmtpLoad(Load):
    """As a busy relay does it: the next envelope travels in the packet that ends a message (RFC 2920)."""

    def session(self) -> None:
        smtp = Smtp(self.house, implicit=True)
        waiting: list[str] = []
        try:
            to = self.addresses()
            waiting = [to]
            smtp.say(*smtp.envelope(to))
            while True:
                if not self._invited(smtp):
                    waiting = []
                    return
                following = self.addresses() if not self.ended.wait(self.pause) else ""
                waiting = [to, following] if following else [to]
                packet = (mail(to, text=self.text), b".\r\n")
                smtp.say(*packet, *(smtp.envelope(following) if following else ("QUIT",)))
                code, text = smtp.reply()
                if code == 250:
                    self.books.ack(to, "smtp", message_id(text))
                elif code == 421:
                    raise Gone
                else:
                    self.books.refuse(f"{code} {text[:5]}")
                waiting = [following] if following else []
                if not following:
                    return
                to = following
        except Gone:
            self.books.doubt(*waiting)
            raise
        finally:
            smtp.close()

    def _invited(self, smtp: Smtp) -> bool:
        """250, 250, 354; else the envelope was refused (or we are told to go)."""
        for wanted in (250, 250, 354):
            code, text = smtp.reply()
            if code == 421:
                raise Gone
            if code != wanted:
                self.books.refuse(f"{code} {text[:5]}")
                return False
        return True


class RestLoad(Load):
    """POST with an Idempotency-Key, repeated under the same key until it is answered: one key, one message."""

    def session(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.house.ports["api"], timeout=20)
        try:
            while not self.ended.wait(self.pause):
                self._one(connection, self.addresses())
        finally:
            connection.close()

    def _one(self, connection: http.client.HTTPConnection, to: str) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                status, answer = self._post(connection, to)
            except (OSError, http.client.HTTPException):
                connection.close()
                status, answer = 0, {}
            if status == 202:
                self.books.ack(to, "rest", answer["id"])
                return
            if status:
                self.books.refuse(str(status))
            assert status in (0, 409, 503), (status, answer)
            if time.monotonic() > deadline or self.ended.wait(AGAIN):
                self.books.doubt(to)
                return

    def _post(self, connection: http.client.HTTPConnection, to: str) -> tuple[int, Any]:
        body = {"from": SENDER, "to": [to], "subject": "An invented matter", "text": self.text}
        fields = {
            "Authorization": f"Bearer {self.house.made.api_key}", "Content-Type": "application/json",
            "Idempotency-Key": f"load-{to}",
        }  # fmt: skip
        connection.request("POST", "/api/v1/messages", json.dumps(body).encode(), fields)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
