"""Mail that waited because a recipient's key differed goes on when somebody decided, wherever; and no other."""

import uuid
from collections.abc import Iterator
from threading import Event as Flag
from typing import Any

import msgspec
import pytest

from carepost.archive.books import book
from carepost.crypto.openpgp import certificate as pgp_certificate
from carepost.ground import clock, ids
from carepost.ground.errors import Unavailable
from carepost.journal.effects import Effects
from carepost.journal.status import Status
from carepost.keyring import acts, found
from carepost.keyring.models import RecipientKey
from carepost.tenancy import scope
from carepost.tenancy.permissions import BOOTSTRAP
from carepost.wire.doors import Held, HeldAnswer
from carepost.wire.found import Found
from carepost.wire.types import Actor, HeldView
from tests.rooms.keyring.test_recipient_keys import BO, openpgp
from tests.support.mailroom import KeptDoor
from tests.support.outbox import Outbox

pytestmark = pytest.mark.django_db(databases=["default", "records"])

CY = "cy@partner.test"


class Engine(KeptDoor):
    """Holds deliveries for two recipients of one domain, in pages of one, and keeps what is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.holds = {ids.text(ids.new(1)): to for to in (BO.upper(), CY, BO)}
        self.asked: list[tuple[str, bytes, list[str], str]] = []

    def held(self, call: Held) -> HeldAnswer:
        if self.away:
            raise Unavailable("no-engine", "No engine answers.")
        assert (call.reasons, call.only.recipient_domain) == (("key-changed",), "partner.test")
        names = list(self.holds)
        at = names.index(ids.text(call.before[1])) + 1 if call.before else 0
        view = msgspec.convert({**_view(call.org), "id": names[at], "recipient": self.holds[names[at]]}, HeldView)
        more = at + 1 < len(names)
        return HeldAnswer((view,), more, (1, ids.parse(names[at])) if more else None)

    def act(self, verb: str, org: bytes, deliveries: tuple[bytes, ...], actor: Actor, reason: str) -> dict[str, str]:
        self.asked += [(verb, org, [ids.text(one) for one in deliveries], f"{actor.kind}:{actor.id}")]
        return {}


def _view(org: bytes) -> dict[str, Any]:
    """Whatever the shape asks for."""
    empty: dict[type, Any] = {str: "", int: 0, bool: False}
    needed = [f for f in msgspec.structs.fields(HeldView) if f.required]
    return {f.name: empty.get(f.type, ()) for f in needed} | {"org": ids.text(org)}


@pytest.fixture(autouse=True)
def eyes() -> Iterator[None]:
    with scope.every("the test's own eyes"):
        yield
    clock.set_source(None)


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def effects(outbox: Outbox, engine: Engine, tmp_path: Any) -> Effects:
    return Effects(outbox.store, book(), engine, Status(tmp_path), outbox.owed, Flag())


def another() -> Found:
    made = pgp_certificate.read(openpgp())
    return Found(BO, "openpgp", "wkd", made.raw, made.fingerprint, made.encrypts_until or 0)


@pytest.fixture
def changed(cast: Any, outbox: Outbox, effects: Effects, engine: Engine) -> RecipientKey:
    """One that differs from a pinned one; all that was owed before is done."""
    org = uuid.UUID(bytes=cast.maple)
    acts.add_key(org, BO, openpgp(), actor=BOOTSTRAP, reason="by telephone")
    outbox.commit_office()
    later(4)
    effects.step()
    engine.asked.clear()
    assert found.take(org, another()) == "changed"
    return RecipientKey.objects.get(state="changed")


def later(seconds: int) -> None:
    at = clock.now() + seconds * 1_000_000
    clock.set_source(lambda: at)


def theirs(engine: Engine) -> list[str]:
    return [name for name, to in engine.holds.items() if to.lower() == BO.lower()]


@pytest.mark.parametrize("by", ["pin", "distrust", "add"])
def test_what_waited_goes_on_and_nothing_else(
    cast: Any, outbox: Outbox, effects: Effects, engine: Engine, changed: RecipientKey, by: str
) -> None:
    org = uuid.UUID(bytes=cast.maple)
    outbox.commit_office()
    later(4)
    effects.step()
    assert engine.asked == [], "nobody decided yet"
    if by == "pin":
        acts.pin_key(org, changed.pk, actor=BOOTSTRAP, reason="rang them")
    elif by == "distrust":
        acts.distrust_key(org, changed.pk, actor=BOOTSTRAP, reason="rang them")
    else:
        acts.add_key(org, BO, openpgp(), actor=BOOTSTRAP, reason="rang them")
    outbox.commit_office()
    effects.step()
    assert engine.asked == [], "an engine may not know of it yet"
    later(4)
    effects.step()
    assert engine.asked == [("retry", cast.maple, [one], "system:journal") for one in theirs(engine)]
    later(70)
    effects.step()
    assert len(engine.asked) == 2, "once"


def test_as_long_as_one_of_them_is_undecided_all_of_it_waits(
    cast: Any, outbox: Outbox, effects: Effects, engine: Engine, changed: RecipientKey
) -> None:
    org = uuid.UUID(bytes=cast.maple)
    assert found.take(org, another()) == "changed"
    acts.distrust_key(org, changed.pk, actor=BOOTSTRAP, reason="rang them")
    outbox.commit_office()
    later(4)
    effects.step()
    assert engine.asked == []


def test_while_no_engine_answers_it_stays_owed(
    cast: Any, outbox: Outbox, effects: Effects, engine: Engine, changed: RecipientKey
) -> None:
    acts.pin_key(uuid.UUID(bytes=cast.maple), changed.pk, actor=BOOTSTRAP, reason="rang them")
    outbox.commit_office()
    later(4)
    engine.away = True
    effects.step()
    engine.away = False
    later(2)
    effects.step()
    assert len(engine.asked) == 2
