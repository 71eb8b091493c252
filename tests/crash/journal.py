"""A journal to be killed: log, history, deposits and notices of a real home; a file in place of a shard and its door.

    python journal.py HOME make COUNT        a home with COUNT messages waiting, every third for the portal
    python journal.py HOME run [FAULT]       FAULT: point:number, SIGKILL at the so-many-th passing of the point
    python journal.py HOME check             what stands there now, as JSON

Files in HOME's parent, each line synced as it is written: `acked` (what the shard may forget), `mailed` (keys of
notices that entered by the one door)."""

import io
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from carepost.ground import config, home, ids, log
from carepost.ground.keys import MasterKeyring
from carepost.settings import boot, migrate
from carepost.wire.types import Accepted, Drained

BATCH = 4


class Killer:
    def __init__(self, fault: str) -> None:
        self._point, _, number = fault.partition(":")
        self._left = int(number or 0)

    def at(self, point: str) -> None:
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


class Fatal:
    """A store that dies before or after its transaction's end; `name` says whose it is."""

    def __init__(self, store: Any, killer: Killer, name: str) -> None:
        self._store, self._killer, self._name = store, killer, name

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def writing(self) -> Iterator[None]:
        with self._store.writing():
            yield
            self._killer.at(f"{self._name}.before")
        self._killer.at(f"{self._name}.after")


class Door:
    """What the journal asks of engines: bodies from a file, one mail for one key."""

    def __init__(self, folder: Path, killer: Killer) -> None:
        self._bodies = msgspec.msgpack.decode((folder / "bodies").read_bytes())
        self._folder, self._killer = folder, killer

    def body(self, _org: bytes, message: bytes) -> Any:
        chunks, wrapped, record = self._bodies[message.hex()]
        return import_module("carepost.queue.types").StoredBody(tuple(chunks), wrapped, record)

    def accept(self, submission: Any) -> Accepted:
        known = lines(self._folder / "mailed")
        if submission.key not in known:
            append(self._folder / "mailed", submission.key)
        self._killer.at("accepted")
        return Accepted(ids.text(ids.new(1)), (), repeated=submission.key in known)


def append(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def make(at: Path, count: int) -> None:
    made = home.create(at, shards=1, sandbox=True)
    MasterKeyring.create(made.keyring())
    enter(at)
    migrate.migrate(made)
    mailroom, outbox = import_module("tests.support.mailroom"), import_module("tests.support.outbox")
    books, sealing = import_module("carepost.archive.books"), import_module("carepost.queue.sealing")
    types = import_module("carepost.queue.types")
    org = mailroom.clinic("maple", "maple.test").pk.bytes
    shard, bodies = outbox.Engine(), {}
    for number in range(count):
        to = f"person{number}@patient.test"
        message, (delivery,) = shard.accepted(org, (to,))
        if number % 3:
            shard.sent(org, message, delivery)
            continue
        shard.deposited(org, message, delivery, to)
        raw = b"From: nurse@maple.test\r\nTo: " + to.encode() + b"\r\nSubject: x\r\n\r\nzebrafish\r\n"
        chunks, wrapped = sealing.seal_body(books.book(), org, message, raw)
        record = types.MessageRecord(
            "nurse@maple.test", "x", "", "nurse@maple.test", import_module("carepost.wire.types").Actor("key", "k"),
            "", None, False, False, "message", "transactional", "ordinary", "treatment", "api",
        )  # fmt: skip
        sealed = sealing.MessageSeal(books.book(), org, message).message(record)
        bodies[message.hex()] = (list(chunks), wrapped, sealed)
    (at.parent / "bodies").write_bytes(msgspec.msgpack.encode(bodies))
    (at.parent / "outbox").write_bytes(msgspec.msgpack.encode(shard.waiting))


def run(at: Path, fault: str) -> None:
    opened, settings, keys = enter(at)
    journal, effects = import_module("carepost.journal.run"), import_module("carepost.journal.effects")
    commits, reader = import_module("carepost.journal.commits"), import_module("carepost.audit.reader")
    books, signers = import_module("carepost.archive.books"), import_module("carepost.journal.signers")
    status = import_module("carepost.journal.status").Status(opened.run)
    killer, owed = Killer(fault), threading.Event()
    store = journal.open_store(opened, settings, keys)
    writer = commits.Commits(Fatal(store, killer, "commit"), books.book(), signers.signers(books.book(), keys), owed)
    side = Fatal(journal.open_store(opened, settings, keys), killer, "done")
    after = effects.Effects(side, books.book(), Door(at.parent, killer), status, owed, threading.Event())
    rows = msgspec.msgpack.decode((at.parent / "outbox").read_bytes(), type=list[Drained])
    source = import_module("tests.support.outbox").SOURCE
    taken = reader.sources(store).get(source, 0)
    acked = max(map(int, lines(at.parent / "acked")), default=0)
    assert acked <= taken, "the shard was told to forget what is not in the log"
    while taken < len(rows):
        # what was acknowledged is gone: whoever asks for it again gets a gap
        batch = [row for row in rows if row.seq > max(taken, acked)][:BATCH]
        writer.commit(batch)
        taken = batch[-1].seq
        acked = max(acked, after.acknowledged(source, taken))
        append(at.parent / "acked", str(acked))
        after.step()
    while after.step():
        pass
    append(at.parent / "acked", str(max(acked, after.acknowledged(source, taken))))


def check(at: Path) -> None:
    opened, settings, keys = enter(at)
    store = import_module("carepost.journal.run").open_store(opened, settings, keys)
    opener = import_module("carepost.archive.books").opener()
    report = import_module("carepost.audit.verify_log").verify_log(store, opener=opener.openings)
    scope = import_module("carepost.tenancy.scope")
    with scope.every("the test's own eyes"):
        deposits = import_module("carepost.mailbox.models").Deposit.objects.count()

    def count(table: str) -> int:
        return int(store.rows(f"SELECT count(*) FROM {table}")[0][0])

    print(
        json.dumps(
            {
                "findings": [f.code for r in [report, *report.logs] for f in r.findings],
                "leaves": count("audit_leaf"),
                "messages": count("archive_message"),
                "deliveries": count("archive_delivery"),
                "final": int(
                    store.rows("SELECT count(*) FROM archive_delivery WHERE state IN ('sent', 'deposited')")[0][0]
                ),
                "owed": count("archive_effect"),
                "deposits": deposits,
                "mailed": lines(at.parent / "mailed"),
                "acked": max(map(int, lines(at.parent / "acked")), default=0),
            }
        )
    )


def enter(at: Path, role: str = "journal") -> Any:
    log.start("journal", io.StringIO())
    opened = home.open_(at)
    settings = config.load(at, {})
    keys = MasterKeyring.open(opened.keyring()).purposes()
    boot.setup(role, at=opened, settings=settings, keys=keys)
    return opened, settings, keys


if __name__ == "__main__":
    folder, verb, *more = sys.argv[1:]
    if verb == "make":
        make(Path(folder), int(more[0]))
    elif verb == "run":
        run(Path(folder), more[0] if more else "")
    else:
        check(Path(folder))
