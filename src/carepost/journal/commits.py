"""The one thread that writes: batches of every source, one transaction each time, acknowledged only after it."""

import queue
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec

from carepost.archive import tagging, tallies, writing
from carepost.archive.sums import Sums
from carepost.audit import sequencer
from carepost.audit.refusals import SequenceRefused
from carepost.audit.sequencer import Signers
from carepost.audit.store import Row, Store
from carepost.ground import clock, log, metrics
from carepost.journal.digest import Digest
from carepost.journal.traces import Traces
from carepost.journal.uses import Uses
from carepost.queue.sealing import OrgKeyBook
from carepost.webhooks.fanout import Fanout
from carepost.wire.types import Drained

#: events in one transaction; further batches wait for the next
MOST: Final = 6000


class Batch(msgspec.Struct):
    """What one source brought. Its drainer waits for `done`; then `error` says whether it stands in the log."""

    source: str
    rows: Sequence[Drained]
    done: threading.Event
    error: Exception | None = None


def batch(source: str, rows: Sequence[Drained]) -> Batch:
    return Batch(source, rows, threading.Event())


class Commits:
    """`submit` from any thread; `run` is the thread."""

    def __init__(
        self,
        store: Store,
        book: OrgKeyBook,
        signers: Signers,
        owed: "threading.Event",
        fanout: Fanout | None = None,
        traces: Traces | None = None,
        uses: Uses | None = None,
    ) -> None:
        """`owed`: set when a commit left something for the effects' thread. `fanout`: what endpoints are told of.
        `traces`: where a collector is given them. `uses`: told who handed mail in."""
        self._store = store
        self._book = book
        self._signers = signers
        self._owed = owed
        self._fanout = fanout or Fanout()
        self._traces = traces
        self._uses = uses or Uses()
        self._sums = Sums()
        self._waiting: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()

    def submit(self, one: Batch) -> None:
        self._waiting.put(one)

    def stop(self) -> None:
        self._waiting.put(None)

    def run(self) -> None:
        while (first := self._waiting.get()) is not None:
            group = [first]
            size = len(first.rows)
            while size < MOST and not self._waiting.empty():
                more = self._waiting.get()
                if more is None:
                    self._waiting.put(None)
                    break
                group.append(more)
                size += len(more.rows)
            self._together(group)

    def _together(self, group: list[Batch]) -> None:
        """One transaction for all; where one source is refused, each alone, so that it holds up nobody else."""
        try:
            self.commit([row for one in group for row in one.rows])
        except Exception as error:
            if len(group) > 1:
                for one in group:
                    self._together([one])
                return
            group[0].error = error
            _tell(group[0].source, error)
        for one in group:
            one.done.set()

    def commit(self, rows: Sequence[Drained]) -> None:
        """Log, history, index and what is owed, or nothing of them. Raises SequenceRefused, Unavailable, and what the
        database raises."""
        digest = Digest(self._book)
        digest.take(rows)
        now = clock.now()
        with self._store.writing():
            known = {source: int(seq) for source, seq in self._store.rows("SELECT source, seq FROM audit_source")}
            result = sequencer.sequence(_Within(self._store), digest.rows, self._signers, digest.events)
            if result.repeated:
                digest = self._fresh(digest.rows, known)
            tagging.write(self._store, self._book, digest.tagged)
            writing.write(
                self._store,
                list(digest.messages.values()),
                list(digest.deliveries.values()),
                digest.changes.values(),
                digest.effects,
                now,
            )
            tallies.write(self._store, self._book, digest.counts, self._sums)
            told = self._fanout.look(digest.rows, digest.events)
            if told is not None:
                self._fanout.write(self._store, told)
            # COMMIT POINT: a crash before it leaves log, history and what is owed as they were, and the outboxes keep
            # their events, which come again. A crash after it, before the acknowledgement: the same events come again
            # and are passed over; what is owed stands in `archive_effect`, and what endpoints are told in
            # `webhookcalls_pending`: both are done after the start.
        metrics.count("journal_events", result.appended)
        if digest.effects:
            self._owed.set()
        if told is not None:
            self._fanout.committed(told)
        self._uses.look(digest.events)
        if self._traces is not None:
            self._traces.offer(digest.events)

    def _fresh(self, rows: Sequence[Drained], known: dict[str, int]) -> Digest:
        """The digest of what was not in the log before: an old event must not undo what a later one said."""
        digest = Digest(self._book)
        digest.take([row for row in rows if row.seq > known.get(_source(row), 0)])
        return digest


def _source(row: Drained) -> str:
    return str(msgspec.json.decode(row.event)["source"])


def _tell(source: str, error: Exception) -> None:
    if isinstance(error, SequenceRefused):
        metrics.count("journal_refused")
        log.event("journal-refused", source=source, seq=error.seq, code=error.code)
    else:
        log.failure("journal-not-committed", error, source=source)


class _Within:
    """A store whose transaction is the caller's: log and history stand or fall together."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        return self._store.rows(sql, parameters)

    def many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        self._store.many(sql, rows)

    @contextmanager
    def writing(self) -> Iterator[None]:
        yield

    @contextmanager
    def reading(self, org: bytes | None) -> Iterator[None]:
        yield

    def migrate(self) -> None:
        raise AssertionError("tables are made at the start")
