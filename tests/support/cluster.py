"""A PostgreSQL cluster of one test's own, whose files and processes it may touch (Debian's package)."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests.support.house import ROOT
from tests.support.waiting import until

_SCRIPT = str(ROOT / "tools" / "postgres.sh")


class Cluster:
    """`url`: of its superuser. `data`: its files."""

    def __init__(self, url: str, data: Path) -> None:
        self.url, self.data = url, data

    def owned(self, name: str = "carepost") -> str:
        """A new database of this name; the URL of the role that owns it, no superuser, as in production."""
        made = subprocess.run(
            [sys.executable, str(ROOT / "tools" / "postgres_owner.py"), self.url],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} OWNER {urlsplit(made.stdout).username}")
        return urlsplit(made.stdout.strip())._replace(path=f"/{name}").geturl()

    def checkpoint(self) -> None:
        """What it holds is in its files."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("CHECKPOINT")

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Its processes stand still: connections hang, as when its machine is gone."""
        postmaster = int((self.data / "postmaster.pid").read_text().split()[0])
        pids: list[int] = []
        try:
            # the postmaster first, and once it stands: it starts no child we do not know of, and forgets none
            os.kill(postmaster, signal.SIGSTOP)
            until(lambda: _stands(postmaster), within=10, what="the postmaster stands still")
            pids += map(int, Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split())
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            yield
        finally:
            # the postmaster last: the id of a child that had just ended is kept until it has heard of it
            for pid in (*pids, postmaster):
                os.kill(pid, signal.SIGCONT)


def _stands(pid: int) -> bool:
    """Stopped by a signal (proc(5), the state behind the name)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


@contextmanager
def cluster() -> Iterator[Cluster]:
    # pytest's own folders are closed to the user postgres
    with tempfile.TemporaryDirectory(prefix="carepost-cluster-") as name:
        os.chmod(name, 0o711)
        folder = Path(name) / "cluster"
        started = subprocess.run(["sh", _SCRIPT, "start", str(folder)], capture_output=True, text=True, timeout=280)
        assert started.returncode == 0, started.stderr
        try:
            yield Cluster(started.stdout.strip(), folder / "data")
        finally:
            subprocess.run(["sh", _SCRIPT, "stop", str(folder)], timeout=280, check=True)
