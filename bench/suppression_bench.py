"""A list of a million addresses nothing is sent to: what a page, a search, an import and an engine's look at it cost.

    python bench/suppression_bench.py [ENTRIES] [LINES]

ENTRIES generated rows (invented addresses; those that pages show are sealed as the act seals them) in a home of its own
under the system's temporary folder; LINES of CSV are imported beside them, half of them known or nearly so. Figures are
milliseconds of processor time: the pages by `destinations.suppressions`, an engine's part by `directory.suppressed`."""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from carepost.directory.suppressed import Suppressed
from carepost.ground import clock, config, home
from carepost.ground.keys import MasterKeyring
from carepost.settings import boot, migrate

BAR_MS = 100.0
_TOGETHER = 10_000


def main(arguments: list[str]) -> int:
    count, lines = int(arguments[0]) if arguments else 1_000_000, int(arguments[1]) if len(arguments) > 1 else 10_000
    with tempfile.TemporaryDirectory(prefix="carepost-bench-") as folder:
        made = home.create(Path(folder) / "home", shards=1, sandbox=True)
        MasterKeyring.create(made.keyring())
        keys = MasterKeyring.open(made.keyring()).purposes()
        boot.setup("migrate", at=made, settings=config.load(made.path, {}), keys=keys)
        migrate.migrate(made)
        org: bytes = import_module("journal_rows").organisation()
        _fill(org, count)
        slow = _pages(org)
        _import(org, lines)
    _engine(count)
    return 1 if slow else 0


def _address(number: int) -> str:
    return f"person.{number}@patients-{number % 977}.test"


def _fill(org: bytes, count: int) -> None:
    models, scope = import_module("carepost.tenancy.models"), import_module("carepost.tenancy.scope")
    sealing = import_module("carepost.tenancy.sealing")
    owner = import_module("uuid").UUID(bytes=org)
    began, now = time.perf_counter(), clock.now()
    keys = import_module("carepost.tenancy.address_tokens").standing(owner)
    for start in range(0, count, _TOGETHER):
        rows = []
        for number in range(start, min(start + _TOGETHER, count)):
            row = models.Suppression(
                org_id=owner, token=keys.token(_address(number)), under=keys.version,
                scope="all" if number % 3 else "marketing",
                reason="bounce" if number % 50 else "request", source="report", created_at=now, changed_at=now,
                expires_at=0 if number % 1000 else now + 1,
            )  # fmt: skip
            if number % 50 == 0 or count - number <= 2_000:
                place = sealing.place("tenancy_suppression", "sealed", row.pk)
                row.sealed = sealing.seal(owner, "evidence", _address(number).encode(), place)
            rows.append(row)
        with scope.organisation(owner):
            models.Suppression.objects.bulk_create(rows)
    print(f"{count:,} entries written in {time.perf_counter() - began:.0f} s")


def _cost(what: str, work: Callable[[], Any], bar: float = BAR_MS) -> bool:
    """Whether it took too long: the best of three."""
    took = []
    for _ in range(3):
        began = time.process_time()
        work()
        took.append(1000 * (time.process_time() - began))
    print(f"{what:44} {min(took):8.1f} ms{'   over the bar' if min(took) > bar else ''}")
    return min(took) > bar


def _pages(org: bytes) -> int:
    listed = import_module("carepost.destinations.suppressions")
    actor = import_module("carepost.tenancy.permissions").COMMAND_LINE
    first = listed.page(org, actor, limit=50)

    def page(**given: Any) -> Callable[[], Any]:
        return lambda: listed.page(org, actor, limit=50, **given)

    asked = {
        "the newest": {}, "the next page": {"after": first.cursor}, "one address": {"address": _address(12_345)},
        "an address that is not there": {"address": "nobody@nowhere.test"}, "one reason": {"reason": "request"},
        "a reason nobody has": {"reason": "complaint"}, "one scope": {"scope_": "marketing"},
        "a scope nobody has": {"scope_": "transactional"}, "with an end": {"ends": True},
        "without an end": {"ends": False}, "taken off of late": {"removed_since": clock.now() - 10**12},
    }  # fmt: skip
    return sum(_cost(f"page of 50: {what}", page(**given)) for what, given in asked.items())


def _import(org: bytes, lines: int) -> None:
    listed = import_module("carepost.destinations.suppressions")
    actor = import_module("carepost.tenancy.permissions").COMMAND_LINE
    known = [_address(number) for number in range(lines // 2)]
    new = [f"new.{os.urandom(6).hex()}@elsewhere.test" for _ in range(lines - len(known))]
    data = "\r\n".join(["address", *known, *new]).encode()
    for dry in (True, False):
        began = time.process_time()
        told = listed.import_(org, actor, data, dry_run=dry)
        took = time.process_time() - began
        how = "looked at" if dry else "imported"
        print(
            f"{told.lines:,} lines {how}: {took:.1f} s, {1000 * took / told.lines:.2f} ms a line ({told.known:,} known)"
        )


def _engine(count: int) -> None:
    began = time.process_time()
    whole = Suppressed.read((os.urandom(8), "all", "bounce", 0, 0, n) for n in range(count))
    print(f"an engine reads the whole list: {time.process_time() - began:.1f} s")
    for changes in (1, 64, 500, 5_000):
        rows = [(os.urandom(8), "all", "bounce", 0, 0, count + n) for n in range(changes)]
        _cost(f"an engine takes up {changes:,} changes", lambda rows=rows: whole.moved(rows))
    tokens = [os.urandom(8) for _ in range(1_000)]
    _cost("an engine asks for 1,000 addresses", lambda: [whole.covers(token, 1, 1) for token in tokens])


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    sys.exit(main(sys.argv[1:]))
