"""The embedded store of a shard: one SQLite file in WAL, written by one thread."""

import os
import threading
from collections.abc import Sequence
from pathlib import Path

from carepost.ground import database, log
from carepost.ground.database import Connection, DatabaseError
from carepost.ground.errors import ConfigError, Unavailable
from carepost.spool.faults import Faults
from carepost.spool.listed import Listed
from carepost.spool.migrate import migrate
from carepost.spool.reads import Lists, Reads
from carepost.spool.segments import ROLL, Segments
from carepost.spool.transaction import Transaction
from carepost.spool.types import Group, Outcome, Retire, Unit

FILE = "spool.db"
#: the log is cut back to this when a checkpoint has emptied it
_LOG_LIMIT = 128 * 1024 * 1024


class SqliteBackend(Listed, Reads):
    """See spool.backend for what each method promises."""

    #: the folder's lock is held until the process ends
    lost = False
    valid_until = float("inf")

    def __init__(self, folder: Path, number: int, *, faults: Faults | None = None, roll: int = ROLL) -> None:
        """Opens or makes the file; brings it to the newest form. Raises ConfigError."""
        self._path = folder / FILE
        self._number = number
        self._source = f"shard-{number:04d}"
        self._faults = faults
        #: held by the writer during a group, and by housekeeping for its short second half
        self._turn = threading.Lock()
        self._writer: Connection | None = None
        self._checkpointer: Connection | None = None
        self._head, self._acked, self._body = 0, 0, 1
        self.doubtful = 0
        try:
            self._open_writer()
            super().__init__(database.connect(self._path, None, readonly=True))
            lists = Lists(database.connect(self._path, None, readonly=True))
            self._lists = lists
        except (DatabaseError, OSError) as error:
            log.failure("spool-unreadable", error, shard=number)
            raise ConfigError(
                f"Shard {number} cannot be opened; check the disk and the rights of its folder."
            ) from None
        self._segments = Segments(folder, lists.segments(), faults, roll)

    def commit(self, units: Sequence[Unit]) -> Group:
        outcomes: list[Outcome] = [None] * len(units)
        with self._turn:
            if self._writer is None:
                self._reopen()
            work = Transaction(self._writing, self._segments, self._source, self._head, self._acked, self._body)
            work.bodies(units, outcomes)
            try:
                self._carry_out(work, units, outcomes)
            except (DatabaseError, OSError) as error:
                log.failure("spool-commit-failed", error, shard=self._number)
                if not self._landed(work):
                    self._segments.dropped(work.written)
                    raise _unavailable() from None
            self._head, self._acked, self._body = work.head, work.acked, work.body
            self._forget(work, units, outcomes)
        return Group(outcomes, work.drained)

    def _carry_out(self, work: Transaction, units: Sequence[Unit], outcomes: list[Outcome]) -> None:
        self._writing.execute("BEGIN IMMEDIATE")
        work.carry_out(units, outcomes)
        if self._faults is not None:
            self._faults.at("commit.before")
            if any(type(unit) is Retire for unit in units):
                self._faults.at("retire.commit")
        # COMMIT POINT: a crash before leaves nothing of the group (bodies in a segment's tail are never read); a crash
        # after leaves all of it: messages are accepted though nobody was told, claims and outcomes are on record.
        self._writing.execute("COMMIT")
        if self._faults is not None:
            self._faults.at("commit.after")

    def _landed(self, work: Transaction) -> bool:
        """After an error at or before COMMIT: is the group there? Told by the number of the newest event, which only
        this writer raises. A group without events says no; all such units may be repeated."""
        expected, before = work.head, self._head
        self._drop_writer()
        try:
            self._open_writer()
        except (DatabaseError, OSError, ConfigError) as error:
            log.failure("spool-unreadable", error, shard=self._number)
            self._drop_writer()
            self.doubtful += 1
            return False
        return expected > before and self._head == expected

    def _forget(self, work: Transaction, units: Sequence[Unit], outcomes: Sequence[Outcome]) -> None:
        """Segment files nothing points into any more. A failure leaves files for the next start to remove."""
        gone = work.dropped
        for segment, count in work.unused(units, outcomes).items():
            gone[segment] = gone.get(segment, 0) + count
        if gone:
            try:
                self._segments.dropped(gone)
            except OSError as error:
                log.failure("spool-segment-left", error, shard=self._number)

    @property
    def _writing(self) -> Connection:
        if self._writer is None:
            raise _unavailable()
        return self._writer

    def _open_writer(self) -> None:
        # made here, not by SQLite: its log and index then are private too
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self._writer = database.connect(self._path, None)
        self._writer.execute("PRAGMA wal_autocheckpoint = 0")
        self._writer.execute(f"PRAGMA journal_size_limit = {_LOG_LIMIT}")
        self._writer.execute("PRAGMA cache_size = -16384")
        migrate(self._writer, self._number)
        (head, acked), (newest,), (body,) = (
            self._writer.execute(sql).fetchone()
            for sql in ("SELECT head, acked FROM shard", "SELECT max(seq) FROM outbox", "SELECT max(n) FROM body")
        )
        self._head, self._acked, self._body = max(head, newest or 0), acked, (body or 0) + 1

    def _drop_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            try:
                writer.close()
            except DatabaseError as error:
                log.failure("spool-close-failed", error, shard=self._number)

    def _reopen(self) -> None:
        try:
            self._open_writer()
        except (DatabaseError, OSError, ConfigError) as error:
            log.failure("spool-unreadable", error, shard=self._number)
            self._drop_writer()
            raise _unavailable() from None

    def checkpoint(self) -> None:
        """The bulk goes without stopping the writer; the short rest under its turn, so that the log begins anew."""
        try:
            if self._checkpointer is None:
                self._checkpointer = database.connect(self._path, None)
            self._checkpointer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            with self._turn:
                self._checkpointer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except (DatabaseError, OSError) as error:
            log.failure("spool-checkpoint-failed", error, shard=self._number)

    def close(self) -> None:
        with self._turn:
            self._segments.close()
            Reads.close(self)
            self._lists.close()
            if self._checkpointer is not None:
                self._checkpointer.close()
            if self._writer is not None:
                try:
                    self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                except DatabaseError as error:
                    log.failure("spool-checkpoint-failed", error, shard=self._number)
            self._drop_writer()

    @property
    def head(self) -> int:
        return self._head

    @property
    def acked(self) -> int:
        return self._acked

    def body(self, id: bytes) -> tuple[bytes, ...] | None:
        found = self.place_of_body(id)
        if found is None:
            return None
        chunk, segment, start, length = found
        if segment is None:
            return None if chunk is None else (chunk,)
        try:
            return self._segments.read(segment, start, length)
        except (OSError, ValueError) as error:
            log.failure("spool-body-unreadable", error, shard=self._number)
            return None


def _unavailable() -> Unavailable:
    return Unavailable("spool-failed", "The message could not be stored; nothing was accepted. Try again later.")
