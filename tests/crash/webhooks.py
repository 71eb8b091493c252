"""A journal that tells an endpoint, to be killed: log, fan-out and calls of a real home; a receiver outside of it.

python webhooks.py HOME make COUNT URL     a home with an endpoint at URL and COUNT messages waiting
python webhooks.py HOME run CA [FAULT]     FAULT: point:number, SIGKILL at the so-many-th passing of the point

Where it is not killed, `run` ends with what stands there then, as JSON.
"""

import json
import sys
import threading
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from carepost.ground import home
from carepost.ground.keys import MasterKeyring
from carepost.settings import migrate
from carepost.wire.types import Drained
from tests.crash.journal import Fatal, Killer, enter

BATCH = 3


def make(at: Path, count: int, url: str) -> None:
    made = home.create(at, shards=1, sandbox=True)
    MasterKeyring.create(made.keyring())
    enter(at)
    migrate.migrate(made)
    mailroom, outbox = import_module("tests.support.mailroom"), import_module("tests.support.outbox")
    org = mailroom.clinic("maple", "maple.test").pk
    permissions = import_module("carepost.tenancy.permissions")
    import_module("carepost.webhooks.acts").add_endpoint(org, url, actor=permissions.BOOTSTRAP)
    shard = outbox.Engine()
    for _ in range(count):
        message, (delivery,) = shard.accepted(org.bytes)
        shard.sent(org.bytes, message, delivery)
    (at.parent / "outbox").write_bytes(msgspec.msgpack.encode(shard.waiting))


def run(at: Path, ca: str, fault: str) -> None:
    opened, settings, keys = enter(at)
    journal, commits = import_module("carepost.journal.run"), import_module("carepost.journal.commits")
    books, signers = import_module("carepost.archive.books"), import_module("carepost.journal.signers")
    reader, fanout = import_module("carepost.audit.reader"), import_module("carepost.webhooks.fanout").Fanout()
    hooks, https = import_module("carepost.delivery.hooks"), import_module("carepost.delivery.https")
    outward = import_module("carepost.ground.outward")
    killer, owed = Killer(fault), threading.Event()
    store = journal.open_store(opened, settings, keys)
    writer = commits.Commits(
        Fatal(store, killer, "commit"), books.book(), signers.signers(books.book(), keys), owed, fanout
    )
    calls = hooks.Calls(lambda: None, https.context(ca), outward.Allowed(sandbox=True))
    sending = import_module("carepost.webhooks.sending")
    side = Fatal(journal.open_store(opened, settings, keys), killer, "settle")
    sender = sending.Sender(side, fanout, lambda: calls, threading.Event(), quick=True)
    rows = msgspec.msgpack.decode((at.parent / "outbox").read_bytes(), type=list[Drained])
    source = import_module("tests.support.outbox").SOURCE
    taken = reader.sources(store).get(source, 0)
    office(writer)
    while taken < len(rows):
        batch = [row for row in rows if row.seq > taken][:BATCH]
        writer.commit(batch)
        taken = batch[-1].seq
        sender.step()
        killer.at("told")
    end = time.monotonic() + 60
    while time.monotonic() < end and waiting(store):
        time.sleep(min(0.02, sender.step()))
    calls.stop()
    print(json.dumps(found(store, rows)))


def office(writer: Any) -> None:
    """What stands in the office's outbox, as its drainer brings it."""
    events, scope = import_module("carepost.tenancy.events"), import_module("carepost.tenancy.scope")
    with scope.every("the journal drains every organisation's events"):
        rows = events.drain(0)
        writer.commit(rows)
        events.acknowledge(rows[-1].seq if rows else 0)


def waiting(store: Any) -> int:
    return int(store.rows("SELECT count(*) FROM webhookcalls_pending")[0][0])


def found(store: Any, rows: list[Drained]) -> dict[str, Any]:
    filters = import_module("carepost.webhooks.filters")
    kinds = filters.wanted(filters.Filter())
    events = [json.loads(row.event) for row in rows]

    def count(sql: str) -> int:
        return int(store.rows(sql)[0][0])

    return {
        "wanted": [event["id"] for event in events if event["kind"] in kinds],
        "waiting": waiting(store),
        "sent": count("SELECT count(DISTINCT event) FROM webhookcalls_try WHERE result = 'sent'"),
        "leaves": count("SELECT count(*) FROM audit_leaf WHERE source LIKE 'shard%'"),
        "events": len(events),
    }


if __name__ == "__main__":
    folder, verb, *more = sys.argv[1:]
    if verb == "make":
        make(Path(folder), int(more[0]), more[1])
    else:
        run(Path(folder), more[0], more[1] if len(more) > 1 else "")
