"""The OpenPGP library (Sequoia), each call behind our errors: its texts can hold a backtrace and never pass on."""

import datetime
from collections.abc import Callable, Sequence
from typing import TypeVar

import pysequoia

from carepost.crypto.openpgp import packets
from carepost.crypto.openpgp.errors import Malformed, OpenPgpError

_T = TypeVar("_T")
_KINDS = {
    packets.MESSAGE: pysequoia.ArmorKind.Message,
    packets.PUBLIC: pysequoia.ArmorKind.PublicKey,
    packets.PRIVATE: pysequoia.ArmorKind.SecretKey,
    packets.SIGNED: pysequoia.ArmorKind.Signature,
}


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
    data: bytes,
    certificates: Sequence[pysequoia.Cert],
    signer: pysequoia.PySigner | None,
    failed: OpenPgpError,
    *,
    armor: bool = False,
) -> bytes:
    """An OpenPGP message, binary or armored with LF line ends (three times as quick as ours)."""
    return call(lambda: pysequoia.encrypt(data, list(certificates), signer, armor=armor), failed)


def armor(data: bytes, kind: str) -> bytes:
    """Armored with CRLF line ends. With the checksum RFC 9580 6.1 has given up: without it GnuPG 2.2 reads on into the
    last line wherever the base64 ends without padding."""
    return pysequoia.armor(data, _KINDS[kind]).replace("\n", "\r\n").encode("ascii")


def addressed(message: bytes) -> tuple[list[str], int]:
    """Key ids (of version 3 packets) and fingerprints (version 6) a binary message is encrypted to, and the version of
    its encrypted packet, 0 for any other. The content may be cut off. Raises Malformed."""
    found: list[str] = []
    heads = packets.heads(message)
    for tag, body in heads[:-1]:
        if tag == packets.PKESK and body[:1] == b"\x03":
            found.append(body[1:9].hex())
        elif tag == packets.PKESK and body[:1] == b"\x06" and len(body) > 2:
            found.append(body[3 : 2 + body[1]].hex())
    last, first = heads[-1] if heads else (0, b"")
    return found, first[0] if last == packets.SEIPD and first else 0
