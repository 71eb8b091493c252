"""One HTTPS request to a provider: verified, bounded in time and size, never followed elsewhere."""

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from carepost.ground import suites
from carepost.ground.errors import ConfigError

#: seconds for one answer, and octets of it
TIMEOUT: Final = 15.0
MOST: Final = 256 * 1024


class Answer:
    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.body = body


def check(url: str, what: str) -> str:
    """The address without a slash at its end. Raises ConfigError for one that is not HTTPS (plain HTTP is for an agent
    on this machine)."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return url.rstrip("/")
    if parts.scheme == "http" and parts.hostname and _local(parts.hostname):
        return url.rstrip("/")
    raise ConfigError(f"The address of {what} must begin with https://; {url!r} does not.")


def post(url: str, headers: Mapping[str, str], body: bytes, *, ca: str, what: str) -> Answer:
    """Raises ConfigError: not reachable, not proved by its certificate, no HTTP."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=_tls(ca, what))
    else:
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    try:
        connection.request("POST", parts.path or "/", body, dict(headers))
        answer = connection.getresponse()
        return Answer(answer.status, answer.read(MOST))
    except ssl.SSLError as error:
        raise ConfigError(
            f"{what} at {host} did not prove who it is ({error.reason or 'TLS failed'}); name its authority by --ca, "
            "or mend its certificate."
        ) from None
    except (OSError, socket.gaierror, http.client.HTTPException) as error:
        raise ConfigError(
            f"{what} at {host} cannot be reached ({type(error).__name__}); the keyring opens when it answers again."
        ) from None
    finally:
        connection.close()


def _tls(ca: str, what: str) -> ssl.SSLContext:
    try:
        return suites.modern(ssl.create_default_context(cafile=ca or None))
    except (OSError, ssl.SSLError):
        raise ConfigError(f"The authority of {what}, {ca}, cannot be read.") from None


def _local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
