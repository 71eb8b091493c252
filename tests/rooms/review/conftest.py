"""Two clinics with their people, and the mail of both that waits in a real engine's queue."""

from typing import Any

import pytest

from carepost.archive import store
from carepost.tenancy.models import Organisation
from tests.support.cast import fresh_books
from tests.support.heldmail import waiting, wanting
from tests.support.mailroom import clinic

__all__ = ["fresh_books", "waiting", "wanting"]


@pytest.fixture(scope="session")
def log_tables(django_db_setup: None, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock():
        store.store().migrate()


@pytest.fixture
def maple(db: None) -> Organisation:
    return clinic("maple", "maple.test")


@pytest.fixture
def harbour(db: None) -> Organisation:
    return clinic("harbour", "harbour.test")
