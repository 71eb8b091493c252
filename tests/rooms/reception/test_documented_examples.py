"""The examples of docs/api.md, as they stand there, against the live server."""

import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support import examples
from tests.support.live import LiveHttp

_COMMANDS = {
    "sh": lambda text: ["sh", "-c", text],
    "python": lambda text: [sys.executable, "-c", text],
    "js": lambda text: ["node", "--input-type=module", "-e", text],
}
EXAMPLES = examples.alone()


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
    environment = examples.environment(http.url, http.clinics.secrets["maple"])
    done = subprocess.run(_COMMANDS[kind](text), env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert http.intake.submissions and all(s.key for s in http.intake.submissions)
    assert done.stdout.strip() and http.clinics.secrets["maple"] not in done.stdout
