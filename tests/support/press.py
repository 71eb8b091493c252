"""Mail pressed into several nodes by clients that keep books, and what must be true of it afterwards."""

import http.client
import threading
import time
from collections import Counter

from carepost.ground import clock, ids
from carepost.proof import event, kinds
from carepost.wire.types import Actor
from tests.support.house import House
from tests.support.nodes import Nodes
from tests.support.waiting import until

_SHARDS = "SELECT number, fence, split_part(holder, '.', 1) FROM shard ORDER BY number"
#: deliveries that have not come to their end
ENDED = "SELECT count(*) FROM delivery WHERE state NOT IN ('sent', 'failed')"


class Press:
    """Clients that each send some messages a second to one node while it answers. `accepted`: recipient -> message.
    `name`: tells recipients of two of them apart."""

    def __init__(self, homes: list[House], clients: int, name: str = "n") -> None:
        self.accepted: dict[str, str] = {}
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(home, f"{name}{home.ports['api']}c{c}"), daemon=True)
            for home in homes
            for c in range(clients)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def count(self) -> int:
        with self._lock:
            return len(self.accepted)

    def _run(self, home: House, name: str) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            # a few wait for their second attempt: the queue is never empty when a node dies
            to = f"{name}m{number}@{'greylist' if number % 5 == 0 else 'verified'}.test"
            body = {"from": "nora.sample@clinic.test", "to": [to], "subject": "Invented", "text": "Nothing real."}
            try:
                status, answer = home.request("POST", "/api/v1/messages", body)
            except (OSError, http.client.HTTPException):
                if home.process is None:
                    return
                time.sleep(0.2)
                continue
            if status == 202:
                with self._lock:
                    self.accepted[to] = answer["id"]
            self._stop.wait(0.15)


def holders(nodes: Nodes) -> dict[int, str]:
    return {number: holder for number, _, holder in nodes.rows(_SHARDS)}


def _events(nodes: Nodes, kind: str) -> list[event.Event]:
    """Of the logs of all organisations."""
    found = [event.read(raw) for (raw,) in nodes.rows("SELECT event FROM public.audit_leaf WHERE event IS NOT NULL")]
    return [one for one in found if one.kind == kind]


def arrived_once_or_on_record(nodes: Nodes, accepted: dict[str, str]) -> None:
    mails = [mail for domain in ("verified.test", "greylist.test") for mail in nodes.world.mails(domain=domain)]
    arrived = Counter(recipient for mail in mails if mail["complete"] for recipient in mail["recipients"])
    assert set(accepted) <= set(arrived), "what was answered 202 arrives"
    # the log has all of it, brought by whichever node's journal has its turn now
    messages = set(accepted.values())

    def logged() -> bool:
        return messages <= {one.on[0] for one in _events(nodes, kinds.DELIVERY_SENT)}

    until(logged, within=60, what="every delivery stands in the log")
    uncertain = {one.on[0] for one in _events(nodes, kinds.DELIVERY_UNCERTAIN)}
    twice = {accepted[to] for to, times in arrived.items() if times > 1 and to in accepted}
    assert twice <= uncertain, "twice only where the record says that nobody can know"


def answered_everywhere(one: House, other: House) -> None:
    """An id says whose it is: each node finds what waits on another, and what it does there is done there."""
    waiting = one.send("jane.roe@verified.test", send_at=clock.rfc3339(clock.now() + 3_600_000_000))
    message = ids.parse(waiting["id"])
    client = other.client()
    try:
        org = ids.parse(one.made.org)
        view = client.lookup(org, message)
        assert view.deliveries[0].state == "queued"
        assert waiting["id"] in [m.id for m in client.listing(org)]
        delivery = ids.parse(view.deliveries[0].id)
        said = client.act("retract", org, (delivery,), Actor("staff", "ada"), "a test")
        assert set(said.values()) == {"failed"}
    finally:
        client.close()
