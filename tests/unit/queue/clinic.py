"""A queue over a real shard, two organisations with keys, messages made up, and a worker that takes what is given."""

import os
from pathlib import Path

import msgspec

from carepost.ground import clock, ids
from carepost.ground.errors import NotFound, Unavailable
from carepost.ground.keys import PurposeKeys
from carepost.ground.orgkeys import OrgKeys
from carepost.policy.types import Assurance, Method, Plan, Step
from carepost.proof import kinds
from carepost.queue.queue import Queue
from carepost.queue.sealing import KeyBook
from carepost.queue.types import (
    Claim,
    DeliveryRecord,
    EventDraft,
    MessageRecord,
    NewDelivery,
    NewMessage,
    Settlement,
    State,
)
from carepost.rfc.envelope import Recipient
from carepost.spool.budget import Budget
from carepost.spool.limits import Limits
from carepost.spool.shard import Shard
from carepost.spool.types import DeliveryRow
from carepost.wire.types import Actor, AttemptView
from tests.support import spools
from tests.support.spools import Node

CLINIC, HARBOUR = ids.new(), ids.new()
NURSE = Actor("credential", "nurse-1")
ADA = Actor("staff", "ada-1")
#: words that must never be found in a file
CANARY = "Xylographia Quillfeather"

PLAN = Plan(
    (Step(Method.TLS, Assurance.VERIFIED, "default-floor"), Step(Method.PORTAL, Assurance.MAILBOX, "portal-by-mail")),
    Assurance.VERIFIED, "default-floor", "tls", "Goes over a verified encrypted connection.", "v1",
)  # fmt: skip


class Keys:
    """Wrapped keys as the directory holds them; `away` is the office that cannot be read."""

    def __init__(self) -> None:
        self.purposes = PurposeKeys.ephemeral()
        self._org_keys = OrgKeys(self.purposes)
        self.away = False
        self.wrapped = {
            (org, purpose, 1): self._org_keys.new(org, purpose)
            for org in (CLINIC, HARBOUR)
            for purpose in ("content", "evidence")
        }
        self.newest = 1

    def rotate(self) -> None:
        self.newest += 1
        for org, purpose, version in list(self.wrapped):
            if version == 1:
                new = self._org_keys.new(org, purpose, self.newest)
                self.wrapped[org, purpose, self.newest] = new

    def find(self, org: bytes, purpose: str, version: int | None) -> tuple[int, bytes]:
        if self.away:
            raise Unavailable("directory-stale", "The office database cannot be read; try again later.")
        wanted = self.newest if version is None else version
        found = self.wrapped.get((org, purpose, wanted))
        if found is None:
            raise NotFound
        return wanted, found

    def book(self) -> KeyBook:
        """As a process that has just started has it."""
        return KeyBook(OrgKeys(self.purposes), self.find)


class Worker:
    """The local worker as accept sees it: `slots` free, what it was given in `given`."""

    def __init__(self, slots: int = 100) -> None:
        self.slots = slots
        self.given: list[tuple[Claim, MessageRecord, bytes]] = []

    def reserve(self, destination: bytes) -> bool:
        if self.slots <= 0:
            return False
        self.slots -= 1
        return True

    def cancel(self, destination: bytes) -> None:
        self.slots += 1

    def take(self, claim: Claim, message: MessageRecord, body: bytes) -> None:
        self.given.append((claim, message, body))


class House:
    """One shard's queue that can be closed and opened again, as another process would, or left as a killed one."""

    def __init__(self, folder: Path, *, bodies: int = 1 << 28, node: Node | None = None) -> None:
        """`node`: its rows are in PostgreSQL, under that holder."""
        self.folder = folder / "shard-0000"
        self.node = node
        self.keys = Keys()
        self.budget = Budget(bodies)
        self._open: tuple[Queue, Shard] | None = None

    async def queue(self, *, lease_s: float = 3600.0, start: bool = True, limits: Limits | None = None) -> Queue:
        shard = Shard.open(self.folder, 0, limits, store=self.node.backend if self.node else None)
        queue = Queue(shard, self.keys.book(), budget=self.budget, lease_s=lease_s)
        self._open = (queue, shard)
        if start:
            await queue.start()
        return queue

    async def close(self) -> None:
        if self._open is not None:
            queue, shard = self._open
            self._open = None
            await queue.close()
            shard.close()

    async def again(self, **options: object) -> Queue:
        """The next process. What the last one had claimed it had not settled: to the files that is a kill."""
        await self.close()
        return await self.queue(**options)  # type: ignore[arg-type]

    def lay(self, queue: Queue, rows: list[DeliveryRow]) -> None:
        """Deliveries written as they would lie there."""
        if self.node is not None:
            spools.lay(self.node.url, queue.number, rows)
            return
        names = DeliveryRow.__struct_fields__
        values = [[bytearray(v) if isinstance(v, bytes) else v for v in msgspec.structs.astuple(row)] for row in rows]
        writer = queue.shard.backend._writer  # type: ignore[attr-defined]
        writer.execute("BEGIN IMMEDIATE")
        marks = ",".join("?" * len(names))
        writer.executemany(f"INSERT INTO delivery ({','.join(names)}) VALUES ({marks})", values)
        writer.execute("COMMIT")

    def spoil(self, queue: Queue, delivery: bytes) -> None:
        """What the disk gives back for its record is none of ours."""
        if self.node is not None:
            spools.spoil(self.node.url, queue.number, delivery)
            return
        queue.shard.backend._writer.execute(  # type: ignore[attr-defined]
            "UPDATE delivery SET record = zeroblob(200) WHERE id = ?", (bytearray(delivery),)
        )

    def files(self) -> bytes:
        """All that lies on disk."""
        rows = spools.dump(self.node.url) if self.node else b""
        return rows + b"".join(p.read_bytes() for p in sorted(self.folder.rglob("*")) if p.is_file())


def destination(domain: str) -> bytes:
    return domain.encode().ljust(8, b".")[:8]


def record(address: str = "jane.roe@verified.test", **changes: object) -> DeliveryRecord:
    made = DeliveryRecord(
        Recipient(address), "nurse@clinic.test", PLAN, reason=PLAN.reason, words=PLAN.words, rule=PLAN.rule
    )
    return msgspec.structs.replace(made, **changes)


def message(
    *recipients: str,
    org: bytes = CLINIC,
    stream: str = "transactional",
    state: State = State.QUEUED,
    due_in_s: float = 0,
    body: bytes = b"",
    key: tuple[bytes, bytes, int] | None = None,
    repeat: bytes | None = None,
    repeats: bytes | None = None,
    subject: str = f"About {CANARY}",
) -> NewMessage:
    now = clock.now()
    id_ = ids.new(0)
    addresses = recipients or ("jane.roe@verified.test",)
    deliveries = tuple(
        NewDelivery(ids.new(0), destination(a.partition("@")[2]), state, now + int(due_in_s * 1_000_000), record(a))
        for a in addresses
    )
    accepted = kinds.make(
        kinds.MESSAGE_ACCEPTED, id=ids.text(ids.new(0)), org=ids.text(org), at=now, actor=("credential", "nurse-1"),
        on=(ids.text(id_),), values={"client": f"client of {CANARY}".encode()}, policy="v1", category="transactional",
    )  # fmt: skip
    queued = [
        EventDraft(
            *kinds.make(
                kinds.DELIVERY_QUEUED, id=ids.text(ids.new(0)), org=ids.text(org), at=now, actor=("system", "intake"),
                on=(ids.text(id_), ids.text(d.id)), values=kinds.commit_recipient(d.record.recipient.address),
            )
        )
        for d in deliveries
    ]  # fmt: skip
    made = MessageRecord(
        "nurse@clinic.test", subject, "<m1@clinic.test>", "nurse@clinic.test", NURSE, "192.0.2.7", None, False, False,
        "message", "transactional", "ordinary", "treatment", "smtp", metadata={"chart": CANARY},
    )  # fmt: skip
    text = body or f"From: nurse@clinic.test\r\n\r\nDear {CANARY},\r\n".encode()
    return NewMessage(
        id_, org, stream, now, text, made, deliveries, (EventDraft(*accepted), *queued), key, repeat, repeats
    )


def key(token: bytes | None = None, payload: bytes = b"payload") -> tuple[bytes, bytes, int]:
    return token or os.urandom(16), payload, clock.now() + 86_400_000_000


def settlement(claim: Claim, state: State = State.SENT, *, due_in_s: float = 0, **changes: object) -> Settlement:
    now = clock.now()
    view = AttemptView(
        claim.attempt, now, "tls", "VERIFIED", "VERIFIED", "dot", state.value, "", "", f"250 ok {CANARY}",
        "mx.verified.test", "TLSv1.3",
    )  # fmt: skip
    kind = kinds.DELIVERY_SENT if state is State.SENT else kinds.DELIVERY_DEFERRED
    event = EventDraft(
        *kinds.make(
            kind, id=ids.text(ids.new(0)), org=ids.text(claim.org), at=now, actor=("system", "delivery"),
            on=(ids.text(claim.message), ids.text(claim.delivery)), values=kinds.commit_wire(reply=f"250 {CANARY}"),
        )
    )  # fmt: skip
    after = msgspec.structs.replace(claim.record, attempts=(*claim.record.attempts, view), **changes)
    return Settlement(state, after, now + int(due_in_s * 1_000_000), (event,))
