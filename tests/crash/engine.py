"""A small engine to be killed: intake, queue and shard as they are, a worker that writes what it sends into a file.

    python engine.py FOLDER MESSAGES [FAULT]      FAULT: point:number, SIGKILL at the so-many-th passing of the point

A file `postgres` in FOLDER names the database the spool is in; without one it is a file. Files in FOLDER, each line
written by one system call: `acked` (what a client was told), `sent` (what a remote server took), `journal` (events,
written and synced before they are acknowledged). Ends with 0 when all is settled."""

import asyncio
import hashlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import uvloop

from carepost.directory.lookup import Directory
from carepost.directory.source import Loaded, StaticSource
from carepost.directory.types import OrgSnapshot, SenderDomain
from carepost.ground import clock, ids
from carepost.ground.config import Config
from carepost.ground.keys import PurposeKeys
from carepost.ground.orgkeys import OrgKeys
from carepost.intake.accept import Intake
from carepost.intake.orgkeys import DirectoryKeys
from carepost.policy.types import Assurance
from carepost.posture import Posture
from carepost.proof import event, kinds
from carepost.queue.queue import Queue
from carepost.queue.types import Claim, EventDraft, LeaseLost, MessageRecord, Settlement, State
from carepost.rfc.envelope import Envelope, Recipient
from carepost.spool.backend import Backend
from carepost.spool.postgres.holding import Holdings
from carepost.spool.postgres.store import PostgresBackend
from carepost.spool.shard import Shard
from carepost.wire.types import Actor, Origin, Submission

#: clients at once
CLIENTS = 8


class Secrets(msgspec.Struct):
    """What outlives the processes: the keyring and one organisation's keys."""

    purposes: bytes
    org: bytes
    keys: dict[str, tuple[int, bytes]]


def secrets() -> Secrets:
    purposes = PurposeKeys.ephemeral()
    org, org_keys = ids.new(), OrgKeys(purposes)
    return Secrets(purposes.dump(), org, {p: (1, org_keys.new(org, p)) for p in ("content", "evidence", "index")})


class Killer:
    """The only Faults there is: it ends the process at one passing of one point."""

    def __init__(self, fault: str) -> None:
        self._point, _, number = fault.partition(":")
        self._left = int(number or 0)

    def at(self, point: str) -> None:
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def body_of(number: int) -> bytes:
    head = f"From: nurse@clinic.test\r\nSubject: no. {number}\r\nMessage-ID: <{number}@clinic.test>\r\n\r\n"
    filling = hashlib.sha256(b"%d" % number).hexdigest().encode() + b"\r\n"
    # every fourth in a segment file, the others in their rows
    return head.encode() + filling * (3000 if number % 4 == 0 else 20)


class Log:
    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def line(self, text: str, *, sync: bool = False) -> None:
        os.write(self._fd, text.encode() + b"\n")
        if sync:
            os.fsync(self._fd)


def store(folder: Path, killer: Killer) -> Callable[[], Backend] | None:
    """The spool in PostgreSQL, held by this home without a break, as its own engine has it again after a crash."""
    if not (folder / "postgres").exists():
        return None
    url = (folder / "postgres").read_text()
    holdings = Holdings(url, "node-00/crash/0", "127.0.0.1:1", 30.0)

    def opened() -> Backend:
        held = holdings.take(0)
        assert held is not None, "its own lease is its own"
        return PostgresBackend(url, held, holdings.lease_s, faults=killer)

    return opened


class Worker:
    """Sends, by writing a line; its own fault points are `dot.marked` (not sent) and `dot.sent` (not settled)."""

    def __init__(self, queue: Queue, sent: Log, faults: Killer) -> None:
        self._queue, self._sent, self._faults = queue, sent, faults
        self._tasks: set[asyncio.Task[None]] = set()
        self.settled = 0

    def reserve(self, destination: bytes) -> bool:
        # every other delivery goes by way of `claim`
        return len(self._tasks) % 2 == 0

    def cancel(self, destination: bytes) -> None:
        pass

    def take(self, claim: Claim, message: MessageRecord, body: bytes) -> None:
        task = asyncio.ensure_future(self._attempt(claim, body))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def claim(self) -> None:
        while True:
            for claim in await self._queue.claim(10, wait_s=0.2):
                message = await self._queue.message(claim)
                self.take(claim, message, await self._queue.plain(claim))

    async def _attempt(self, claim: Claim, body: bytes) -> None:
        number = int(claim.record.recipient.address.partition("@")[0].removeprefix("p"))
        assert body.endswith(body_of(number)), "the body of another message, or a damaged one"
        self._queue.mark_dot(claim)
        self._faults.at("dot.marked")
        self._sent.line(f"{ids.text(claim.delivery)} {claim.attempt}")
        self._faults.at("dot.sent")
        made = kinds.make(
            kinds.DELIVERY_SENT, id=ids.text(ids.new(0)), org=ids.text(claim.org), at=clock.now(),
            actor=("system", "test"), on=(ids.text(claim.message), ids.text(claim.delivery)),
        )  # fmt: skip
        try:
            await self._queue.settle(claim, Settlement(State.SENT, claim.record, events=(EventDraft(*made),)))
        except LeaseLost:
            return
        self.settled += 1


async def drain(queue: Queue, journal: Log, after: int) -> None:
    while True:
        rows, _ = await queue.drain(after, after, 200, wait_s=0.1)
        if not rows:
            continue
        for row in rows:
            read = event.read(row.event)
            digest = hashlib.sha256(row.event).hexdigest()[:16]
            journal.line(f"{row.seq} {read.kind} {digest} {','.join(read.on)} {read.facts.get('attempt', '-')}")
        journal.line("", sync=True)
        after = rows[-1].seq


def done(folder: Path, name: str) -> list[list[str]]:
    """The whole lines of a file as words; a line cut by a kill was never finished."""
    try:
        raw = (folder / name).read_bytes()
    except FileNotFoundError:
        return []
    return [line.decode().split() for line in raw.split(b"\n")[:-1] if line]


async def main(folder: Path, messages: int, fault: str) -> None:
    kept = msgspec.msgpack.decode((folder / "secrets").read_bytes(), type=Secrets)
    purposes = PurposeKeys.load(kept.purposes)
    snapshot = OrgSnapshot(
        kept.org, "Clinic", 1, "v1", "Clinic", "", "", "", "", Assurance.VERIFIED, 14_400, (),
        (SenderDomain("clinic.test"),), (), kept.keys,
    )  # fmt: skip
    directory = Directory(StaticSource([Loaded(snapshot)]))
    directory.start()
    killer = Killer(fault)
    shard = Shard.open(folder / "spool" / "shard-0000", 0, faults=killer, store=store(folder, killer))
    queue = Queue(shard, DirectoryKeys(directory, purposes))
    worker = Worker(queue, Log(folder / "sent"), killer)
    await queue.start()
    queue.taker = worker
    intake = Intake({0: queue}, directory, Posture(), purposes, Config())
    told = {int(words[0]) for words in done(folder, "acked")}
    todo = [n for n in range(messages) if n not in told]
    acked = Log(folder / "acked")
    drained = max((int(words[0]) for words in done(folder, "journal")), default=0)
    background = [
        asyncio.ensure_future(worker.claim()),
        asyncio.ensure_future(drain(queue, Log(folder / "journal"), drained)),
    ]

    async def client() -> None:
        while todo:
            number = todo.pop()
            envelope = Envelope("nurse@clinic.test", (Recipient(f"p{number}@d{number % 3}.test"),))
            actor = Actor("credential", "c1")
            asked = Submission(kept.org, envelope, body_of(number), Origin.SMTP, actor, key=f"key-{number}")
            answer = await intake.accept(asked)
            acked.line(f"{number} {answer.message_id}")

    await asyncio.gather(*[client() for _ in range(CLIENTS)])
    while True:
        await asyncio.sleep(0.02)
        sent = {words[3].split(",")[1] for words in done(folder, "journal") if words[1] == kinds.DELIVERY_SENT}
        if len(sent) == messages and queue.stats()["outbox"] == 0 and shard.backend.acked == shard.backend.head:
            break
    for task in background:
        task.cancel()
    await asyncio.gather(*background, return_exceptions=True)
    await queue.close()
    shard.close()
    directory.stop()


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""))
