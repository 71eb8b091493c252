"""Two clinics, one of which watches, and copies whose links are followed."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from carepost.crypto import link_token
from carepost.crypto.link_token import Link, Use
from carepost.engagement import acts, arriving
from carepost.engagement.arriving import Arrived
from carepost.ground import clock
from carepost.proof import kinds
from carepost.public import tracking
from carepost.tenancy import keys, scope
from carepost.tenancy.permissions import COMMAND_LINE
from tests.support.cast import cast, fresh_books, outbox, shard
from tests.support.outbox import Outbox

__all__ = ["cast", "fresh_books", "outbox", "shard"]

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Safari/537.36"
)
PERSON = {
    "User-Agent": CHROME, "Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language": "en-US,en;q=0.9",
    "Accept-Encoding": "gzip, deflate, br, zstd", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Site": "cross-site", "Sec-Fetch-User": "?1", "Upgrade-Insecure-Requests": "1",
    "Sec-CH-UA": '"Chromium";v="146", "Google Chrome";v="146"', "Sec-CH-UA-Platform": '"Windows"',
}  # fmt: skip
MINUTE = 60_000_000
VOUCHED = "M. Heron, administrator: newsletters to all subscribers, nothing about anybody's care."


class Kept:
    """In place of the writing thread: what came, to be written when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[Arrived] = []

    def put(self, one: Arrived) -> bool:
        self.waiting.append(one)
        return True

    def write(self) -> None:
        by_org: dict[bytes, list[Arrived]] = {}
        for one in self.waiting:
            by_org.setdefault(one.org, []).append(one)
        self.waiting = []
        for org, those in by_org.items():
            arriving.write(uuid.UUID(bytes=org), those)


class Copies:
    """Copies of one clinic, as they left, and those who fetch from them."""

    def __init__(self, org: bytes, box: Outbox, arrivals: Kept, at: list[int]) -> None:
        self.org, self.box, self.arrivals, self.at = org, box, arrivals, at
        self.owner = uuid.UUID(bytes=org)

    def send(self, *addresses: str, tracked: str = "opens clicks") -> tuple[bytes, list[bytes]]:
        message, deliveries = self.box.accepted(self.org, addresses or ("jane.quillfeather@patient.test",))
        for delivery in deliveries:
            facts = {"attempt": "1", "method": "tls", "state": "sent", "tracked": tracked, "achieved": "VERIFIED"}
            self.box.add(self.org, kinds.DELIVERY_SENT, [message, delivery], facts=facts, values={"mail": b"{}"})
        self.box.commit()
        return message, deliveries

    def token(self, use: Use, delivery: bytes, number: int = 0, *, links: int = 3, decoy: bool = False,
              target: str | None = None, made: int = 0) -> str:  # fmt: skip
        with scope.organisation(self.owner):
            key = keys.version(self.owner, "index", 1)
        where = (target if target is not None else f"https://shop.test/{number}") if number else ""
        link = Link(delivery, made or self.at[0] // 1_000_000, number, links, decoy, True, where)
        return link_token.make(key, use, self.org, link, 1)

    def click(self, delivery: bytes, number: int, method: str = "get", headers: dict[str, str] | None = None,
              address: str = "203.0.113.9", **more: Any) -> Any:  # fmt: skip
        token = self.token("click", delivery, number, **more)
        return self.fetch(f"/c/{token}", method, headers, address)

    def fetch(self, path: str, method: str = "get", headers: dict[str, str] | None = None,
              address: str = "203.0.113.9") -> Any:  # fmt: skip
        asked = getattr(Client(), method)
        return asked(path, headers=PERSON if headers is None else headers, REMOTE_ADDR=address, secure=True)

    def later(self, by: int) -> None:
        self.at[0] += by


@pytest.fixture
def arrivals(monkeypatch: pytest.MonkeyPatch) -> Kept:
    kept = Kept()
    monkeypatch.setattr(tracking, "_ARRIVALS", kept)
    monkeypatch.setattr(tracking, "_KEYS", tracking._Keys())
    monkeypatch.setattr(tracking, "_TRIES", tracking._Tries())
    return kept


@pytest.fixture
def at() -> Iterator[list[int]]:
    moment = [1_795_000_000_000_000]
    clock.set_source(lambda: moment[0])
    yield moment
    clock.set_source(None)


@pytest.fixture
def maple(at: list[int], cast: Any, outbox: Outbox, arrivals: Kept) -> Copies:
    acts.watch(
        uuid.UUID(bytes=cast.maple), "transactional", opens="on", clicks="on", attestation=VOUCHED, actor=COMMAND_LINE,
        reason="set up",
    )  # fmt: skip
    outbox.commit_office()
    return Copies(cast.maple, outbox, arrivals, at)
