"""Two clinics with staff of each role, seated before the console."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from carepost.archive import store
from carepost.mailbox import door as engine
from carepost.tenancy.models import Organisation
from tests.support.desk import person, seated
from tests.support.mailroom import KeptDoor, clinic


@pytest.fixture(scope="session")
def log_tables(django_db_setup: None, django_db_blocker: Any) -> None:
    """The log's own tables, which no Django migration makes."""
    with django_db_blocker.unblock():
        store.store().migrate()


@pytest.fixture
def maple(db: None) -> Organisation:
    return clinic("maple", "maple.test")


@pytest.fixture
def harbour(db: None) -> Organisation:
    return clinic("harbour", "harbour.test")


@pytest.fixture
def at_desk(maple: Organisation, harbour: Organisation) -> Callable[..., Client]:
    """`at_desk("operator")`, of Maple; `at_desk("operator", elsewhere=True)`, of Harbour."""

    def sit(role: str, *, elsewhere: bool = False) -> Client:
        return seated(person(harbour if elsewhere else maple, role))

    return sit


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> KeptDoor:
    kept = KeptDoor()
    monkeypatch.setattr(engine, "client", lambda: kept)
    return kept
