"""Messages of one turn are handed over together, and each connection hears of its own alone."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from carepost.directory.types import Credential
from carepost.ground.errors import Refused, Unavailable
from carepost.intake.stages import Begun
from carepost.reception.credentials import Identity
from carepost.reception.gateways import Peer
from carepost.reception.smtp.effects import Accept
from carepost.reception.smtp.staged import Staged
from carepost.rfc.envelope import Envelope, Recipient
from carepost.wire.types import Accepted, Submission

pytestmark = pytest.mark.fast
ORG = b"o" * 16
CREDENTIAL = Credential("c1", ORG, "load", "")


class Door:
    """Answers by recipient; notes what came together."""

    def __init__(self) -> None:
        self.together: list[list[str]] = []
        self.begun: dict[str, asyncio.Future[Accepted]] = {}
        self.say: dict[str, Exception | None] = {}
        self.waiting: list[Callable[[], None]] = []

    def begin_all(self, submissions: Sequence[Submission]) -> list[Begun]:
        names = [one.envelope.recipients[0].address for one in submissions]
        self.together.append(names)
        return [self.say[name] if name in self.say else self._begin(name) for name in names]

    def _begin(self, name: str) -> "asyncio.Future[Accepted]":
        self.begun[name] = asyncio.get_running_loop().create_future()
        return self.begun[name]

    def due(self, tell: Callable[[Accepted], None], accepted: Accepted) -> None:
        self.waiting.append(lambda: tell(accepted))


class Known:
    """Stands for `Credentials`: who may go on."""

    def __init__(self) -> None:
        self.withdrawn = False

    def holds(self, identity: Identity) -> bool:
        return not self.withdrawn


def message(name: str, **changes: Any) -> Accept:
    made = Accept(
        ORG, Envelope("nurse@clinic.test", (Recipient(name),)), b"From: nurse@clinic.test\r\n\r\nx\r\n", "ESMTPSA",
        Identity(CREDENTIAL, 1),
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


async def turns() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
def known() -> Known:
    return Known()


@pytest.fixture
def staged(door: Door, known: Known) -> Staged:
    return Staged(door, known)  # type: ignore[arg-type]


async def test_those_of_one_turn_go_together_and_the_next_turn_is_another(door: Door, staged: Staged) -> None:
    said: dict[str, Any] = {}
    for name in ("a@x.test", "b@x.test"):
        assert staged.take(message(name), "192.0.2.1", lambda end, name=name: said.update({name: end}))  # type: ignore[misc]
    await turns()
    assert staged.take(message("c@x.test"), "192.0.2.1", lambda end: said.update({"c@x.test": end}))
    await turns()
    assert door.together == [["a@x.test", "b@x.test"], ["c@x.test"]]
    assert said == {}


async def test_each_hears_of_its_own_commit_and_when_its_answer_is_due(door: Door, staged: Staged) -> None:
    said: list[tuple[str, Any]] = []
    for name in ("a@x.test", "b@x.test"):
        staged.take(message(name), "", lambda end, name=name: said.append((name, end)))  # type: ignore[misc]
    await turns()
    door.begun["b@x.test"].set_exception(Unavailable("disk", "The disk did not take it."))
    door.begun["a@x.test"].set_result(Accepted("id-a", ()))
    await turns()
    assert [(name, type(end)) for name, end in said] == [("b@x.test", Unavailable)]
    for tell in door.waiting:
        tell()
    assert said[1:] == [("a@x.test", Accepted("id-a", ()))]


async def test_refused_failed_and_those_that_go_their_own_way(door: Door, staged: Staged) -> None:
    refused, broken = Refused("no", "No."), ZeroDivisionError()
    door.say = {"a@x.test": refused, "b@x.test": None, "c@x.test": broken}
    said: list[Any] = []
    for name in (*door.say, "d@x.test"):
        staged.take(message(name), "", said.append)
    await turns()
    assert said == [refused, None, broken]
    assert list(door.begun) == ["d@x.test"]


async def test_a_connection_that_breaks_while_it_is_told_keeps_nobody_else_from_hearing(
    door: Door, staged: Staged
) -> None:
    door.say = {"a@x.test": Refused("no", "No."), "b@x.test": Refused("no", "No.")}
    said: list[Any] = []

    def broken(end: Any) -> None:
        raise ZeroDivisionError

    staged.take(message("a@x.test"), "", broken)
    staged.take(message("b@x.test"), "", said.append)
    await turns()
    assert len(said) == 1


async def test_a_credential_withdrawn_before_its_turn_sends_nothing_more(
    door: Door, known: Known, staged: Staged
) -> None:
    said: list[Any] = []
    staged.take(message("a@x.test"), "", said.append)
    known.withdrawn = True
    await turns()
    assert [one.code for one in said] == ["credential-withdrawn"]
    assert door.together == [[]]


@pytest.mark.parametrize(
    "unusual",
    [
        {"identity": None},
        {"peer": Peer("192.0.2.7")},
        {"identity": Identity(msgspec.structs.replace(CREDENTIAL, gateway="g1"), 1)},
        {"body": b"From: nurse@clinic.test\r\nX-Carepost-Minimum: verified\r\n\r\nx\r\n"},
    ],
    ids=["world", "peer", "gateway", "trigger"],
)
async def test_what_is_not_of_the_usual_kind_goes_its_own_way(
    staged: Staged, door: Door, unusual: dict[str, Any]
) -> None:
    assert not staged.take(message("a@x.test", **unusual), "", lambda end: None)
    await turns()
    assert door.together == []
