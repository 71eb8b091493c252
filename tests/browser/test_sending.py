"""What holds mail back, pools, an address and a pause that is lifted, as an administrator meets them: axe clean."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from carepost.ground import clock
from carepost.tenancy.models import Organisation
from carepost.wire.pacing import HeldBack, LaneView
from tests.support.console import _plain, door, keep, maple, sign_in
from tests.support.desk import person
from tests.support.mailroom import KeptDoor
from tests.support.pages import follow

__all__ = ["_plain", "door", "maple"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "records"])]


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (375, "dark")])
def test_what_holds_mail_back_is_seen_and_lifted(
    width: int, scheme: str, live_server: Any, maple: Organisation, door: KeptDoor, open_page: Callable[..., Page],
    checked: Any, no_sideways: Any,
) -> None:  # fmt: skip
    until = clock.now() + 540_000_000
    words = "a pause at Gmail and Google Workspace: it says that mail comes too fast (4.7.28)"
    door.stand = [
        LaneView(
            "gmail", "", 5, 50, 0, 0, 0, HeldBack("suspension", words, until, "gmail", "", "gmail-rate"),
            (("gmail-rate", until),),
        ),
        LaneView("yahoo", "192.0.2.7", 10, 20, 10, 0, 4, warm=(70, 12)),
        LaneView("microsoft-365", "", 5, 50, 1, 0, 1, None, (("microsoft-busy", until),)),
    ]  # fmt: skip
    person(maple, "administrator", "ada@maple.test", "Ada Heron")
    page = open_page(viewport={"width": width, "height": 900}, color_scheme=scheme)

    def look(name: str) -> None:
        keep(page, f"sending-{name}-{width}-{scheme}")
        checked(page)
        no_sideways(page)

    sign_in(page, live_server.url, "ada@maple.test")
    follow(page, "Sending")
    expect(page.get_by_text("Held back by a pause at Gmail")).to_be_visible()
    look("held")
    page.get_by_role("link", name="Add a pool").click()
    page.get_by_label("Short name").fill("campaigns")
    page.get_by_label("Marketing").check()
    look("pool-new")
    page.get_by_role("button", name="Add").click()
    page.get_by_role("link", name="Add an address").click()
    page.get_by_label("IP address").fill("192.0.2.7")
    look("address-new")
    page.get_by_role("button", name="Add").click()
    page.get_by_role("link", name="Set a limit").click()
    page.get_by_label("Provider").fill("gmail")
    page.get_by_label("Connections at once").fill("2")
    page.get_by_label("Reason").fill("asked by their postmaster")
    look("limit-new")
    page.get_by_role("button", name="Save").click()
    look("all")
    page.get_by_role("link", name="Send again to Gmail").click()
    page.get_by_label("Reason").fill("their postmaster agreed")
    look("lift")
    page.get_by_role("button", name="Send again").click()
    expect(page.get_by_text("leaves again within two seconds")).to_be_visible()
