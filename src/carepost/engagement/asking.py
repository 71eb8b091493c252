"""Who asks, as far as features need to know it: the client behind declared proxies, and the salt of an organisation."""

import ipaddress
from typing import Final

from django.http import HttpRequest

from carepost.crypto.digest import hmac_sha256

#: version of the index key that the salt is made from
SALTED: Final = 1


def client(request: HttpRequest) -> tuple[str, bool]:
    """(address, it came over HTTPS). A peer in a network of our own is our proxy: then the last public address it, and
    those before it, were told of counts, from right to left."""
    peer = request.META.get("REMOTE_ADDR", "")
    if not _inside(peer):
        return peer, request.is_secure()
    secure = request.is_secure() or request.META.get("HTTP_X_FORWARDED_PROTO", "") == "https"
    for said in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")[-8:]):
        if said.strip() and not _inside(said.strip()):
            return said.strip(), secure
    return peer, secure


def _inside(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return found.is_private or found.is_loopback


def salt(key: bytes) -> bytes:
    """`key`: an organisation's index key of version SALTED. What tags of place and agent are made with
    (`tracking.derive`). Hits of any time are compared by them, so they never follow a change; they are of 12 bits,
    and lie sealed under another key (decision 0059)."""
    return hmac_sha256(key, b"carepost tracking place")
