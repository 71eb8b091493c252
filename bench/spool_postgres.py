"""The store of a shard, on a file and in PostgreSQL, in one run: a message's whole life in its rows (accepted born
claimed, settled, forgotten), 10 KB a body, in groups.

    sh tools/postgres.sh start /tmp/pg       prints a URL; its server does not sync: add fsync=on for real disks
    python bench/spool_postgres.py URL

CPU is of this process; what the server takes besides is told by its own figures. Only ratios of one run mean much."""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from carepost.spool.backend import Backend
from carepost.spool.postgres import schema
from carepost.spool.postgres.holding import Holdings
from carepost.spool.postgres.store import PostgresBackend
from carepost.spool.sqlite import SqliteBackend
from carepost.spool.types import Accept, Place, Retire
from tests.unit.spool import rows

BODY = os.urandom(10_000)
RECORD = os.urandom(700)
MESSAGES = 4000


def life(backend: Backend, group: int, number: int) -> tuple[float, float]:
    """(seconds, CPU seconds of this process) a message."""
    began, cpu = time.perf_counter(), time.process_time()
    for _ in range(MESSAGES // group):
        units = [
            rows.accept(number=number, chunks=(BODY,), state="claimed", place=Place.CLAIMED, lease=os.urandom(16))
            for _ in range(group)
        ]
        backend.commit(units)
        backend.commit([rows.move(unit.deliveries[0]) for unit in units])
        backend.commit([Retire(backend.head, 0)])
    backend.checkpoint()
    return (time.perf_counter() - began) / MESSAGES, (time.process_time() - cpu) / MESSAGES


def making(group: int) -> float:
    """CPU a message of making the units themselves, which is no store's."""
    cpu = time.process_time()
    for _ in range(MESSAGES // group):
        units: list[Accept] = [rows.accept(chunks=(BODY,)) for _ in range(group)]
        _ = [rows.move(unit.deliveries[0]) for unit in units]
    return (time.process_time() - cpu) / MESSAGES


class Server:
    """What a local server takes for one writer: the CPU of its process, and how much log it writes (first images of
    pages after a checkpoint among it, where the server writes them)."""

    def __init__(self, url: str, backend: Backend) -> None:
        self._url = url
        self._pid = backend._writer.info.backend_pid if isinstance(backend, PostgresBackend) and backend._writer else 0
        self._began = self._read() if self._pid else (0.0, 0)

    def said(self) -> str:
        if not self._pid:
            return ""
        cpu, log = self._read()
        return (
            f"  server {(cpu - self._began[0]) / MESSAGES * 1e6:6.0f} µs CPU"
            f"  {(log - self._began[1]) / MESSAGES / 1000:6.1f} KB of log"
        )

    def _read(self) -> tuple[float, int]:
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        with psycopg.connect(self._url) as connection:
            row = connection.execute("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint").fetchone()
        assert row is not None
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), row[0]


def main(url: str) -> None:
    name = f"carepost_bench_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    at = psycopg.conninfo.make_conninfo(url, dbname=name)
    with psycopg.connect(at, autocommit=True) as connection:
        schema.migrate(connection)
    holdings = Holdings(at, "bench", lease_s=60)

    def postgres(number: int) -> Backend:
        held = holdings.take(number)
        assert held is not None
        return PostgresBackend(at, held, 60)

    try:
        with tempfile.TemporaryDirectory() as folder:
            stores: dict[str, Callable[[int], Backend]] = {
                "file": lambda number: SqliteBackend(Path(folder) / str(number), number),
                "PostgreSQL": postgres,
            }
            for number, group in enumerate((5, 20, 100)):
                (Path(folder) / str(number)).mkdir()
                own = making(group)
                for label, opened in stores.items():
                    backend = opened(number)
                    server = Server(at, backend)
                    wall, cpu = life(backend, group, number)
                    print(
                        f"groups of {group:3}  {label:10}  {wall * 1e6:6.0f} µs  {(cpu - own) * 1e6:6.0f} µs CPU"
                        f"{server.said()}"
                    )
                    backend.close()
    finally:
        holdings.close()
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


if __name__ == "__main__":
    print("a message: wall, and CPU of the process that writes")
    main(sys.argv[1])
