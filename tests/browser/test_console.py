"""The console in a real browser: sign-in with an authenticator app and with a passkey, every page in light and dark at
two widths, keyboard, and axe."""

import os
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from playwright.sync_api import Page, expect

from carepost.console import records
from carepost.ground.errors import NotFound
from carepost.mailbox import door as engine
from carepost.tenancy.models import Organisation
from carepost.wire.doors import HealthAnswer
from carepost.wire.types import MessageView
from tests.support.desk import PASSWORD, code_now, person, sample
from tests.support.mailroom import KeptDoor, clinic

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "records"])]

OPEN = Callable[..., Page]


@pytest.fixture(autouse=True)
def _plain(settings: Any) -> None:
    settings.CSRF_TRUSTED_ORIGINS = []
    cache.clear()


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> KeptDoor:
    kept = KeptDoor()
    shard = {"queued": 2, "deferred": 1, "held": 1, "accepted": 1240, "sent": 1201, "outbox": 12, "oldest_s": 3,
             "disk_free": 80_000_000_000}  # fmt: skip
    figures = {"connections": 14, "under_way": 3, "rss": 91_000_000}
    kept.health = lambda: [HealthAnswer({"0": shard, "1": shard}, figures)]  # type: ignore[attr-defined]
    monkeypatch.setattr(engine, "client", lambda: kept)
    return kept


@pytest.fixture
def maple() -> Organisation:
    return clinic("maple", "maple.test")


def keep(page: Page, name: str) -> None:
    folder = os.environ.get("CAREPOST_TEST_PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def sign_in(page: Page, base: str, login: str) -> None:
    page.goto(f"{base}/sign-in")
    page.get_by_label("Email").fill(login)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_label("Code").fill(code_now())
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1440, "dark"), (375, "light"), (375, "dark")])
def test_every_page_is_clean(
    width: int, scheme: str, live_server: Any, maple: Organisation, door: KeptDoor, open_page: OPEN, checked: Any,
    no_sideways: Any, monkeypatch: Any,
) -> None:  # fmt: skip
    view = sample(maple.pk)
    given(monkeypatch, view)
    person(maple, "administrator", "ada@maple.test", "Ada Heron")
    person(maple, "operator", "olga@maple.test", "Olga Rail")
    page = open_page(viewport={"width": width, "height": 900}, color_scheme=scheme)

    def look(name: str) -> None:
        keep(page, f"console-{name}-{width}-{scheme}")
        checked(page)
        no_sideways(page)

    page.goto(f"{live_server.url}/sign-in")
    look("sign-in")
    sign_in(page, live_server.url, "ada@maple.test")
    look("overview")
    for path in ("messages", "health", "people", "first-run", "help", "security", "security/app",
                 "security/passkeys/add", f"messages/{view.id}",
                 "messages/00000000-0000-7000-8000-000000000000"):  # fmt: skip
        page.goto(f"{live_server.url}/{path}")
        look(re.sub(r"[0-9a-f-]{36}", "one" if view.id in path else "none", path).replace("/", "-"))
    given(monkeypatch)
    page.goto(f"{live_server.url}/messages")
    look("messages-empty")
    page.get_by_text("Search").first.click()
    page.get_by_label("Recipient").fill("anna@dane.test")
    page.get_by_role("button", name="Search").click()
    look("messages-none-found")
    assert "anna" not in page.url + page.title()
    assert [f for f in page.faults if "status of 40" not in f] == []  # type: ignore[attr-defined]


def given(monkeypatch: Any, *views: MessageView) -> None:
    """What the records answer."""

    def one(desk: object, message: uuid.UUID) -> MessageView:
        for view in views:
            if view.id == str(message):
                return view
        raise NotFound

    monkeypatch.setattr(records, "find", lambda *a, **k: records.Page(views))
    monkeypatch.setattr(records, "access_message", one)
