"""The example of docs/api.md that imports a list, as it stands there: through an engine's listener to the office, the
journal's part done beside it."""

import subprocess
import sys
import threading

import pytest

from carepost.ground import clock
from carepost.jobs import work
from carepost.tenancy.models import Organisation
from tests.support import examples
from tests.support.front import key, listener, maple
from tests.support.live import LiveHttp
from tests.support.outbox import Outbox

__all__ = ["listener", "maple"]

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "records"])


def test_the_example_does_what_it_says(maple: Organisation, listener: LiveHttp) -> None:
    Outbox().empty()
    (text,) = examples.naming("begin_suppression_import")
    journal = work.Work(threading.Event())
    asking = subprocess.Popen(
        [sys.executable, "-c", text], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=examples.environment(listener.url, key(maple, "suppressions")),
    )  # fmt: skip
    while asking.poll() is None:
        journal.step(clock.now())
        try:
            asking.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
    said, wrong = asking.communicate()
    assert asking.returncode == 0, wrong
    first, second = said.splitlines()
    assert first.startswith("2 0 3,") and second == "done 2"
