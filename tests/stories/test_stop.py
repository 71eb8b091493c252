"""An administrator stops a home: SIGTERM, within 10 s, no process left, nothing ugly in any log."""

import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from carepost.ground.errors import CarepostError
from tests.support.house import ENGINE_ONLY, ROOT, House, environment, free_ports
from tests.support.mailers import Gone, Smtp
from tests.support.waiting import gone, until


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_while_clients_hang_on(tmp_path: Path, number: signal.Signals) -> None:
    """An idle SMTP session, one in the middle of DATA, a half request, a journal that waits for events."""
    with House(tmp_path, *ENGINE_ONLY) as house:
        idle, writing = Smtp(house), Smtp(house, implicit=True)
        writing.say(*writing.envelope("jane.roe@verified.test"))
        for code in (250, 250, 354):
            writing.expect(code)
        writing.say(b"Subject: half a mess")
        half = socket.create_connection(("127.0.0.1", house.ports["api"]))
        half.sendall(b"POST /api/v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        journal = threading.Thread(target=_drain, args=(house,))
        journal.start()
        took = house.stop(number)
        journal.join(10)
        assert took < 10 and not journal.is_alive()
        assert "Traceback" not in house.logs() and "CancelledError" not in house.logs(), house.logs()
        with pytest.raises(Gone):
            idle.expect(0)
        half.close()


def test_a_killed_supervisor_leaves_no_process_and_the_next_start_goes_on(tmp_path: Path) -> None:
    with House(tmp_path, *ENGINE_ONLY) as house:
        house.send("jane.roe@full.test")
        assert house.process is not None
        pids = [pid for pid, _, _ in house.children()]
        house.process.kill()
        house.process.wait()
        assert all(gone(pid, 10) for pid in pids), "orphans that hold the shards' locks"
        house.forget()
        house.start()
        house.send("jane.roe@verified.test")
        house.arrived("jane.roe@verified.test")
        assert house.stop() < 10


def _drain(house: House) -> None:
    client = house.client()
    try:
        client.drain(0, 0, 0, wait_s=60)
    except CarepostError:
        pass
    finally:
        client.close()


def test_it_stops_while_it_makes_its_tables(tmp_path: Path) -> None:
    """A first start, or one after an upgrade: the supervisor alone is told, as systemd and containers do."""
    words = [sys.executable, "-m", "carepost.cli.main", "up", "--sandbox", "--home", str(tmp_path / "new")]
    with subprocess.Popen(
        words, env=environment(free_ports()), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as up:
        children = Path(f"/proc/{up.pid}/task/{up.pid}/children")
        until(lambda: children.read_text().split(), within=60, what="the tables are being made")
        [maker] = children.read_text().split()
        up.send_signal(signal.SIGTERM)
        said, errors = up.communicate(timeout=10)
    assert (up.returncode, errors) == (0, "")
    assert said.splitlines()[-1] == "stopped before it was up"
    assert gone(int(maker), 0)
