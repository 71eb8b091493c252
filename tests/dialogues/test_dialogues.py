"""Plays every `*.smtp` file beside it against the live server: one small conversation a file.

connect submission|submissions|mx     the first line; submission when it is left out
-> TEXT       say a line            >> BYTES    say exactly these bytes (\\r \\n \\0 \\xNN)
<~ TEXT       the next reply is one line that begins so
<... CODE     the next reply has several lines of this code
<* TEXT       one line of the last reply contains this
<! TEXT       no line of the last reply contains this
<x            the server has closed
=> tls        the handshake, with our CA    => auth NAME    AUTH PLAIN with that user's password
== N          so many messages were accepted in this conversation
"""

import base64
import socket
from pathlib import Path

import pytest

from tests.support.clinics import PASSWORDS
from tests.support.live import HOST, Live

FILES = sorted(Path(__file__).parent.glob("*.smtp"))


class Player:
    def __init__(self, live: Live, file: Path) -> None:
        self.live = live
        self.lines = [(n, line) for n, line in enumerate(file.read_text().splitlines(), 1) if line.strip()]
        self.before = len(live.intake.submissions)
        self.last: list[str] = []
        self.unread = b""
        self.socket: socket.socket | None = None

    def play(self) -> None:
        if not any(line.startswith("connect ") for _, line in self.lines):
            self.socket = self.live.connect("submission")
        for number, line in self.lines:
            if line.startswith("#"):
                continue
            verb, _, rest = line.partition(" ")
            try:
                self.step(verb, rest)
            except (AssertionError, OSError, EOFError) as error:
                raise AssertionError(f"line {number}: {line!r}; last reply {self.last}; {error}") from error
        assert self.socket is not None
        self.socket.close()

    def step(self, verb: str, rest: str) -> None:
        if verb == "connect":
            self.socket = self.live.connect(rest)
            if rest == "submissions":
                self.secure()
            return
        assert self.socket is not None
        match verb:
            case "->":
                self.socket.sendall(rest.encode() + b"\r\n")
            case ">>":
                self.socket.sendall(rest.encode("latin-1").decode("unicode_escape").encode("latin-1"))
            case "<~":
                self.read()
                assert len(self.last) == 1 and self.last[0].startswith(rest)
            case "<...":
                self.read()
                assert len(self.last) > 1 and self.last[-1].startswith(f"{rest} ")
            case "<*":
                assert any(rest in line for line in self.last)
            case "<!":
                assert not any(rest in line for line in self.last)
            case "<x":
                assert self.unread == b"" and self.socket.recv(1) == b""
            case "=>" if rest == "tls":
                assert self.unread == b""
                self.secure()
            case "=>":
                name = rest.split()[1]
                blob = base64.b64encode(f"\0{name}\0{PASSWORDS[name]}".encode()).decode()
                self.socket.sendall(f"AUTH PLAIN {blob}\r\n".encode())
                self.read()
                assert self.last[0].startswith("235 ")
            case "==":
                assert len(self.live.intake.submissions) - self.before == int(rest)
            case _:
                raise AssertionError("no such step")

    def secure(self) -> None:
        assert self.socket is not None
        self.socket = self.live.client_tls().wrap_socket(self.socket, server_hostname=HOST)

    def read(self) -> None:
        """One reply, to its last line."""
        self.last = []
        while not self.last or self.last[-1][3:4] == "-":
            while b"\r\n" not in self.unread:
                assert self.socket is not None
                data = self.socket.recv(65_536)
                if not data:
                    raise EOFError("closed")
                self.unread += data
            line, _, self.unread = self.unread.partition(b"\r\n")
            self.last.append(line.decode())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_dialogue(live: Live, file: Path) -> None:
    Player(live, file).play()


def test_there_are_dialogues() -> None:
    assert len(FILES) >= 15
