"""Three nodes on one PostgreSQL under load; one is killed with all its processes, and comes back.

Nothing is lost, nothing is silently doubled: what was answered 202 arrives, twice only where the record says that the
attempt was uncertain (law 6). What the dead node held leaves from the others, its events reach the log by another's
journal, and whoever is asked for a message finds it, whichever node has it. Nodes join and leave while mail goes on."""

from pathlib import Path

import pytest

from tests.support.cluster import cluster
from tests.support.nodes import Nodes
from tests.support.press import ENDED, Press, answered_everywhere, arrived_once_or_on_record, holders
from tests.support.waiting import until

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(600)]


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
                until(lambda: "node-02" not in holders(nodes).values(), within=60, what="its shards are held again")
                press.stop()
                more.stop()
                accepted = {**press.accepted, **more.accepted}
                until(lambda: nodes.rows(ENDED)[0][0] == 0, within=120, what="everything has left")
                arrived_once_or_on_record(nodes, accepted)
                answered_everywhere(first, second)
                # what one saw of a destination is on its way to all (DESIGN 3: never again in clear)
                seen = "SELECT count(*) FROM seen"
                until(lambda: nodes.rows(seen)[0][0] > 0, within=30, what="what was seen is shared")
                assert all((home.path / "spool" / "elsewhere" / "posture.db").exists() for home in (first, second))
                # it comes back, and has its own again
                third.start()
                assert [holders(nodes)[number] for number in (128, 129)] == ["node-02", "node-02"]
                third.send("jane.roe@verified.test")
                nodes.world.arrived("jane.roe@verified.test")
                # one leaves as an administrator stops it: what it had is the others' a lease later
                second.stop()
                until(lambda: "node-01" not in holders(nodes).values(), within=60, what="its shards are held again")
            finally:
                for home in homes:
                    if home.process is not None:
                        home.kill_all()
