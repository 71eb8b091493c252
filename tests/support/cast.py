"""Two clinics, people of each, and an engine's outbox."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from carepost.archive import books
from carepost.ground.errors import NotFound
from carepost.rfc.asking import FAILED, Found
from carepost.tenancy.actions import access, staff
from carepost.tenancy.permissions import BOOTSTRAP
from carepost.wire.doors import HeldAnswer, ReviewAnswer
from carepost.wire.pacing import LaneView
from carepost.wire.types import Actor, MessageView
from tests.support.mailroom import clinic
from tests.support.outbox import Outbox


@dataclass(frozen=True)
class Cast:
    maple: bytes
    harbour: bytes
    operator: Actor
    auditor: Actor
    sender: Actor
    stranger: Actor
    key: Actor


@pytest.fixture(autouse=True)
def fresh_books() -> Iterator[None]:
    """Keys are remembered for the life of a process; a test's are its own."""
    books.book.cache_clear()
    books.opener.cache_clear()
    books.serving.cache_clear()
    yield
    books.book.cache_clear()
    books.opener.cache_clear()
    books.serving.cache_clear()


@pytest.fixture
def cast(db: None) -> Cast:
    maple, harbour = clinic("maple", "maple.test"), clinic("harbour", "harbour.test")

    def person(org: object, role: str) -> Actor:
        pk, slug = org.pk, org.slug  # type: ignore[attr-defined]
        made = staff.add_staff(pk, f"{role}@{slug}.test", f"{role.title()} Heron", role, actor=BOOTSTRAP)
        return Actor("staff", str(made.staff))

    key = access.add_key(maple.pk, "machine", ("messages", "proof"), actor=BOOTSTRAP)
    return Cast(
        maple.pk.bytes, harbour.pk.bytes, person(maple, "operator"), person(maple, "auditor"), person(maple, "sender"),
        person(harbour, "administrator"), Actor("key", key.id),
    )  # fmt: skip


class Shard:
    """An engine that knows these messages and no others."""

    def __init__(self) -> None:
        self.views: dict[bytes, MessageView] = {}

    def held(self, _: object) -> HeldAnswer:
        return HeldAnswer((), False)

    def review(self, _: object) -> ReviewAnswer:
        raise NotFound

    def lanes(self, _: object) -> tuple[LaneView, ...]:
        return ()

    def ask(self, _: object) -> Found:
        return FAILED

    def act(self, *_: object) -> dict[str, str]:
        raise NotFound

    def lookup(self, org: bytes, message: bytes) -> MessageView:
        if (org + message) not in self.views:
            raise NotFound
        return self.views[org + message]


@pytest.fixture
def shard(monkeypatch: pytest.MonkeyPatch) -> Shard:
    made = Shard()
    monkeypatch.setattr("carepost.archive.engine.client", lambda: made)
    monkeypatch.setattr("carepost.mailbox.door.client", lambda: made)
    return made


@pytest.fixture
def outbox(cast: Cast, shard: Shard) -> Outbox:
    return Outbox()
