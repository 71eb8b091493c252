"""A webhook is told of, its secret is shown once, and what was called stands in its log, before a real browser."""

from typing import Any

import pytest
from playwright.sync_api import expect

from carepost.ground.outward import Allowed
from carepost.tenancy.models import Organisation
from carepost.webhooks import checking
from tests.support.console import OPEN, _plain, door, keep, maple, sign_in
from tests.support.desk import person

__all__ = ["_plain", "door", "maple"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "records"])]


@pytest.mark.parametrize("width", [1440, 375])
def test_a_webhook_is_made_looked_at_and_paused(
    width: int, live_server: Any, maple: Organisation, door: Any, open_page: OPEN, checked: Any, no_sideways: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(checking, "_leads", lambda *_: None)
    monkeypatch.setattr(checking, "allowed", Allowed)
    person(maple, "administrator", "ada@maple.test", "Ada Heron")
    page = open_page(viewport={"width": width, "height": 900})

    def looked_at(name: str) -> None:
        checked(page)
        no_sideways(page)
        keep(page, f"{name}-{width}")

    sign_in(page, live_server.url, "ada@maple.test")
    page.goto(f"{live_server.url}/webhooks")
    expect(page.get_by_text("No webhooks yet")).to_be_visible()
    looked_at("webhooks-none")
    page.goto(f"{live_server.url}/webhooks/new")
    page.get_by_label("Address", exact=True).fill("https://ehr.example/hooks")
    page.get_by_label("Name (for your own use)").fill("Our EHR")
    looked_at("webhook-new")
    page.get_by_role("main").get_by_role("button").first.click()
    expect(page.get_by_text("shown this once")).to_be_visible()
    looked_at("webhook-secret")
    page.goto(f"{live_server.url}/webhooks")
    looked_at("webhooks")
    page.get_by_role("link", name="Our EHR").click()
    looked_at("webhook")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume").first).to_be_visible()
    assert not page.faults, page.faults  # type: ignore[attr-defined]
