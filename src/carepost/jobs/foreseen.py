"""How many a job would act upon, before somebody begins it: counted over a bounded number of messages."""

import uuid
from collections import Counter
from typing import Final

import msgspec

from carepost.archive.search import Wanted, meant, search
from carepost.ground import ids
from carepost.jobs.resending import AGAIN
from carepost.jobs.types import Kind
from carepost.wire.types import Actor

#: messages that are counted at most, a page at a time
MOST: Final = 1_000
_PAGE: Final = 100
_STATES: Final = {
    Kind.RETRY: frozenset({"deferred"}),
    Kind.RETRACT: frozenset({"queued", "claimed", "deferred", "held", "deposited", "opened"}),
    Kind.RESEND: AGAIN,
}


class Foreseen(msgspec.Struct, frozen=True):
    """`deliveries`: kind -> how many recipients of these messages it would act upon (none for exports). `more`: there
    may be further messages, that were not counted."""

    messages: int
    deliveries: dict[str, int]
    more: bool


def foreseen(org: uuid.UUID, actor: Actor, wanted: Wanted) -> Foreseen:
    """Each page is a search on record. Raises NotFound (forbidden), Refused."""
    states: Counter[str] = Counter()
    seen, cursor = 0, ""
    for _ in range(MOST // _PAGE):
        page = search(org.bytes, actor, wanted, after=cursor, limit=_PAGE)
        seen += len(page.messages)
        for message in page.messages:
            those = set(meant(message, wanted))
            states.update(one.state for one in message.deliveries if ids.parse(one.id) in those)
        cursor = page.cursor
        if not cursor:
            break
    counts = {kind.value: sum(states[state] for state in those) for kind, those in _STATES.items()}
    return Foreseen(seen, counts, bool(cursor))
