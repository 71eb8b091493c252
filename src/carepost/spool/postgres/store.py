"""The store of a shard in PostgreSQL: written by one thread of the process that holds it, fenced at every group."""

import threading
from collections.abc import Sequence
from typing import Final

import psycopg

from carepost.ground import clock, log
from carepost.ground.errors import ConfigError, Unavailable
from carepost.spool.faults import Faults
from carepost.spool.listed import Listed
from carepost.spool.postgres import schema
from carepost.spool.postgres.holding import Held
from carepost.spool.postgres.reads import Lists, Reads
from carepost.spool.postgres.transaction import Transaction
from carepost.spool.types import Group, Outcome, Retire, Unit

#: the last statement of a group: its numbers, a longer lease, and the proof that nobody else has the shard
_FENCE: Final = (
    "UPDATE shard SET head=%s, acked=%s, lease_until = clock_timestamp() + make_interval(secs => %s)"
    " WHERE number=%s AND fence=%s"
)
#: plans of the writer: every statement goes by an index, whatever the statistics of a young table say
_PLANS: Final = "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off"


class _Fenced(Exception):
    """Another process holds the shard."""


class PostgresBackend(Listed, Reads):
    """See spool.backend for what each method promises."""

    def __init__(self, url: str, held: Held, lease_s: float, *, faults: Faults | None = None) -> None:
        """Raises ConfigError."""
        self._held = held
        self._lease_s = lease_s
        self._source = f"shard-{held.number:04d}"
        self._faults = faults
        self._turn = threading.Lock()
        self._writer: schema.Connection | None = None
        self._head = self._acked = 0
        self.doubtful = 0
        #: another process has the shard: nothing is ever written here again
        self.lost = False
        #: until when (monotonic) nobody else can have taken it
        self.valid_until = clock.monotonic() + lease_s
        try:
            super().__init__(url, held.number)
            self._lists = Lists(url, held.number)
            self._open_writer()
        except psycopg.Error as error:
            log.failure("spool-unreadable", error, shard=held.number)
            raise ConfigError(f"Shard {held.number} cannot be opened in PostgreSQL; see the server's log.") from None
        except _Fenced:
            raise ConfigError(f"Shard {held.number} was taken by another node meanwhile.") from None

    def commit(self, units: Sequence[Unit]) -> Group:
        outcomes: list[Outcome] = [None] * len(units)
        with self._turn:
            if self.lost:
                raise _lost()
            began = clock.monotonic()
            if self._writer is None:
                self._reopen()
            work = Transaction(self._writing, self._number, self._source, self._head, self._acked)
            try:
                self._carry_out(work, units, outcomes)
            except _Fenced:
                self._give_up()
                raise _lost() from None
            except (psycopg.Error, OSError) as error:
                log.failure("spool-commit-failed", error, shard=self._number)
                if not self._landed(work):
                    raise _unavailable() from None
            self._head, self._acked = work.head, work.acked
            self.valid_until = began + self._lease_s
        return Group(outcomes, work.drained)

    def _carry_out(self, work: Transaction, units: Sequence[Unit], outcomes: list[Outcome]) -> None:
        work.carry_out(units, outcomes)
        values = (work.head, work.acked, self._lease_s, self._number, self._held.fence)
        if self._writing.execute(_FENCE, values).rowcount != 1:
            raise _Fenced
        if self._faults is not None:
            self._faults.at("commit.before")
            if any(type(unit) is Retire for unit in units):
                self._faults.at("retire.commit")
        # COMMIT POINT: a crash before leaves nothing of the group; a crash after leaves all of it: messages are
        # accepted though nobody was told, claims and outcomes are on record. The shard's row is locked since the fence
        # was looked at: who takes the shard now waits for this group, and sees it.
        self._writing.execute("COMMIT")
        if self._faults is not None:
            self._faults.at("commit.after")

    def _landed(self, work: Transaction) -> bool:
        """After an error: is the group there? Told by the number of the newest event, which only this writer raises.
        The row is asked for under its lock, so that a commit still under way at the server is over."""
        expected, before = work.head, self._head
        self._drop_writer()
        try:
            self._open_writer()
        except _Fenced:
            self._give_up()
            return False
        except (psycopg.Error, OSError) as error:
            log.failure("spool-unreadable", error, shard=self._number)
            self._drop_writer()
            self.doubtful += 1
            return False
        return expected > before and self._head == expected

    def _give_up(self) -> None:
        self.lost = True
        self.valid_until = float("-inf")
        log.event("shard-lost", shard=self._number, fence=self._held.fence)
        self._drop_writer()

    @property
    def _writing(self) -> schema.Connection:
        if self._writer is None:
            raise _unavailable()
        return self._writer

    def _open_writer(self) -> None:
        self._writer = schema.connect(self._url, f"carepost-writer-{self._number:04d}")
        self._writer.execute(_PLANS)
        self._writer.execute("SET plan_cache_mode = force_generic_plan")
        with self._writer.transaction():
            row = self._writer.execute(
                "SELECT head, acked FROM shard WHERE number=%s AND fence=%s FOR UPDATE",
                (self._number, self._held.fence),
            ).fetchone()
        if row is None:
            raise _Fenced
        self._head, self._acked = row

    def _drop_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def _reopen(self) -> None:
        try:
            self._open_writer()
        except _Fenced:
            self._give_up()
            raise _lost() from None
        except (psycopg.Error, OSError) as error:
            log.failure("spool-unreadable", error, shard=self._number)
            self._drop_writer()
            raise _unavailable() from None

    def renewed(self, asked_at: float) -> None:
        """The lease goes on from `asked_at` (monotonic), when the holder asked for it."""
        if not self.lost:
            self.valid_until = max(self.valid_until, asked_at + self._lease_s)

    def fenced(self) -> None:
        """Another process has the shard, as the holder's renewal was told."""
        with self._turn:
            if not self.lost:
                self._give_up()

    def checkpoint(self) -> None:
        """The server's own business."""

    def close(self) -> None:
        with self._turn:
            Reads.close(self)
            self._lists.close()
            self._drop_writer()

    @property
    def head(self) -> int:
        return self._head

    @property
    def acked(self) -> int:
        return self._acked


def _unavailable() -> Unavailable:
    return Unavailable("spool-failed", "The message could not be stored; nothing was accepted. Try again later.")


def _lost() -> Unavailable:
    return Unavailable("shard-lost", "This node no longer holds the shard; nothing was accepted. Try again later.")
