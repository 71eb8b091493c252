"""API keys as callers present them: `<id>.<secret>`; the whole text is what `key add` prints as "secret".

The id finds the key; SHA-256 of the part after the dot is compared with what is stored (256 random bits need no
slow hash). SendGrid's own libraries send the same text after `Bearer `.
"""

import base64
import hashlib
import hmac
import os

from carepost.directory.types import ApiKey

#: base64url of 32 bytes without padding
_SECRET_LENGTH = 43


def make(key: str) -> tuple[str, bytes]:
    """A fresh secret for key `key`: (the text to present, the hash to store)."""
    secret = base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode()
    return f"{key}.{secret}", hashlib.sha256(secret.encode()).digest()


def split(presented: str) -> tuple[str, bytes] | None:
    """(key id, SHA-256 of the secret) of what was presented, or None when it has another form."""
    key, dot, secret = presented.strip().rpartition(".")
    if not dot or not key or len(secret) != _SECRET_LENGTH or not secret.isascii():
        return None
    return key, hashlib.sha256(secret.encode()).digest()


def matches(found: ApiKey | None, secret_hash: bytes) -> bool:
    """Constant time; False for no key."""
    return found is not None and hmac.compare_digest(found.secret_hash, secret_hash)
