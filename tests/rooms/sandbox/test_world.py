"""The world as a whole: starts, says where it is, keeps its identity over a restart, ends cleanly, writes no mail."""

import os
import re
import signal
import smtplib
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from carepost.ground import home
from carepost.ground.errors import ConfigError
from carepost.sandbox import people, process
from carepost.sandbox.world import World, read_dial, read_world
from tests.support.sandboxed import living_world


def test_a_restart_keeps_anchor_ca_certificates_and_ports(tmp_path: Path) -> None:
    with living_world(tmp_path) as living:
        first = (living.world.anchor_ds, living.world.ca_file.read_bytes(), living.world.dial)
        leaf = (tmp_path / "tls" / "mx.verified.test.valid.leaf.pem").read_bytes()
        assert read_world(tmp_path) == living.world.file()
        assert read_dial(tmp_path) == living.world.dial
    assert read_world(tmp_path) is None
    with living_world(tmp_path) as living:
        assert (living.world.anchor_ds, living.world.ca_file.read_bytes(), living.world.dial) == first
        assert (tmp_path / "tls" / "mx.verified.test.valid.leaf.pem").read_bytes() == leaf


def test_after_a_crash_the_viewer_is_where_it_was(tmp_path: Path) -> None:
    with living_world(tmp_path) as living:
        left = (tmp_path / "world.json").read_bytes()
        viewer = living.world.viewer
    (tmp_path / "world.json").write_bytes(left)
    with living_world(tmp_path) as living:
        assert living.world.viewer == viewer


def test_two_worlds_stand_side_by_side(tmp_path: Path) -> None:
    with living_world(tmp_path / "a") as one, living_world(tmp_path / "b") as other:
        assert one.world.anchor_ds != other.world.anchor_ds
        assert not set(one.world.dial.values()) & set(other.world.dial.values())


async def test_a_taken_port_is_one_sentence_and_leaves_nothing_running(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"Port {port}"):
            await World.start(tmp_path, dns_port=port)
        with pytest.raises(ConfigError, match=f"Port {port}"):
            await World.start(tmp_path, viewer_port=port)
    assert read_world(tmp_path) is None


def test_a_damaged_key_pair_is_made_anew(tmp_path: Path) -> None:
    with living_world(tmp_path) as living:
        old = living.world.ca_file.read_bytes()
    other = tmp_path / "other"
    with living_world(other):
        pass
    (tmp_path / "tls" / "ca.key").write_bytes((other / "tls" / "ca.key").read_bytes())
    with living_world(tmp_path) as living:
        assert living.world.ca_file.read_bytes() != old


def test_no_mail_is_ever_written_to_the_folder(tmp_path: Path) -> None:
    """HS-34 for the sandbox itself: what it received stays in memory."""
    with living_world(tmp_path) as living:
        with smtplib.SMTP(*living.world.dial["mx.plain.test"], timeout=10) as client:
            client.sendmail("nora@clinic.test", ["testina@plain.test"], people.mime(people.SAMPLES[6]))
        living.arrived("testina@plain.test")
    for path in tmp_path.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not any(canary.encode() in data for canary in (*people.CANARIES, "testina@")), path
            assert path.stat().st_mode & 0o077 == 0, path


def test_a_real_home_is_refused(tmp_path: Path) -> None:
    home.create(tmp_path / "home")
    with pytest.raises(ConfigError, match="real home"):
        process.run(tmp_path / "home")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_the_process_says_when_it_is_ready_and_ends_on_a_signal(tmp_path: Path, how: signal.Signals) -> None:
    opened = home.create(tmp_path / "home", sandbox=True)
    reading, writing = os.pipe()
    code = "import sys; from pathlib import Path; from carepost.sandbox.process import run; "
    code += "run(Path(sys.argv[1]), ready_fd=int(sys.argv[2]))"
    child = subprocess.Popen([sys.executable, "-c", code, str(opened.path), str(writing)], pass_fds=(writing,))
    os.close(writing)
    try:
        assert os.read(reading, 1) == b"1"
        world = read_world(opened.world)
        assert world is not None
        with socket.create_connection(world.viewer_address, timeout=5):
            pass
        child.send_signal(how)
        assert child.wait(8) == 0
        assert read_world(opened.world) is None
    finally:
        os.close(reading)
        if child.poll() is None:
            child.kill()
            child.wait(5)


def test_the_module_runs_from_the_command_line(tmp_path: Path) -> None:
    opened = home.create(tmp_path / "home", sandbox=True)
    command = [sys.executable, "-m", "carepost.sandbox", str(opened.path), "--dns-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        try:
            assert child.stdout is not None
            assert re.match(r"DNS 127\.0\.0\.1:\d+", child.stdout.readline())
            assert re.match(r"Viewer http://127\.0\.0\.1:\d+/sandbox/", child.stdout.readline())
        finally:
            child.terminate()
        assert child.wait(8) == 0
    refused = subprocess.run(
        [sys.executable, "-m", "carepost.sandbox", str(tmp_path / "nowhere")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 2
    assert refused.stderr.startswith("No Carepost home at ")
