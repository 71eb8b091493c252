"""The portal at 200 % zoom (640 px wide, two dots a pixel) and at 320 px: what ended, what was entered wrongly, and a
session that ends while somebody writes."""

from typing import Any

import pytest
from playwright.sync_api import expect

from carepost.ground import clock
from carepost.mailbox import door as engine
from carepost.mailbox.models import Deposit, PortalSession
from carepost.tenancy import scope
from carepost.tenancy.models import Organisation
from tests.browser.test_portal import JANE, _face, door
from tests.support.console import OPEN, looking, maple
from tests.support.mailroom import KeptDoor, lay

__all__ = ["_face", "door", "engine", "maple"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SIZES = pytest.mark.parametrize("width", [640, 320], ids=["200%", "320px"])
DAY = 86_400_000_000
LONG = "Untersuchungsergebnisseundweitere" * 4
HEBREW = "תוצאות בדיקת הדם של יום חמישי"


@SIZES
def test_every_end_has_a_way_on(
    width: int, live_server: Any, maple: Organisation, door: KeptDoor, open_page: OPEN, checked: Any, no_sideways: Any
) -> None:
    page = open_page(viewport={"width": width, "height": 450}, device_scale_factor=2)
    look = looking(page, "zoomed-portal", width, checked, no_sideways)
    over = lay(maple, expires_at=clock.now() - DAY)
    page.goto(f"{live_server.url}/m/{over.link}")
    look("expired")
    expect(page.get_by_role("main")).to_contain_text("555-0100")
    row = lay(maple, subject=LONG, name=HEBREW)
    page.goto(f"{live_server.url}/m/{row.link}")
    look("door")
    page.get_by_role("button", name="Send me the code").click()
    right = door.code(JANE)
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    for number in range(3):
        page.keyboard.type(wrong) if number == 0 else page.get_by_label("Code", exact=True).fill(wrong)
        page.keyboard.press("Enter") if number == 0 else page.get_by_role("button", name="Open the message").click()
        expect(page.get_by_role("alert")).to_be_visible()
        expect(page.get_by_role("main")).to_contain_text(f"{4 - number} tries")
        look(f"wrong-{number}")
    page.get_by_label("Code", exact=True).fill(right)
    page.get_by_role("button", name="Open the message").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Untersuchung")
    look("read")
    # another tab with the code that was used already
    page.goto(f"{live_server.url}/m/{row.link}/reply")
    page.get_by_label("Your message").fill("Thank you, and one question more.")
    look("reply")
    with scope.every("the test's own eyes"):
        PortalSession.objects.all().delete()
    page.get_by_role("button", name="Send reply").click()
    look("session-ended")
    expect(page.get_by_text("Thank you, and one question more.").first).to_be_visible()
    assert len([one for one in door.taken if b"one question more" in one.body]) == 0
    assert Deposit.objects.filter(id=row.id).exists()
