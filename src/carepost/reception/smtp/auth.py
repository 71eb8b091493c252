"""The SASL exchanges of AUTH (RFC 4954), without I/O: PLAIN (RFC 4616), LOGIN, SCRAM-SHA-256 (RFC 7677).

An exchange answers each response of the client with one Step. What the client sent is never in an error's text.
"""

import base64
import binascii
from typing import Protocol

import msgspec

from carepost.crypto import scram
from carepost.reception.credentials import Identity

MECHANISMS = b"PLAIN LOGIN SCRAM-SHA-256"
#: names and passwords longer than this are nobody's
LONGEST = 1024


class Challenge(msgspec.Struct, frozen=True):
    """334 with this."""

    data: bytes


class Check(msgspec.Struct, frozen=True):
    """A name and password to be checked off the loop."""

    username: str
    password: str


class Proved(msgspec.Struct, frozen=True):
    identity: Identity


class Wrong(msgspec.Struct, frozen=True):
    """535: name or password is wrong, or somebody else is to be impersonated."""

    username: str = ""


class Malformed(msgspec.Struct, frozen=True):
    """501."""


Step = Challenge | Check | Proved | Wrong | Malformed


class Scram(Protocol):
    """The part of `Credentials` an exchange needs. `verifier` and `identity` raise Unavailable."""

    def exchange(self) -> scram.Server: ...

    def verifier(self, username: str) -> str | None: ...

    def identity(self, username: str) -> Identity | None: ...


class Exchange(Protocol):
    def respond(self, data: bytes | None) -> Step:
        """`data`: the decoded response; None at the start, when AUTH carried no initial response."""


def begin(mechanism: bytes, credentials: Scram) -> Exchange | None:
    """None: no such mechanism."""
    if mechanism == b"PLAIN":
        return _Plain()
    if mechanism == b"LOGIN":
        return _Login()
    if mechanism == b"SCRAM-SHA-256":
        return _ScramSha256(credentials)
    return None


def decode(line: bytes) -> bytes | None:
    """A response's base64, strictly (BI-014). None: it is none."""
    try:
        return base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        return None


def _text(raw: bytes) -> str | None:
    if not raw or len(raw) > LONGEST or b"\0" in raw:
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


class _Plain:
    def respond(self, data: bytes | None) -> Step:
        if data is None:
            return Challenge(b"")
        parts = data.split(b"\0")
        if len(parts) != 3:
            return Malformed()
        username, password = _text(parts[1]), _text(parts[2])
        if username is None or password is None:
            return Malformed()
        # acting for somebody else is not offered (BI-014)
        if parts[0] and parts[0] != parts[1]:
            return Wrong(username)
        return Check(username, password)


class _Login:
    def __init__(self) -> None:
        self._username: str | None = None

    def respond(self, data: bytes | None) -> Step:
        if data is None:
            return Challenge(b"Username:")
        text = _text(data)
        if text is None:
            return Malformed()
        if self._username is None:
            self._username = text
            return Challenge(b"Password:")
        return Check(self._username, text)


class _ScramSha256:
    def __init__(self, credentials: Scram) -> None:
        self._credentials = credentials
        self._server = credentials.exchange()
        self._username = ""
        self._sent_final = False

    def respond(self, data: bytes | None) -> Step:
        if data is None:
            return Challenge(b"")
        try:
            return self._next(data)
        except scram.ScramError:
            return Wrong(self._username)

    def _next(self, data: bytes) -> Step:
        if self._sent_final:
            # the client has seen server-final and answers with nothing (RFC 4954 section 4)
            found = self._credentials.identity(self._username) if not data else None
            return Proved(found) if found is not None else Wrong(self._username)
        if not self._username:
            self._username = self._server.start(data)
            return Challenge(self._server.challenge(self._credentials.verifier(self._username)))
        final = self._server.finish(data)
        self._sent_final = True
        return Challenge(final)
