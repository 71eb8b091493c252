"""Listing, searching and reporting over months of traffic: milliseconds a page.

    python bench/activity_bench.py [MESSAGES] [HOME]     rows over 180 days, one recipient a message
    python bench/activity_bench.py 10000000 /data/home --generated

Rows are written as the journal writes them (sealed headers and addresses, search tokens, tallies), into a home of its
own under the system's temporary folder, or into HOME, where they are found again the next time. --generated: by the
database itself, one in forty as the journal writes it (bench/activity_rows.py): ten million in minutes; a run that was
cut goes on. --joined: the questions are asked once more after the index of each day was made one segment, as the
journal does by the clock. --database URL: the owner of an empty PostgreSQL database. Of each question up to PAGES
pages, by the clock and in processor time of this process."""

import argparse
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from carepost.ground import clock, config, home
from carepost.ground.keys import MasterKeyring
from carepost.settings import boot, migrate

DAYS = 180
DAY_US = 86_400_000_000
BATCH = 2000
#: pages looked at of each question, and what one may take
PAGES, BAR_MS = 12, 100.0
PROVIDERS = (("google", 40), ("microsoft", 25), ("yahoo", 10), ("", 25))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("messages", nargs="?", type=int, default=1_000_000)
    parser.add_argument("home", nargs="?", type=Path)
    parser.add_argument("--generated", action="store_true")
    parser.add_argument("--database", default="", metavar="URL")
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--joined", action="store_true")
    options = parser.parse_args()
    count = options.messages
    with tempfile.TemporaryDirectory(prefix="carepost-bench-") as folder:
        where = options.home or Path(folder) / "home"
        fresh = not where.exists()
        made = home.create(where, shards=1, sandbox=True) if fresh else home.open_(where)
        if fresh:
            MasterKeyring.create(made.keyring())
        keys = MasterKeyring.open(made.keyring()).purposes()
        environ = {"CAREPOST_DATABASE_URL": options.database} if options.database else {}
        boot.setup("migrate", at=made, settings=config.load(made.path, environ), keys=keys)
        migrate.migrate(made)
        org = _organisation(fresh)
        if fresh or options.generated:
            began, cpu = time.perf_counter(), time.process_time()
            if options.generated:
                book = import_module("carepost.archive.books").book()
                import_module("activity_rows").fill(
                    org, count, clock.now() // DAY_US, lambda at, number, chance: _row(org, book, at, number, chance)
                )
            else:
                _fill(org, count)
            took, spent = time.perf_counter() - began, time.process_time() - cpu
            print(f"{count:,} messages written in {took:.0f} s, {spent:.0f} s of processor", flush=True)
        slow = _ask(org, count, report=options.report)
        if options.joined:
            _join()
            slow = _ask(org, count, report=False)
        return slow


def _join() -> None:
    work = import_module("carepost.archive.joining").Joining(import_module("carepost.archive.store").store())
    took, spent, more = [], [], True
    while more:
        began, cpu = time.perf_counter(), time.process_time()
        more = work.step()
        took.append((time.perf_counter() - began) * 1000)
        spent.append((time.process_time() - cpu) * 1000)
    print(
        f"days joined in {len(took)} steps: median {statistics.median(took):.1f}, most {max(took):.1f} ms; "
        f"processor {statistics.median(spent):.1f}, most {max(spent):.1f} ms, {sum(spent) / 1000:.1f} s in all; "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB",
        flush=True,
    )


def _organisation(fresh: bool) -> bytes:
    if fresh:
        org: bytes = import_module("journal_rows").organisation()
        return org
    return bytes(import_module("carepost.tenancy.select").organisations()[0].pk.bytes)


def _id(at: int, chance: random.Random) -> bytes:
    return ((at // 1000 << 16 | 0x7000) << 64 | 1 << 63 | chance.getrandbits(62)).to_bytes(16, "big")


def _fill(org: bytes, count: int) -> None:
    writing, tallies = import_module("carepost.archive.writing"), import_module("carepost.archive.tallies")
    book = import_module("carepost.archive.books").book()
    store = import_module("carepost.archive.store").store()
    chance = random.Random(7)
    begin = clock.now() - DAYS * DAY_US
    for start in range(0, count, BATCH):
        rows = [
            _row(org, book, begin + DAYS * DAY_US * n // count, n, chance)
            for n in range(start, min(start + BATCH, count))
        ]
        with store.writing():
            writing.write(store, [m for m, _, _ in rows], [d for _, d, _ in rows], (), (), clock.now())
            tallies.write(store, book, {c.delivery: c for _, _, c in rows})


def _row(org: bytes, book: Any, at: int, number: int, chance: random.Random) -> tuple[Any, Any, Any]:
    """(message, delivery, counts) as the journal would make them of their events."""
    header, recipient = import_module("carepost.archive.header"), import_module("carepost.archive.recipient")
    tokens, writing = import_module("carepost.archive.tokens"), import_module("carepost.archive.writing")
    tallies, types = import_module("carepost.archive.tallies"), import_module("carepost.wire.types")
    index = import_module("carepost.crypto.index")
    message, delivery = _id(at, chance), _id(at, chance)
    provider = chance.choices([p for p, _ in PROVIDERS], [w for _, w in PROVIDERS])[0]
    domain = f"{provider}.test" if provider else f"house{chance.randrange(3000)}.test"
    address = f"person{chance.randrange(200_000)}@{domain}"
    state = chance.choices(["sent", "failed", "deferred", "deposited"], [955, 20, 5, 20])[0]
    method = "portal" if state == "deposited" else chance.choices(["tls", "smime"], [99, 1])[0]
    record = types.HistoryRecord(
        f"desk{number % 7}@clinic.test", f"desk{number % 7}@clinic.test",
        f"Your appointment on {chance.choice(['Monday', 'Friday'])}, visit {chance.randrange(50_000)}, at the clinic",
        f"<{number}@clinic.test>", (f"campaign-{number * 40 // 1_000_000}",),
    )  # fmt: skip
    sealed, wrapped = header.seal(book, org, message, header.encode(record))
    day = index.day_of(at)
    key = tokens.key_of(book, org, clock.now())
    found = tokens.of_header(key, day, record) | tokens.of_recipients(key, day, [address])
    change = writing.Change(delivery, org, state, method, "VERIFIED", "", "default-floor", provider, at)
    category = "marketing" if number % 50 == 0 else "transactional"
    measures = ["accepted", state if state in ("sent", "deposited") else "failed:mailbox-unknown", f"method:{method}"]
    return (
        writing.MessageRow(message, org, at, category, "api", 10_240, sealed, wrapped, found, day),
        writing.DeliveryRow(message, recipient.seal(book, org, delivery, address.encode()), change),
        tallies.Count(
            org, delivery, domain, provider, [*measures, f"took:{tallies.slot(chance.randrange(200, 90_000))}"]
        ),
    )


def _ask(org: bytes, count: int, *, report: bool) -> int:
    search = import_module("carepost.archive.search")
    actor = import_module("carepost.tenancy.permissions").COMMAND_LINE
    wanted = search.Wanted
    questions = {
        "the newest": wanted(),
        "failed": wanted(state="failed"),
        "failed at one group": wanted(state="failed", provider="yahoo"),
        "one group": wanted(provider="yahoo"),
        "S/MIME": wanted(method="smime"),
        "S/MIME, put off, one group": wanted(method="smime", state="deferred", provider="yahoo"),
        "ordinary and put off": wanted(method="tls", state="deferred"),
        "marketing": wanted(category="marketing"),
        "never there": wanted(assurance="MESSAGE"),
        "health found in it": wanted(content=("phi-high", "phi-likely")),
        "health found in it, failed": wanted(content=("phi-high", "phi-likely"), state="failed"),
        "never found in it": wanted(content=("pii-only",)),
        "opened": wanted(opened=("human", "undetermined"), category="marketing"),
        "not opened, at one group": wanted(opened=("no", "automated"), provider="yahoo"),
        "one person": wanted(recipient="person77@google.test"),
        "one person, put off": wanted(recipient="person77@google.test", state="deferred"),
        "nobody": wanted(recipient="nobody@nowhere.test"),
        "a large domain": wanted(domain="google.test"),
        "a large domain, put off": wanted(domain="google.test", state="deferred"),
        "a small domain": wanted(domain="house11.test"),
        "a tag": wanted(tag="campaign-3"),
        "common words": wanted(subject="appointment monday"),
        "a rare word": wanted(subject="visit 4711"),
        "a sender, failed, at one group": wanted(sender="desk3@clinic.test", state="failed", provider="google"),
        "three months ago": wanted(until=clock.now() - 90 * DAY_US, domain="google.test"),
    }
    slow = 0
    for name, asked in questions.items():
        took, spent, found = _pages(search.search, org, actor, asked)
        middle, high = statistics.median(took), statistics.quantiles([*took, took[-1]], n=20)[-1]
        over = "" if high <= BAR_MS else "   over the bar"
        slow += bool(over)
        print(
            f"{name:32s} {len(took):3d} pages, {found:4d} found: median {middle:6.1f}, p95 {high:6.1f} ms; "
            f"processor {statistics.median(spent):6.1f}, most {max(spent):6.1f} ms{over}",
            flush=True,
        )
    if report:
        began = time.perf_counter()
        import_module("carepost.archive.report").of(org, actor, since=clock.now() - 30 * DAY_US, until=clock.now())
        print(f"report of 30 days: {(time.perf_counter() - began) * 1000:.1f} ms")
    print(f"{slow} of {len(questions)} questions over {BAR_MS:.0f} ms, over {count:,} messages")
    return 1 if slow else 0


def _pages(search: Callable[..., Any], org: bytes, actor: Any, asked: Any) -> tuple[list[float], list[float], int]:
    """(milliseconds of each page, of processor, messages found)."""
    took, spent, found, cursor = [], [], 0, ""
    for _ in range(PAGES):
        began, cpu = time.perf_counter(), time.process_time()
        page = search(org, actor, asked, after=cursor)
        took.append((time.perf_counter() - began) * 1000)
        spent.append((time.process_time() - cpu) * 1000)
        found += len(page.messages)
        cursor = page.cursor
        if not cursor:
            break
    return took, spent, found


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    sys.exit(main())
