"""The examples of docs/api.md that begin jobs, as they stand there: through an engine's listener to the office, the
journal's part done beside them."""

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

EXAMPLES = examples.naming("begin_job")
SAID = ["done 1 message,accepted", "done 0 ['retract']"]


def test_there_is_one_of_each_client() -> None:
    assert [("AsyncClient" in text) for text in EXAMPLES] == [False, True]


@pytest.mark.parametrize("number", range(2))
def test_an_example_does_what_it_says(number: int, maple: Organisation, listener: LiveHttp) -> None:
    outbox = Outbox()
    message, (delivery,) = outbox.accepted(maple.pk.bytes)
    outbox.failed(maple.pk.bytes, message, delivery)
    outbox.commit()
    journal = work.Work(threading.Event())
    asking = subprocess.Popen(
        [sys.executable, "-c", EXAMPLES[number]], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=examples.environment(listener.url, key(maple, "jobs", "search", "messages", "retract")),
    )  # fmt: skip
    while asking.poll() is None:
        journal.step(clock.now())
        try:
            asking.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
    said, wrong = asking.communicate()
    assert asking.returncode == 0, wrong
    assert said.startswith(SAID[number])
