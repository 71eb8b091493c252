"""A template is written, looked at as on a telephone, and saved, by somebody with a real browser."""

from typing import Any

import pytest
from playwright.sync_api import expect

from carepost.tenancy.models import Organisation
from tests.support.console import OPEN, _plain, keep, maple, sign_in
from tests.support.desk import person
from tests.support.workbench import in_this_process

__all__ = ["_plain", "in_this_process", "maple"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "records"])]

MJML = """<mjml><mj-body background-color="#f2f5f9"><mj-section background-color="#ffffff"><mj-column>
<mj-text font-size="20px">Your visit, {{ name }}</mj-text>
<mj-text>We see you on {{ day }} at Maple Clinic.</mj-text>
<mj-button href="https://maple.test/visits" background-color="#1c5d99">See your visit</mj-button>
</mj-column></mj-section></mj-body></mjml>"""


@pytest.mark.parametrize("width", [1440, 375])
def test_a_template_is_written_and_shown(
    width: int, live_server: Any, maple: Organisation, open_page: OPEN, checked: Any, no_sideways: Any
) -> None:
    person(maple, "administrator", "ada@maple.test", "Ada Heron")
    page = open_page(viewport={"width": width, "height": 900})
    sign_in(page, live_server.url, "ada@maple.test")
    page.goto(f"{live_server.url}/templates")
    expect(page.get_by_text("No templates yet")).to_be_visible()
    checked(page)
    no_sideways(page)
    page.get_by_role("link", name="Write a template").click()
    expect(page.get_by_role("heading", name="Write a template")).to_be_visible()
    page.get_by_label("Name, for colleagues").fill("Visit reminder")
    page.get_by_label("Subject", exact=True).fill("Your visit on {{ day }}")
    page.get_by_label("Message", exact=True).fill(MJML)
    page.get_by_label("Example values").fill('{"name": "Ann", "day": "Monday"}')
    page.get_by_role("button", name="Show it", exact=True).click()
    frame = page.frame_locator('iframe[name="template-preview"]')
    expect(frame.get_by_text("We see you on Monday at Maple Clinic.")).to_be_visible()
    checked(page)
    no_sideways(page)
    keep(page, f"template-new-{width}")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="Visit reminder")).to_be_visible()
    expect(page.get_by_text("Version 1, active.")).to_be_visible()
    checked(page)
    no_sideways(page)
    keep(page, f"template-{width}")
    page.goto(f"{live_server.url}/templates")
    expect(page.get_by_role("link", name="Visit reminder")).to_be_visible()
    checked(page)
    keep(page, f"templates-{width}")
    assert not page.faults, page.faults  # type: ignore[attr-defined]
