"""How deliveries went, over months: milliseconds a page, and what the sums of a home that was here before them cost.

    python bench/report_bench.py [MESSAGES] [DATABASE_URL]      generated counts over 180 days, one recipient a message

Counts are added as the journal adds them, a batch at a time, into a home of its own under the system's temporary
folder; with DATABASE_URL (the owner of an empty database) into PostgreSQL. A page is the best of three, in processor
time of this process and by the clock; what it asks over sums by domain and day alone stands beside it."""

import random
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from carepost.ground import clock, config, home
from carepost.ground.keys import MasterKeyring
from carepost.settings import boot, migrate

DAYS, DAY_US, BATCH, BAR_MS = 180, 86_400_000_000, 2000, 100.0
#: half of what goes to a group's hosts goes to domains of its customers; the long tail has hosts of its own
GROUPS = (("gmail", 40), ("microsoft", 25), ("yahoo", 10), ("", 25))


def main(arguments: list[str]) -> int:
    count = int(arguments[0]) if arguments else 1_000_000
    environ = {"CAREPOST_DATABASE_URL": arguments[1]} if len(arguments) > 1 else {}
    with tempfile.TemporaryDirectory(prefix="carepost-bench-") as folder:
        made = home.create(Path(folder) / "home", shards=1, sandbox=True)
        MasterKeyring.create(made.keyring())
        keys = MasterKeyring.open(made.keyring()).purposes()
        boot.setup("migrate", at=made, settings=config.load(made.path, environ), keys=keys)
        migrate.migrate(made)
        org: bytes = import_module("journal_rows").organisation()
        store = import_module("carepost.archive.store").store()
        _fill(org, store, count)
        _pack(store)
        told = {by: _pages(org, by) for by in ("provider", "day", "domain")}
        _forget(store)
        before = {by: _pages(org, by) for by in told}
        _sum(store)
        after = {by: _pages(org, by) for by in told}
    for by, (took, clocked, report) in told.items():
        same = all(_same(report, others[by][2]) for others in (before, after))
        word = "same" if same else "DIFFERENT"
        print(f"by {by:8s} {took:7.1f} ms, clock {clocked:7.1f}; by the sums by domain {before[by][0]:7.1f} ms; {word}")
    return 0 if max(took for took, _, _ in told.values()) <= BAR_MS else 1


def _fill(org: bytes, store: Any, count: int) -> None:
    tallies, sums = import_module("carepost.archive.tallies"), import_module("carepost.archive.sums")
    chance, keep = random.Random(7), sums.Sums()
    begin, took = clock.now() - DAYS * DAY_US, 0.0
    for start in range(0, count, BATCH):
        counts: dict[bytes, Any] = {}
        for number in range(start, min(start + BATCH, count)):
            one = _count(org, begin + DAYS * DAY_US * number // count, chance, tallies)
            counts[one.delivery] = one
        began = time.process_time()
        with store.writing():
            tallies.write(store, None, counts, keep)
        took += time.process_time() - began
    print(f"{count:,} messages counted: {1000 * took / count * 1000:.1f} ms of processor a thousand")


def _count(org: bytes, at: int, chance: random.Random, tallies: Any) -> Any:
    delivery = ((at // 1000 << 16 | 0x7000) << 64 | 1 << 63 | chance.getrandbits(62)).to_bytes(16, "big")
    group = chance.choices([g for g, _ in GROUPS], [w for _, w in GROUPS])[0]
    own = not group or chance.random() < 0.5
    domain = f"house{chance.randrange(3000)}.{group or 'own'}.test" if own else f"{group}.test"
    measures = ["accepted"]
    if chance.random() < 0.5:
        # read in one batch with what became of it; of the others, what is counted first has no group
        state = chance.choices(["sent", "failed:mailbox-unknown", "deposited"], [955, 25, 20])[0]
        measures += [state, "method:tls", "assurance:VERIFIED", f"took:{tallies.slot(chance.randrange(200, 90_000))}"]
        return tallies.Count(org, delivery, domain, group, measures)
    return tallies.Count(org, delivery, domain, "", measures)


def _pages(org: bytes, by: str) -> tuple[float, float, Any]:
    report = import_module("carepost.archive.report")
    actor = import_module("carepost.tenancy.permissions").COMMAND_LINE
    took, clocked = [], []
    for _ in range(3):
        began, by_clock = time.process_time(), time.perf_counter()
        found = report.of(org, actor, since=clock.now() - DAYS * DAY_US, until=clock.now(), by=by)
        took.append(1000 * (time.process_time() - began))
        clocked.append(1000 * (time.perf_counter() - by_clock))
    return min(took), min(clocked), found


def _same(one: Any, other: Any) -> bool:
    return bool((one.rows, one.total) == (other.rows, other.total))


def _forget(store: Any) -> None:
    with store.writing():
        for table in ("archive_daily", "archive_domain", "archive_summed", "archive_pack", "archive_late"):
            store.rows(f"DELETE FROM {table}")


def _sum(store: Any) -> None:
    _steps("a home that was here before: summed and compared", import_module("carepost.archive.summing").Summing(store))
    _pack(store)


def _pack(store: Any) -> None:
    _steps("days packed", import_module("carepost.archive.packing").Packing(store))


def _steps(what: str, work: Any) -> None:
    took = []
    while True:
        began = time.process_time()
        if not work.step():
            break
        took.append(1000 * (time.process_time() - began))
    print(f"{what} in {len(took)} steps, {sum(took) / 1000:.1f} s of processor, the longest {max(took):.0f} ms")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    sys.exit(main(sys.argv[1:]))
