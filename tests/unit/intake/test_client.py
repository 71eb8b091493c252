"""The door from another process: the same calls and errors over the engine's own socket server."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from carepost.ground import ids
from carepost.ground.errors import NotFound, Refused, Unavailable
from carepost.intake.client import Client
from carepost.intake.peer import AsyncClient
from carepost.intake.route import shard_of_key
from carepost.reception.doors import DoorsServer
from carepost.spool.budget import Budget
from carepost.wire import doors
from carepost.wire.types import Accepted, Actor
from tests.unit.intake.office import CLINIC, Office, submission

pytestmark = pytest.mark.fast

ADA = Actor("staff", "ada-1")


class Engines:
    """Two engines, a shard each, sharing keys and directory, each behind its own socket."""

    def __init__(self, folder: Path) -> None:
        self.run = folder / "run"
        self.run.mkdir()
        self.offices = [Office(folder / str(n), shard=n) for n in range(2)]
        first, second = self.offices
        second.purposes, second.directory, second.source = first.purposes, first.directory, first.source
        second.queue = type(second.queue)(second.shard, first.queue._keys)
        self.servers: list[DoorsServer] = []

    async def start(self) -> None:
        for number, office in enumerate(self.offices):
            await office.queue.start()
            peer = AsyncClient(self.run, 2)
            server = DoorsServer(
                self.run / f"engine-{number:02d}.sock",
                office.intake(shards=2, elsewhere=peer),
                {office.queue.number: office.queue},
                Budget(1 << 28),
                health=dict,
                quit_=lambda: None,
            )
            await server.start()
            self.servers.append(server)

    async def close(self) -> None:
        for server in self.servers:
            await server.close()
        for office in self.offices:
            await office.close()


@pytest.fixture
async def engines(tmp_path: Path) -> AsyncIterator[Engines]:
    made = Engines(tmp_path)
    await made.start()
    yield made
    await made.close()


@pytest.fixture
def client(engines: Engines) -> Client:
    return Client(engines.run, 2)


async def accept(client: Client, **changes: object) -> Accepted:
    return await asyncio.to_thread(client.accept, submission(**changes))  # type: ignore[arg-type]


async def test_an_acceptance_through_the_socket_is_an_acceptance(engines: Engines, client: Client) -> None:
    accepted = await accept(client, key="k1")
    message = ids.parse(accepted.message_id)
    assert ids.shard_of(message) == shard_of_key(CLINIC, "k1", 2)
    view = await asyncio.to_thread(client.lookup, CLINIC, message)
    assert view.subject == "Your appointment"
    again = await accept(client, key="k1")
    assert (again.repeated, again.message_id) == (True, accepted.message_id)


async def test_messages_go_to_the_shard_of_their_key(engines: Engines, client: Client) -> None:
    accepted = [await accept(client, key=f"k{i}") for i in range(12)]
    found = [ids.shard_of(ids.parse(a.message_id)) for a in accepted]
    assert found == [shard_of_key(CLINIC, f"k{i}", 2) for i in range(12)]
    assert set(found) == {0, 1}


async def test_a_submission_without_a_key_gets_one(engines: Engines, client: Client) -> None:
    first, second = await accept(client), await accept(client)
    assert first.message_id != second.message_id


async def test_bi_083_an_engine_hands_a_foreign_key_to_the_engine_that_holds_it(engines: Engines) -> None:
    key = next(f"k{i}" for i in range(100) if shard_of_key(CLINIC, f"k{i}", 2) == 1)
    intakes = [o.intake(shards=2, elsewhere=AsyncClient(engines.run, 2)) for o in engines.offices]
    answers = await asyncio.gather(*[intakes[n % 2].accept(submission(key=key)) for n in range(8)])
    assert len({a.message_id for a in answers}) == 1
    assert ids.shard_of(ids.parse(answers[0].message_id)) == 1
    with pytest.raises(Refused) as error:
        await intakes[0].accept(submission("other@one.test", key=key))
    assert (error.value.status, error.value.code) == (422, "idempotency-key-reused")


async def test_errors_are_raised_again_as_they_were(engines: Engines, client: Client) -> None:
    with pytest.raises(Refused) as refused:
        await accept(client, sender="x@harbour.test")
    assert (refused.value.code, refused.value.enhanced, refused.value.status) == ("sender-domain", "5.7.1", 403)
    with pytest.raises(NotFound):
        await asyncio.to_thread(client.lookup, CLINIC, ids.new(1))
    with pytest.raises(NotFound):
        await asyncio.to_thread(client.lookup, CLINIC, ids.new(7))
    with pytest.raises(NotFound):
        await asyncio.to_thread(client.lookup, CLINIC, b"short")


async def test_the_other_calls(engines: Engines, client: Client) -> None:
    def all_() -> None:
        accepted = [client.accept(submission(key=f"k{i}")) for i in range(6)]
        deliveries = tuple(ids.parse(a.deliveries[0].id) for a in accepted)
        assert set(client.act("hold", CLINIC, deliveries, ADA, "wait").values()) == {"held"}
        assert len(client.listing(CLINIC, "held")) == 6
        assert client.preview(submission())[0].state == "queued"
        stored = client.body(CLINIC, ids.parse(accepted[0].message_id))
        assert stored.chunks and stored.wrapped_key and stored.record
        heads = []
        for shard in (0, 1):
            rows, head = client.drain(shard, 0, 0)
            assert [r.seq for r in rows] == list(range(1, head + 1))
            heads.append(head)
        assert sum(heads) == 18
        assert sorted(number for answer in client.health() for number in answer.shards) == ["0", "1"]
        client.close()

    await asyncio.to_thread(all_)


async def test_when_the_engine_that_holds_it_is_away_it_is_unavailable_and_later_it_goes_on(
    engines: Engines, client: Client
) -> None:
    keys = {n: next(f"k{i}" for i in range(100) if shard_of_key(CLINIC, f"k{i}", 2) == n) for n in (0, 1)}
    for number in (0, 1):
        await accept(client, key=keys[number])
    await engines.servers[1].close()
    with pytest.raises(Unavailable):
        await accept(client, key=keys[1] + "x" if shard_of_key(CLINIC, keys[1] + "x", 2) == 1 else keys[1])
    assert (await accept(client, key=keys[0])).repeated
    await engines.servers[1].start()
    assert (await accept(client, key=keys[1])).repeated


def test_with_no_engine_every_call_is_unavailable(tmp_path: Path) -> None:
    client = Client(tmp_path, 2)
    for call in (
        lambda: client.accept(submission()),
        lambda: client.preview(submission()),
        lambda: client.lookup(CLINIC, ids.new(0)),
        lambda: client.listing(CLINIC),
        lambda: client.drain(0, 0, 0),
        lambda: client.act("hold", CLINIC, (ids.new(1),), ADA, ""),
    ):
        with pytest.raises(Unavailable):
            call()
    assert client.health() == []


async def test_an_engine_that_answers_nonsense_is_unavailable(tmp_path: Path) -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"\xff\xff\xff\xff" + b"x" * 100)
        await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(nonsense, str(tmp_path / "engine-00.sock"))
    try:
        with pytest.raises(Unavailable):
            await asyncio.to_thread(Client(tmp_path, 1).preview, submission())
        with pytest.raises(Unavailable):
            await AsyncClient(tmp_path, 1).accept(submission())
    finally:
        server.close()


def test_keys_spread_over_the_shards_of_their_node() -> None:
    assert {shard_of_key(b"o" * 16, f"{i}", 4, node=2) for i in range(99)} == {128, 129, 130, 131}


async def test_an_engine_that_does_not_answer_in_time_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("carepost.intake.frames.ANSWER_S", 0.05)
    answered: list[int] = []

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Says which shards it holds, and then nothing more: first over a new connection, then over the kept one."""
        while True:
            size = int.from_bytes(await reader.readexactly(4), "big")
            call = doors.read_call(await reader.readexactly(size))
            if isinstance(call, doors.Health):
                answered.append(1)
                writer.write(doors.frame(doors.HealthAnswer({"0": {}}, {})))

    server = await asyncio.start_unix_server(once, str(tmp_path / "engine-00.sock"))
    try:
        for ask in (lambda: AsyncClient(tmp_path, 1).accept(submission()), lambda: sync(tmp_path)):
            with pytest.raises(Unavailable):
                await ask()
        assert len(answered) == 2
    finally:
        server.close()


async def sync(run: Path) -> None:
    await asyncio.to_thread(Client(run, 1).accept, submission())
