"""The shards of engines on several nodes: taken over from one that is gone, given back, and limits divided by who is
there."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from carepost.ground import home as homes
from carepost.ground import postgres
from carepost.ground.config import Config
from carepost.ground.keys import MasterKeyring, PurposeKeys
from carepost.processes import doorcerts
from carepost.processes.spools import SharedSpool, spool
from carepost.spool.postgres import schema
from carepost.spool.shard import Shard
from tests.support import spools
from tests.unit.spool import rows

pytestmark = pytest.mark.postgres


class Keeping:
    """An engine, as its shards see it."""

    def __init__(self) -> None:
        self.shards: dict[int, Shard] = {}
        self.share = (0, 0)
        self.fell = False
        self.moved = asyncio.Event()

    async def adopt(self, shard: Shard) -> None:
        self.shards[shard.number] = shard
        self.moved.set()

    async def hand_over(self, number: int, *, lost: bool) -> None:
        await asyncio.to_thread(self.shards.pop(number).close)
        self.moved.set()

    def sharing(self, part: int, parts: int) -> None:
        self.share = part, parts
        self.moved.set()

    def fallen(self) -> None:
        self.fell = True
        self.moved.set()

    async def until(self, what: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not what():
                self.moved.clear()
                await self.moved.wait()


class Node:
    def __init__(self, folder: Path, number: int, url: str, keyring: MasterKeyring) -> None:
        self.home = homes.create(folder / f"n{number}", shards=1, node=number)
        doorcerts.write(self.home.doors, keyring, number)
        self._config = Config(database_url=url, node_address=f"127.0.0.1:{7000 + number}")
        self._keys = keyring.purposes("database", "evidence", "index")
        self.keeping = Keeping()
        self.own: list[Shard] = []
        self.spool: SharedSpool | None = None

    async def start(self) -> "Node":
        made = spool(self.home, self._config, self._keys, 0)
        assert isinstance(made, SharedSpool)
        self.spool, self.keeping = made, Keeping()
        self.own = await asyncio.to_thread(made.open, [0])
        made.start(self.keeping)
        return self

    async def stop(self, *, silently: bool = False) -> None:
        """`silently`: as one that is gone: nobody lets go of anything."""
        if self.spool is None:
            return
        await self.spool.stop()
        for shard in (*self.own, *self.keeping.shards.values()):
            await asyncio.to_thread(shard.close)
        if not silently:
            await asyncio.to_thread(self.spool.let_go)
        self.spool = None


@pytest.fixture
def url(postgres_url: str, tmp_path: Path) -> Iterator[str]:
    keyring = MasterKeyring.create(tmp_path / "keyring.json")
    with spools.database(postgres_url) as found:
        database = psycopg.conninfo.conninfo_to_dict(found)["dbname"]
        parts = psycopg.conninfo.conninfo_to_dict(found)
        url = f"postgresql://{parts['user']}:{parts['password']}@{parts['host']}:{parts['port']}/{database}"
        roles = {role: postgres.role_name(str(database), role) for role in postgres.ROLES}
        with psycopg.connect(url, autocommit=True) as admin:
            for role, name in roles.items():
                password = postgres.role_password(keyring.purposes("database"), role)
                admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(name), password))
        try:
            with schema.connect(url) as connection:
                connection.execute("INSERT INTO installation (keyring, lease_s) VALUES ('k', 1)")
                schema.grant(connection, roles)
            yield url
        finally:
            with psycopg.connect(url, autocommit=True) as admin:
                for name in roles.values():
                    admin.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(name)))
                    admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.fixture
async def nodes(tmp_path: Path, url: str) -> AsyncIterator[list[Node]]:
    keyring = MasterKeyring.open(tmp_path / "keyring.json")
    made = [Node(tmp_path, number, url, keyring) for number in range(2)]
    yield made
    for node in made:
        await node.stop()


async def test_what_one_leaves_another_takes_up_and_gives_back(nodes: list[Node]) -> None:
    first, second = nodes
    await first.start()
    await second.start()
    await first.keeping.until(lambda: first.keeping.share == (0, 2))
    await second.keeping.until(lambda: second.keeping.share == (1, 2))
    unit = rows.accept(number=64)
    assert await second.own[0].ask(unit) is None
    second.own[0].dots.trust()
    await second.stop(silently=True)
    await first.keeping.until(lambda: 64 in first.keeping.shards)
    adopted = first.keeping.shards[64]
    assert adopted.backend.message(unit.message.id) is not None
    assert not adopted.dots.trusted, "what the other machine knew of dots is not known here"
    await first.keeping.until(lambda: first.keeping.share == (0, 1))
    await second.start()
    assert first.keeping.shards == {} and not first.keeping.fell
    assert second.own[0].backend.message(unit.message.id) is not None
    assert not second.own[0].dots.trusted, "another had the shard meanwhile"
    assert await second.own[0].ask(rows.accept(number=64)) is None


async def test_a_restart_without_a_break_believes_its_own_dots(nodes: list[Node]) -> None:
    node = nodes[0]
    await node.start()
    node.own[0].dots.trust()
    await node.stop()
    await node.start()
    assert node.own[0].dots.trusted


async def test_a_process_that_lost_its_own_shard_begins_anew(nodes: list[Node], url: str) -> None:
    node = nodes[0]
    await node.start()
    with schema.connect(url) as connection:
        connection.execute("UPDATE shard SET fence = fence + 1, holder = 'another', lease_until = 'infinity'")
    await node.keeping.until(lambda: node.keeping.fell)


def test_a_home_of_its_own_keeps_its_spool_on_its_disk(tmp_path: Path) -> None:
    home = homes.create(tmp_path / "home", shards=1)
    (shard,) = spool(home, Config(), PurposeKeys.ephemeral(), 0).open([0])
    shard.close()
    assert (home.shard(0) / "spool.db").exists()
