"""What follows from a commit: carried out after it, at least once, each idempotent, tried until it is done.

`archive_effect` is the durable list: the row is written with the commit that owes it and goes when it is done."""

import threading
from collections.abc import Callable
from typing import Final, Protocol

from django.db import close_old_connections

from carepost.archive.tables import org_value
from carepost.audit.store import Store
from carepost.crypto.rest import Damaged
from carepost.gateway import seen
from carepost.ground import clock, ids, log, metrics
from carepost.ground.errors import CarepostError, NotFound, Unavailable
from carepost.journal import bounces, deposits, keys, paces, reports
from carepost.journal.digest import (
    ASKED,
    BOUNCE,
    DECIDED,
    DEPOSIT,
    FAILURE,
    FOUND,
    GATEWAY,
    NOTICE,
    REFUSED,
    REPORT,
    UNSUBSCRIBED,
    WITHDRAWN,
)
from carepost.journal.status import Status
from carepost.mailbox import failures, notify
from carepost.proof import event as events
from carepost.proof.event import Event
from carepost.queue import restored
from carepost.queue.sealing import OrgKeyBook
from carepost.queue.types import StoredBody
from carepost.wire.types import Accepted, Submission

#: seconds before the next try, the last one repeated
AGAIN: Final = (0.5, 1, 2, 5, 15, 60)
#: tries after which a shard may forget the body of what cannot be laid into the portal at all
HOPELESS: Final = 20
_ROUND: Final = 50
_YOUNG_US: Final = 3_000_000


class Door(keys.Door, Protocol):
    """`intake.client.Client`, as far as the effects need it."""

    def body(self, org: bytes, message: bytes) -> StoredBody: ...

    def accept(self, submission: Submission) -> Accepted: ...


class Owed:
    """One row of the list, with its event."""

    def __init__(self, kind: str, source: str, seq: int, org: bytes, tries: int, event: Event, sealed: bytes) -> None:
        self.kind, self.source, self.seq, self.org, self.tries = kind, source, seq, org, tries
        self.event, self.sealed = event, sealed


class Effects:
    """`run` is a thread of its own; `acknowledged` is asked by the drainers."""

    def __init__(
        self,
        store: Store,
        book: OrgKeyBook,
        door: Door,
        status: Status,
        owed: threading.Event,
        stopping: threading.Event,
        restored_from: int = 0,
    ) -> None:
        """`store`: a connection of its own, shared by the threads that ask under a lock. `restored_from`: when the
        backup was made that this home was restored from: notices owed then may have been sent since, and are held."""
        self._store = store
        self._lock = threading.Lock()
        self._book = book
        self._door = door
        self._status = status
        self._owed = owed
        self._stopping = stopping
        self._restored_from = restored_from
        self._acts: dict[str, Callable[[Owed], str]] = {
            DEPOSIT: self._deposit, NOTICE: self._notice, REPORT: self._report,
            FAILURE: self._failure, FOUND: self._found,
            WITHDRAWN: self._withdrawn, DECIDED: self._decided, GATEWAY: self._gateway,
            BOUNCE: self._bounce, REFUSED: self._refused, UNSUBSCRIBED: self._unsubscribed,
            ASKED: self._asked,
            # owed before uses were remembered by day (`journal.uses`)
            "key-used": lambda _: "",
        }  # fmt: skip

    def acknowledged(self, source: str, taken: int) -> int:
        """How far a shard may forget: the body of a message that still goes into the portal is needed."""
        with self._lock, self._store.reading(None):
            rows = self._store.rows(
                "SELECT min(seq) FROM archive_effect WHERE kind = ? AND source = ? AND tries < ?",
                (DEPOSIT, source, HOPELESS),
            )
        first = rows[0][0]
        return taken if first is None else min(taken, int(first) - 1)

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                close_old_connections()
                if self.step():
                    continue
                wait = 1.0
            except Exception as error:
                log.failure("journal-effects", error)
                wait = 2.0
            self._owed.wait(wait)
            self._owed.clear()

    def step(self) -> int:
        """Carries out what is due; how many were tried."""
        due = self._due()
        for one in due:
            if self._stopping.is_set():
                break
            self._carry_out(one)
        return len(due)

    def _due(self) -> list[Owed]:
        sql = (
            "SELECT e.kind, e.source, e.seq, e.org_id, e.tries, l.org, l.event, l.sealed FROM archive_effect e "
            "JOIN audit_leaf l ON l.source = e.source AND l.seq = e.seq AND l.org = {org} "
            "WHERE e.due_at <= ? ORDER BY e.due_at, e.source, e.seq LIMIT ?"
        )
        org = "decode(replace(e.org_id::text, '-', ''), 'hex')" if _is_text(self._store) else "e.org_id"
        with self._lock, self._store.reading(None):
            rows = self._store.rows(sql.format(org=org), (clock.now(), _ROUND))
            count = int(self._store.rows("SELECT count(*) FROM archive_effect")[0][0])
        self._status.owes(count)
        return [
            Owed(kind, source, int(seq), bytes(org), int(tries), events.read(bytes(event)), bytes(sealed))
            for kind, source, seq, _, tries, org, event, sealed in rows
            if event is not None
        ]

    def _carry_out(self, one: Owed) -> None:
        try:
            follows = self._acts[one.kind](one)
        except (Unavailable, NotFound, Damaged) as error:
            self._later(one, error)
        except CarepostError as error:
            self._later(one, error)
        else:
            self._done(one, follows)

    def _deposit(self, one: Owed) -> str:
        deposits.lay(self._book, self._door, one.org, one.event, one.sealed)
        return NOTICE

    def _notice(self, one: Owed) -> str:
        delivery = one.event.on[1]
        held = one.event.at <= self._restored_from
        hold = (restored.REASON, restored.words_of(self._restored_from)) if held else None
        notify.notice(one.org, bytes.fromhex(delivery.replace("-", "")), door=self._door, n=1, hold=hold)
        notify.tell_agreed(one.org, ids.parse(delivery), door=self._door)
        return ""

    def _failure(self, one: Owed) -> str:
        """Most failures are of ordinary mail, whose own page tells them."""
        known = failures.failed(one.org, ids.parse(one.event.on[0]), one.event.cause, one.event.at)
        if not known and clock.now() - one.event.at < _YOUNG_US:
            # whoever handed the mail over may not have written down yet which message it became
            raise NotFound
        return ""

    def _gateway(self, one: Owed) -> str:
        seen.note(one.org, one.event)
        return ""

    def _bounce(self, one: Owed) -> str:
        return self._awaited(one, lambda: bounces.lay(self._book, one.org, one.event, one.sealed, self._door))

    def _refused(self, one: Owed) -> str:
        return self._awaited(one, lambda: bounces.refused(self._book, one.org, one.event))

    def _unsubscribed(self, one: Owed) -> str:
        return self._awaited(one, lambda: bounces.unsubscribed(self._book, one.org, one.event))

    def _awaited(self, one: Owed, act: Callable[[], None]) -> str:
        """History may read of the delivery a little later than of what came of it; what it never reads of is over."""
        try:
            act()
        except NotFound:
            if one.tries < HOPELESS:
                raise
            log.event("journal-bounce-unknown", kind=one.kind, source=one.source, seq=one.seq)
        return ""

    def _asked(self, one: Owed) -> str:
        paces.lay(self._book, one.org, one.event, one.sealed)
        return ""

    def _report(self, one: Owed) -> str:
        reports.lay(self._book, one.org, one.event, one.sealed)
        return ""

    def _found(self, one: Owed) -> str:
        keys.lay(self._book, one.org, one.event, one.sealed)
        return ""

    def _withdrawn(self, one: Owed) -> str:
        keys.withdrawn(one.org, one.event)
        return ""

    def _decided(self, one: Owed) -> str:
        if clock.now() - one.event.at < _YOUNG_US:
            # an engine that does not know of it yet would hold it once more
            raise NotFound
        keys.decided(one.org, one.event, self._door)
        return ""

    def _done(self, one: Owed, follows: str) -> None:
        # COMMIT POINT: a crash before it leaves the row, and the act, done already, is repeated and changes nothing
        # (a deposit is unique by delivery, a notice by its key). After it only what follows is left.
        with self._lock, self._store.writing():
            self._store.rows(
                "DELETE FROM archive_effect WHERE kind = ? AND source = ? AND seq = ?", (one.kind, one.source, one.seq)
            )
            if follows:
                self._store.rows(
                    "INSERT INTO archive_effect (kind, source, seq, org_id, due_at, tries) VALUES (?, ?, ?, ?, ?, 0) "
                    "ON CONFLICT DO NOTHING",
                    (follows, one.source, one.seq, org_value(self._store, one.org), clock.now()),
                )
        metrics.count(f"journal_{one.kind}")

    def _later(self, one: Owed, error: Exception) -> None:
        code = error.code if isinstance(error, CarepostError) else type(error).__name__
        log.event("journal-effect-again", kind=one.kind, source=one.source, seq=one.seq, tries=one.tries, code=code)
        wait = AGAIN[min(one.tries, len(AGAIN) - 1)]
        with self._lock, self._store.writing():
            self._store.rows(
                "UPDATE archive_effect SET tries = tries + 1, due_at = ? WHERE kind = ? AND source = ? AND seq = ?",
                (clock.now() + int(wait * 1e6), one.kind, one.source, one.seq),
            )


def _is_text(store: Store) -> bool:
    return isinstance(org_value(store, bytes(16)), str)
