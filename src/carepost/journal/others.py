"""Where several nodes share one PostgreSQL: the shards of the others, drained beside one's own, as nodes join."""

import threading
from collections.abc import Callable, Iterable
from typing import Final

from carepost.audit import reader
from carepost.audit.store import Store
from carepost.ground import log
from carepost.journal.drains import Drainer, source_of

#: seconds between looks for shards that were not there before
ROUND: Final = 2.0


class Others:
    """`run` is a thread of its own; each shard it finds gets one."""

    def __init__(
        self, store: Store, own: Iterable[int], drainer: Callable[[int, int], Drainer], stopping: threading.Event
    ) -> None:
        """`store`: a connection of its own. `drainer(number, taken)`: for a shard found, from that event on."""
        self._store, self._drainer, self._stopping = store, drainer, stopping
        self._known = set(own)
        self._threads: list[threading.Thread] = []

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.step()
            except Exception as error:
                log.failure("journal-others", error)
            self._stopping.wait(ROUND)
        for thread in self._threads:
            thread.join(4.0)

    def step(self) -> int:
        """How many shards were found."""
        with self._store.reading(None):
            rows = self._store.rows("SELECT number FROM carepost_spool.shard ORDER BY number")
        found = [int(number) for (number,) in rows if int(number) not in self._known]
        taken = reader.sources(self._store) if found else {}
        for number in found:
            drainer = self._drainer(number, taken.get(source_of(number), 0))
            thread = threading.Thread(target=drainer.run, name=f"journal-{drainer.source}", daemon=True)
            self._known.add(number)
            self._threads.append(thread)
            thread.start()
            log.event("journal-follows", source=drainer.source)
        return len(found)
