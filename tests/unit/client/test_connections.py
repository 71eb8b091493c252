"""What a connection can do to the Python client: cut in the middle of an answer, closed between two requests."""

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from carepost.client import ApiError, AsyncClient, Client, Message, Unreachable
from carepost.client.calls import Retry

SOON = Retry(tries=3, first=0.001, longest=0.002)
LETTER = Message("nurse@clinic.test", ("ann@there.test",), subject="Visit", text="Hello")
ACCEPTED = json.dumps({"id": "m-1", "deliveries": []}).encode()
Serve = Callable[[socket.socket], None]


def answer(body: bytes, length: int | None = None) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body) if length is None else length, body)


def asked(peer: socket.socket) -> bytes:
    """One request; b"" at the end of the connection."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        more = peer.recv(65536)
        if not more:
            return b""
        raw += more
    head, _, body = raw.partition(b"\r\n\r\n")
    said = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    length = int(said[0].partition(b":")[2]) if said else 0
    while len(body) < length:
        body += peer.recv(65536)
    return raw


class Server:
    """`script`: what is done with each connection, the last one repeated. `requests`: the first lines that came."""

    def __init__(self) -> None:
        self.script: list[Serve] = []
        self.requests: list[bytes] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                peer, _ = self._listening.accept()
            except OSError:
                return
            serve = self.script.pop(0) if len(self.script) > 1 else self.script[0]
            threading.Thread(target=self._one, args=(peer, serve), daemon=True).start()

    def _one(self, peer: socket.socket, serve: Serve) -> None:
        with peer:
            serve(peer)

    def says(self, *answers: bytes, then: threading.Event | None = None) -> Serve:
        """These answers, one a request, then the end of the connection, which `then` tells."""

        def serve(peer: socket.socket) -> None:
            for one in answers:
                request = asked(peer)
                if not request:
                    return
                self.requests.append(request.split(b"\r\n")[0])
                peer.sendall(one)
            peer.shutdown(socket.SHUT_RDWR)
            if then is not None:
                then.set()

        return serve

    def close(self) -> None:
        self._listening.close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def test_an_answer_cut_in_the_middle_is_asked_for_again_and_never_taken_for_the_whole(server: Server) -> None:
    server.script = [server.says(answer(ACCEPTED[:9], len(ACCEPTED))), server.says(answer(ACCEPTED))]
    with Client(server.url, "the-key", retry=SOON) as client:
        assert client.send(LETTER).id == "m-1"
    assert len(server.requests) == 2


def test_an_export_that_is_cut_is_no_export(server: Server) -> None:
    server.script = [server.says(answer(b"row 1\r\nrow 2\r\n", 900))]
    with Client(server.url, "the-key", retry=SOON) as client, pytest.raises(Unreachable):
        client.job_result("j-1")
    assert len(server.requests) == SOON.tries


def test_an_export_has_no_end_before_its_end(server: Server) -> None:
    whole = b"0123456789abcdef" * (5 * 1024 * 1024)
    server.script = [server.says(answer(whole))]
    with Client(server.url, "the-key", retry=SOON) as client:
        assert client.job_result("j-1") == whole


def test_a_connection_closed_while_nothing_was_asked_is_not_asked_again(server: Server) -> None:
    """A begun job is never begun twice: so its request must not go into a connection that is gone."""
    over = threading.Event()
    job = {"id": "j-1", "kind": "retract", "state": "waiting", "created_at": 0, "changed_at": 0, "expires_at": 0,
           "seen": 0, "made": 0, "cause": ""}  # fmt: skip
    server.script = [server.says(answer(ACCEPTED), then=over), server.says(answer(json.dumps(job).encode()))]
    with Client(server.url, "the-key", retry=SOON) as client:
        client.send(LETTER)
        assert over.wait(10)
        assert client.begin_job("retract", {"tag": "recall"}, reason="r").id == "j-1"
    assert [line.split()[1] for line in server.requests] == [b"/api/v1/messages", b"/api/v1/jobs"]


@pytest.mark.parametrize("body", [b"<html>Sign in to the hotel's network</html>", b"[]", b"\xff\xfe"])
def test_an_answer_that_is_none_of_the_apis_is_an_error_of_ours(server: Server, body: bytes) -> None:
    server.script = [server.says(answer(body))]
    with Client(server.url, "the-key", retry=SOON) as client, pytest.raises(ApiError) as told:
        client.send(LETTER)
    assert told.value.status == 200 and "what stands before the server" in str(told.value)
    assert "hotel" not in str(told.value)


def test_a_client_closed_while_it_waits_keeps_no_connection(server: Server) -> None:
    arrived, go, ended = threading.Event(), threading.Event(), threading.Event()

    def slow(peer: socket.socket) -> None:
        asked(peer)
        arrived.set()
        assert go.wait(10)
        peer.sendall(answer(ACCEPTED))
        # the client ends it: nothing more comes
        assert asked(peer) == b""
        ended.set()

    # held, so that nobody but `close` ends a connection
    client = AsyncClient(server.url, "the-key", retry=SOON)

    async def run() -> None:
        sending = asyncio.create_task(client.send(LETTER))
        await asyncio.to_thread(arrived.wait, 10)
        await client.close()
        go.set()
        assert (await sending).id == "m-1"

    server.script = [slow]
    asyncio.run(run())
    assert ended.wait(10)
    asyncio.run(client.close())
