"""Nodes that are not who they say: a copied home, one address given twice, and a clock that is not PostgreSQL's."""

import os
import time
from pathlib import Path

import pytest

from tests.stories.test_doctor import asked
from tests.stories.test_doctor import one as finding
from tests.stories.test_monitor import asked as figures
from tests.support.cluster import cluster
from tests.support.house import free_ports
from tests.support.nodes import Nodes
from tests.support.press import holders
from tests.support.versions import prepare
from tests.support.waiting import until

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(600)]

#: seconds the second node's clock is ahead
AHEAD = 600
#: what makes them so: the system's clock is the whole machine's
_SHIFTED = """\
import time
_real = time.time_ns
time.time_ns = lambda: _real() + {by} * 10**9
time.time = lambda: time.time_ns() / 1e9
"""


def test_a_copy_of_a_running_node_is_refused_and_one_that_was_killed_starts_again(tmp_path: Path) -> None:
    with cluster() as postgres:
        nodes = Nodes(tmp_path, postgres)
        with nodes.world, nodes.add() as first:
            second, third = nodes.add(), nodes.add()
            # as a machine's image that was cloned: the home, with another address
            mark = (first.path / "home.json").read_bytes()
            (second.path / "home.json").write_bytes(mark)
            said = prepare(second, code=2)
            assert "Node 0 of this database runs already" in said and "Begin this node with a new home" in said, said
            # an address given twice: the other nodes would ask whoever answers there
            third.environ["CAREPOST_NODE_ADDRESS"] = first.environ["CAREPOST_NODE_ADDRESS"]
            said = prepare(third, code=2)
            assert "CAREPOST_NODE_ADDRESS" in said and "reach this node alone" in said, said
            assert set(holders(nodes).values()) == {"node-00"}, "nothing was taken from it"
            first.send("jane.roe@verified.test")
            nodes.world.arrived("jane.roe@verified.test")
            # its own name is free again soon after its last word, and at once after a stop
            first.kill_all()
            first.start()
            first.stop()
            assert nodes.rows("SELECT left_at IS NOT NULL FROM node") == [(True,)]
            began = time.monotonic()
            prepare(first)
            assert nodes.rows("SELECT left_at IS NOT NULL FROM node") == [(False,)]
            assert time.monotonic() - began < 60


def test_a_node_whose_clock_is_ten_minutes_ahead_takes_nothing_and_is_told_of(tmp_path: Path) -> None:
    shim = tmp_path / "shim"
    shim.mkdir()
    (shim / "sitecustomize.py").write_text(_SHIFTED.format(by=AHEAD))
    address = f"127.0.0.1:{free_ports()['api']}"
    with cluster() as postgres:
        nodes = Nodes(tmp_path, postgres)
        with nodes.world, nodes.add() as first:
            path = os.pathsep.join(filter(None, (str(shim), os.environ.get("PYTHONPATH", ""))))
            more = {"PYTHONPATH": path, "CAREPOST_METRICS": address}
            with nodes.add("engine", "journal", "monitor", **more) as second:
                until(lambda: "carepost_clock_off_seconds" in _text(address), within=60, what="it knows of its clock")
                (line,) = [one for one in _text(address).splitlines() if one.startswith("carepost_clock_off_seconds")]
                assert AHEAD - 5 <= int(line.split()[-1]) <= AHEAD + 5, line
                code, found = asked(second.path, second.environ)
                state, mend = finding(found, "ahead of PostgreSQL's")
                assert code == 1 and state == "failed" and "chrony" in mend
                assert not [what for what in asked(first.path, first.environ)[1] if "PostgreSQL's" in what]
                # leases go by the server's clock: each has its own, and both carry mail
                for home in (first, second):
                    home.send(f"to{home.ports['api']}@verified.test")
                    nodes.world.arrived(f"to{home.ports['api']}@verified.test")
                assert set(holders(nodes).values()) == {"node-00", "node-01"}
                # what waits there for a moment that it holds to be over is the other's after it is lost, and leaves
                second.send("later@greylist.test")
                second.kill_all()
                until(lambda: not _of(nodes, "node-01"), within=60, what="its shards are held again")
                nodes.world.arrived("later@greylist.test", within=120.0)


def _of(nodes: Nodes, node: str) -> list[int]:
    return [number for number, holder in holders(nodes).items() if holder == node]


def _text(address: str) -> str:
    return str(figures(address, "/metrics")[1])
