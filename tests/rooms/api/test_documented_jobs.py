"""The examples of docs/api.md that begin jobs, as they stand there: through an engine's listener to the office, the
journal's part done beside them."""

import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from carepost.archive import store
from carepost.ground import clock
from carepost.jobs import work
from carepost.tenancy.actions import access
from carepost.tenancy.permissions import BOOTSTRAP
from tests.support.live import LiveHttp
from tests.support.mailroom import clinic
from tests.support.outbox import Outbox

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "records"])

DOCS = Path(__file__).parents[3] / "docs" / "api.md"
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = [text for text in _BLOCK.findall(DOCS.read_text()) if "begin_job" in text]
SAID = ["done 1 message,accepted", "done 0 ['retract']"]


def test_there_is_one_of_each_client() -> None:
    assert [("AsyncClient" in text) for text in EXAMPLES] == [False, True]


@pytest.mark.parametrize("number", range(2))
def test_an_example_does_what_it_says(number: int, live_server: Any) -> None:
    store.store().migrate()
    maple = clinic("maple", "maple.test")
    outbox = Outbox().empty()
    message, (delivery,) = outbox.accepted(maple.pk.bytes)
    outbox.failed(maple.pk.bytes, message, delivery)
    outbox.commit()
    scopes = ("jobs", "search", "messages", "retract")
    key = access.add_key(maple.pk, "machine", scopes, actor=BOOTSTRAP).secret
    parts = urlsplit(live_server.url)
    assert parts.hostname and parts.port
    listener = LiveHttp(office=(parts.hostname, parts.port))
    journal = work.Work(threading.Event())
    try:
        asking = subprocess.Popen(
            [sys.executable, "-c", EXAMPLES[number]], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "CAREPOST_URL": listener.url, "CAREPOST_KEY": key},
        )  # fmt: skip
        while asking.poll() is None:
            journal.step(clock.now())
            try:
                asking.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
        said, wrong = asking.communicate()
    finally:
        listener.close()
    assert asking.returncode == 0, wrong
    assert said.startswith(SAID[number])
