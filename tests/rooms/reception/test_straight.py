"""Requests that come in one piece are answered as those that come in several, and connections live as long."""

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from carepost.ground.errors import Refused, Unavailable
from carepost.wire.types import Accepted, Submission
from tests.support.live import LiveHttp, MemoryIntake

MESSAGE = {"from": "nurse@maple.test", "to": ["ann@elsewhere.test"], "subject": "x", "text": "y"}
#: fields that tell of the moment, or name the message
MOVING = (b"date:", b"ratelimit:", b"location:")


@pytest.fixture
def http() -> Iterator[LiveHttp]:
    server = LiveHttp(max_body=100_000, keep_alive=1, checkpoint=lambda org: "a checkpoint")
    yield server
    server.close()


def asked(http: LiveHttp, body: bytes | None = None, *fields: str, key: str = "maple") -> tuple[bytes, bytes]:
    """(head, body) of a request."""
    body = json.dumps(MESSAGE).encode() if body is None else body
    secret = http.clinics.secrets.get(key, key)
    lines = [
        "POST /api/v1/messages HTTP/1.1", "Host: x", "Content-Type: application/json",
        f"Authorization: Bearer {secret}", f"Content-Length: {len(body)}", *fields,
    ]  # fmt: skip
    return "\r\n".join(lines).encode() + b"\r\n\r\n", body


class Client:
    def __init__(self, http: LiveHttp) -> None:
        self.socket = socket.create_connection(("127.0.0.1", http.port), timeout=10)
        self._read = b""

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def answer(self) -> tuple[bytes, bytes]:
        """(head, body) of the next one."""
        while b"\r\n\r\n" not in self._read:
            self._more()
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        size = int(fields[b"content-length"])
        while len(self._read) < size:
            self._more()
        body, self._read = self._read[:size], self._read[size:]
        return head, body

    def ended(self) -> bool:
        return not self._read and self.socket.recv(1) == b""

    def _more(self) -> None:
        more = self.socket.recv(65_536)
        assert more, "closed before the answer was whole"
        self._read += more


def lines(head: bytes) -> list[bytes]:
    return [line for line in head.lower().split(b"\r\n") if not line.startswith(MOVING)]


@pytest.mark.parametrize(
    ("body", "fields", "key", "status"),
    [
        (None, (), "maple", 202),
        (None, ("Connection: close",), "maple", 202),
        (b'{"messages": [{"from": "nurse@maple.test", "to": ["a@b.test"], "text": "x"}, {}]}', (), "maple", 202),
        (None, ("Idempotency-Key: one",), "maple", 202),
        (None, ("Idempotency-Key: \u00e9",), "maple", 400),
        (None, ("Idempotency-Key:",), "maple", 400),
        (None, ("Content-Encoding: gzip",), "maple", 415),
        (None, ("Content-Type: text/plain",), "maple", 400),
        (None, (), "wrong", 401),
        (b"{", (), "maple", 400),
        (b'{"from": "nurse@maple.test", "to": []}', (), "maple", 422),
        (b'{"from": "nurse@maple.test", "to": ["a@b.test"], "template_id": "x"}', (), "maple", 422),
        (b'{"from": "nurse@maple.test", "to": ["a@b.test"], "variables": {}}', (), "maple", 422),
        (b" " * 100_001, (), "maple", 413),
    ],
    ids=["plain", "close", "batch", "key", "key-bad", "key-empty", "encoded", "media-twice", "stranger", "not-json",
         "nobody", "template", "variables", "large"],
)  # fmt: skip
def test_the_answer_is_the_same_in_one_piece(
    http: LiveHttp, body: bytes | None, fields: tuple[str, ...], key: str, status: int
) -> None:
    """And in two of which the second comes soon; and by the longer way."""
    longer = LiveHttp(max_body=100_000, keep_alive=1, body_soon=0.0, checkpoint=lambda org: "a checkpoint")
    seen = []
    try:
        for live, pieces in ((http, 1), (http, 2), (longer, 2)):
            live.intake.__init__()
            with Client(live) as client:
                head, rest = asked(live, body, *fields, key=key)
                client.socket.sendall(head + rest if pieces == 1 else head)
                if pieces == 2:
                    time.sleep(0.02)
                    client.socket.sendall(rest)
                said, found = client.answer()
                if "Connection: close" in fields:
                    assert client.ended()
            assert said.startswith(b"HTTP/1.1 %d " % status), said
            names = {name for name in json.loads(found) if name != "id"}
            seen.append((lines(said), names, len(live.intake.submissions)))
    finally:
        longer.close()
    # the length of an answer moves with the ids in it only where there are none
    assert seen[0] == seen[1] == seen[2]


def test_one_connection_carries_many_and_several_at_once(http: LiveHttp) -> None:
    with Client(http) as client:
        whole = b"".join(asked(http))
        for _ in range(3):
            client.socket.sendall(whole)
            assert client.answer()[0].startswith(b"HTTP/1.1 202 ")
        client.socket.sendall(whole * 5 + b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        heads = [client.answer()[0] for _ in range(6)]
    assert [head.split(b" ")[1] for head in heads] == [b"202"] * 5 + [b"200"]
    assert len(http.intake.submissions) == 8


def test_a_resting_connection_is_closed_and_a_line_end_does_not_keep_it(http: LiveHttp) -> None:
    with Client(http) as client, Client(http) as other:
        for one in (client, other):
            one.socket.sendall(b"".join(asked(http)))
            one.answer()
        other.socket.sendall(b"\r\n")
        assert client.ended() and other.ended()


def test_a_client_that_leaves_frees_its_place_and_its_message_stands(http: LiveHttp) -> None:
    async def gate() -> asyncio.Event:
        return asyncio.Event()

    opened = http.intake.gate = http.thread.run(gate())
    with Client(http) as client:
        client.socket.sendall(b"".join(asked(http)))
        assert http.intake.arrived.acquire(timeout=10)
        assert http.bodies.held > 0
    http.thread.loop.call_soon_threadsafe(opened.set)
    http.intake.gate = None
    until = time.monotonic() + 10
    while (http.bodies.held or not http.intake.submissions) and time.monotonic() < until:
        time.sleep(0.01)
    assert http.bodies.held == 0 and len(http.intake.submissions) == 1


def test_what_is_under_way_is_answered_before_the_end() -> None:
    http = LiveHttp()

    async def gate() -> asyncio.Event:
        return asyncio.Event()

    opened = http.intake.gate = http.thread.run(gate())
    try:
        with Client(http) as client:
            client.socket.sendall(b"".join(asked(http)))
            assert http.intake.arrived.acquire(timeout=10)
            ending = asyncio.run_coroutine_threadsafe(http.server.drain(10), http.thread.loop)
            until = time.monotonic() + 10
            while not http.app.draining and time.monotonic() < until:
                time.sleep(0.01)
            time.sleep(0.3)
            http.thread.loop.call_soon_threadsafe(opened.set)
            head, _ = client.answer()
            assert head.startswith(b"HTTP/1.1 202 ") and b"connection: close" in head and client.ended()
            ending.result(20)
    finally:
        http.close()


class Failing(MemoryIntake):
    """Ends every message by `error`, at once or after a turn."""

    def __init__(self, error: Exception, *, at_once: bool) -> None:
        super().__init__()
        self.error, self.at_once = error, at_once

    def begin_all(self, submissions: Any) -> Any:
        if self.at_once:
            return [self.error for _ in submissions]
        return [asyncio.ensure_future(self.accept(one)) for one in submissions]

    async def accept(self, submission: Submission) -> Accepted:
        raise self.error


@pytest.mark.parametrize("at_once", [True, False], ids=["at-once", "later"])
@pytest.mark.parametrize(
    ("error", "status"),
    [(Refused("no", "Not this.", status=422), 422), (Unavailable("full", "Later."), 503), (KeyError("secret"), 500)],
    ids=["refused", "unavailable", "fault"],
)
def test_what_the_door_says_is_told(error: Exception, status: int, at_once: bool) -> None:
    http = LiveHttp(intake=Failing(error, at_once=at_once))
    try:
        with Client(http) as client:
            for _ in range(2):
                client.socket.sendall(b"".join(asked(http)))
                head, body = client.answer()
                assert head.startswith(b"HTTP/1.1 %d " % status) and b"application/problem+json" in head
                assert b"secret" not in body
                assert (b"retry-after" in head) == (status == 503) and (b"ratelimit:" in head) == (status != 500)
        assert http.bodies.held == 0
    finally:
        http.close()


class Elsewhere(MemoryIntake):
    """Everything belongs to another engine's shard: `accept` has to be asked."""

    def begin_all(self, submissions: Any) -> Any:
        return [None for _ in submissions]


def test_what_belongs_to_another_engine_is_asked_there() -> None:
    http = LiveHttp(intake=Elsewhere())
    try:
        with Client(http) as client:
            client.socket.sendall(b"".join(asked(http)))
            assert client.answer()[0].startswith(b"HTTP/1.1 202 ")
        assert len(http.intake.submissions) == 1
    finally:
        http.close()


class Counting(MemoryIntake):
    """Counts what came straight to the door."""

    straight = 0

    def begin_all(self, submissions: Any) -> Any:
        self.straight += len(submissions)
        return super().begin_all(submissions)


@pytest.mark.parametrize("pieces", [2, 3])
def test_a_body_that_comes_soon_goes_straight(pieces: int) -> None:
    http = LiveHttp(intake=Counting(), body_soon=10.0)
    try:
        with Client(http) as client:
            for number in range(1, 4):
                head, body = asked(http)
                for piece in (head, body) if pieces == 2 else (head, body[:5], body[5:]):
                    client.socket.sendall(piece)
                    time.sleep(0.02)
                assert client.answer()[0].split(b" ")[1] == b"202"
                assert http.intake.straight == number
        assert http.bodies.held == 0
    finally:
        http.close()


@pytest.mark.parametrize("end", ["late", "never", "leaves"])
def test_a_body_that_does_not_come_soon(end: str) -> None:
    """It takes the longer way (BI-086), which cuts it when its time is over; who leaves leaves nothing behind."""
    http = LiveHttp(intake=Counting(), body_soon=0.05, body_timeout=0.5)
    head, body = asked(http)
    try:
        with Client(http) as client:
            client.socket.sendall(head + body[:5])
            if end == "leaves":
                client.socket.close()
            else:
                time.sleep(0.2)
            if end == "late":
                client.socket.sendall(body[5:])
                assert client.answer()[0].split(b" ")[1] == b"202"
            elif end == "never":
                assert client.answer()[0].split(b" ")[1] == b"408"
        assert http.intake.straight == 0
        with Client(http) as client:
            client.socket.sendall(head + body)
            assert client.answer()[0].split(b" ")[1] == b"202"
        assert http.bodies.held == 0
    finally:
        http.close()


def test_a_body_that_is_waited_for_is_answered_before_the_end() -> None:
    http = LiveHttp(body_soon=10.0)
    head, body = asked(http)
    try:
        with Client(http) as client:
            client.socket.sendall(head)
            time.sleep(0.2)
            ending = asyncio.run_coroutine_threadsafe(http.server.drain(10), http.thread.loop)
            until = time.monotonic() + 10
            while not http.app.draining and time.monotonic() < until:
                time.sleep(0.01)
            time.sleep(0.1)
            client.socket.sendall(body)
            said, _ = client.answer()
            assert said.split(b" ")[1] in (b"202", b"503") and client.ended()
            ending.result(20)
    finally:
        http.close()


def test_what_is_rare_goes_the_longer_way() -> None:
    http = LiveHttp(intake=Counting(), body_soon=0.0)
    head, body = asked(http)
    late = (
        [head.replace(b"messages HTTP/1.1", b"messages?a=b HTTP/1.1") + body],
        [head.replace(b"HTTP/1.1", b"HTTP/1.0") + body],
        [head, body],
        [head + body[:5], body[5:]],
    )
    try:
        for straight, pieces in ((1, [head + body]), *((0, one) for one in late)):
            http.intake.straight = 0
            with Client(http) as client:
                for piece in pieces:
                    client.socket.sendall(piece)
                    time.sleep(0.05)
                assert client.answer()[0].split(b" ")[1] == b"202"
            assert http.intake.straight == straight
    finally:
        http.close()


def test_who_waits_to_be_asked_for_the_body_is_asked(http: LiveHttp) -> None:
    head, body = asked(http, None, "Expect: 100-continue")
    with Client(http) as client:
        client.socket.sendall(head)
        assert client.socket.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.socket.sendall(body)
        assert client.answer()[0].startswith(b"HTTP/1.1 202 ")
