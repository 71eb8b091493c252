"""Listening sockets. Several engines share a port by SO_REUSEPORT: the kernel spreads new connections over them."""

import errno
import os
import socket

from carepost.ground.errors import ConfigError

BACKLOG = 1024


def bind(host: str, port: int, setting: str, *, shared: bool = True) -> socket.socket:
    """A non-blocking listening TCP socket. `setting` names what the administrator must change when it fails.

    Raises ConfigError. With `shared`, a second process of the same user may listen too: the supervisor checks with
    `shared=False` once, before any engine starts, that nobody else has the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((host, port))
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise ConfigError(_sentence(error, host, port, setting)) from None
    return sock


def _sentence(error: OSError, host: str, port: int, setting: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken by another program; stop it, or set {setting} to a free port."
    if error.errno == errno.EACCES:
        return f"Port {port} needs privileges this user has not; set {setting} to a port above 1023."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"This machine has no address {host}; set listen to one of its addresses."
    return f"Port {port} on {host} cannot be listened on ({os.strerror(error.errno or 0)}); change {setting}."
