"""Opaque texts in links, cookies and Reply-To. Each begins with the organisation's id, because a row can be looked
up only inside its organisation (row security); none of them opens anything by itself.
"""

import base64
import binascii
import hashlib
import hmac
import os

_ID = 16
_LINK_SECRET, _SESSION_SECRET, _MAC = 16, 32, 10


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _raw(text: str, length: int) -> bytes | None:
    if len(text) > 200 or not text.isascii():
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == length and _text(raw) == text else None


def new_link(org: bytes) -> str:
    """43 characters for `/m/<link>`: where a message waits. 128 random bits."""
    return _text(org + os.urandom(_LINK_SECRET))


def link_org(link: str) -> bytes | None:
    """The organisation a link names, or None for anything that is not a link."""
    raw = _raw(link, _ID + _LINK_SECRET)
    return raw[:_ID] if raw else None


def new_session(org: bytes) -> tuple[str, bytes]:
    """(cookie value, what is stored: SHA-256 of it). 256 random bits."""
    token = _text(org + os.urandom(_SESSION_SECRET))
    return token, hashlib.sha256(token.encode()).digest()


def session_parts(token: str) -> tuple[bytes, bytes] | None:
    """(organisation, stored hash) of a cookie value, or None."""
    raw = _raw(token, _ID + _SESSION_SECRET)
    return (raw[:_ID], hashlib.sha256(token.encode()).digest()) if raw else None


def new_code() -> str:
    """Six digits, each code equally likely."""
    return f"{int.from_bytes(os.urandom(8), 'big') % 1_000_000:06d}"


def reply_to(key: bytes, address: str, thread: bytes) -> str:
    """`portal+<token>@domain`: the thread's id with an HMAC under the organisation's key. Local parts may lose their
    case on the way, so base32."""
    token = base64.b32encode(thread + mac(key, thread)).decode().rstrip("=").lower()
    local, _, domain = address.rpartition("@")
    return f"{local}+{token}@{domain}"


def read_reply_to(key: bytes, address: str) -> bytes | None:
    """The thread an address of `reply_to` speaks of, or None when it was not made under this key."""
    token = address.rpartition("@")[0].rpartition("+")[2].upper()
    try:
        raw = base64.b32decode(token + "=" * (-len(token) % 8))
    except (binascii.Error, ValueError):
        return None
    if len(raw) != _ID + _MAC or not hmac.compare_digest(raw[_ID:], mac(key, raw[:_ID])):
        return None
    return raw[:_ID]


def mac(key: bytes, thread: bytes) -> bytes:
    """10 bytes: what makes a thread's id a token of ours."""
    return hmac.digest(key, b"carepost reply-to v1" + thread, "sha256")[:_MAC]
