"""Old bodies into the cold store, what is disposed of out of it, and everything back where a store is left. A thread of
its own: a store that answers slowly keeps nothing else waiting.

Write, read back, compare, and only then let go of what lies here. Each step is a row's state before and after it
(`cold.items`), so that whoever is killed between two of them does the first one again, which changes nothing."""

import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Final

from django.db import close_old_connections, connections

from carepost.cold import fetching, health, items, targets
from carepost.cold.fetching import Away
from carepost.cold.models import ACTIVE, GOING, KEPT, LEAVING, SENDING, Item, Target
from carepost.cold.s3 import Store
from carepost.ground import clock, log, metrics
from carepost.ground.keys import version_of
from carepost.mailbox import bodies
from carepost.mailbox.models import Body
from carepost.mailbox.within import within
from carepost.proof import kinds
from carepost.tenancy import scope, select

#: bodies, objects of one round; seconds between rounds without work, and after a fault
STEP: Final = 20
IDLE: Final = 30.0
#: the same in a sandbox home
QUICK: Final = 2.0
_DAY_US: Final = 86_400_000_000
#: no name of ours: whether the store answers
_NOBODY: Final = "carepost-check/nobody"


class Cooling:
    """`run` is a thread of its own. `step` is one round of it."""

    def __init__(
        self,
        run: Path | None,
        stopping: threading.Event,
        faults: Callable[[str], None] = lambda point: None,
        idle: float = IDLE,
    ) -> None:
        """`run`: the home's run folder. `faults`: called at each commit point, by name (tests). `idle`: seconds between
        rounds without work."""
        self._run, self._stopping, self._at, self._idle = run, stopping, faults, idle
        #: how long the last right answer of a store holds
        self._fresh_us = round(2 * idle * 1_000_000)
        self._known = False
        #: objects that came back otherwise than they went: they keep the others from nothing
        self._spoilt: dict[uuid.UUID, str] = {}

    def run(self) -> None:
        while True:
            wait = self._idle
            try:
                close_old_connections()
                if self.step(clock.now()):
                    wait = 0.0
            except Exception as error:
                log.failure("journal-cold", error)
            if wait:
                # a connection to PostgreSQL is dear
                connections.close_all()
            if self._stopping.wait(wait):
                return

    def step(self, now: int) -> int:
        """How many objects were put, deleted or brought back; 0: nothing to do, or nothing can be done."""
        rows = targets.every()
        done = sum(self._one(row, now) for row in rows)
        if self._run is not None and (rows or self._known):
            health.write(self._run, look(now))
        self._known = bool(rows)
        return done

    def _one(self, row: Target, now: int) -> int:
        store = targets.store_of(row)
        done = 0
        try:
            for item in _open(row):
                done += self._again(item, store)
            if row.state == ACTIVE:
                done += self._cool(row, store, now)
            elif row.state == LEAVING:
                done += self._bring(row, store)
            if not done and now - row.seen_at >= self._fresh_us:
                store.there(_NOBODY)
            self._well(row, now)
        except Away as away:
            _ill(row, away.word, now)
            return 0
        finally:
            store.close()
        return done

    def _well(self, row: Target, now: int) -> None:
        if row.fault or now - row.seen_at >= self._fresh_us:
            Target.objects.filter(pk=row.pk).update(seen_at=now, fault="", fault_at=0)
            if row.fault:
                log.event("cold-store-back", store=str(row.pk))

    def _cool(self, row: Target, store: Store, now: int) -> int:
        done = 0
        for organisation in select.organisations():
            for body in bodies.due(organisation.pk, now - row.days * _DAY_US, STEP):
                if self._stopping.is_set():
                    return done
                with within(organisation.pk.bytes):
                    found = Body.objects.filter(org_id=organisation.pk, pk=body, cold=None).first()
                    # one that was begun is in `_open`, unless that is younger than this round
                    if found is None or _begun(found):
                        continue
                    data = bytes(found.chunks)
                    item = items.begin(organisation.pk, row, found.message, data)
                    # COMMIT POINT: after it an object may lie under this name, and the row says so; before it, none
                self._at("begun")
                self._carry(item, data, store)
                done += 1
        return done

    def _carry(self, item: Item, data: bytes, store: Store) -> None:
        store.put(item.name, data)
        self._at("put")
        # read back and compared: only then what lies here may go
        fetching.right(item, store)
        self._at("verified")
        with within(item.org_id.bytes):
            body = Body.objects.select_for_update().filter(org_id=item.org_id, message=item.message, cold=None).first()
            if body is None or not Item.objects.filter(org_id=item.org_id, pk=item.pk, state=SENDING).exists():
                items.drop(item.org_id, [item.pk])
                return
            items.kept(item)
            body.cold, body.chunks = item, b""
            body.save(update_fields=["cold", "chunks"])
            # COMMIT POINT: before it the body lies here (and there), after it there alone, proved right a moment ago
        self._at("kept")
        metrics.count("journal_cooled")

    def _again(self, item: Item, store: Store) -> int:
        """What an earlier round, or an earlier process, did not finish."""
        if item.state == GOING:
            store.delete(item.name)
            self._at("deleted")
            if store.there(item.name):
                raise Away("not-deleted")
            with within(item.org_id.bytes):
                items.gone(item)
                # COMMIT POINT: before it the object is deleted again, which changes nothing
            return 1
        with within(item.org_id.bytes):
            body = Body.objects.filter(org_id=item.org_id, message=item.message, cold=None).first()
            data = bytes(body.chunks) if body is not None else b""
            if body is None:
                # disposed of while it was carried there
                items.drop(item.org_id, [item.pk])
        if body is not None:
            self._carry(item, data, store)
        return 1

    def _bring(self, row: Target, store: Store) -> int:
        with scope.every("a bucket is the installation's, and holds bodies of every organisation"):
            rows = Item.objects.filter(target=row, state=KEPT).order_by("pk")
            found = list(rows.exclude(pk__in=self._spoilt)[:STEP])
            spoilt = rows.filter(pk__in=self._spoilt).first()
        for item in found:
            try:
                data = fetching.right(item, store)
            except Away as away:
                if away.word not in ("missing", "damaged"):
                    raise
                self._spoilt[item.pk] = away.word
                continue
            with within(item.org_id.bytes):
                body = Body.objects.select_for_update().filter(org_id=item.org_id, cold=item).first()
                if body is not None:
                    body.cold, body.chunks = None, data
                    body.save(update_fields=["cold", "chunks"])
                    items.record(kinds.BODY_BACK, item)
                items.drop(item.org_id, [item.pk])
                # COMMIT POINT: before it the body lies there, after it here, and its object is deleted
            self._at("back")
        if not found and spoilt is not None:
            # all others are back: this is what is left to be said
            raise Away(self._spoilt[spoilt.pk])
        return len(found)


def look(now: int) -> health.Health:
    """Of all buckets, for people."""
    rows = targets.every()
    with scope.every("how many bodies of every organisation lie in the installation's buckets"):
        kept = Item.objects.filter(state=KEPT).count()
        going = Item.objects.filter(state=GOING).count()
    ill = next((row for row in rows if row.fault), None)
    shown = ill or next((row for row in rows if row.state == ACTIVE), rows[0] if rows else None)
    masters = tuple(version_of(bytes(row.wrapped)) for row in rows)
    name = f"{targets.place_of(shown).host}/{shown.bucket}" if shown is not None else ""
    return health.Health(now, name, kept, going, ill.fault if ill else "", ill.fault_at if ill else 0, masters)


def _open(row: Target) -> list[Item]:
    with scope.every("a bucket is the installation's, and holds bodies of every organisation"):
        return list(Item.objects.filter(target=row, state__in=(SENDING, GOING)).order_by("pk")[:STEP])


def _begun(body: Body) -> bool:
    return Item.objects.filter(org_id=body.org_id, message=body.message, state=SENDING).exists()


def _ill(row: Target, word: str, now: int) -> None:
    log.event("cold-away", cause=word, store=str(row.pk))
    Target.objects.filter(pk=row.pk).update(fault=word, fault_at=row.fault_at or now)
