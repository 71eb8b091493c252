"""A node whose PostgreSQL stands still says so to those who send work to it, and takes it again when that is back."""

from pathlib import Path
from typing import Any

import pytest

from tests.stories.test_monitor import asked
from tests.support.cluster import cluster
from tests.support.house import free_ports
from tests.support.nodes import Nodes
from tests.support.waiting import until

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(600)]


def test_a_node_without_its_database_asks_for_no_work(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_ports()['api']}"
    with cluster() as postgres:
        nodes = Nodes(tmp_path, postgres)
        with nodes.world, nodes.add("engine", "journal", "monitor", CAREPOST_METRICS=address) as node:

            def balanced() -> tuple[int, Any]:
                return node.request("GET", "/health")

            until(lambda: asked(address, "/health/ready")[0] == 200, within=60, what="it is ready")
            assert balanced() == (200, {"status": "ok"})
            with postgres.hanging():
                until(lambda: balanced() == (503, {"status": "unavailable"}), within=30, what="no mail is sent here")
                status, why = asked(address, "/health/ready")
                assert status == 503 and "spool" in why.split()
            until(lambda: balanced()[0] == 200, within=60, what="it takes mail again")
            until(lambda: asked(address, "/health/ready")[0] == 200, within=60, what="it is ready again")
            node.send("jane.roe@verified.test")
            nodes.world.arrived("jane.roe@verified.test")
