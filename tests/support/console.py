"""The console before a real browser: an organisation, the engine's door as it answers the console, and signing in."""

import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from playwright.sync_api import Page, expect

from carepost.archive import store
from carepost.console import records
from carepost.ground.errors import NotFound
from carepost.mailbox import door as engine
from carepost.rfc.asking import Found
from carepost.tenancy.models import Organisation
from carepost.wire.doors import HealthAnswer
from carepost.wire.types import AcceptedDelivery, MessageView
from tests.support.desk import PASSWORD, code_now
from tests.support.mailroom import KeptDoor, clinic

OPEN = Callable[..., Page]


@pytest.fixture(autouse=True)
def _plain(settings: Any) -> None:
    settings.CSRF_TRUSTED_ORIGINS = []
    cache.clear()


@pytest.fixture(autouse=True)
def _tables(_plain: None) -> None:
    """Of the records; only where a test of the browser imports it."""
    store.store().migrate()


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> KeptDoor:
    kept = KeptDoor()
    shard = {"queued": 2, "deferred": 1, "held": 1, "accepted": 1240, "sent": 1201, "outbox": 12, "oldest_s": 3,
             "disk_free": 80_000_000_000}  # fmt: skip
    figures = {"connections": 14, "under_way": 3, "rss": 91_000_000}
    kept.health = lambda: [HealthAnswer({"0": shard, "1": shard}, figures)]  # type: ignore[attr-defined]
    foreseen = AcceptedDelivery("1", "x", "queued", "tls", "tls", "Goes over a verified connection.", "default")
    kept.preview = lambda _: (foreseen,)  # type: ignore[attr-defined]
    kept.ask = lambda question: (  # type: ignore[attr-defined]
        Found(texts=(b"v=DMARC1; p=none; rua=mailto:dmarc-reports@maple.test",))
        if "_dmarc" in question.name
        else Found()
    )
    monkeypatch.setattr(engine, "client", lambda: kept)
    return kept


@pytest.fixture
def maple() -> Organisation:
    return clinic("maple", "maple.test")


def keep(page: Page, name: str) -> None:
    folder = os.environ.get("CAREPOST_TEST_PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def looking(
    page: Page, name: str, end: object, checked: Callable[[Page], None], no_sideways: Callable[[Page], None]
) -> Callable[[str], None]:
    """What looks at the page as it stands: a picture called `name`, what is shown and `end`, axe, nothing sideways."""

    def look(shown: str) -> None:
        keep(page, f"{name}-{shown}-{end}")
        checked(page)
        no_sideways(page)

    return look


def looked_at(page: Page, name: str, checked: Callable[[Page], None], no_sideways: Callable[[Page], None]) -> None:
    """At both widths: axe, nothing moves sideways, and a picture where one is wanted."""
    for width in (1440, 375):
        page.set_viewport_size({"width": width, "height": 900})
        checked(page)
        no_sideways(page)
        keep(page, f"{name}-{width}")
    page.set_viewport_size({"width": 1440, "height": 900})


def sign_in(page: Page, base: str, login: str) -> None:
    page.goto(f"{base}/sign-in")
    page.get_by_label("Email").fill(login)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_label("Code").fill(code_now())
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")


def given(monkeypatch: Any, *views: MessageView) -> None:
    """What the records answer."""

    def one(desk: object, message: uuid.UUID) -> MessageView:
        for view in views:
            if view.id == str(message):
                return view
        raise NotFound

    monkeypatch.setattr(records, "find", lambda *a, **k: records.Page(views))
    monkeypatch.setattr(records, "access_message", one)
