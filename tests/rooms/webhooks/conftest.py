from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event as Flag
from typing import Any

import pytest
from django.conf import settings

from carepost.archive.books import book
from carepost.delivery import hooks, https
from carepost.ground.outward import Allowed
from carepost.journal.commits import Commits
from carepost.journal.signers import signers
from carepost.tenancy import scope
from carepost.webhooks import acts, checking
from carepost.webhooks.fanout import Fanout
from carepost.webhooks.sending import Sender
from tests.support.cast import cast, fresh_books, outbox, shard
from tests.support.outbox import Outbox
from tests.support.receiver import Receiver, receiver, until

__all__ = ["cast", "fresh_books", "outbox", "shard"]


@pytest.fixture(autouse=True)
def eyes() -> Iterator[None]:
    """A test sees all rows; what it calls must ask for its own organisation."""
    with scope.every("the test's own eyes"):
        yield


@pytest.fixture(autouse=True)
def sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a sandbox home: receivers on loopback may be named."""
    monkeypatch.setattr(checking, "allowed", lambda: Allowed((), sandbox=True))


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Receiver]:
    with receiver(tmp_path) as made:
        yield made


class House:
    """The journal's part in webhooks, a round at a time: events in by the commit, calls out by the sender."""

    def __init__(self, outbox: Outbox, ca: str) -> None:
        self.outbox, self.fanout = outbox, Fanout()
        self.fed: list[Fanout] = [self.fanout]
        outbox.commits = Commits(
            outbox.store, book(), signers(book(), settings.CAREPOST_KEYS), outbox.owed, self.fanout
        )
        self.calls = hooks.Calls(_no_dns, https.context(ca), Allowed((), sandbox=True), timeout=5.0)
        self.sender = Sender(outbox.store, self.fanout, lambda: self.calls, Flag(), quick=True)

    def again(self) -> None:
        """Another process after this one was killed: nothing but what is on disk is known."""
        self.sender = Sender(self.outbox.store, self.fanout, lambda: self.calls, Flag(), quick=True)

    def office(self) -> None:
        self.outbox.commit_office()

    def commit(self) -> None:
        self.outbox.commit()

    def round(self) -> None:
        """Everything that is due is told and on record."""
        self.sender.step()
        until(self._quiet)

    def _quiet(self) -> bool:
        self.sender._settled = 0.0
        self.sender.step()
        return not self.sender.flying and not self.sender._unsettled and not self.sender._outcomes


def _no_dns() -> Any:
    raise AssertionError("no test asks DNS")


@pytest.fixture
def house(outbox: Outbox, there: Receiver) -> Iterator[House]:
    made = House(outbox, there.ca)
    yield made
    made.calls.stop()


@pytest.fixture
def endpoint(cast: Any, house: House, there: Receiver) -> Callable[..., acts.Made]:
    """An endpoint at the receiver, known to the journal."""

    def make(**given: Any) -> acts.Made:
        import uuid

        from carepost.tenancy.permissions import BOOTSTRAP

        made = acts.add_endpoint(uuid.UUID(bytes=cast.maple), there.url, actor=BOOTSTRAP, **given)
        house.office()
        return made

    return make
