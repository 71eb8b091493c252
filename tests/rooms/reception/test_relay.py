"""The relay: what is not ours is streamed to the office; while the office is down, sends go on."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.support.live import LiveHttp


class Office(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None: ...

    def do_GET(self) -> None:
        self._reply(f"{self.command} {self.path}".encode())

    do_HEAD = do_DELETE = do_GET

    def do_POST(self) -> None:
        if self.headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self._reply(b"%d %d" % (len(body), sum(body)))

    def _reply(self, text: bytes) -> None:
        self.server.seen.append(dict(self.headers.items()))  # type: ignore[attr-defined]
        if self.path.endswith("/hangup"):
            self.send_response(200)
            self.send_header("content-length", "1000")
            self.end_headers()
            self.wfile.write(b"half")
            self.close_connection = True
            return
        if self.path.endswith("/chunked"):
            self.send_response(200)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n")
            return
        self.send_response(404 if self.path.endswith("/absent") else 200)
        self.send_header("content-type", "text/plain")
        self.send_header("content-length", str(len(text)))
        self.send_header("connection", "close")
        self.send_header("x-office", "yes")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)


@pytest.fixture
def office() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Office)
    server.seen = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def relayed(office: ThreadingHTTPServer) -> Iterator[LiveHttp]:
    http = LiveHttp(office=("127.0.0.1", office.server_port), relay_answer=1.0)
    yield http
    http.close()


def raw(http: LiveHttp, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", http.port), timeout=10) as connection:
        connection.sendall(data)
        found = b""
        while more := connection.recv(65_536):
            found += more
        return found


def test_other_paths_of_the_api_go_to_the_office_with_query_and_fields(
    relayed: LiveHttp, office: ThreadingHTTPServer
) -> None:
    sent = {
        "Authorization": "Bearer x.y",
        "X-Forwarded-For": "203.0.113.9",
        "Connection": "close, x-drop",
        "X-Drop": "1",
    }
    status, answer, fields = relayed.request("GET", "/api/v1/messages?state=sent&cursor=a%2Bb", headers=sent)
    assert status == 200 and fields["x-office"] == "yes"
    assert answer == {"text": b"GET /api/v1/messages?state=sent&cursor=a%2Bb"}
    seen = {name.lower(): value for name, value in office.seen[0].items()}
    assert seen["authorization"] == "Bearer x.y"
    # whoever asked cannot say who they are, nor pass on what was meant for this hop
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert "x-drop" not in seen
    assert relayed.request("DELETE", "/api/v1/keys/7")[0] == 200
    assert relayed.request("GET", "/api/v1/absent")[0] == 404


def test_head_has_no_body_and_the_connection_goes_on(relayed: LiveHttp) -> None:
    assert relayed.request("HEAD", "/api/v1/messages")[:2] == (200, {"text": b""})
    assert relayed.request("GET", "/health")[0] == 200


def test_a_large_body_is_streamed_whole_with_a_length_and_in_chunks(relayed: LiveHttp) -> None:
    body = bytes(range(256)) * 4000
    expected = b"%d %d" % (len(body), sum(body))
    assert relayed.request("POST", "/api/v1/import", body)[:2] == (200, {"text": expected})
    found = raw(
        relayed,
        b"POST /api/v1/import HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
        + b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n",
    )  # fmt: skip
    assert found.startswith(b"HTTP/1.1 200") and expected in found


def test_an_answer_in_chunks_arrives(relayed: LiveHttp) -> None:
    assert relayed.request("GET", "/api/v1/chunked")[1] == {"text": b"abcdef"}


def test_an_office_that_stops_in_the_middle_never_looks_like_a_whole_answer(relayed: LiveHttp) -> None:
    found = raw(relayed, b"GET /api/v1/hangup HTTP/1.1\r\nhost: x\r\n\r\n")
    assert b"content-length: 1000" in found.lower()
    assert found.endswith(b"half")


def test_while_the_office_is_down_its_part_is_503_and_sends_go_on(message: dict[str, Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    http = LiveHttp(office=("127.0.0.1", port))
    try:
        status, answer, fields = http.request("GET", "/api/v1/messages")
        assert (status, answer["type"]) == (503, "urn:carepost:problem:office-down")
        assert fields["retry-after"] == "5"
        assert http.post("/api/v1/messages", message)[0] == 202
    finally:
        http.close()


def test_an_office_that_does_not_answer_is_503(message: dict[str, Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        http = LiveHttp(office=("127.0.0.1", silent.getsockname()[1]), relay_answer=0.2)
        try:
            assert http.request("GET", "/api/v1/messages")[0] == 503
        finally:
            http.close()


def test_an_office_on_a_unix_socket(tmp_path: Any, office: ThreadingHTTPServer) -> None:
    path = str(tmp_path / "staff.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()

        def once() -> None:
            connection, _ = listener.accept()
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
            connection.close()

        thread = threading.Thread(target=once)
        thread.start()
        http = LiveHttp(office=path)
        try:
            assert http.request("GET", "/api/v1/domains")[0] == 204
        finally:
            http.close()
            thread.join(10)


def test_nothing_but_the_api_is_relayed_and_the_sandbox_only_when_there_is_one(
    relayed: LiveHttp, office: ThreadingHTTPServer
) -> None:
    for path in ("/", "/sandbox/", "/login", "/api/v2/x", "/API/v1/messages", "/admin"):
        assert relayed.request("GET", path)[0] == 404
    assert office.seen == []  # type: ignore[attr-defined]
    http = LiveHttp(sandbox=("127.0.0.1", office.server_port))
    try:
        assert http.request("GET", "/sandbox/mailboxes")[0] == 200
        assert http.request("GET", "/sandboxes")[0] == 404
    finally:
        http.close()


@pytest.mark.parametrize(
    "path",
    ["/api/v1/..%2f..%2fadmin", "/api/v1/../../admin", "/api/v1/%00", "/api/v1/x\\y", "/api/v1//etc",
     "/api/v1/%2e%2e/x", "/api/v1/%c0%ae%c0%ae/x"],
)  # fmt: skip
def test_bi_088_paths_with_tricks_reach_nobody(relayed: LiveHttp, office: ThreadingHTTPServer, path: str) -> None:
    found = raw(relayed, f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
    assert found.split()[1] in (b"404", b"400")
    assert office.seen == []  # type: ignore[attr-defined]
