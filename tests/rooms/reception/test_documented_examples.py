"""The examples of docs/api.md, as they stand there, against the live server."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.live import LiveHttp

DOCS = Path(__file__).parents[3] / "docs" / "api.md"
_BLOCK = re.compile(r"^```(sh|python|js)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMANDS = {
    "sh": lambda text: ["sh", "-c", text],
    "python": lambda text: [sys.executable, "-c", text],
    "js": lambda text: ["node", "--input-type=module", "-e", text],
}
#: what asks the office is run where one is: tests/rooms/api/test_documented_{jobs,own_keys}.py, test_client_tracking.py
_OFFICE = ("begin_job", "own_key", "know_network")
EXAMPLES = [one for one in _BLOCK.findall(DOCS.read_text()) if not any(word in one[1] for word in _OFFICE)]


@pytest.fixture
def http() -> Iterator[LiveHttp]:
    server = LiveHttp()
    yield server
    server.close()


def test_every_language_has_an_example() -> None:
    assert {kind for kind, _ in EXAMPLES} == set(_COMMANDS)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_does_what_it_says(number: int, http: LiveHttp) -> None:
    kind, text = EXAMPLES[number]
    if kind == "js" and shutil.which("node") is None:
        assert "fetch(" in text
        return
    environment = {**os.environ, "CAREPOST_URL": http.url, "CAREPOST_KEY": http.clinics.secrets["maple"]}
    done = subprocess.run(_COMMANDS[kind](text), env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert http.intake.submissions and all(s.key for s in http.intake.submissions)
    assert done.stdout.strip() and http.clinics.secrets["maple"] not in done.stdout
