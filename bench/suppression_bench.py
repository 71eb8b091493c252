"""A list of a million addresses nothing is sent to: what a page, a search, an import and an engine's look at it cost.

    python bench/suppression_bench.py [ENTRIES] [LINES] [DATABASE_URL]

ENTRIES generated rows (bench/suppression_rows.py) in a home of its own under the system's temporary folder, or with
DATABASE_URL (the owner of an empty database) in PostgreSQL; LINES of CSV are imported beside them, some of them known,
and ten times as many by a job. Figures are milliseconds of processor time of this process, and by the clock: the pages
by `destinations.suppressions` and by REST, an engine's part by `directory.suppressed`."""

import os
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from carepost.directory.suppressed import Suppressed
from carepost.ground import clock, config, home
from carepost.ground.keys import MasterKeyring
from carepost.settings import boot, migrate

BAR_MS = 100.0
#: of the last page of what stands, behind a million that ended: all of them are passed by, in their index alone
LAST_MS = 1_000.0


def main(arguments: list[str]) -> int:
    count, lines = int(arguments[0]) if arguments else 1_000_000, int(arguments[1]) if len(arguments) > 1 else 10_000
    with tempfile.TemporaryDirectory(prefix="carepost-bench-") as folder:
        made = home.create(Path(folder) / "home", shards=1, sandbox=True)
        MasterKeyring.create(made.keyring())
        keys = MasterKeyring.open(made.keyring()).purposes()
        environ = {"CAREPOST_DATABASE_URL": arguments[2]} if len(arguments) > 2 else {}
        boot.setup("migrate", at=made, settings=config.load(made.path, environ), keys=keys)
        migrate.migrate(made)
        org: bytes = import_module("journal_rows").organisation()
        owner, rows = uuid.UUID(bytes=org), import_module("suppression_rows")
        began = time.perf_counter()
        rows.fill(owner, count)
        print(f"{count:,} entries written in {time.perf_counter() - began:.0f} s")
        slow = _pages(org)
        _import(org, lines)
        slow += _rest(owner)
        _job(owner, lines * 10)
        slow += _ended(owner)
    _engine(count)
    return 1 if slow else 0


def _cost(what: str, work: Callable[[], Any], bar: float = BAR_MS) -> bool:
    """Whether it took too long: the best of three."""
    took, clocked = [], []
    for _ in range(3):
        began, by_clock = time.process_time(), time.perf_counter()
        work()
        took.append(1000 * (time.process_time() - began))
        clocked.append(1000 * (time.perf_counter() - by_clock))
    word = "   over the bar" if min(took) > bar else ""
    print(f"{what:44} {min(took):8.1f} ms, clock {min(clocked):8.1f}{word}")
    return min(took) > bar


def _pages(org: bytes) -> int:
    listed = import_module("carepost.destinations.suppressions")
    actor = import_module("carepost.tenancy.permissions").COMMAND_LINE
    first, known = listed.page(org, actor, limit=50), import_module("suppression_rows").address(123)

    def page(**given: Any) -> Callable[[], Any]:
        return lambda: listed.page(org, actor, limit=50, **given)

    asked: dict[str, dict[str, Any]] = {
        "the newest": {}, "the next page": {"after": first.cursor}, "one address": {"address": known},
        "an address that is not there": {"address": "nobody@nowhere.test"}, "one reason": {"reason": "request"},
        "a reason nobody has": {"reason": "complaint"}, "one scope": {"scope_": "marketing"},
        "a scope nobody has": {"scope_": "transactional"}, "with an end": {"ends": True},
        "without an end": {"ends": False}, "two that nobody has": {"reason": "complaint", "scope_": "marketing"},
        "three, few": {"reason": "request", "scope_": "marketing", "ends": True},
        "taken off of late": {"removed_since": clock.now() - 10**12},
    }  # fmt: skip
    return sum(_cost(f"page of 50: {what}", page(**given)) for what, given in asked.items())


def _import(org: bytes, lines: int) -> None:
    listed = import_module("carepost.destinations.suppressions")
    actor = import_module("carepost.tenancy.permissions").COMMAND_LINE
    known = [import_module("suppression_rows").address(number) for number in range(min(2_000, lines // 2))]
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


def _rest(owner: uuid.UUID) -> int:
    """As a program asks, without the server before it."""
    client, faces = import_module("django.test").Client, import_module("carepost.settings.faces")
    permissions = import_module("carepost.tenancy.permissions")
    adding = import_module("carepost.tenancy.actions.access").add_key
    secret = adding(owner, "bench", ["suppressions"], actor=permissions.BOOTSTRAP).secret
    asking = client(SERVER_NAME="localhost", headers={faces.HEADER: "api", "Authorization": f"Bearer {secret}"})
    found = {"address": import_module("suppression_rows").address(77)}
    asked = {
        "a page": lambda: asking.get("/api/v1/suppressions?limit=50"),
        "one reason, one scope": lambda: asking.get("/api/v1/suppressions?reason=request&scope=marketing&limit=50"),
        "one address": lambda: asking.post("/api/v1/suppressions/search", found, content_type="application/json"),
    }
    for what, ask in asked.items():
        if ask().status_code != 200:
            raise SystemExit(f"REST: {what} is refused: {ask().content.decode()}")
    return sum(_cost(f"REST: {what}", ask) for what, ask in asked.items())


def _ended(owner: uuid.UUID) -> int:
    """The worst: of almost all entries the end has passed, and of the others the oldest alone are asked for."""
    listed, scope = import_module("carepost.destinations.suppressions"), import_module("carepost.tenancy.scope")
    actor = import_module("carepost.tenancy.permissions").COMMAND_LINE
    with scope.organisation(owner), import_module("django.db").connection.cursor() as cursor:
        cursor.execute("UPDATE tenancy_suppression SET expires_at = 1 WHERE expires_at = 0")
    asked: dict[str, dict[str, Any]] = {
        "what stands": {}, "what stands, one reason": {"reason": "request"}, "what ended": {"standing": "ended"},
        "all": {"standing": "all"},
    }  # fmt: skip
    return sum(
        _cost(
            f"almost all ended: {what}", lambda given=given: listed.page(owner.bytes, actor, limit=50, **given), LAST_MS
        )
        for what, given in asked.items()
    )


def _job(owner: uuid.UUID, lines: int) -> None:
    importing, actor = import_module("carepost.jobs.importing"), import_module("carepost.tenancy.permissions").BOOTSTRAP
    resource = import_module("resource")
    data = b"address\n" + b"".join(
        b"job.%d.%s@elsewhere.test\n" % (n, os.urandom(3).hex().encode()) for n in range(lines)
    )
    for dry in (True, False):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.process_time()
        importing.begin(owner, importing.octets(data), actor=actor, form="csv", dry_run=dry)
        received = time.process_time() - began
        doing = import_module("carepost.jobs.work").Work(threading.Event())
        began, steps = time.process_time(), []
        while True:
            at = time.process_time()
            with import_module("carepost.tenancy.scope").every("the log is taken, as the journal would"):
                import_module("carepost.tenancy.models").OutboxEvent.objects.all().delete()
            if not doing.step(clock.now() - 1_999_000):
                break
            steps.append(1000 * (time.process_time() - at))
        took, grew = time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        print(
            f"{lines:,} lines as a job, {'tried' if dry else 'imported'}: received in {received:.1f} s, done in "
            f"{took:.1f} s, the longest part {max(steps):.0f} ms, memory {grew / 1024:+.0f} MB"
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
