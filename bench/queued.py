"""A shard with many deliveries queued: what one more message costs, and how long claiming and listing take.

    python bench/queued.py                       10,000, 100,000 and 1,000,000 deliveries queued, generated
    python bench/queued.py --rows 10000000       up to 10^7 (about 1 KB a row without --kb); --folder DIR keeps the file

Rows are made through the store's own commits, in groups, with sealed columns of the usual sizes (random bytes), of 20
organisations in three streams to 2,000 destinations: ready, waiting, deferred and held. Past a million they are copies
of these under other ids, with shorter sealed columns, a million a commit. At each size, in milliseconds of 21 calls the
least, the middle and the worst by the clock, and the least of processor; and the least CPU of a message accepted,
claimed, settled and forgotten. A folder that has rows already is gone on with. Ends with 1 where the middle of a call
took more than --bar milliseconds."""

import argparse
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from carepost.ground import clock, database, ids
from carepost.proof.event import Draft, EventActor
from carepost.spool import migrate
from carepost.spool.sqlite import SqliteBackend
from carepost.spool.types import Accept, DeliveryRow, Flow, MessageRow, Move, Place, Promote, Retire, Sealing

ORGS = [bytes([0x60 + n]) * 16 for n in range(20)]
STREAMS = ("transactional", "operational", "bulk")
DESTINATIONS = [n.to_bytes(8, "big") for n in range(1, 2001)]
HOUR = 3_600_000_000
#: rows of one commit while the queue is filled, and from how many on they are copies
GROUP, COPIED = 250, 1_000_000
CALLS = 21
_RECORD, _KEY, _SEALED = os.urandom(620), os.urandom(65), os.urandom(480)


def event(at: int) -> Sealing:
    draft = Draft(ids.text(ids.new(0)), "o" * 36, at, "delivery.queued", EventActor("system", "bench"), ["m" * 36])
    return Sealing(ORGS[0], draft, _SEALED)


def accepted(number: int, body: bytes, events: int = 0, *, claimed: bool = False) -> Accept:
    """Of a hundred: 55 ready, 20 waiting, 15 deferred, 10 held; or claimed."""
    now = clock.now()
    org, stream = ORGS[number % len(ORGS)], STREAMS[number % len(STREAMS)]
    turn = number * 7919 % 100
    state, place, due, until = "queued", Place.READY, now - turn, 0
    if claimed:
        state, place, until = "claimed", Place.CLAIMED, now + HOUR
    elif turn >= 90:
        state, place, until = "held", Place.NOWHERE, now + 72 * HOUR
    elif turn >= 55:
        state, place, due = ("queued" if turn < 75 else "deferred"), Place.WAITING, now + HOUR + number
    message, delivery = ids.new(0), ids.new(0)
    row = DeliveryRow(
        delivery, message, org, stream, DESTINATIONS[number * 31 % len(DESTINATIONS)], state, place, due,
        _KEY[:16] if claimed else None, until, int(claimed), 0, 1, _RECORD,
    )  # fmt: skip
    stored = MessageRow(message, org, stream, now, len(body), delivery, _KEY, _RECORD, (body,))
    return Accept(stored, (row,), tuple(event(now) for _ in range(events)))


def settled(unit: Accept) -> Move:
    row = unit.deliveries[0]
    return Move(
        row.id, row.rev, row.lease, row.message, True, "sent", Place.NOWHERE, row.due_at, None, 0, 1, _RECORD, True,
        (event(clock.now()),),
    )  # fmt: skip


def multiply(folder: Path, count: int) -> None:
    """Up to `count` rows in millions: the first million's, under ids whose first octet says which copy they are of.
    A cut leaves whole copies, and the next run makes the others."""
    shard = database.connect(folder / "spool.db", None)
    indexes = re.findall(r"CREATE INDEX (delivery_\w+)[^;]+", text := "".join(text for _, text in migrate.files()))
    try:
        have = shard.execute("SELECT count(*) FROM message").fetchone()[0] // COPIED
        shard.execute("PRAGMA cache_size = -1000000")
        for name in indexes if have * COPIED < count else ():
            shard.execute(f"DROP INDEX IF EXISTS {name}")
        for copy in range(have, count // COPIED):
            shard.execute("BEGIN IMMEDIATE")
            for statement in _COPY:
                shard.execute(statement, {"n": bytearray([copy + 1]), "by": copy * 2 * COPIED})
            shard.execute("COMMIT")
            shard.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        known = {name for (name,) in shard.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
        for found in re.finditer(r"CREATE INDEX (delivery_\w+)[^;]+", text):
            if found[1] not in known:
                shard.execute(found[0])
        shard.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        shard.close()


_ID = "CAST(:n || substr({0}, 2) AS BLOB)"
#: the rows to copy are those of the least ids: time makes them, and theirs begins with an octet of 1
_COPY = (
    f"INSERT INTO body SELECT n + :by, substr(chunk, 1, 16) FROM body WHERE n < {2 * COPIED}",
    f"INSERT INTO message SELECT {_ID.format('id')}, org, stream, at, size, {_ID.format('deliveries')}, wrapped_key, "
    "substr(record, 1, 200), repeat, body + :by, segment, start, length FROM message WHERE id < x'02' ORDER BY id",
    f"INSERT INTO delivery SELECT {_ID.format('id')}, {_ID.format('message')}, org, stream, destination, state, place, "
    "due_at + :by, lease, lease_until, attempt, rev, alone, substr(record, 1, 300) FROM delivery WHERE id < x'02' "
    "ORDER BY id",
)


def fill(backend: SqliteBackend, count: int, body: bytes) -> None:
    known = backend.counts()
    have = known.ready + known.waiting + known.held
    for first in range(have, count, GROUP):
        backend.commit([accepted(n, body) for n in range(first, min(count, first + GROUP))])
        if first // GROUP % 40 == 39:
            backend.checkpoint()
        if first // GROUP % 400 == 399 and sys.stderr.isatty():
            print(f"\r{first} of {count}", end="", file=sys.stderr, flush=True)
    backend.checkpoint()


def life(backend: SqliteBackend, body: bytes, messages: int = 640, group: int = 32) -> tuple[float, float]:
    """(least CPU, least wall) of a message, microseconds: accepted claimed with two events, settled with one, gone."""
    best_cpu = best_wall = float("inf")
    for turn in range(5):
        units = [accepted(turn * messages + n, body, 2, claimed=True) for n in range(messages)]
        moves = [settled(unit) for unit in units]
        cpu, wall = time.thread_time(), time.perf_counter()
        for first in range(0, messages, group):
            backend.commit(units[first : first + group])
        for first in range(0, messages, group):
            backend.commit(moves[first : first + group])
        while backend.commit([Retire(backend.head, clock.now(), 500)]).outcomes[0] is True:
            pass
        best_cpu = min(best_cpu, time.thread_time() - cpu)
        best_wall = min(best_wall, time.perf_counter() - wall)
        backend.checkpoint()
    return best_cpu / messages * 1e6, best_wall / messages * 1e6


def calls(backend: SqliteBackend) -> dict[str, Callable[[], Any]]:
    flow = Flow(STREAMS[0], ORGS[0])
    now = clock.now()
    some = backend.open(ORGS[0], "queued", 1)[0]
    return {
        "look up a delivery": lambda: backend.delivery(some.id),
        "look up a body": lambda: backend.body(some.message),
        "flows (start)": lambda: backend.flows(Place.READY),
        "destinations": lambda: backend.destinations(flow, b"", 256),
        "claim: ready rows": lambda: backend.ready(flow, backend.destinations(flow, b"", 1)[0], 32),
        "claim: promote due": lambda: backend.commit([Promote(flow.stream, flow.org, now, 256)]),
        "next due": lambda: backend.next_due(flow),
        "expired leases": lambda: backend.expired(now, 100),
        "list queued, one org": lambda: backend.open(ORGS[3], "queued", 100),
        "list all, every org": lambda: backend.open(b"", "", 100),
        "list held": lambda: backend.held(ORGS[3], (1 << 62, b"\xff" * 16), 100),
        "held by org (waiting)": backend.waiting,
        "held too long": lambda: backend.overdue(now, 100),
        "counts (every 5 s)": backend.counts,
    }


def measure(backend: SqliteBackend, count: int, body: bytes, bar: float) -> bool:
    cpu, wall = life(backend, body)
    print(f"{count:>10,} queued: a message {cpu:.0f} us CPU, {wall:.0f} us wall", flush=True)
    good = True
    for name, call in calls(backend).items():
        took, spent = [], []
        for _ in range(CALLS):
            began, cpu = time.perf_counter(), time.thread_time()
            call()
            spent.append((time.thread_time() - cpu) * 1000)
            took.append((time.perf_counter() - began) * 1000)
            if sum(took) > 5_000:
                break
        took.sort()
        middle = took[len(took) // 2]
        good = good and middle <= bar
        print(
            f"{'':>12}{name:<24} {took[0]:9.2f} to {took[-1]:9.2f} ms, the middle {middle:9.2f}, "
            f"processor {min(spent):9.2f}",
            flush=True,
        )
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--kb", type=float, default=0.25, help="body of a queued message")
    parser.add_argument("--bar", type=float, default=100.0)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="carepost-queued-"))
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < options.rows * (2000 + options.kb * 2048):
        sys.exit("There is not room enough for so many rows; take --folder on a larger disk, or fewer --rows.")
    backend = SqliteBackend(folder, 0)
    good = True
    try:
        known = backend.counts()
        size = min(max(10_000, known.ready + known.waiting + known.held), options.rows)
        while True:
            fill(backend, min(size, COPIED), os.urandom(int(options.kb * 1024)))
            if size > COPIED:
                backend.close()
                multiply(folder, size)
                backend = SqliteBackend(folder, 0)
            good = measure(backend, size, os.urandom(10_240), options.bar) and good
            if size >= options.rows:
                break
            size = min(size * 10, options.rows)
        found = msgspec.structs.asdict(backend.counts())
        print(f"counts at the end: {found}, {(folder / 'spool.db').stat().st_size / 1e6:.0f} MB")
    finally:
        backend.close()
        if options.folder is None:
            shutil.rmtree(folder)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
