"""A found key as an event: the key itself is for the journal's eyes, which lays it into `keyring`."""

from typing import Final

from carepost.ground import clock, ids
from carepost.proof import kinds
from carepost.queue.types import EventDraft
from carepost.wire import found as wire
from carepost.wire.found import Found

_SYSTEM: Final = ("system", "discovery")


def event(org: bytes, found: Found, policy: str, shard: int) -> EventDraft:
    """`keyring.key-found`."""
    return EventDraft(
        *kinds.make(
            kinds.KEY_FOUND, id=ids.text(ids.new(shard)), org=ids.text(org), at=clock.now(), actor=_SYSTEM, on=(),
            values={"key": wire.encode(found)}, facts={"method": found.method, "source": found.source}, policy=policy,
        )
    )  # fmt: skip
