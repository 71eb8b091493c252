"""Webhooks alone: events a second from the journal's commit to an endpoint's 204, and CPU seconds per 1,000 events.

    python bench/webhooks_bench.py [MESSAGES]    to one endpoint that takes all but steps in between

The receiver is Python's threaded HTTPS server in a process of its own: on two cores it takes as much as we do. A home
of its own under the system's temporary folder."""

import json
import multiprocessing
import resource
import sys
import tempfile
import threading
import time
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from carepost.ground import config, home
from carepost.ground.keys import MasterKeyring
from carepost.settings import boot, migrate

sys.path.insert(0, str(Path(__file__).parents[1]))
BATCH = 2000
#: seconds after which the run is given up
LONGEST = 300


def listen(folder: str, told: Connection) -> None:
    with import_module("tests.support.receiver").receiver(Path(folder)) as there:
        told.send((there.url, there.ca))
        while told.recv():
            told.send(len({one.headers["webhook-id"] for one in there.told}))


def main(arguments: list[str]) -> None:
    count = next((int(word) for word in arguments if word.isdigit()), 2000)
    with tempfile.TemporaryDirectory(prefix="carepost-bench-") as folder:
        ours, theirs = multiprocessing.Pipe()
        receiver = multiprocessing.get_context("spawn").Process(target=listen, args=(folder, theirs), daemon=True)
        receiver.start()
        url, ca = ours.recv()
        made = home.create(Path(folder) / "home", shards=1, sandbox=True)
        MasterKeyring.create(made.keyring())
        keys = MasterKeyring.open(made.keyring()).purposes()
        boot.setup("migrate", at=made, settings=config.load(made.path, {}), keys=keys)
        migrate.migrate(made)
        told, took, used = tell(made, keys, count, url, ca, ours)
        ours.send(False)
        receiver.join(10)
        each = used / told * 1000
        print(f"{count} messages, {told} events told: {told / took:.0f} events/s, {each:.3f} CPU s per 1,000")


def tell(made: Any, keys: Any, count: int, url: str, ca: str, receiver: Connection) -> tuple[int, float, float]:
    # by name, and late: they read Django's models, which exist only once the settings do
    rows, run = import_module("journal_rows"), import_module("carepost.journal.run")
    hooks, https = import_module("carepost.delivery.hooks"), import_module("carepost.delivery.https")
    outward, sending = import_module("carepost.ground.outward"), import_module("carepost.webhooks.sending")
    fanout = import_module("carepost.webhooks.fanout").Fanout()
    commits = run.commits_for(made, config.load(made.path, {}), keys, fanout=fanout)
    org = rows.organisation()
    permissions, uuid = import_module("carepost.tenancy.permissions"), import_module("uuid")
    import_module("carepost.webhooks.acts").add_endpoint(uuid.UUID(bytes=org), url, actor=permissions.BOOTSTRAP)
    scope, office = import_module("carepost.tenancy.scope"), import_module("carepost.tenancy.events")
    with scope.every("the bench drains every organisation's events"):
        commits.commit(office.drain(0))
    drained = rows.drained(org, count)
    calls = hooks.Calls(lambda: None, https.context(ca), outward.Allowed(sandbox=True))
    stopping = threading.Event()
    store = run.open_store(made, config.load(made.path, {}), keys)
    sender = sending.Sender(store, fanout, lambda: calls, stopping, quick=True)
    thread = threading.Thread(target=sender.run, daemon=True)
    began, cpu = time.perf_counter(), _cpu()
    for start in range(0, len(drained), BATCH):
        commits.commit(drained[start : start + BATCH])
    thread.start()
    filters = import_module("carepost.webhooks.filters")
    taken = filters.wanted(filters.Filter())
    wanted = sum(json.loads(row.event)["kind"] in taken for row in drained)
    told = 0
    while told < wanted and time.perf_counter() - began < LONGEST:
        time.sleep(0.2)
        receiver.send(True)
        told = receiver.recv()
    took, used = time.perf_counter() - began, _cpu() - cpu
    stopping.set()
    fanout.wake.set()
    thread.join(10)
    return told, took, used


def _cpu() -> float:
    used: Any = resource.getrusage(resource.RUSAGE_SELF)
    return float(used.ru_utime + used.ru_stime)


if __name__ == "__main__":
    main(sys.argv[1:])
