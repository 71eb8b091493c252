"""The first `carepost up`: what it makes, what it says once, what answers afterwards; and the second, which says none
of it again."""

import os
import re
import signal
import smtplib
import ssl
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from carepost.sandbox.expected import EXPECTED
from tests.support.house import READY, ROOT, answers, environment, free_ports
from tests.support.mailers import SENDER, mail


class Up:
    """`carepost up` with what it says read line by line."""

    def __init__(self, home: Path, environ: dict[str, str], *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "carepost.cli.main", "up", "--home", str(home), *words],
            env=environ, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.said = ""

    def __enter__(self) -> "Up":
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if READY in line:
                return self
        assert self.process.stderr is not None
        raise AssertionError(self.said + self.process.stderr.read())

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(15) == 0
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


@pytest.mark.timeout(300)
def test_a_sandbox_says_everything_once(tmp_path: Path) -> None:
    home, ports = tmp_path / "home", free_ports()
    environ = environment(ports)
    with Up(home, environ, "--sandbox") as up:
        said = up.said
        assert "Losing it loses everything" in said and str(home / "keyring.json") in said
        for row in EXPECTED:
            line = next(line for line in said.splitlines() if f"@{row.domain} " in line)
            for word in (
                row.with_code.state if row.with_code.state != "sent" else row.with_code.method,
                row.with_code.assurance,
            ):
                assert word in line or row.with_code.state == "deposited", line
        welcome = re.search(r"^welcome +(http://\S+)", said, re.M)
        key = re.search(r"^API key +(\S+)", said, re.M)
        smtp = re.search(r"^SMTP +user (\S+), password (\S+)", said, re.M)
        assert welcome and key and smtp
        for name in ("console", "portal", "API", "sandbox"):
            address = re.search(rf"^{name} +(http://\S+)", said, re.M)
            assert address, name
            assert answers(int(address[1].split(":")[2].split("/")[0]))
        assert _status(welcome[1]) == 200
        assert _status(f"http://localhost:{ports['api']}/sandbox/") == 200
        _submit(ports["submission"], home, smtp[1], smtp[2])
        _private(home)
    with Up(home, environ, "--sandbox") as again:
        assert "welcome" not in again.said and key[1] not in again.said and smtp[2] not in again.said
        assert "Sending" not in again.said and "Losing" not in again.said


def test_a_real_home_begins_with_what_must_be_decided(tmp_path: Path) -> None:
    home, keyring = tmp_path / "home", tmp_path / "elsewhere" / "keyring.json"
    ports = free_ports()
    with Up(home, environment(ports, CAREPOST_KEYRING=keyring)) as up:
        for decided in ("carepost org add", "carepost domain add", "carepost staff add", "carepost credential add",
                        "portal-by-mail", "carepost doctor", str(keyring)):  # fmt: skip
            assert decided in up.said, decided
        assert "sandbox" not in up.said and not (home / "sandbox").exists()
        assert stat.S_IMODE(keyring.stat().st_mode) == 0o600
        assert _status(f"http://localhost:{ports['api']}/health") == 200
        assert _status(f"http://localhost:{ports['api']}/sandbox/") == 404


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def _submit(port: int, home: Path, user: str, password: str) -> None:
    with smtplib.SMTP("localhost", port, timeout=20) as client:
        client.starttls(context=ssl.create_default_context(cafile=str(home / "tls" / "ca.pem")))
        client.login(user, password)
        raw = mail("jane.roe@verified.test").decode()
        refused = client.sendmail(SENDER, ["jane.roe@verified.test"], raw)
        assert refused == {}


def _private(home: Path) -> None:
    """Nobody but its user reads anything of it; certificates may be read, they lie behind a closed door."""
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    for folder, _, files in os.walk(home):
        for name in files:
            path = Path(folder) / name
            if path.suffix != ".pem":
                assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
