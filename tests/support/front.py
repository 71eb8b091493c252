"""An organisation, and an engine's listener before the whole office, as programs meet both. A module takes the fixtures
by importing them, and is `django_db(transaction=True)`: the office answers in a thread of its own."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import OperationalError

from carepost.archive import store
from carepost.ground import clock, database
from carepost.jobs import work
from carepost.tenancy.actions import access
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import BOOTSTRAP
from tests.support import examples
from tests.support.live import LiveHttp
from tests.support.mailroom import clinic
from tests.support.outbox import Outbox


@pytest.fixture
def maple() -> Organisation:
    store.store().migrate()
    made = clinic("maple", "maple.test")
    Outbox().empty()
    return made


@pytest.fixture
def listener(live_server: Any) -> Iterator[LiveHttp]:
    parts = urlsplit(live_server.url)
    assert parts.hostname and parts.port
    server = LiveHttp(office=(parts.hostname, parts.port))
    yield server
    server.close()


def key(org: Organisation, *scopes: str) -> str:
    return access.add_key(org.pk, "machine", scopes, actor=BOOTSTRAP).secret


def carried_out(text: str, url: str, key: str) -> str:
    """What an example in Python says, while the journal does its jobs. It must end well."""
    journal = work.Work(threading.Event())
    asking = subprocess.Popen(
        [sys.executable, "-c", text], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=examples.environment(url, key),
    )  # fmt: skip
    while asking.poll() is None:
        # as the journal's chores: a database that another writes is tried again
        with suppress(database.DatabaseError, OperationalError):
            journal.step(clock.now())
        try:
            asking.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
    said, wrong = asking.communicate()
    assert asking.returncode == 0, wrong
    return said
