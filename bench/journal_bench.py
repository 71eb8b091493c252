"""The journal alone: CPU seconds per 1,000 messages for log, history, search index and checkpoint, everything sealed.

    python bench/journal_bench.py [MESSAGES]     one organisation, one recipient a message, three events a message
    python bench/journal_bench.py profile        where the time goes

Rows as the engine makes them, in batches of 2,000; a home of its own under the system's temporary folder."""

import cProfile
import pstats
import resource
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from carepost.ground import config, home
from carepost.ground.keys import MasterKeyring
from carepost.settings import boot, migrate

BATCH = 2000


def main(arguments: list[str]) -> None:
    profiled = "profile" in arguments
    count = next((int(word) for word in arguments if word.isdigit()), 5000)
    with tempfile.TemporaryDirectory(prefix="carepost-bench-") as folder:
        made = home.create(Path(folder) / "home", shards=1, sandbox=True)
        MasterKeyring.create(made.keyring())
        keys = MasterKeyring.open(made.keyring()).purposes()
        boot.setup("migrate", at=made, settings=config.load(made.path, {}), keys=keys)
        migrate.migrate(made)
        # by name, and late: they read Django's models, which exist only once the settings do
        rows = import_module("journal_rows")
        run = import_module("carepost.journal.run")
        commits = run.commits_for(made, config.load(made.path, {}), keys)
        org = rows.organisation()
        drained = rows.drained(org, count)
        profile = cProfile.Profile()
        began, cpu = time.perf_counter(), _cpu()
        if profiled:
            profile.enable()
        for start in range(0, len(drained), BATCH):
            commits.commit(drained[start : start + BATCH])
        if profiled:
            profile.disable()
        took, used = time.perf_counter() - began, _cpu() - cpu
        size = made.records_db.stat().st_size
        print(
            f"{count} messages, {len(drained)} events: {used / count * 1000:.3f} CPU s and {took / count * 1000:.3f} s "
            f"per 1,000 messages, {size / count:.0f} bytes a message"
        )
        if profiled:
            pstats.Stats(profile).sort_stats("tottime").print_stats(35)


def _cpu() -> float:
    used: Any = resource.getrusage(resource.RUSAGE_SELF)
    return float(used.ru_utime + used.ru_stime)


if __name__ == "__main__":
    main(sys.argv[1:])
