"""A token that names one delivery and that only the organisation's key could make: in return paths (VERP) and in links
to unsubscribe. It holds ids and a MAC: nothing of a person (law 9).

    version (1 octet) ‖ number of the key (1) ‖ delivery (16) ‖ MAC (12), base32 without padding, lower case: 48 letters

Local parts are compared without case by many systems, so the letters are of one case. The MAC binds use and
organisation: a return path is no link, and one organisation's token is nothing to another."""

import base64
import binascii
import hmac
from typing import Final

from carepost.crypto.digest import hmac_sha256

VERSION: Final = 1
#: characters of a token
LENGTH: Final = 48
RETURN, UNSUBSCRIBE = b"return", b"unsubscribe"
_ID, _MAC = 16, 12


def make(key: bytes, use: bytes, org: bytes, delivery: bytes, number: int = 1) -> str:
    """`key`: the organisation's index key, version `number`."""
    head = bytes((VERSION, number)) + delivery
    return base64.b32encode(head + _mac(key, use, org, head)).decode().rstrip("=").lower()


def number_of(token: str) -> int:
    """Which version of the key it was made with; 0 for what is no token."""
    raw = _raw(token)
    return raw[1] if raw is not None else 0


def delivery_of(key: bytes, use: bytes, org: bytes, token: str) -> bytes | None:
    """The delivery it names; None where this key did not make it, for this use and organisation."""
    raw = _raw(token)
    if raw is None:
        return None
    head, mac = raw[:-_MAC], raw[-_MAC:]
    return head[2:] if hmac.compare_digest(mac, _mac(key, use, org, head)) else None


def _raw(token: str) -> bytes | None:
    if len(token) != LENGTH or not token.isascii():
        return None
    try:
        raw = base64.b32decode(token.upper())
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == 2 + _ID + _MAC and raw[0] == VERSION else None


def _mac(key: bytes, use: bytes, org: bytes, head: bytes) -> bytes:
    return hmac_sha256(hmac_sha256(key, b"carepost delivery token " + use), org + head)[:_MAC]
