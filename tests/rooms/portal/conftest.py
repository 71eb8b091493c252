"""A recipient's browser before two clinics: Django's test client on the outside face, CSRF checked."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import clear_url_caches, set_urlconf

from carepost.ground import clock
from carepost.mailbox import door as engine
from carepost.mailbox.models import Deposit
from carepost.tenancy.models import Organisation
from tests.support.mailroom import NOON, KeptDoor, clinic

JANE = "jane.quillfeather@patient.test"


class Guest:
    """Follows forms as a browser does: each POST carries the token of the page it stood on."""

    def __init__(self, door: KeptDoor) -> None:
        self.http = Client(enforce_csrf_checks=True, headers={"user-agent": "Mozilla/5.0 (Android) Firefox/150.0"})
        self.door = door

    def get(self, path: str, **more: Any) -> Any:
        return self.http.get(path, **more)

    def post(self, path: str, page: str = "", **fields: Any) -> Any:
        """`page`: the page the form stands on (the path itself when not given)."""
        shown = self.http.get(page or path)
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', shown.content.decode())
        assert found, f"no form on {page or path}"
        return self.http.post(path, {"csrfmiddlewaretoken": found[1], **fields})

    def enter(self, row: Deposit, to: str = JANE) -> Any:
        """From the notice to the message."""
        assert self.post(f"/m/{row.link}/send-code", f"/m/{row.link}").status_code == 302
        return self.post(f"/m/{row.link}/code", code=self.door.code(to))


@pytest.fixture(autouse=True)
def _face(outside_face: None, db: None) -> Iterator[None]:
    clear_url_caches()
    set_urlconf(None)
    yield
    clear_url_caches()


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> KeptDoor:
    kept = KeptDoor()
    monkeypatch.setattr(engine, "client", lambda: kept)
    return kept


@pytest.fixture
def guest(door: KeptDoor) -> Guest:
    return Guest(door)


@pytest.fixture
def maple() -> Organisation:
    return clinic("maple", "maple.test")


@pytest.fixture
def harbour() -> Organisation:
    return clinic("harbour", "harbour.test")


@pytest.fixture
def pass_time() -> Iterator[Callable[[int], None]]:
    at = [NOON]
    clock.set_source(lambda: at[0])

    def move(by: int) -> None:
        at[0] += by

    yield move
    clock.set_source(None)
