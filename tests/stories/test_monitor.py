"""Somebody else watches a home: Prometheus reads its figures, an orchestrator asks whether to send it work."""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from tests.support.house import ENGINE_ONLY, ROOT, House, free_ports
from tests.support.waiting import until

MONITORED = (*ENGINE_ONLY, "journal", "monitor")
#: who is written to; no figure may name them
PERSON = "jane.roe@verified.test"


def asked(address: str, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def figure(text: str, name: str) -> float:
    return sum(
        float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith((f"{name} ", f"{name}{{"))
    )


def test_figures_and_readiness_follow_what_happens(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_ports()['api']}"
    with House(tmp_path, *MONITORED, CAREPOST_METRICS=address) as house:
        until(lambda: asked(address, "/health/ready")[0] == 200, within=200, what="the home is ready")
        house.send(PERSON)
        house.arrived(PERSON)
        # the day's checkpoint is mailed too, some time
        until(
            lambda: figure(asked(address, "/metrics")[1], "carepost_sent_total") == len(house.mails()),
            within=200, what="every mail that arrived is counted, and nothing else",
        )  # fmt: skip
        text = asked(address, "/metrics")[1]
        checked = subprocess.run(
            ["promtool", "check", "metrics"], input=text, text=True, capture_output=True, timeout=30
        )
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert figure(text, "carepost_shards_owned") == figure(text, "carepost_shards") > 0
        assert figure(text, "carepost_certificate_end_timestamp_seconds") > 1_700_000_000
        assert "jane" not in text and "verified.test" not in text
        assert asked(address, "/")[0] == 404
        # an engine that does not answer: alive, and not ready
        os.kill(house.pid("engine"), signal.SIGSTOP)
        try:
            assert asked(address, "/health/live")[0] == 200
            status, why = asked(address, "/health/ready")
            assert status == 503 and "engines" in why
        finally:
            os.kill(house.pid("engine"), signal.SIGCONT)
        until(lambda: asked(address, "/health/ready")[0] == 200, within=200, what="it is ready again")
        once = subprocess.run(
            [sys.executable, "-m", "carepost.cli.main", "metrics", "--home", str(house.path)],
            env=house.environ, cwd=ROOT, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert once.returncode == 0 and "carepost_build_info" in once.stdout, once.stderr
        assert house.stop() < 10
