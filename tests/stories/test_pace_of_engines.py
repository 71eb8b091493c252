"""A provider says "too fast" to one engine: the journal puts it on record, the other engine leaves it alone too, and a
person's lifting lets both go on. A whole home with two engines; the provider is a mail host of ours under its name."""

import asyncio
import json
import shutil
import threading
import uuid
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from carepost.ground import ids
from carepost.sandbox.ca import Authority
from carepost.wire.pacing import HeldBack
from carepost.wire.types import MessageView
from tests.support.house import House
from tests.support.mailhost import Ca, MailHost, Names, free_port
from tests.support.waiting import until

GOOGLE = "aspmx.l.google.com"
#: two domains whose mail Google takes
ZONE: dict[tuple[str, str], object] = {
    ("there.test", "MX"): f"10 {GOOGLE}.", ("other.test", "MX"): f"10 {GOOGLE}.", (GOOGLE, "A"): "8.8.8.8",
}  # fmt: skip
TOO_FAST = "421 4.7.28 Our system has detected an unusual rate of mail"
T = TypeVar("T")


class Provider:
    """A mail host and a name server on a loop of their own, so that the test may wait for the home's processes."""

    def __init__(self, ca: Ca) -> None:
        self.host = MailHost(ca.leaf(GOOGLE).context(), says={"MAIL": [TOO_FAST]})
        self.names = Names(ZONE)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    @contextmanager
    def up(self) -> Iterator["Provider"]:
        self._thread.start()
        self.run(self.host.__aenter__())
        self.run(self.names.__aenter__())
        try:
            yield self
        finally:
            self.run(self.host.__aexit__())
            self.run(self.names.__aexit__())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)


def owners(house: House) -> list[set[int]]:
    """The shards of each engine."""
    client = house.client()
    try:
        return [{int(number) for number in answer.shards} for answer in client.health()]
    finally:
        client.close()


def sent_by(house: House, shards: set[int], to: str) -> str:
    """The id of a message that this engine accepted: its key says which shard that is."""
    body = {"from": "nora.sample@clinic.test", "to": [to], "subject": "An invented matter", "text": "Nothing real."}
    for _ in range(200):
        status, answer = house.request("POST", "/api/v1/messages", body, Idempotency_Key=str(uuid.uuid4()))
        assert status == 202, answer
        if ids.shard_of(ids.parse(answer["id"])) in shards:
            return str(answer["id"])
    raise AssertionError("no message came to this engine")


def view(house: House, id_: str) -> MessageView:
    client = house.client()
    try:
        return client.lookup(ids.parse(house.made.org), ids.parse(id_))
    finally:
        client.close()


def shown(house: House) -> list[dict[str, Any]]:
    return list(json.loads(house.carepost("sending", "show", "--org", "demo", "--json")))


def test_what_one_engine_is_told_the_other_keeps_to_and_lifting_lets_both_go(tmp_path: Path, ca: Ca) -> None:
    with Provider(ca).up() as google, prepared(tmp_path, google, ca) as house:
        one, other = owners(house)
        first = sent_by(house, one, "jane.roe@there.test")
        until(lambda: view(house, first).deliveries[0].attempts, within=30, what="the provider said its word")
        waiting: list[str] = []

        def kept_by_the_other() -> HeldBack | None:
            """Mail of the other engine, to another domain of the provider."""
            waiting.append(sent_by(house, other, "june.poe@other.test"))
            until(lambda: known(house, waiting[-1]), within=20, what="it was tried, or is held back")
            delivery = view(house, waiting[-1]).deliveries[0]
            # one that was tried before the word came is held back by it too, and shows nothing
            return None if delivery.attempts else delivery.held_back

        held = until(kept_by_the_other, within=60, what="the other engine keeps to it, and does not even try")
        assert (held.what, held.provider, held.by) == ("suspension", "gmail", "gmail-rate")
        (lane,) = [row for row in shown(house) if row["provider"] == "gmail"]
        assert "too fast" in json.dumps(lane), "people see why"
        names = {id_: view(house, id_).message_id.strip("<>").encode() for id_ in (waiting[-1], first)}
        google.host.says["MAIL"] = ["250 2.1.0 ok"]
        house.carepost("sending", "lift", "gmail", "--org", "demo", "--reason", "they wrote to us")
        for id_, whose in ((waiting[-1], "what the other engine held"), (first, "what was told to wait")):
            # at the provider, not in the queue: what is sent and on record is forgotten there at any moment
            until(lambda id_=id_: arrived(google, names[id_]), within=60, what=f"{whose} leaves")
        assert "Traceback" not in house.logs()


def arrived(google: Provider, message_id: bytes) -> bool:
    return any(message_id in body for _, body in tuple(google.host.messages))


def known(house: House, id_: str) -> bool:
    (delivery,) = view(house, id_).deliveries
    return bool(delivery.held_back or delivery.attempts)


@contextmanager
def prepared(folder: Path, google: Provider, ca: Ca) -> Iterator[House]:
    """The sandbox's world apart, so that its dial table can lead to one host more before the engines read it."""
    with House(folder / "w", "sandbox") as world:
        dial = world.path / "sandbox" / "dial.json"
        dial.write_text(json.dumps(json.loads(dial.read_text()) | {GOOGLE: google.host.address}))
        house = House(folder / "h", "engine", "journal", CAREPOST_ENGINES=2, CAREPOST_PORT_SANDBOX_DNS=free_port())
        shutil.rmtree(house.path / "sandbox")
        (house.path / "sandbox").symlink_to(world.path / "sandbox")
        both = folder / "both.pem"
        both.write_text(Authority(world.path / "sandbox" / "tls").ca_file.read_text() + ca.pem)
        address, port = google.names.address
        house.environ |= {"CAREPOST_OUTBOUND_CA": str(both), "CAREPOST_RESOLVERS": f"{address}:{port}"}
        with house:
            yield house
