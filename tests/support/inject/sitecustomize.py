"""Put on PYTHONPATH by tests of a whole home, and nowhere else: Python imports it as each process starts.

`HOUSE_FAULTS=FILE` gives the shards of a real engine a Faults object (`spool.faults`) that reads FILE, "POINT COUNT":
the process kills itself the COUNTth time it passes POINT, once. `HOUSE_STALE_AFTER=SECONDS`: the office's database
counts as lost after so long, instead of 60 s. The product has no such switches."""

import os
import signal

ROLL = 256 * 1024


class KillAt:
    """One object for all shards of the process; the file is renamed before the process dies, so it dies once."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._passed = 0

    def at(self, point: str) -> None:
        try:
            with open(self._path) as file:
                named, count = file.read().split()
        except (OSError, ValueError):
            return
        if named != point:
            return
        self._passed += 1
        if self._passed >= int(count):
            os.replace(self._path, self._path + ".done")
            os.kill(os.getpid(), signal.SIGKILL)


def _install() -> None:
    if os.environ.get("CAREPOST_ROLE") != "engine":
        return
    faults, stale = os.environ.get("HOUSE_FAULTS"), os.environ.get("HOUSE_STALE_AFTER")
    if faults:
        from carepost.spool.shard import Shard
        from carepost.spool.sqlite import SqliteBackend

        Shard.open.__func__.__kwdefaults__["faults"] = KillAt(faults)
        # small files, so that one is rolled and removed within a test
        SqliteBackend.__init__.__kwdefaults__["roll"] = ROLL
    if stale:
        from carepost.directory.lookup import Directory

        Directory.__init__.__kwdefaults__["stale_after"] = float(stale)


_install()
