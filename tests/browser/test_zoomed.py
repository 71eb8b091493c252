"""At 200 % zoom (640 px wide, two dots a pixel) and at 320 px: what people meet when something ended, waits or is long.
Pages are asked by axe, nothing moves sideways, and who acts has a keyboard alone."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from carepost.crypto import slowhash
from carepost.tenancy.actions import staff
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import BOOTSTRAP
from tests.support.cast import fresh_books
from tests.support.console import OPEN, _plain, _tables, keep, looking, maple, sign_in
from tests.support.desk import PASSWORD, person
from tests.support.heldmail import HeldMail, wanting
from tests.support.mailroom import clinic

__all__ = ["_plain", "_tables", "fresh_books", "maple", "wanting"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "records"])]

ZOOMED = {"viewport": {"width": 640, "height": 450}, "device_scale_factor": 2}
NARROW = {"viewport": {"width": 320, "height": 568}, "device_scale_factor": 2}
SIZES = pytest.mark.parametrize("size", [ZOOMED, NARROW], ids=["200%", "320px"])
CODE = "Blue Heron 42"
LONG = f"{'a' * 60}@{'.'.join(['verylonglabel' * 4] * 3)}.test"
HEBREW = "תוצאות בדיקת הדם של יום חמישי, ועוד מילים שאורכן עולה על רוחב העמוד"


@pytest.fixture
def harbour() -> Organisation:
    return clinic("harbour", "harbour.test")


def tab_to(page: Page, id_: str, most: int = 120) -> None:
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == id_:
            return
    raise AssertionError(f"{id_} is not reached by keyboard")


def seen(page: Page) -> None:
    """The focus comes onto the screen, and nothing lies over it (WCAG 2.4.11)."""
    page.wait_for_function("""() => {
        const box = document.activeElement.getBoundingClientRect();
        const x = Math.max(0, box.left + Math.min(box.width, innerWidth) / 2), y = box.top + box.height / 2;
        const over = document.elementFromPoint(Math.min(x, innerWidth - 1), y);
        return !!over && (over === document.activeElement || document.activeElement.contains(over)
            || over.contains(document.activeElement) && over !== document.body && over !== document.documentElement);
    }""")


@SIZES
def test_a_message_that_waits_is_given_a_code_by_keyboard_alone(
    size: dict[str, Any], live_server: Any, maple: Organisation, wanting: HeldMail, open_page: Callable[..., Page],
    checked: Any, no_sideways: Any, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(wanting.client, "health", list)
    person(maple, "administrator", "ada@maple.test", "Ada Heron")
    wanting.mail(maple, subject=HEBREW, name="د. عائشة الخطيب")
    one = wanting.mail(maple, to=LONG, subject="Donaudampfschifffahrts" * 6)
    page = open_page(**size)
    width = size["viewport"]["width"]
    look = looking(page, "zoomed", width, checked, no_sideways)
    sign_in(page, live_server.url, "ada@maple.test")
    page.goto(f"{live_server.url}/help")
    look("help")
    page.goto(f"{live_server.url}/held")
    look("held-list")
    page.goto(f"{live_server.url}/held/{one}")
    look("held-needs-code")
    tab_to(page, "agree-code")
    seen(page)
    page.keyboard.type(CODE)
    tab_to(page, "agree-reason")
    seen(page)
    page.keyboard.press("Enter")
    expect(page.locator("#agree-reason")).to_be_visible()
    assert page.evaluate("document.activeElement.id") == "agree-reason", "the browser says what is missing"
    page.keyboard.type("agreed by telephone")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Tell it to the person by telephone or face to face")).to_be_visible()
    look("held-given")
    assert CODE not in page.content() and CODE not in page.url
    assert slowhash.verify(wanting.record(one).access.verifier, CODE)
    assert page.faults == []  # type: ignore[attr-defined]


@SIZES
def test_a_link_of_staff_that_was_used_leads_on(
    size: dict[str, Any], live_server: Any, maple: Organisation, open_page: OPEN, checked: Any, no_sideways: Any
) -> None:
    invited = staff.add_staff(maple.pk, "ada@maple.test", "Ada Heron", "administrator", actor=BOOTSTRAP)
    staff.use_link(invited.token, PASSWORD)
    page = open_page(**size)
    page.goto(live_server.url + invited.path)
    keep(page, f"zoomed-staff-link-used-{size['viewport']['width']}")
    checked(page)
    no_sideways(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("This link does not work")
    expect(page.get_by_text("ask your administrator for a new one")).to_be_visible()
    expect(page.get_by_text("sign in with that password")).to_be_visible()
    page.get_by_role("link", name="To the sign-in page").click()
    expect(page.get_by_label("Password")).to_be_visible()
