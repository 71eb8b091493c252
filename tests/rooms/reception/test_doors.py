"""The engine's socket, with the client the office uses, before a real intake and queue."""

import socket
import stat
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from carepost.ground import ids
from carepost.ground.errors import NotFound, Refused, Unavailable
from carepost.intake.client import Client
from carepost.intake.peer import AsyncClient
from carepost.proof import event
from carepost.reception.doors import DoorsServer
from carepost.rfc.envelope import Envelope, Recipient
from carepost.wire import doors
from carepost.wire.types import Actor, Origin, Submission
from tests.support.clinics import HARBOUR, MAPLE
from tests.support.live import Live, RealIntake

STAFF = Actor("staff", "staff-1")


def submission(
    *recipients: str, sender: str = "nurse@maple.test", org: bytes = MAPLE, key: str | None = None
) -> Submission:
    to = recipients or ("ann@elsewhere.test",)
    return Submission(
        org, Envelope(sender, tuple(Recipient(r) for r in to)),
        f"From: {sender}\r\nSubject: A visit\r\n\r\nSee you.\r\n".encode(), Origin.PORTAL, STAFF, key=key,
    )  # fmt: skip


class Engine:
    def __init__(self, home: Path) -> None:
        self.live = Live(home, real=True)
        self.run = home / "run"
        self.run.mkdir(mode=0o700)
        self.path = self.run / "engine-00.sock"
        self.quit = threading.Event()
        door: RealIntake = self.live.intake
        self.server = DoorsServer(
            self.path, door, {0: door.queue}, self.live.bodies, health=lambda: {"rss": 1}, quit_=self.quit.set
        )
        self.live.thread.run(self.server.start())
        self.client = Client(self.run, 1)

    def close(self) -> None:
        self.client.close()
        self.live.thread.run(self.server.close())
        self.live.close()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = Engine(tmp_path)
    yield made
    made.close()


def test_only_this_user_may_open_the_socket(engine: Engine) -> None:
    assert stat.S_IMODE(engine.path.stat().st_mode) == 0o600


def test_accept_is_durable_and_once_for_a_key(engine: Engine) -> None:
    first = engine.client.accept(submission(key="reply:1"))
    again = engine.client.accept(submission(key="reply:1"))
    assert again.message_id == first.message_id and again.repeated and not first.repeated
    found = engine.client.lookup(MAPLE, ids.parse(first.message_id))
    assert (found.sender, found.subject) == ("nurse@maple.test", "A visit")
    assert [d.recipient for d in found.deliveries] == ["ann@elsewhere.test"]


def test_errors_are_raised_again_as_they_were(engine: Engine) -> None:
    with pytest.raises(Refused) as refused:
        engine.client.accept(submission(sender="doctor@harbour.test"))
    assert (refused.value.code, refused.value.enhanced) == ("sender-domain", "5.7.1")
    with pytest.raises(NotFound):
        engine.client.accept(submission(org=b"nobody-is-at-all"))
    engine.live.clinics.lose_office()
    with pytest.raises(Unavailable):
        engine.client.accept(submission())


def test_preview_writes_nothing(engine: Engine) -> None:
    [delivery] = engine.client.preview(submission())
    assert delivery.recipient == "ann@elsewhere.test" and delivery.words
    assert engine.client.listing(MAPLE) == ()


def test_absent_and_foreign_are_the_same(engine: Engine) -> None:
    """The stranger and the other organisation."""
    accepted = engine.client.accept(submission())
    message = ids.parse(accepted.message_id)
    for org, item in ((HARBOUR, message), (MAPLE, ids.new(0)), (MAPLE, b"short"), (MAPLE, ids.new(63))):
        with pytest.raises(NotFound) as absent:
            engine.client.lookup(org, item)
        assert absent.value.public == "There is no such thing here."
    with pytest.raises(NotFound):
        engine.client.body(HARBOUR, message)
    delivery = ids.parse(accepted.deliveries[0].id)
    states = engine.client.act("hold", HARBOUR, (delivery,), STAFF, "looking")
    assert states == {accepted.deliveries[0].id: "not-found"}


def test_hold_release_and_what_waits(engine: Engine) -> None:
    accepted = engine.client.accept(submission("ann@elsewhere.test", "bob@elsewhere.test"))
    first = accepted.deliveries[0].id
    assert engine.client.act("hold", MAPLE, (ids.parse(first),), STAFF, "looking") == {first: "held"}
    [held] = engine.client.listing(MAPLE, "held")
    assert held.id == accepted.message_id
    assert engine.client.act("release", MAPLE, (ids.parse(first),), STAFF, "looked") == {first: "queued"}
    # an id of a shard that is not here
    foreign = ids.new(0)
    assert engine.client.act("hold", MAPLE, (foreign,), STAFF, "x") == {ids.text(foreign): "not-found"}
    assert engine.client.listing(HARBOUR) == ()


def test_events_are_drained_in_order_and_a_drain_waits(engine: Engine) -> None:
    rows, head = engine.client.drain(0, 0, 0)
    assert (rows, head) == ((), 0)
    found: list[tuple[object, int]] = []
    waiting = threading.Thread(target=lambda: found.append(engine.client.drain(0, 0, 0, wait_s=20)))
    began = time.monotonic()
    waiting.start()
    Client(engine.run, 1).accept(submission())
    waiting.join(20)
    assert time.monotonic() - began < 15
    rows, head = engine.client.drain(0, 0, 0)
    assert [row.seq for row in rows] == list(range(1, head + 1)) and head >= 2
    assert event.read(rows[0].event).kind == "message.accepted"
    # forgotten once acknowledged
    assert engine.client.drain(0, head, head)[0] == ()


def test_the_body_comes_sealed(engine: Engine) -> None:
    accepted = engine.client.accept(submission())
    stored = engine.client.body(MAPLE, ids.parse(accepted.message_id))
    assert stored.chunks and stored.wrapped_key and stored.record
    assert b"See you" not in b"".join(stored.chunks)


def test_a_large_message_passes_and_memory_is_counted(engine: Engine) -> None:
    base = submission()
    large = msgspec.structs.replace(base, body=base.body + (b"x" * 98 + b"\r\n") * 100_000)
    assert engine.client.accept(large).message_id
    engine.live.bodies.limit = 1_000_000
    with pytest.raises(Unavailable) as full:
        engine.client.accept(large)
    assert full.value.code == "bodies-full"
    assert engine.client.accept(submission()).message_id
    assert engine.live.bodies.held == 0


def test_health_and_quit(engine: Engine) -> None:
    [answer] = engine.client.health()
    assert answer.engine == {"rss": 1} and "0" in answer.shards
    engine.client.quit()
    assert engine.quit.wait(10)


def test_an_engine_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as away:
        Client(tmp_path, 1).accept(submission())
    assert away.value.code == "engine-away"


def test_a_socket_left_by_a_dead_engine_is_replaced(engine: Engine) -> None:
    engine.live.thread.run(engine.server.close())
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(engine.path))
    engine.live.thread.run(engine.server.start())
    assert engine.client.health()


@pytest.mark.parametrize(
    "raw", [b"\xff\xff\xff\xff", struct.pack(">I", 5) + b"junk!", struct.pack(">I", 0), b"GET / HTTP/1.1\r\n\r\n"]
)
def test_garbage_ends_the_connection_and_nothing_else(engine: Engine, raw: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(engine.path))
        connection.sendall(raw)
        assert connection.recv(1) == b""
    assert engine.client.health()


def test_a_caller_that_goes_away_in_the_middle_leaves_nothing_behind(engine: Engine) -> None:
    frame = doors.frame(doors.Accept(submission()))
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(engine.path))
        connection.sendall(frame[: len(frame) // 2])
    assert engine.client.listing(MAPLE) == ()
    assert engine.live.bodies.held == 0


def test_one_engine_hands_over_to_another(engine: Engine) -> None:
    async def hand_over() -> str:
        peer = AsyncClient(engine.run, 1)
        try:
            return (await peer.accept(submission(key="api:1"))).message_id
        finally:
            await peer.close()

    assert engine.client.lookup(MAPLE, ids.parse(engine.live.thread.run(hand_over())))
