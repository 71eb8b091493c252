"""The local delivery worker as `accept` sees it: a delivery due now may be born claimed by it.

The common path of a message then costs two grouped commits, accept and settle, and its body is never read back.
"""

from typing import Protocol

from carepost.queue.types import Claim, MessageRecord


class Taker(Protocol):
    """Called on the engine's loop only; none of the three may block or raise."""

    def reserve(self, destination: bytes) -> bool:
        """Holds one free slot for a delivery about to be committed. False: no slot, or that destination has
        as many as it may have; the delivery then waits in the queue and comes by `claim`."""

    def cancel(self, destination: bytes) -> None:
        """Gives a reserved slot back: the commit failed and there is no such delivery."""

    def take(self, claim: Claim, message: MessageRecord, body: bytes) -> None:
        """The delivery is committed, leased to you and its attempt is on record; `body` is the plaintext."""
