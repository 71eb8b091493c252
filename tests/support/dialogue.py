"""A few lines of SMTP for tests that talk to a live server over a socket."""

import base64
import socket

from tests.support.clinics import PASSWORDS
from tests.support.live import HOST, Live


def read_reply(connection: socket.socket) -> list[str]:
    """The next reply, line by line. Reads octet by octet, so that nothing behind it is taken."""
    lines: list[str] = []
    while not lines or lines[-1][3:4] == "-":
        line = b""
        while not line.endswith(b"\r\n"):
            octet = connection.recv(1)
            if not octet:
                raise EOFError(f"closed after {lines} {line!r}")
            line += octet
        lines.append(line[:-2].decode())
    return lines


def say(connection: socket.socket, line: str) -> list[str]:
    connection.sendall(line.encode() + b"\r\n")
    return read_reply(connection)


def sign_in(live: Live, username: str) -> socket.socket:
    """A connection under TLS that has proved to be `username`."""
    connection = live.client_tls().wrap_socket(live.connect("submissions"), server_hostname=HOST)
    read_reply(connection)
    say(connection, "EHLO workstation.test")
    blob = base64.b64encode(f"\0{username}\0{PASSWORDS[username]}".encode()).decode()
    assert say(connection, f"AUTH PLAIN {blob}")[0].startswith("235 ")
    return connection
