"""A node says what is wrong with itself: to those who send work to it when its PostgreSQL stands still, and by letter,
also while another node's journal writes the log."""

import shutil
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


def test_a_node_whose_journal_stands_by_writes_of_its_own_disk(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    with cluster() as postgres:
        nodes = Nodes(tmp_path, postgres)
        # more than half of what is free must stay free: told, and mail still taken
        short = {"CAREPOST_ALARMS": "operator@verified.test", "CAREPOST_MIN_FREE": free * 3 // 5}
        with nodes.world, nodes.add() as first:
            until(lambda: '"journal-turn"' in first.logs(), within=60, what="the first node's journal writes")
            with nodes.add(**short):
                (letter,) = nodes.world.arrived("operator@verified.test")
            text = nodes.world.raw(letter["id"])
        assert b"This is node 1 (127.0.0.1:" in text and b"MiB are free on the home's disk" in text
