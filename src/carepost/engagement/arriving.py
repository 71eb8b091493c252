"""Hits on their way into the tables: the one writer of what faces outside.

Whoever follows a link waits for nobody: a hit is laid into memory, and a thread writes what has gathered, a transaction
an organisation. What is alike within a minute is counted, not written again; a copy keeps at most MOST rows. While the
database is away hits wait, up to WAITING of them; beyond that they are counted and gone, and links go on leading on."""

import atexit
import threading
import uuid
from collections import deque
from collections.abc import Sequence
from typing import Final

import msgspec
from django.db import DatabaseError, IntegrityError, close_old_connections, transaction

from carepost.directory import columns
from carepost.engagement.models import Copy, Hit
from carepost.ground import ids, log, metrics
from carepost.ground.errors import CarepostError
from carepost.tenancy import keys, scope, sealing
from carepost.tracking import types as tracking
from carepost.tracking.types import Seen

#: rows of one copy; hits in memory; hits of one transaction
MOST: Final = 200
WAITING: Final = 20_000
_TOGETHER: Final = 500
#: alike within this time is one row (microseconds)
ALIKE_US: Final = 60_000_000
#: how long a copy is left in peace after its first new hit before it is judged: a sweep is over by then
SETTLE_US: Final = 60_000_000
QUICK_US: Final = 1_000_000
_AGAIN: Final = (0.5, 1.0, 2.0, 5.0, 15.0, 30.0)
PLACE: Final = ("engagement_hit", "sealed")


class Arrived(msgspec.Struct, frozen=True):
    """One hit. `mark`: 8 octets of a keyed hash of its features."""

    org: bytes
    delivery: bytes
    links: int
    decoy: bool
    #: UTC microseconds
    at: int
    seen: Seen
    mark: bytes


class Arrivals:
    """`put` from any thread. The thread that writes begins with the first hit, and ends with the process."""

    def __init__(self, settle: int = SETTLE_US) -> None:
        self._settle = settle
        self._waiting: deque[Arrived] = deque()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def put(self, one: Arrived) -> bool:
        """False: too many wait, and this one is not kept."""
        with self._lock:
            if len(self._waiting) >= WAITING:
                metrics.count("tracking_dropped")
                return False
            self._waiting.append(one)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="tracking", daemon=True)
                self._thread.start()
                atexit.register(self.stop)
        self._wake.set()
        return True

    def stop(self) -> None:
        """Writes what waits, for a few seconds at most."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(4.0)

    def _run(self) -> None:
        failures = 0
        while True:
            self._wake.wait(60.0)
            self._wake.clear()
            while self._waiting:
                if self.step():
                    failures = 0
                    continue
                if self._stopping.wait(_AGAIN[min(failures, len(_AGAIN) - 1)]):
                    return
                failures += 1
            if self._stopping.is_set():
                return

    def step(self) -> bool:
        """Writes what waits, a bounded number. False: the database is away, and they wait on."""
        with self._lock:
            batch = [self._waiting.popleft() for _ in range(min(_TOGETHER, len(self._waiting)))]
        by_org: dict[bytes, list[Arrived]] = {}
        for one in batch:
            by_org.setdefault(one.org, []).append(one)
        left: list[Arrived] = []
        for org, those in by_org.items():
            try:
                write(uuid.UUID(bytes=org), those, self._settle)
                metrics.count("tracking_hits", len(those))
            except (IntegrityError, CarepostError) as error:
                # an organisation that is no more, or whose keys are gone: nothing will ever take these
                log.failure("tracking-refused", error)
                metrics.count("tracking_dropped", len(those))
            except DatabaseError as error:
                log.failure("tracking-unwritten", error)
                left += those
        if left:
            close_old_connections()
            with self._lock:
                self._waiting.extendleft(reversed(left))
        return not left


def write(org: uuid.UUID, arrived: Sequence[Arrived], settle: int = SETTLE_US) -> None:
    """One transaction. Raises NotFound for an organisation without keys, and what the database raises."""
    by_delivery: dict[uuid.UUID, list[Arrived]] = {}
    for one in arrived:
        by_delivery.setdefault(uuid.UUID(bytes=one.delivery), []).append(one)
    with scope.organisation(org), transaction.atomic():
        version, key = keys.current(org, "evidence")
        for delivery, those in sorted(by_delivery.items()):
            _copy(org, delivery, those, settle)
            rows = list(Hit.objects.filter(org_id=org, delivery=delivery).order_by("last_at"))
            known, count = {_name(row): row for row in rows}, len(rows)
            for one in those:
                row = known.get((one.seen.kind, one.seen.role, one.seen.link, one.mark))
                if row is None or (one.at - row.last_at > ALIKE_US and count < MOST):
                    if count >= MOST:
                        continue
                    count += 1
                    row = _new(org, delivery, one, version, key)
                    known[_name(row)] = row
                else:
                    row.count += 1
                    row.last_at = max(row.last_at, one.at)
                    row.save(update_fields=["count", "last_at"])
        # COMMIT POINT: before it none of these hits is known; after it all are, and their copies are due to be judged


def _name(row: Hit) -> tuple[str, str, int, bytes]:
    return row.kind, row.role, row.link, bytes(row.mark)


def _copy(org: uuid.UUID, delivery: uuid.UUID, arrived: Sequence[Arrived], settle: int) -> None:
    first = arrived[0]
    row, made = Copy.objects.select_for_update().get_or_create(
        org_id=org, delivery=delivery,
        defaults={"links": first.links, "decoy": first.decoy, "due_at": first.at + settle, "hits": len(arrived)},
    )  # fmt: skip
    if made:
        return
    row.hits += len(arrived)
    row.links, row.decoy = max(row.links, first.links), row.decoy or first.decoy
    row.due_at = row.due_at or first.at + settle
    row.save(update_fields=["hits", "links", "decoy", "due_at"])


def _new(org: uuid.UUID, delivery: uuid.UUID, one: Arrived, version: int, key: bytes) -> Hit:
    row = Hit(
        id=uuid.UUID(bytes=ids.new()), org_id=org, delivery=delivery, kind=one.seen.kind, role=one.seen.role,
        link=one.seen.link, at=one.at, last_at=one.at, mark=one.mark,
    )  # fmt: skip
    row.sealed = columns.seal(key, version, org.bytes, tracking.encode(one.seen), sealing.place(*PLACE, row.pk))
    row.save(force_insert=True)
    return row
