"""The journal of a home: its threads, started and stopped together."""

import importlib
import os
import threading
from collections.abc import Callable, Mapping
from typing import Final

from django.db import connections

from carepost.archive.books import book
from carepost.audit import reader
from carepost.audit.store import PostgresStore, SqliteStore, Store
from carepost.ground import database, log
from carepost.ground.config import Config
from carepost.ground.errors import ConfigError
from carepost.ground.home import Home
from carepost.ground.keys import PurposeKeys
from carepost.intake.client import Client
from carepost.journal.chores import Chores
from carepost.journal.commits import Commits
from carepost.journal.cooling import IDLE, QUICK, Cooling
from carepost.journal.drains import Drainer, OfficeDrainer, ShardDrainer, source_of
from carepost.journal.effects import Effects
from carepost.journal.others import Others
from carepost.journal.signers import signers
from carepost.journal.status import Status
from carepost.journal.traces import Traces
from carepost.journal.uses import Uses
from carepost.tenancy import events as office
from carepost.webhooks.fanout import Fanout
from carepost.webhooks.sending import Calls, Sender

#: KiB of pages the writer keeps at hand
CACHE_KIB: Final = 32_768
#: OpenTelemetry's names for where traces go; its further variables (headers, certificate, timeout) hold too
ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def open_store(home: Home, config: Config, keys: PurposeKeys) -> Store:
    """A connection of its own to the records, for writing."""
    if config.database_url:
        # as the role the settings gave this process; a connection Django does not hand to anybody else
        wrapper = connections.create_connection("records")
        wrapper.ensure_connection()
        return PostgresStore(wrapper.connection)
    connection = database.connect(home.records_db, keys.raw("database", b"records.db"))
    # measured (bench/journal_bench.py): a batch touches more pages than SQLite's 2 MiB hold
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    return SqliteStore(connection)


def commits_for(
    home: Home,
    config: Config,
    keys: PurposeKeys,
    owed: threading.Event | None = None,
    fanout: Fanout | None = None,
    traces: Traces | None = None,
    uses: Uses | None = None,
) -> Commits:
    """What writes the records, on a connection of its own."""
    store = open_store(home, config, keys)
    return Commits(store, book(), signers(book(), keys), owed or threading.Event(), fanout, traces, uses)


def traces_to(environ: Mapping[str, str]) -> Traces | None:
    """As OpenTelemetry's own variables say. Raises ConfigError where the extra is missing."""
    if not any(environ.get(name) for name in ENDPOINTS):
        return None
    try:
        # an extra: most installations have no collector
        otlp = importlib.import_module("carepost.journal.otlp")
    except ImportError:
        words = "needs the extra otel: pip install 'carepost[otel]', or unset it."
        raise ConfigError(f"{ENDPOINTS[0]} {words}") from None
    return Traces(otlp.OtlpCollector())


class Journal:
    """Django is entered already (role `journal`) when this is built. Raises ConfigError."""

    def __init__(self, home: Home, config: Config, keys: PurposeKeys, calls: Callable[[], Calls]) -> None:
        """`calls`: how webhooks leave, asked when the first endpoint is told something. Raises ConfigError."""
        reading = open_store(home, config, keys)
        self._stopping = threading.Event()
        owed = threading.Event()
        self._owed = owed
        status = Status(home.run)
        self._client = Client(home.run, home.shards, home.node)
        self._fanout = Fanout()
        self._traces = traces_to(os.environ)
        uses = Uses()
        self._commits = commits_for(home, config, keys, owed, self._fanout, self._traces, uses)
        effects = Effects(reading, book(), self._client, status, owed, self._stopping, home.restored_from())
        taken = reader.sources(reading)

        def drainer(number: int, taken: int) -> Drainer:
            return ShardDrainer(
                number, taken, self._commits, status, self._stopping, self._client, effects.acknowledged
            )

        own = [home.node << 6 | shard for shard in range(home.shards)]
        self._drainers: list[Drainer] = [drainer(number, taken.get(source_of(number), 0)) for number in own]
        self._drainers.append(OfficeDrainer(taken.get(office.SOURCE, 0), self._commits, status, self._stopping))
        chores = Chores(open_store(home, config, keys), self._client, self._stopping, uses)
        self._writer = _thread("commits", self._commits.run)
        self._threads = [_thread(drainer.source, drainer.run) for drainer in self._drainers]
        sender = Sender(open_store(home, config, keys), self._fanout, calls, self._stopping, quick=home.sandbox)
        self._threads += [_thread("effects", effects.run), _thread("chores", chores.run)]
        self._threads += [_thread("webhooks", sender.run)]
        cooling = Cooling(home.run, self._stopping, idle=QUICK if home.sandbox else IDLE)
        self._threads += [_thread("cold", cooling.run)]
        if self._traces is not None:
            self._threads.append(_thread("traces", self._traces.run))
        if config.node_address:
            others = Others(open_store(home, config, keys), own, drainer, self._stopping)
            self._threads.append(_thread("others", others.run))

    def start(self) -> None:
        self._writer.start()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends what runs within a few seconds; what was not committed comes again."""
        self._stopping.set()
        self._owed.set()
        self._fanout.wake.set()
        if self._traces is not None:
            self._traces.stop()
        for thread in self._threads:
            thread.join(4.0)
        self._commits.stop()
        self._writer.join(4.0)
        self._client.close()
        log.event("journal-stopped")


def _thread(name: str, run: Callable[[], None]) -> threading.Thread:
    return threading.Thread(target=run, name=f"journal-{name}", daemon=True)
