"""`gateway-check+…@` our own name: a message that comes to it through a connection proves the whole way once round,
from the tenant's rule with its secret header to here. It is noted and goes to nobody.

The token is good for one connection and one hour; whose message it is was settled before, as for every other."""

import base64
import binascii
import hmac
from typing import Final

from carepost.crypto.digest import hmac_sha256
from carepost.ground import clock, ids
from carepost.ground.keys import PurposeKeys
from carepost.proof import kinds
from carepost.queue.types import EventDraft
from carepost.wire.types import Submission

NAME: Final = "gateway-check"
#: minutes an address is good for
LASTS: Final = 60
_BEGINS: Final = f"{NAME}+"
_MINUTE: Final = 60_000_000
_AT, _MAC = 4, 10


class Returning:
    """`purposes` with `index`; `host`: our own name."""

    def __init__(self, purposes: PurposeKeys, host: str) -> None:
        self._key = purposes.raw("index", b"gateway-check")
        self._host = host.lower()

    def address(self, gateway: str) -> str:
        """Of a connection (its id), from now on."""
        at = (clock.now() // _MINUTE).to_bytes(_AT, "big")
        token = base64.b32encode(at + self._mac(gateway, at)).decode().rstrip("=").lower()
        return f"{_BEGINS}{token}@{self._host}"

    def addressed(self, submission: Submission) -> bool:
        """Whether it came through a connection and is for such addresses alone."""
        if not submission.gateway:
            return False
        return all(
            one.address[: len(_BEGINS)].lower() == _BEGINS and one.domain == self._host
            for one in submission.envelope.recipients
        )

    def fits(self, submission: Submission) -> bool:
        """Whether each is an address this connection was given within the hour."""
        return all(self._fits(one.address, submission.gateway) for one in submission.envelope.recipients)

    def _fits(self, address: str, gateway: str) -> bool:
        token = address.rpartition("@")[0][len(_BEGINS) :]
        try:
            raw = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
        except (binascii.Error, ValueError):
            return False
        at, mac = raw[:_AT], raw[_AT:]
        age = clock.now() // _MINUTE - int.from_bytes(at, "big")
        return 0 <= age <= LASTS and hmac.compare_digest(mac, self._mac(gateway, at))

    def _mac(self, gateway: str, at: bytes) -> bytes:
        return hmac_sha256(self._key, gateway.encode() + b"|" + at)[:_MAC]


def noted(submission: Submission, policy: str, shard: int) -> tuple[str, EventDraft]:
    """(id, event)."""
    id_ = ids.text(ids.new(shard))
    made = kinds.make(
        kinds.GATEWAY_RETURNED, id=ids.text(ids.new(shard)), org=ids.text(submission.org), at=clock.now(),
        actor=(submission.actor.kind, submission.actor.id), on=(id_,), policy=policy,
        facts={"gateway": submission.gateway},
    )  # fmt: skip
    return id_, EventDraft(*made)
