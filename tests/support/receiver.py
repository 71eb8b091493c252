"""A receiver of webhooks: a real HTTPS server on loopback behind a CA of its own, which does to callers what it is
told to, and keeps what it was told."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme

#: (path, headers, body) -> (status, headers, body), or None: hang up
Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Told:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`answers`: what the next calls get, the last again and again; a callable is asked instead."""

    port: int = 0
    ca: str = ""
    told: list[Told] = field(default_factory=list)
    answers: list[Answer | None] = field(default_factory=lambda: [(204, {}, b"")])
    asked: Callable[[Told], Answer | None] | None = None
    came: threading.Event = field(default_factory=threading.Event)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/hook"

    def answer(self, told: Told) -> Answer | None:
        if self.asked is not None:
            return self.asked(told)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A caller that went away is no news."""


@contextmanager
def receiver(folder: Path, *names: str) -> Iterator[Receiver]:
    """`names`: of its certificate; localhost when none is given."""
    authority = trustme.CA()
    made = Receiver()
    made.ca = str(folder / f"receiver-{id(made)}.pem")
    authority.cert_pem.write_to_path(made.ca)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or ("localhost", "127.0.0.1"))).configure_cert(tls)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            made.connections += 1
            super().setup()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            told = Told(self.path, dict(self.headers.items()), body)
            answer = made.answer(told)
            made.told.append(told)
            made.came.set()
            if answer is None:
                self.close_connection = True
                self.connection.close()
                return
            status, headers, body = answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "Content-Length" not in headers:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing on the terminal."""

    server = _Server(("127.0.0.1", 0), Handler)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def until(true: Callable[[], object], seconds: float = 30.0) -> None:
    """Waits for what another thread does; fails after a time no machine needs."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)
