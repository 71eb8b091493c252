"""The doors between nodes: what another node holds is asked there, over mutual TLS; nobody else comes in."""

import socket
import ssl
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from carepost.destinations import ways
from carepost.ground import ids
from carepost.ground.errors import NotFound, Unavailable
from carepost.ground.keys import MasterKeyring
from carepost.intake.across import Across, Held
from carepost.intake.client import Client
from carepost.processes import doorcerts
from carepost.reception.doors import DoorsServer, Remote
from carepost.rfc.envelope import Envelope, Recipient
from carepost.wire import doors
from carepost.wire.pacing import LaneView
from carepost.wire.types import Actor, Origin, Submission
from tests.support.clinics import HARBOUR, MAPLE
from tests.support.live import Live
from tests.support.waiting import until

STAFF = Actor("staff", "staff-1")


def submission(text: str = "See you.") -> Submission:
    return Submission(
        MAPLE, Envelope("nurse@maple.test", (Recipient("ann@elsewhere.test"),)),
        f"From: nurse@maple.test\r\nSubject: A visit\r\n\r\n{text}\r\n".encode(), Origin.PORTAL, STAFF,
    )  # fmt: skip


class Nodes:
    """Node 0 holds shard 0 and is reached over TLS; node 1, a socket of its own, holds nothing and asks."""

    def __init__(self, folder: Path) -> None:
        self.keyring = MasterKeyring.create(folder / "keyring.json")
        for number in (0, 1):
            doorcerts.write(folder / f"doors-{number}", self.keyring, number)
        self.folder = folder
        (folder / "home").mkdir()
        self.live = Live(folder / "home", real=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.places = {0: Held(doorcerts.node_name(0), f"127.0.0.1:{self.port}")}
        self.across = Across(lambda: self.places, doorcerts.calling(folder / "doors-1"), doorcerts.node_name(1))
        near, far = folder / "near", folder / "far"
        near.mkdir()
        far.mkdir()
        remote = Remote("127.0.0.1", self.port, doorcerts.listening(folder / "doors-0"))
        queue, bodies = self.live.intake.queue, self.live.bodies
        self.holding = DoorsServer(
            far / "engine-00.sock", self.live.intake, {0: queue}, bodies, health=dict, quit_=lambda: None,
            remote=remote,
            lanes=lambda org: [LaneView("far.test", "", 3, 0, 0, 0, 2)] if org == MAPLE else [],
        )  # fmt: skip
        self.asking = DoorsServer(
            near / "engine-00.sock", self.live.intake, {}, bodies, health=dict, quit_=lambda: None,
            across=self.across, first=True,
            lanes=lambda org: [LaneView("far.test", "", 2, 0, 0, 0, 1)] if org == MAPLE else [],
        )  # fmt: skip
        for server in (self.holding, self.asking):
            self.live.thread.run(server.start())
        self.there, self.here = Client(far, 1), Client(near, 1, 1)

    def close(self) -> None:
        self.there.close()
        self.here.close()
        self.live.thread.run(self.across.close())
        for server in (self.holding, self.asking):
            self.live.thread.run(server.close())
        self.live.close()


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Nodes]:
    made = Nodes(tmp_path)
    yield made
    made.close()


def test_what_another_node_holds_is_found_listed_and_acted_on(nodes: Nodes) -> None:
    accepted = nodes.there.accept(submission())
    message = ids.parse(accepted.message_id)
    assert nodes.here.lookup(MAPLE, message) == nodes.there.lookup(MAPLE, message)
    assert [m.id for m in nodes.here.listing(MAPLE)] == [accepted.message_id]
    assert nodes.here.body(MAPLE, message) == nodes.there.body(MAPLE, message)
    delivery = ids.parse(accepted.deliveries[0].id)
    assert set(nodes.here.act("hold", MAPLE, (delivery,), STAFF, "to be looked at").values()) == {"held"}
    assert nodes.there.lookup(MAPLE, message).deliveries[0].state == "held"
    page = nodes.here.held(doors.Held(MAPLE, STAFF))
    assert [view.id for view in page.deliveries] == [accepted.deliveries[0].id]
    assert nodes.here.waits()[MAPLE][0] == 1


def test_how_mail_leaves_is_told_of_all_nodes_together(nodes: Nodes) -> None:
    [line] = ways.lines(uuid.UUID(bytes=MAPLE), nodes.here)
    assert (line.provider, line.connections, line.busy) == ("far.test", 5, 3)
    assert ways.lines(uuid.UUID(bytes=HARBOUR), nodes.here) == []
    nodes.places = {0: Held("", "")}
    assert until(lambda: sorted(view.busy for view in nodes.here.lanes(MAPLE)) == [1], within=10, what="one is left")


def test_another_organisation_and_an_absent_shard_are_the_same(nodes: Nodes) -> None:
    message = ids.parse(nodes.there.accept(submission()).message_id)
    with pytest.raises(NotFound):
        nodes.here.lookup(HARBOUR, message)
    with pytest.raises(NotFound):
        nodes.here.lookup(MAPLE, ids.new(5 << 6))


def test_a_shard_between_two_holders_is_asked_for_again_later(nodes: Nodes) -> None:
    message = ids.parse(nodes.there.accept(submission()).message_id)
    nodes.places = {0: Held("", "")}
    with pytest.raises(Unavailable) as told:
        nodes.here.lookup(MAPLE, message)
    assert told.value.code == "shard-between"


def test_an_event_is_drained_over_the_holders_door(nodes: Nodes) -> None:
    nodes.there.accept(submission())
    rows, head = nodes.here.drain(0, 0, 0)
    assert len(rows) == head > 0


def _call(nodes: Nodes, context: ssl.SSLContext, name: str, call: doors.Call) -> doors.Answer:
    """As a stranger who knows the address does it."""
    with (
        socket.create_connection(("127.0.0.1", nodes.port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname=name) as tls,
    ):
        tls.sendall(doors.frame(call))
        stream = tls.makefile("rb")
        size = stream.read(4)
        if len(size) < 4:
            raise ConnectionResetError
        return doors.read_answer(stream.read(int.from_bytes(size, "big")))


def _another_keyring(nodes: Nodes) -> ssl.SSLContext:
    """The right form, of another installation; it does not look at whom it calls."""
    folder = nodes.folder / "stranger"
    doorcerts.write(folder, MasterKeyring.create(nodes.folder / "other.json"), 1)
    context = doorcerts.calling(folder)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _no_certificate(nodes: Nodes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@pytest.mark.parametrize("stranger", [_another_keyring, _no_certificate])
def test_a_stranger_learns_nothing(nodes: Nodes, stranger: Callable[[Nodes], ssl.SSLContext]) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        _call(nodes, stranger(nodes), doorcerts.node_name(0), doors.Health())


def test_a_node_is_believed_by_its_name_and_its_installation(nodes: Nodes) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        _call(nodes, doorcerts.calling(nodes.folder / "doors-1"), doorcerts.node_name(7), doors.Health())
    foreign = nodes.folder / "foreign"
    doorcerts.write(foreign, MasterKeyring.create(nodes.folder / "foreign.json"), 1)
    with pytest.raises(ssl.SSLCertVerificationError):
        _call(nodes, doorcerts.calling(foreign), doorcerts.node_name(0), doors.Health())


def test_neither_mail_nor_an_end_is_taken_from_afar(nodes: Nodes) -> None:
    context = doorcerts.calling(nodes.folder / "doors-1")
    for call in (doors.Accept(submission()), doors.Quit()):
        answer = _call(nodes, context, doorcerts.node_name(0), call)
        assert isinstance(answer, doors.Fault) and answer.code == "not-from-afar"


def test_both_nodes_make_the_same_authority(nodes: Nodes) -> None:
    first, second = (nodes.folder / f"doors-{n}" / "ca.pem" for n in (0, 1))
    assert first.read_bytes() == second.read_bytes()
    for file in (nodes.folder / "doors-0").iterdir():
        assert file.stat().st_mode & 0o077 == 0, file.name
