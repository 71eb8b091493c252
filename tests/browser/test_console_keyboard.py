"""The console by keyboard alone, and without script."""

import uuid
from typing import Any

import pytest
from playwright.sync_api import expect

from carepost.tenancy.models import Organisation
from tests.support.console import OPEN, _plain, door, given, maple, sign_in
from tests.support.desk import person, sample
from tests.support.mailroom import KeptDoor

__all__ = ["_plain", "door", "maple"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "records"])]


def test_a_held_delivery_is_released_by_keyboard_alone(
    live_server: Any, maple: Organisation, door: KeptDoor, open_page: OPEN, monkeypatch: Any
) -> None:
    view = sample(maple.pk)
    given(monkeypatch, view)
    acts: list[tuple[str, str]] = []

    def act(
        verb: str, org: bytes, deliveries: tuple[bytes, ...], actor: object, reason: str, also: tuple[str, ...] = ()
    ) -> dict[str, str]:
        acts.append((verb, reason))
        return {str(uuid.UUID(bytes=deliveries[0])): "queued"}

    monkeypatch.setattr(door, "act", act, raising=False)
    person(maple, "operator", "olga@maple.test", "Olga Rail")
    page = open_page()
    sign_in(page, live_server.url, "olga@maple.test")
    page.goto(f"{live_server.url}/messages/{view.id}")
    held = view.deliveries[3].id
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == f"r-{held}":
            break
    page.keyboard.type("code agreed by telephone")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The delivery was released")).to_be_visible()
    assert acts == [("release", "code agreed by telephone")]


def test_the_navigation_goes_by_keyboard_alone(
    live_server: Any, maple: Organisation, door: KeptDoor, open_page: OPEN
) -> None:
    person(maple, "administrator", "ada@maple.test", "Ada Heron")
    page = open_page(viewport={"width": 1440, "height": 900})
    sign_in(page, live_server.url, "ada@maple.test")
    menu = page.get_by_text("Protection", exact=True)
    policy = page.get_by_role("link", name="Policy", exact=True)
    menu.focus()
    page.keyboard.press("Enter")
    expect(policy).to_be_visible()
    page.keyboard.press("Escape")
    expect(policy).to_be_hidden()
    expect(menu).to_be_focused()
    page.keyboard.press("Space")
    expect(policy).to_be_visible()
    # the next group opens, and this one closes when the focus leaves it
    for _ in range(4):
        page.keyboard.press("Tab")
    expect(page.get_by_text("Keys", exact=True)).to_be_focused()
    expect(policy).to_be_hidden()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Certificates of recipients")
    expect(page.locator("summary.cs-here")).to_contain_text("Keys")
    expect(page.get_by_role("link", name="Certificates", exact=True)).to_be_hidden()


def test_the_navigation_opens_without_script(
    live_server: Any, maple: Organisation, door: KeptDoor, open_page: OPEN
) -> None:
    person(maple, "administrator", "ada@maple.test", "Ada Heron")
    page = open_page(java_script_enabled=False, viewport={"width": 1440, "height": 900})
    sign_in(page, live_server.url, "ada@maple.test")
    page.get_by_text("Settings", exact=True).click()
    expect(page.get_by_role("link", name="People", exact=True)).to_be_visible()
    page.get_by_text("Keys", exact=True).click()
    expect(page.get_by_role("link", name="People", exact=True)).to_be_hidden()
    page.get_by_role("link", name="Our keys", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Our keys")


def test_the_list_is_read_without_script(
    live_server: Any, maple: Organisation, door: KeptDoor, open_page: OPEN, monkeypatch: Any
) -> None:
    given(monkeypatch, sample(maple.pk))
    person(maple, "operator", "olga@maple.test", "Olga Rail")
    page = open_page(java_script_enabled=False, viewport={"width": 320, "height": 700})
    sign_in(page, live_server.url, "olga@maple.test")
    page.get_by_role("link", name="Messages").click()
    page.get_by_role("link", name="Your blood test of 19 November").click()
    expect(page.get_by_role("heading", name="5 recipients")).to_be_visible()
