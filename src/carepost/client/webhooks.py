"""Checking a webhook's call where it arrives (Standard Webhooks 1.0): who signed it, when, and that nobody touched it.

    from carepost.client.webhooks import verify

    event = verify(body, headers, secret="whsec_…")        # or public_key="whpk_…"

The body is checked as it came: do not parse it first. Answer 2xx when you have kept the event; the same `webhook-id`
may come again."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from carepost.ground import clock

#: seconds between its making and now
TOLERANCE: Final = 300
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
#: signatures of one call that are looked at
_MOST: Final = 20


class Forged(Exception):
    """The call is not one of ours, or came too late. `code`: missing | id | time | signature | body."""

    def __init__(self, code: str) -> None:
        super().__init__(f"This webhook's call is not to be trusted ({code}).")
        self.code = code


def verify(
    body: bytes, headers: Mapping[str, str], *, secret: str = "", public_key: str = "", tolerance: int = TOLERANCE
) -> dict[str, Any]:
    """What the call tells. `secret`: whsec_…; `public_key`: whpk_…; either is enough. Raises Forged, ValueError for a
    key that is none."""
    found = {name.lower(): value for name, value in headers.items()}
    try:
        id_, stamp, signed = (found[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
    except KeyError:
        raise Forged("missing") from None
    if not _ID.fullmatch(id_):
        # a dot would let two different calls sign the same bytes
        raise Forged("id")
    if not re.fullmatch(r"[0-9]{1,12}", stamp) or abs(clock.now() // 1_000_000 - int(stamp)) > tolerance:
        raise Forged("time")
    text = f"{id_}.{stamp}.".encode() + body
    given = [part.partition(",") for part in signed.split(" ")[:_MOST]]
    if not any(_fits(version, value, text, secret, public_key) for version, _, value in given):
        raise Forged("signature")
    try:
        event: dict[str, Any] = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise Forged("body") from None
    return event


def _fits(version: str, value: str, text: bytes, secret: str, public_key: str) -> bool:
    try:
        signature = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
    if version == "v1" and secret:
        return hmac.compare_digest(hmac.digest(_key(secret, "whsec_"), text, hashlib.sha256), signature)
    if version == "v1a" and public_key:
        try:
            Ed25519PublicKey.from_public_bytes(_key(public_key, "whpk_")).verify(signature, text)
        except InvalidSignature:
            return False
        return True
    return False


def _key(text: str, prefix: str) -> bytes:
    if not text.startswith(prefix):
        raise ValueError(f"A key of this kind begins with {prefix}.")
    return base64.b64decode(text.removeprefix(prefix), validate=True)
