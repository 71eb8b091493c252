"""Three nodes on one PostgreSQL under load; one is killed with all its processes, and comes back.

Nothing is lost, nothing is silently doubled: what was answered 202 arrives, twice only where the record says that the
attempt was uncertain (law 6). What the dead node held leaves from the others, its events reach the log by another's
journal, and whoever is asked for a message finds it, whichever node has it. Nodes join and leave while mail goes on."""

import http.client
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from carepost.ground import clock, ids
from carepost.proof import event, kinds
from carepost.wire.types import Actor
from tests.support.cluster import cluster
from tests.support.house import House
from tests.support.nodes import Nodes
from tests.support.waiting import until

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(600)]

_SHARDS = "SELECT number, fence, split_part(holder, '.', 1) FROM shard ORDER BY number"
_ENDED = "SELECT count(*) FROM delivery WHERE state NOT IN ('sent', 'failed')"


class Press:
    """Clients that each send some messages a second to one node while it answers. `accepted`: recipient -> message."""

    def __init__(self, homes: list[House], clients: int) -> None:
        self.accepted: dict[str, str] = {}
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(home, f"n{home.ports['api']}c{c}"), daemon=True)
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


def test_a_node_killed_under_load_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with cluster() as postgres:
        nodes = Nodes(tmp_path, postgres)
        with nodes.world:
            homes = [nodes.add() for _ in range(3)]
            first, second, third = homes
            try:
                first.start()
                press = Press(homes[:1], 2)
                until(lambda: press.count() > 15, within=60, what="the first node carries mail")
                # two join while mail goes on
                for home in (second, third):
                    home.start()
                more = Press([second, third], 2)
                until(lambda: more.count() > 30, within=60, what="all three carry mail")
                # the journal that writes is of any node: kill the one that has it, with its node
                third.kill_all()
                killed_at = more.count()
                until(lambda: more.count() > killed_at + 10, within=60, what="the others go on")
                until(lambda: "node-02" not in _holders(nodes).values(), within=60, what="its shards are held again")
                press.stop()
                more.stop()
                accepted = {**press.accepted, **more.accepted}
                until(lambda: nodes.rows(_ENDED)[0][0] == 0, within=120, what="everything has left")
                _arrived_once_or_on_record(nodes, accepted)
                _answered_everywhere(first, second)
                # it comes back, and has its own again
                third.start()
                assert [_holders(nodes)[number] for number in (128, 129)] == ["node-02", "node-02"]
                third.send("jane.roe@verified.test")
                nodes.world.arrived("jane.roe@verified.test")
                # one leaves as an administrator stops it: what it had is the others' a lease later
                second.stop()
                until(lambda: "node-01" not in _holders(nodes).values(), within=60, what="its shards are held again")
            finally:
                for home in homes:
                    if home.process is not None:
                        home.kill_all()


def _holders(nodes: Nodes) -> dict[int, str]:
    return {number: holder for number, _, holder in nodes.rows(_SHARDS)}


def _events(nodes: Nodes, kind: str) -> list[event.Event]:
    """Of the logs of all organisations."""
    found = [event.read(raw) for (raw,) in nodes.rows("SELECT event FROM public.audit_leaf WHERE event IS NOT NULL")]
    return [one for one in found if one.kind == kind]


def _arrived_once_or_on_record(nodes: Nodes, accepted: dict[str, str]) -> None:
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


def _answered_everywhere(one: House, other: House) -> None:
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
