"""An organisation, and an engine's listener before the whole office, as programs meet both. A module takes the fixtures
by importing them, and is `django_db(transaction=True)`: the office answers in a thread of its own."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from carepost.archive import store
from carepost.tenancy.actions import access
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import BOOTSTRAP
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
