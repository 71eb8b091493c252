"""The reverse path of what a mailbox forwards: `forward+…@` its own domain, signed, so that SPF holds for it and a
report that comes back names the delivery it is about. It holds an id and a MAC, nothing of anybody; forged it is
refused."""

import base64
import binascii
import hmac
from typing import Final

from carepost.crypto.digest import hmac_sha256
from carepost.ground.keys import PurposeKeys

NAME: Final = "forward"
_BEGINS: Final = f"{NAME}+"
_ID, _MAC = 16, 10


class Forwarding:
    """`purposes` with `index`."""

    def __init__(self, purposes: PurposeKeys) -> None:
        self._key = purposes.raw("index", b"forward")

    def address(self, org: bytes, delivery: bytes, domain: str) -> str:
        token = base64.b32encode(delivery + self._mac(org, delivery, domain)).decode().rstrip("=").lower()
        return f"{_BEGINS}{token}@{domain}"

    def delivery_of(self, org: bytes, address: str) -> bytes | None:
        """None for what we did not make."""
        local, _, domain = address.rpartition("@")
        token = local[len(_BEGINS) :]
        try:
            raw = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
        except (binascii.Error, ValueError):
            return None
        delivery, mac = raw[:_ID], raw[_ID:]
        fits = len(raw) == _ID + _MAC and hmac.compare_digest(mac, self._mac(org, delivery, domain))
        return delivery if fits else None

    def _mac(self, org: bytes, delivery: bytes, domain: str) -> bytes:
        return hmac_sha256(self._key, org + delivery + domain.lower().encode())[:_MAC]


def suspected(address: str) -> bool:
    """Whether it is written like one."""
    return address[: len(_BEGINS)].lower() == _BEGINS
