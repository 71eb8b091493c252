"""The token of a tracked link or picture: which copy of a message it stands in, which link it is, where that leads.

All of it is sealed: whoever holds a link reads neither the copy nor the target out of it, and no target comes from
anywhere else, so that there is nothing to redirect openly.

    version (1 octet) ‖ number of the key (1) ‖ organisation (16) ‖ AES-SIV (RFC 5297): 16 octets, and the fields
    delivery (16) ‖ made, seconds since 1970 (4) ‖ link (2) ‖ links (2) ‖ flags (1) ‖ target, UTF-8

as base64url without padding. AES-SIV needs no nonce, which makes tokens shorter. Its AAD binds version, key,
organisation and use: a picture is no link, and one organisation's is nothing to another."""

import base64
import binascii
import struct
from functools import lru_cache
from typing import Final, Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from carepost.crypto.digest import hmac_sha256

VERSION: Final = 1
#: octets of a target: with all around it a token stays below what mail programs and servers take as a URL (about 4,000)
MAX_TARGET: Final = 2_000
#: characters of a token, at most
MAX_LENGTH: Final = 2_800
_HEAD: Final = 18
_TAG: Final = 16
_FIELDS: Final = struct.Struct(">16sIHHB")
_DECOY, _WITH_DECOY = 1, 2

Use = Literal["open", "click"]


class Link(msgspec.Struct, frozen=True):
    """What a token says. `made`: UTC seconds of the attempt that wrote it."""

    delivery: bytes
    made: int
    #: 1 to `links`; 0: the picture or the decoy
    link: int = 0
    #: distinct links of the message that were rewritten
    links: int = 0
    #: this is the link no person sees
    decoy: bool = False
    #: the message carries such a link
    with_decoy: bool = False
    #: http or https; "" for the picture and the decoy
    target: str = ""


class Head(msgspec.Struct, frozen=True):
    """What stands outside the seal: where to look for the key."""

    org: bytes
    #: version of the organisation's index key
    number: int


def make(key: bytes, use: Use, org: bytes, link: Link, number: int) -> str:
    """`key`: the organisation's index key, version `number` (1 to 255)."""
    flags = _DECOY * link.decoy | _WITH_DECOY * link.with_decoy
    plain = _FIELDS.pack(link.delivery, link.made, link.link, link.links, flags) + link.target.encode()
    head = bytes((VERSION, number)) + org
    return base64.urlsafe_b64encode(head + _siv(key).encrypt(plain, [head, use.encode()])).decode().rstrip("=")


def head_of(token: str) -> Head | None:
    """None for what has not the form of a token."""
    raw = _raw(token)
    return Head(raw[2:_HEAD], raw[1]) if raw is not None else None


def open_(key: bytes, use: Use, token: str) -> Link | None:
    """None where this key did not make it for this use. The comparison takes the same time for any forgery."""
    raw = _raw(token)
    if raw is None:
        return None
    head = raw[:_HEAD]
    try:
        plain = _siv(key).decrypt(raw[_HEAD:], [head, use.encode()])
    except InvalidTag:
        return None
    delivery, made, link, links, flags = _FIELDS.unpack_from(plain)
    return Link(
        delivery, made, link, links, bool(flags & _DECOY), bool(flags & _WITH_DECOY), plain[_FIELDS.size :].decode()
    )


def _raw(token: str) -> bytes | None:
    if len(token) > MAX_LENGTH or not token.isascii() or len(token) % 4 == 1:
        return None
    try:
        # strict: what is no letter of base64url is not passed over
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) < _HEAD + _TAG + _FIELDS.size or raw[0] != VERSION or not raw[1]:
        return None
    # one token has one spelling: bits behind the last octet are zero
    return raw if base64.urlsafe_b64encode(raw).decode().rstrip("=") == token else None


@lru_cache(maxsize=256)
def _siv(key: bytes) -> AESSIV:
    label = b"carepost link token "
    return AESSIV(hmac_sha256(key, label + b"1") + hmac_sha256(key, label + b"2"))
