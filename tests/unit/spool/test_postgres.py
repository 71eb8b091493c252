"""The store in PostgreSQL keeps the same contract, and what the contract does not say: fences, forms, look-ups."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from carepost.ground import clock
from carepost.ground.errors import ConfigError, Unavailable
from carepost.spool.postgres import nodes, schema
from carepost.spool.postgres.store import PostgresBackend
from carepost.spool.types import Flow, Orphan, Place, Promote, Retire
from tests.support import spools
from tests.support.spools import Node
from tests.unit.spool import rows
from tests.unit.spool.contract import Contract

pytestmark = pytest.mark.postgres

Open = Callable[..., PostgresBackend]


@pytest.fixture(scope="module")
def database(postgres_url: str) -> Iterator[str]:
    with spools.database(postgres_url) as url:
        yield url


@pytest.fixture
def url(database: str) -> str:
    spools.empty(database)
    return database


@pytest.fixture
def opened(url: str) -> Iterator[Open]:
    node = Node(url, "one")
    made: list[PostgresBackend] = []

    def open_(number: int = 0) -> PostgresBackend:
        made.append(node.backend(number))
        return made[-1]

    yield open_
    for backend in made:
        backend.close()
    node.holdings.close()


class TestPostgres(Contract):
    @pytest.fixture
    def backend(self, opened: Open) -> PostgresBackend:  # type: ignore[override]
        self._open = opened
        return opened()

    def reopened(self, backend: object) -> PostgresBackend:
        assert isinstance(backend, PostgresBackend)
        backend.close()
        return self._open()


def test_shards_of_one_database_do_not_see_each_other(opened: Open) -> None:
    one, two = opened(0), opened(65)
    unit = rows.accept()
    one.commit([unit])
    assert two.message(unit.message.id) is None
    assert two.delivery(unit.deliveries[0].id) is None
    assert two.flows(Place.READY) == [] and two.outbox(0, 10) == [] and two.open(b"", "", 10) == []
    assert two.commit([rows.accept()]).drained[0].seq == 1
    assert (one.head, two.head) == (2, 2)


def test_one_key_is_one_message_on_whichever_node(opened: Open) -> None:
    """BI-083 across nodes: what a client tries again at another node is known there."""
    token = rows.token()
    first, second = rows.accept(key=rows.keyed(token)), rows.accept(key=rows.keyed(token))
    assert opened(0).commit([first]).outcomes == [None]
    other = opened(64)
    assert other.keyed(token) == first.keyed
    assert other.commit([second, rows.accept()]).outcomes == [first.keyed, None]


# leases and fences


def test_another_node_takes_a_shard_only_when_its_lease_is_over(url: str) -> None:
    one, two = Node(url, "one"), Node(url, "two")
    kept = one.backend()
    assert two.holdings.take(0) is None and two.holdings.adopt() is None
    one.end()
    taken = two.holdings.adopt()
    assert taken is not None and taken.number == 0
    assert one.holdings.take(0) is None
    kept.close()


def test_who_lost_a_shard_writes_nothing_more(url: str) -> None:
    """A process that was stopped for longer than its lease and goes on: its groups are refused by the fence."""
    one, two = Node(url, "one"), Node(url, "two")
    paused = one.backend()
    before = rows.accept()
    paused.commit([before])
    one.end()
    held = two.holdings.adopt()
    assert held is not None
    successor = PostgresBackend(url, held, 30.0)
    late = rows.accept()
    with pytest.raises(Unavailable) as told:
        paused.commit([late])
    assert told.value.code == "shard-lost"
    assert paused.lost and paused.valid_until == float("-inf")
    assert successor.message(late.message.id) is None
    assert successor.head == 2 and successor.commit([rows.accept()]).drained[0].seq == 3
    with pytest.raises(Unavailable):
        paused.commit([Retire(2, 0)])
    paused.close()
    successor.close()


def test_a_group_under_way_while_the_shard_is_taken_is_there_or_not_but_never_in_half(url: str) -> None:
    """The taker waits for the group whose fence was looked at already, and sees it."""
    one, two = Node(url, "one"), Node(url, "two")

    class Taking:
        """Between the last statement and COMMIT: another node tries to take the shard, and must wait."""

        def __init__(self) -> None:
            self.blocked = 0

        def at(self, point: str) -> None:
            if point == "commit.before":
                with schema.connect(url) as connection:
                    connection.execute("SET lock_timeout = '200ms'")
                    try:
                        connection.execute("UPDATE shard SET fence = fence + 1 WHERE number = 0")
                    except psycopg.errors.LockNotAvailable:
                        self.blocked += 1

    held = one.holdings.take(0)
    assert held is not None
    taking = Taking()
    backend = PostgresBackend(url, held, 30.0, faults=taking)
    unit = rows.accept()
    assert backend.commit([unit]).outcomes == [None]
    assert taking.blocked == 1
    one.end()
    taken = two.holdings.adopt()
    assert taken is not None
    successor = PostgresBackend(url, taken, 30.0)
    assert successor.message(unit.message.id) is not None
    backend.close()
    successor.close()


def test_renewing_says_what_is_lost_and_what_its_node_wants_back(url: str) -> None:
    one, two = Node(url, "one"), Node(url, "two")
    first, second = one.holdings.take(0), one.holdings.take(1)
    assert first is not None and second is not None
    two.holdings.want(1)
    told = one.holdings.renew([first, second])
    assert (told.kept, told.wanted) == ({0, 1}, {1})
    one.end()
    assert two.holdings.adopt() is not None
    assert one.holdings.renew([first, second]).kept == {1}
    assert two.holdings.places()[0].address == "two:1"


def test_what_was_let_go_its_own_node_has_at_once_and_others_after_a_while(url: str) -> None:
    one, two = Node(url, "one"), Node(url, "two")
    held = one.holdings.take(0)
    assert held is not None
    one.holdings.let_go(held)
    assert two.holdings.adopt() is None
    again = one.holdings.take(0)
    assert again is not None and again.fence == held.fence + 1
    one.holdings.let_go(again, grace_s=-1)
    assert two.holdings.adopt() is not None


def test_a_connection_that_broke_is_opened_again(opened: Open, url: str) -> None:
    backend = opened()
    backend.commit([rows.accept()])
    with schema.connect(url) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid()"
        )
    assert len(backend.outbox(0, 10)) == 2
    with pytest.raises(Unavailable):
        backend.commit([rows.accept()])
    assert backend.commit([rows.accept()]).drained[0].seq == 3
    assert backend.doubtful == 0 and not backend.lost


class _Cut:
    """The connection is cut right before or right after COMMIT, as a server or a network does it."""

    def __init__(self, url: str, point: str) -> None:
        self._url, self._point = url, point

    def at(self, point: str) -> None:
        if point == self._point:
            self._point = ""
            with schema.connect(self._url) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND application_name LIKE 'carepost-writer%'"
                )
            if point == "commit.after":
                raise psycopg.OperationalError("cut")


@pytest.mark.parametrize(("point", "landed"), [("commit.before", False), ("commit.after", True)])
def test_a_commit_of_unknown_fate_is_looked_up(url: str, point: str, landed: bool) -> None:
    """Lost: nothing is there and the caller is told so. Landed: the caller gets its outcome, though the connection
    broke before the answer."""
    node = Node(url, "one")
    held = node.holdings.take(0)
    assert held is not None
    backend = PostgresBackend(url, held, 30.0, faults=_Cut(url, point))
    unit = rows.accept()
    if landed:
        assert backend.commit([unit]).outcomes == [None]
    else:
        with pytest.raises(Unavailable):
            backend.commit([unit])
    assert (backend.message(unit.message.id) is not None) is landed
    assert backend.commit([rows.accept()]).drained[0].seq == (3 if landed else 1)
    backend.close()


# nodes


def test_a_home_keeps_its_number_and_no_other_gets_it(url: str) -> None:
    with schema.connect(url) as connection:
        told = {"version": "1", "keyring": "k"}
        assert [nodes.join(connection, id=id, address="a:1", **told) for id in ("x", "y", "x", "z")] == [0, 1, 0, 2]
        with pytest.raises(ConfigError, match="another keyring"):
            nodes.join(connection, id="w", address="a:1", version="1", keyring="other")


def test_versions_one_apart_work_together_and_no_others(url: str) -> None:
    """A rolling upgrade: the newer node joins beside the older, and the older comes back; two steps at once do not."""
    with schema.connect(url) as connection:

        def join(id: str, protocol: int) -> int:
            return nodes.join(connection, id=id, address="a:1", version=str(protocol), keyring="k", protocol=protocol)

        assert (join("old", 1), join("new", 2), join("old", 1)) == (0, 1, 0)
        with pytest.raises(ConfigError, match="update that node first"):
            join("newest", 3)
        with pytest.raises(ConfigError, match="update this one first"):
            join("oldest", 0)
        connection.execute("UPDATE node SET heard_at = heard_at - interval '1 hour' WHERE id = 'old'")
        assert join("newest", 3) == 2, "a node nobody hears of does not hold up the others"


def test_who_is_heard_of_is_not_joined_again_by_its_copy_or_at_its_address(url: str) -> None:
    told = {"version": "1", "keyring": "k"}
    with schema.connect(url) as connection, Ticking(url, 1) as running:
        nodes.join(connection, id="x", address="a:1", **told)
        connection.execute("UPDATE installation SET lease_s = 2")
        nodes.join(connection, id="y", address="a:2", **told)
        running.heard.wait(10)
        for id, address, mend in (("y", "a:3", "a copy of the other"), ("z", "a:2", "CAREPOST_NODE_ADDRESS")):
            with pytest.raises(ConfigError, match=mend):
                nodes.alone(connection, id=id, address=address)
        nodes.alone(connection, id="z", address="a:3")
        began = time.monotonic()
        nodes.alone(connection, id="x", address="a:1")
        assert time.monotonic() - began < 10, "one that says nothing more may start again"
    with schema.connect(url) as connection:
        connection.execute("UPDATE installation SET lease_s = 600")
        node = Node(url, "y")
        node.holdings.heard(1)
        node.holdings.left(1)
        began = time.monotonic()
        nodes.alone(connection, id="y", address="a:2")
        assert time.monotonic() - began < 10, "one that was stopped need not be waited for"
        node.holdings.close()


class Ticking:
    """A node that is heard of every tenth of a second."""

    def __init__(self, url: str, number: int) -> None:
        self.heard, self._ended = threading.Event(), threading.Event()
        self._node, self._number = Node(url, "ticking"), number
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._ended.wait(0.1):
            self._node.holdings.heard(self._number)
            self.heard.set()

    def __enter__(self) -> "Ticking":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(10)
        self._node.holdings.close()


def test_a_clock_is_compared_with_the_servers(url: str) -> None:
    with schema.connect(url) as connection:
        nodes.join(connection, id="x", address="a:1", version="1", keyring="k")
    node = Node(url, "x")
    assert abs(node.holdings.heard(0)) < 2_000_000
    clock.set_source(lambda: time.time_ns() // 1000 - 600_000_000)
    try:
        assert -602_000_000 < node.holdings.heard(0) < -598_000_000
    finally:
        clock.set_source(None)
        node.holdings.close()


def test_what_is_overdue_is_told_of_all_nodes(opened: Open, url: str) -> None:
    opened(0).commit([rows.accept(due_at=50), rows.accept(place=Place.WAITING, due_at=500)])
    opened(64).commit([rows.accept(due_at=20), rows.accept(place=Place.NOWHERE, state="held")])
    assert nodes.overdue(url, 100) == (2, 20)
    assert nodes.overdue(url, 10) == (0, 0)
    with pytest.raises(Unavailable):
        nodes.overdue(psycopg.conninfo.make_conninfo(url, dbname="none_such"), 10)


# the schema


def test_numbered_files_are_applied_once_each_and_an_older_version_goes_on_beside_them(
    postgres_url: str, tmp_path: Path
) -> None:
    """A rolling upgrade: the newer node migrates, the older one still reads and writes; what it cannot read it says."""
    folder = tmp_path / "sql"
    shutil.copytree(schema.FOLDER, folder)
    there = len(list(folder.glob("*.sql")))
    with spools.database(postgres_url) as url, schema.connect(url) as connection:
        older = Node(url, "older")
        backend = older.backend()
        backend.commit([rows.accept()])
        (folder / f"{there + 1:04d}.sql").write_text("ALTER TABLE message ADD COLUMN later text NOT NULL DEFAULT '';")
        assert schema.migrate(connection, folder) == there + 1
        assert schema.migrate(connection, folder) == there + 1
        assert schema.migrate(connection) == there + 1, "the older version starts again beside it"
        unit = rows.accept()
        assert backend.commit([unit, rows.accept(key=rows.keyed(rows.token()))]).outcomes == [None, None]
        assert backend.commit([rows.move(unit.deliveries[0])]).outcomes == [True]
        backend.close()
        connection.execute("UPDATE form SET least = version")
        with pytest.raises(ConfigError, match="newer Carepost"):
            schema.migrate(connection)


def test_every_key_begins_with_the_shard(url: str) -> None:
    """A spool spread over several servers is distributed by shard: then one group commits on one of them. What is not
    is listed: who holds what, and idempotency keys, which are one over all shards."""
    keys = (
        "SELECT t.relname, a.attname FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_attribute a"
        " ON a.attrelid = t.oid AND a.attnum = i.indkey[0] WHERE i.indisunique AND t.relnamespace = %s::regnamespace"
    )
    with schema.connect(url) as connection:
        found = set(connection.execute(keys, (schema.SCHEMA,)).fetchall())
    apart = {("shard", "number"), ("node", "number"), ("node", "id"), ("installation", "one"), ("keyed", "token")}
    assert {key for key in found if key[1] != "shard"} == apart
    assert {table for table, first in found if first == "shard"} == {
        "message", "body", "delivery", "pending", "outbox", "done", "seen", "tally",
        "held",
    }  # fmt: skip


def test_no_look_up_scans_a_table(opened: Open, url: str) -> None:
    """A million waiting deliveries must not slow the next one down: every read goes by an index, counting too."""
    backend = opened()
    backend.commit([rows.accept(), rows.accept(place=Place.WAITING), rows.accept(state="held", place=Place.NOWHERE)])
    asked: list[tuple[Any, Any]] = []

    class Watched:
        def __init__(self, connection: Any) -> None:
            self._connection = connection

        def execute(self, text: Any, values: Any = (), **more: Any) -> Any:
            asked.append((text, values))
            return self._connection.execute(text, values, **more)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._connection, name)

    kept = backend._reader, backend._lists._reader, backend._writer
    backend._reader, backend._lists._reader, backend._writer = map(Watched, kept)  # type: ignore[assignment]
    flow = Flow("transactional", rows.ORG)
    for read in (
        lambda: backend.delivery(b""), lambda: backend.message(b""), lambda: backend.body(b""),
        lambda: backend.keyed(b""), lambda: backend.ready(flow, b"", 9), lambda: backend.destinations(flow, b"", 9),
        lambda: backend.flows(1), lambda: backend.flows(2), lambda: backend.next_due(flow),
        lambda: backend.expired(9, 9), lambda: backend.open(rows.ORG, "", 9), lambda: backend.open(b"", "held", 9),
        lambda: backend.outbox(0, 9), lambda: backend.held(rows.ORG, (1 << 60, b""), 9), backend.counts,
        backend.waiting,
    ):  # fmt: skip
        read()
    unit = rows.accept(deliveries=2, key=rows.keyed(rows.token()), chunks=(b"x" * 9, b"y" * 9))
    backend.commit([unit, Promote("transactional", rows.ORG, 9, 9), Orphan()])
    backend.commit([rows.move(d) for d in unit.deliveries])
    backend.commit([Retire(backend.head, 0)])
    backend._reader, backend._lists._reader, backend._writer = kept
    planned = 0
    with schema.connect(url) as connection:
        connection.execute("SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off")
        for text, values in asked:
            words = (text.decode() if isinstance(text, bytes) else text).split()
            if words[0] not in ("SELECT", "UPDATE", "DELETE", "WITH"):
                continue
            planned += 1
            rows_ = connection.execute(b"EXPLAIN " + text if isinstance(text, bytes) else "EXPLAIN " + text, values)
            plan = "\n".join(line for (line,) in rows_)
            assert "Seq Scan" not in plan, plan
    assert planned > 20
