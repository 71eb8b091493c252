"""The OpenPGP library (Sequoia), each call behind our errors: its texts can hold a backtrace and never pass on."""

import datetime
from collections.abc import Callable, Sequence
from typing import TypeVar

import pysequoia

from carepost.crypto.openpgp import packets
from carepost.crypto.openpgp.errors import Malformed, OpenPgpError

_T = TypeVar("_T")


def call(ask: Callable[[], _T], otherwise: OpenPgpError) -> _T:
    """What the library answers; `otherwise` in place of any error of its own."""
    try:
        return ask()
    except (RuntimeError, ValueError, OSError, OverflowError):
        raise otherwise from None


def parse(raw: bytes) -> pysequoia.Cert:
    """The library's value for a certificate `certificate.read` has cleaned. Raises Malformed."""
    return call(lambda: pysequoia.Cert.from_bytes(raw), unreadable())


def unreadable() -> Malformed:
    return Malformed("certificate", "The OpenPGP certificate cannot be read.")


def microseconds(moment: datetime.datetime | None) -> int | None:
    """UTC microseconds since 1970."""
    return None if moment is None else int(moment.timestamp()) * 1_000_000


def encrypt(
    data: bytes, certificates: Sequence[pysequoia.Cert], signer: pysequoia.PySigner | None, failed: OpenPgpError
) -> bytes:
    """A binary OpenPGP message."""
    return call(lambda: pysequoia.encrypt(data, list(certificates), signer, armor=False), failed)


def recipients(message: bytes) -> list[str]:
    """Key ids (of version 3 packets) and fingerprints (version 6) a message is encrypted to, in its order."""
    found = []
    for packet in packets.read(message):
        if packet.tag != packets.PKESK:
            break
        body = packet.body
        if body[:1] == b"\x03":
            found.append(body[1:9].hex())
        elif body[:1] == b"\x06" and len(body) > 2:
            found.append(body[3 : 2 + body[1]].hex())
    return found
