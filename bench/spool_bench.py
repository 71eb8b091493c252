"""The spool alone: messages a second and CPU a message for accept + claim + settle + drain + drop, everything sealed.

    python bench/spool_bench.py              one engine, 20 and 100 submissions at once, through intake
    python bench/spool_bench.py parts        what each part of it costs, one after the other
    python bench/spool_bench.py store        SQLCipher against sealed columns, secure_delete, bytes against bytearray

No SMTP, TLS or DKIM; a worker that settles at once; a journal that drains and acknowledges. Only ratios from one run
on one machine mean anything."""

import asyncio
import gc
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from sqlcipher3 import dbapi2

from carepost.crypto import dkim
from carepost.directory.lookup import Directory
from carepost.directory.source import Loaded, StaticSource
from carepost.directory.types import OrgSnapshot, SenderDomain
from carepost.ground import clock, ids
from carepost.ground.config import Config
from carepost.ground.keys import PurposeKeys
from carepost.ground.orgkeys import OrgKeys
from carepost.intake import draft
from carepost.intake.accept import Intake
from carepost.intake.orgkeys import DirectoryKeys
from carepost.policy.types import Assurance, Rule
from carepost.posture import Measured, Posture
from carepost.proof import commitments, kinds
from carepost.queue import moves
from carepost.queue.accepting import Accepting
from carepost.queue.queue import Queue
from carepost.queue.types import Claim, EventDraft, MessageRecord, Settlement, State
from carepost.rfc import message as rfc_message
from carepost.rfc.envelope import Envelope, Recipient
from carepost.spool.shard import Shard
from carepost.spool.types import Retire
from carepost.wire.types import Actor, AttemptView, Origin, Submission

MESSAGES = 6000
_LINE = b"<p>Dear patient, this is a line of a letter about nothing in particular.</p>\r\n"
_HEAD = (
    b"From: Nurse <nurse@clinic.test>\r\nTo: jane.roe@verified.test\r\nSubject: Your appointment\r\n"
    b"Date: Sat, 21 Nov 2026 18:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n"
    b"Message-ID: <%d@clinic.test>\r\n\r\n"
)
BODY = _LINE * 125  # 10 KB


class Worker:
    """Settles what it is given at the loop's next turn."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self.settled = 0
        self.free = 1000
        self._tasks: set[asyncio.Task[None]] = set()

    def reserve(self, destination: bytes) -> bool:
        self.free -= self.free > 0
        return self.free > 0

    def cancel(self, destination: bytes) -> None:
        self.free += 1

    def take(self, claim: Claim, message: MessageRecord, body: bytes) -> None:
        task = asyncio.ensure_future(self._settle(claim))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _settle(self, claim: Claim) -> None:
        self.queue.mark_dot(claim)
        await self.queue.settle(claim, settlement(claim))
        self.free += 1
        self.settled += 1


def settlement(claim: Claim) -> Settlement:
    now = clock.now()
    view = AttemptView(
        1, now, "tls", "VERIFIED", "VERIFIED", "dot", "sent", "", "", "250 2.0.0 ok", "mx.verified.test", "TLSv1.3"
    )
    made = kinds.make(
        kinds.DELIVERY_SENT, id=ids.text(ids.new(0)), org=ids.text(claim.org), at=now, actor=("system", "delivery"),
        on=(ids.text(claim.message), ids.text(claim.delivery)), policy="v1", category="transactional",
        values={"sent": b"s" * 32, "mail": b"m" * 460, "wire": b"w" * 300},
        facts={"attempt": "1", "method": "tls", "achieved": "VERIFIED", "tls": "TLSv1.3", "dns-signed": "no"},
    )  # fmt: skip
    record = msgspec.structs.replace(claim.record, attempts=(view,))
    return Settlement(State.SENT, record, events=(EventDraft(*made),))


class Engine:
    def __init__(self, folder: Path) -> None:
        purposes = PurposeKeys.ephemeral()
        org_keys = OrgKeys(purposes)
        self.org = ids.new()
        keys = {p: (1, org_keys.new(self.org, p)) for p in ("content", "evidence", "index")}
        snapshot = OrgSnapshot(
            self.org, "Clinic", 1, "v1", "Clinic", "", "", "", "", Assurance.VERIFIED, 14_400,
            (Rule("portal-by-mail", portal_by_mail=True),), (SenderDomain("clinic.test"),), (), keys,
        )  # fmt: skip
        self.directory = Directory(StaticSource([Loaded(snapshot)]))
        self.directory.start()
        posture = Posture()
        posture.record("verified.test", Measured(hosts=("mx.verified.test",), tls=Assurance.VERIFIED, starttls=True))
        self.shard = Shard.open(folder / "shard-0000", 0)
        self.book = DirectoryKeys(self.directory, purposes)
        self.queue = Queue(self.shard, self.book)
        self.intake = Intake({0: self.queue}, self.directory, posture, purposes, Config())
        self.worker = Worker(self.queue)

    async def start(self) -> None:
        await self.queue.start()
        self.queue.taker = self.worker

    async def close(self) -> None:
        await self.queue.close()
        self.shard.close()
        self.directory.stop()

    def submission(self, number: int) -> Submission:
        envelope = Envelope("nurse@clinic.test", (Recipient("jane.roe@verified.test"),))
        body = _HEAD % number + BODY
        return Submission(
            self.org, envelope, body, Origin.SMTP, Actor("credential", "c1"), client="127.0.0.1", via="ESMTPSA"
        )


async def drain(queue: Queue) -> None:
    after = 0
    while True:
        rows, _ = await queue.drain(after, after, 2000, wait_s=1.0)
        after = rows[-1].seq if rows else after
        await asyncio.sleep(0.2)


async def load(folder: Path, at_once: int) -> None:
    engine = Engine(folder)
    await engine.start()
    submissions = [engine.submission(i) for i in range(MESSAGES)]
    waits: list[float] = []
    groups = [0]
    commit = engine.shard.backend.commit

    def counted(units: Sequence[Any]) -> Any:
        groups[0] += 1
        return commit(units)

    engine.shard.backend.commit = counted  # type: ignore[method-assign]

    async def client() -> None:
        while submissions:
            asked = submissions.pop()
            began = time.perf_counter()
            await engine.intake.accept(asked)
            waits.append(time.perf_counter() - began)

    journal = asyncio.ensure_future(drain(engine.queue))
    gc.freeze()
    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*[client() for _ in range(at_once)])
    while engine.worker.settled < MESSAGES:
        await asyncio.sleep(0.002)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    waits.sort()
    print(
        f"{at_once:4} at once: {MESSAGES / wall:6.0f} messages/s, {cpu / MESSAGES * 1e6:4.0f} us CPU a message, "
        f"{2 * MESSAGES / groups[0]:5.1f} units a commit, acceptance p50 {waits[len(waits) // 2] * 1e3:.1f} "
        f"p99 {waits[int(len(waits) * 0.99)] * 1e3:.1f} ms"
    )
    journal.cancel()
    await asyncio.gather(journal, return_exceptions=True)
    await engine.close()


def digests(raw: bytes) -> bytes:
    return commitments.mail_value(raw, b"h") + commitments.submitted_digest(raw)


def timed(name: str, work: Callable[[Any], Any], items: Sequence[Any], messages: int) -> list[Any]:
    cpu, wall = time.process_time(), time.perf_counter()
    results = [work(item) for item in items]
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(f"  {name:34} {cpu / messages * 1e6:7.1f} us CPU {wall / messages * 1e6:7.1f} us wall")
    return results


async def parts(folder: Path) -> None:
    """Everything on one thread, commits in groups of 20; the second round counts (files have grown by then)."""
    engine = Engine(folder)
    await engine.start()
    intake, queue, backend = engine.intake, engine.queue, engine.shard.backend
    gc.disable()
    n, group = 2000, 20
    for turn in range(2):
        print(f"round {turn + 1}")
        asked = [engine.submission(i) for i in range(n)]
        read = timed("intake: read, check", intake._read, asked, n)
        both = list(zip(asked, read, strict=True))
        judged = timed("intake: decide", lambda p: intake._judge(p[0], p[1][0], p[1][2]), both, n)
        drafts = [draft.Drafting(a, r[1], r[2], "v1", 0, "localhost") for a, r in both]
        drawn = list(zip(drafts, judged, strict=True))
        new = timed("intake: rows and events", lambda p: p[0].message(p[1], b"k" * 32, queue), drawn, n)
        timed("  of it rfc.message.read", lambda a: rfc_message.read(a.body), asked, n)
        timed("  of it body hash", lambda a: dkim.body_hash_relaxed(a.body), asked, n)
        timed("  of it digests", lambda a: digests(a.body), asked, n)
        engine.worker.free = n + 1
        accepting = [Accepting(engine.shard, engine.book, queue._claims, engine.worker, queue._budget, m) for m in new]
        units = timed("queue: seal", lambda a: a.unit(queue._lease), accepting, n)
        groups = [units[i : i + group] for i in range(0, n, group)]
        timed("spool: commit of acceptances", backend.commit, groups, n)
        claims = [a._born[0] for a in accepting]
        ended = list(zip(claims, timed("delivery: settlement", settlement, claims, n), strict=True))
        changed = timed("queue: seal settlement", lambda p: moves.settled(engine.book, *p), ended, n)
        timed("spool: commit of settlements", backend.commit, [changed[i : i + group] for i in range(0, n, group)], n)
        timed("spool: forgetting", backend.commit, [[Retire(backend.head, clock.now(), 500)]] * 20, n)
        timed("spool: checkpoint", lambda _: backend.checkpoint(), [0], n)
    await engine.close()


def store(folder: Path) -> None:
    """A message's life in bare SQLite: body 10 KB, 700-byte record, four events; settle; forget 20 groups later."""
    for key, secure, binding in (
        (True, "ON", bytearray), (False, "ON", bytes), (False, "ON", bytearray), (False, "FAST", bytearray),
        (False, "body off", bytearray),
    ):  # fmt: skip
        path = folder / f"{key}{secure}{binding.__name__}.db"
        _life(path, key, secure, binding)


def _life(path: Path, key: bool, secure: str, binding: type, messages: int = 6000, group: int = 20) -> None:
    db = dbapi2.connect(str(path), isolation_level=None, cached_statements=256)
    if key:
        db.execute(f"PRAGMA key = \"x'{os.urandom(32).hex()}'\"")
        db.execute("PRAGMA cipher_memory_security = OFF")
    for pragma in ("temp_store=MEMORY", "journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=0"):
        db.execute(f"PRAGMA {pragma}")
    db.execute(f"PRAGMA secure_delete={'ON' if secure == 'body off' else secure}")
    db.executescript(
        "CREATE TABLE m (id BLOB PRIMARY KEY, r BLOB, n INT) WITHOUT ROWID;"
        "CREATE TABLE b (n INTEGER PRIMARY KEY, c BLOB);"
        "CREATE TABLE d (id BLOB PRIMARY KEY, state TEXT, r BLOB) WITHOUT ROWID;"
        "CREATE TABLE o (seq INTEGER PRIMARY KEY, e BLOB);"
    )

    def many(head: str, columns: int, values: list[Any]) -> None:
        bound = [binding(v) if isinstance(v, bytes) else v for v in values]
        row = "(" + ",".join("?" * columns) + ")"
        db.execute(f"INSERT INTO {head} VALUES " + ",".join([row] * (len(values) // columns)), bound)

    body, record, event = os.urandom(10_000), os.urandom(700), os.urandom(600)
    seq, waiting = 0, []
    cpu, wall = time.process_time(), time.perf_counter()
    for first in range(0, messages, group):
        own = [ids.new(0) for _ in range(group)]
        for head, columns, values in (
            ("m", 3, [v for i, id_ in enumerate(own) for v in (id_, record, first + i)]),
            ("b", 2, [v for i in range(group) for v in (first + i, body)]),
            ("d", 3, [v for id_ in own for v in (id_, "claimed", record)]),
        ):
            db.execute("BEGIN IMMEDIATE") if head == "m" else None
            many(head, columns, values)
        many("o", 2, [v for i in range(3 * group) for v in (seq + i + 1, event)])
        db.execute("COMMIT")
        db.execute("BEGIN IMMEDIATE")
        for id_ in own:
            db.execute("UPDATE d SET state='sent', r=? WHERE id=?", (binding(record), binding(id_)))
        many("o", 2, [v for i in range(group) for v in (seq + 3 * group + i + 1, event)])
        db.execute("COMMIT")
        seq += 4 * group
        waiting += own
        if len(waiting) >= 20 * group:
            _forget(db, waiting, seq, first + group, secure)
            waiting = []
            db.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    kind = "SQLCipher" if key else "sealed columns"
    spent, rate = cpu / messages * 1e6, messages / wall
    print(f"  {kind:15} secure_delete {secure:9} {binding.__name__:9} {spent:5.0f} us CPU a message, {rate:6.0f}/s")
    db.close()


def _forget(db: Any, messages: list[bytes], seq: int, n: int, secure: str) -> None:
    db.execute("BEGIN IMMEDIATE")
    db.execute("DELETE FROM o WHERE seq <= ?", (seq,))
    if secure == "body off":
        db.execute("PRAGMA secure_delete=OFF")
    db.execute("DELETE FROM b WHERE n < ?", (n,))
    if secure == "body off":
        db.execute("PRAGMA secure_delete=ON")
    marks = ",".join("?" * len(messages))
    for table in ("m", "d"):
        db.execute(f"DELETE FROM {table} WHERE id IN ({marks})", [bytearray(m) for m in messages])
    db.execute("COMMIT")


def main() -> None:
    what = sys.argv[1] if len(sys.argv) > 1 else "load"
    folder = Path(tempfile.mkdtemp(prefix="spool-bench-"))
    try:
        if what == "store":
            store(folder)
        elif what == "parts":
            uvloop.run(parts(folder / "parts"))
        else:
            for at_once in (20, 100, 20, 100):
                uvloop.run(load(folder / f"load-{time.monotonic_ns()}", at_once))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
