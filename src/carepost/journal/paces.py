"""What engines and events say of how mail leaves: what providers asked for, what new sending addresses did today."""

import threading
import uuid
from collections import Counter
from typing import Final

import msgspec

from carepost.crypto import rest
from carepost.destinations import warming
from carepost.ground import metrics
from carepost.pace import warmup
from carepost.proof import kinds
from carepost.proof.event import Event
from carepost.queue.sealing import Opener, OrgKeyBook
from carepost.wire import pacing

_COUNTED: Final = {kinds.DELIVERY_SENT: "delivered", kinds.DELIVERY_DEFERRED: "deferred"}


def lay(book: OrgKeyBook, org: bytes, event: Event, sealed: bytes) -> None:
    """Carries out one `provider.asked`; done before, it does nothing. Raises Damaged."""
    try:
        said = pacing.decode(Opener(book).openings(org, event, sealed)["noticed"][1])
    except (KeyError, msgspec.MsgspecError):
        raise rest.Damaged("a provider's wish without what it says") from None
    if warming.asked(uuid.UUID(bytes=org), said):
        metrics.count("providers_asked")


class Warmth:
    """`look` by the thread that commits, `write` by the chores. A crash in between leaves a minute's counts out: the
    engines keep to the day's share by their own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str, str, int], Counter[str]] = {}

    def look(self, event: Event) -> None:
        """An event that names the address a copy left from."""
        what = _COUNTED.get(event.kind, "")
        if event.kind == kinds.DELIVERY_FAILED and event.facts.get("bounce-class") == "hard":
            what = "hard"
        if not what:
            return
        provider = warmup.group(event.facts.get("provider", ""))
        key = (event.org, event.facts["source-address"], provider, event.at // warming.DAY_US)
        with self._lock:
            self._counts.setdefault(key, Counter())[what] += 1

    def write(self, now: int) -> None:
        with self._lock:
            waiting, self._counts = self._counts, {}
        for (org, ip, provider, day), counts in waiting.items():
            warming.count(uuid.UUID(org), ip, provider, day, counts)
        warming.plan(now)
