"""Evidence past its retention: events' bytes and what is sealed beside them go, their hashes stay in the tree, so that
every checkpoint and every proof made before still holds (DESIGN 4; 45 CFR 164.316(b)(2)(i): six years at least).

What belongs to a message under legal hold stays whole. An organisation that keeps content for ever keeps its events."""

import uuid
from typing import Final

from carepost.archive import acts
from carepost.archive.marks import Marks
from carepost.audit.sequencer import subject_of
from carepost.audit.store import Store
from carepost.ground import ids, metrics
from carepost.proof import kinds
from carepost.tenancy import scope, select
from carepost.tenancy.actions.holds import ACTIVE
from carepost.tenancy.actions.retention import evidence_days
from carepost.tenancy.models import LegalHold
from carepost.wire.types import Actor

_ACTOR: Final = Actor("system", "journal")
_DAY_US: Final = 86_400_000_000
#: leaves, and messages, of one step
STEP: Final = 500
_KEYS: Final = "SELECT since FROM audit_key WHERE org = ? AND since > 0"


class Purging:
    """`step` until it answers 0: then everything of today is done."""

    def __init__(self, store: Store, marks: Marks) -> None:
        self._store = store
        self._marks = marks
        #: organisation -> the next leaf of today's walk
        self._next: dict[uuid.UUID, int] = {}

    def step(self, now: int) -> int:
        """How many leaves and messages of one organisation were looked at."""
        day = now // _DAY_US
        for org in select.organisations():
            name = f"purged:{org.pk}"
            if self._marks.get(name) >= day:
                continue
            days = evidence_days(org.pk)
            before = now - days * _DAY_US
            done = (self._leaves(org.pk, before) or self._messages(org.pk, before)) if days else 0
            if done:
                return done
            self._next.pop(org.pk, None)
            self._marks.put(name, day)
        return 0

    def _leaves(self, org: uuid.UUID, before: int) -> int:
        """Leaves that a checkpoint of that time covers: they are at least as old as it."""
        with self._store.reading(org.bytes):
            rows = self._store.rows(
                "SELECT max(size) FROM audit_checkpoint WHERE org = ? AND at <= ?", (org.bytes, before)
            )
        end = int(rows[0][0] or 0)
        begun = f"purged-to:{org}"
        first = self._next.get(org) or self._marks.get(begun)
        last = min(end, first + STEP)
        if last <= first:
            return 0
        held = self._held(org)
        with self._store.reading(org.bytes):
            kept = {
                int(index)
                for message in held
                for (index,) in self._store.rows(
                    "SELECT idx FROM audit_on WHERE org = ? AND subject = ? AND idx >= ? AND idx < ?",
                    (org.bytes, message, first, last),
                )
            }
            rows = self._store.rows(
                "SELECT idx FROM audit_leaf WHERE org = ? AND idx >= ? AND idx < ? AND event IS NOT NULL",
                (org.bytes, first, last),
            )
            # without the events that introduced the log's keys no later proof could be followed from an earlier key
            keys = {int(since) - 1 for (since,) in self._store.rows(_KEYS, (org.bytes,))}
        due = [int(index) for (index,) in rows if int(index) not in kept and int(index) not in keys]
        if due:
            self._purge(org, due)
        self._next[org] = last
        if not kept and self._marks.get(begun) == first:
            # what a hold keeps is looked at again every day, and everything after it
            self._marks.put(begun, last)
        return last - first

    def _purge(self, org: uuid.UUID, due: list[int]) -> None:
        acts.record(kinds.EVENTS_DISPOSED, org.bytes, _ACTOR, on=[str(org)], facts={"count": str(len(due))})
        with self._store.writing():
            self._store.many(
                "UPDATE audit_leaf SET event = NULL, sealed = ? WHERE org = ? AND idx = ?",
                [(b"", org.bytes, index) for index in due],
            )
            self._store.many("DELETE FROM audit_on WHERE org = ? AND idx = ?", [(org.bytes, index) for index in due])
            # COMMIT POINT: a crash before it leaves the events, and one that says they were disposed of; they are
            # disposed of again. After it their hashes alone are left.
        metrics.count("journal_purged", len(due))

    def _messages(self, org: uuid.UUID, before: int) -> int:
        """Rows of messages whose content is gone: recipients' addresses stand in them."""
        end = uuid.UUID(bytes=(max(0, before) // 1000 << 80).to_bytes(16, "big"))
        with self._store.writing():
            rows = self._store.rows(
                "SELECT id FROM archive_message WHERE org_id = ? AND id < ? AND disposed_at > 0 AND held_at = 0 "
                "ORDER BY id LIMIT ?",
                (org.hex, end.hex, STEP),
            )
            gone = [(org.hex, uuid.UUID(str(row)).hex) for (row,) in rows]
            self._store.many("DELETE FROM archive_delivery WHERE org_id = ? AND message = ?", gone)
            self._store.many("DELETE FROM archive_message WHERE org_id = ? AND id = ?", gone)
        return len(gone)

    def _held(self, org: uuid.UUID) -> list[bytes]:
        """Subjects of messages under legal hold, as the log names them."""
        with self._store.reading(org.bytes):
            rows = self._store.rows("SELECT id FROM archive_message WHERE org_id = ? AND held_at > 0", (org.hex,))
        with scope.organisation(org):
            asked = LegalHold.objects.filter(org_id=org, state__in=ACTIVE).values_list("message", flat=True)
            found = {*(uuid.UUID(str(row)) for (row,) in rows), *asked}
        return [subject_of(ids.text(one.bytes)) for one in found]
