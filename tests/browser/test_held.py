"""A reviewer in a real browser: what waits, the page of one, reading it, a refusal with a note, several at once."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from carepost.policy import content as policy
from carepost.policy.content import ContentFacts, Malware
from carepost.policy.ternary import Ternary
from carepost.tenancy.models import Organisation
from tests.support.cast import fresh_books
from tests.support.console import _plain, _tables, keep, maple, sign_in
from tests.support.desk import person
from tests.support.heldmail import HeldMail, waiting
from tests.support.mailroom import clinic

__all__ = ["_plain", "_tables", "fresh_books", "maple", "waiting"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "records"])]

INFECTED = ContentFacts(policy.Level.PHI_HIGH, Ternary.YES, Ternary.YES, Ternary.NO, Ternary.NO, Malware.INFECTED)


@pytest.fixture
def harbour() -> Organisation:
    return clinic("harbour", "harbour.test")


@pytest.mark.parametrize("width", [1440, 375])
def test_a_reviewer_decides(
    width: int, live_server: Any, maple: Organisation, waiting: HeldMail, open_page: Callable[..., Page], checked: Any,
    no_sideways: Any, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(waiting.client, "health", list)
    person(maple, "administrator", "ada@maple.test", "Ada Heron")
    one = waiting.mail(maple, subject="Your visit on Thursday")
    waiting.mail(maple, sender="boss@maple.test", subject="Minutes of the meeting, with all its attachments and a name")
    sick = waiting.mail(maple, content=INFECTED, subject="Invoice")
    page = open_page(viewport={"width": width, "height": 900})

    def look(name: str) -> None:
        keep(page, f"held-{name}-{width}")
        checked(page)
        no_sideways(page)

    sign_in(page, live_server.url, "ada@maple.test")
    if width < 768:
        page.get_by_text("Menu: Overview").click()
    link = page.get_by_role("navigation").get_by_role("link", name="Held")
    expect(link).to_contain_text("3")
    link.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Held")
    look("list")
    # the list stands inside a form: printed without its boxes and buttons, but with its rows
    page.emulate_media(media="print")
    expect(page.get_by_role("link", name="Invoice")).to_be_visible()
    expect(page.get_by_role("checkbox")).to_have_count(0)
    expect(page.locator("main button:visible")).to_have_count(0)
    keep(page, f"held-printed-{width}")
    page.emulate_media(media="screen")
    page.get_by_text("Show only some").click()
    page.get_by_label("Recipient’s domain").fill("nowhere.example")
    look("filters")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_text("Nothing like that waits")).to_be_visible()
    look("filtered")
    page.get_by_role("link", name="Clear", exact=True).click()
    page.get_by_role("link", name="Invoice").click()
    expect(page.get_by_text("The scanner found malicious software in it.").first).to_be_visible()
    look("infected")
    page.goto(f"{live_server.url}/held/{one}")
    look("one")
    page.get_by_role("link", name="Read the message").click()
    expect(page.get_by_text("your zebrafish titre is normal")).to_be_visible()
    look("message")
    page.get_by_role("link", name="Back to the decision").click()
    page.get_by_label("Note to the sender").fill("Ask the desk first.")
    page.get_by_label("Reason (kept with the event, not told to the sender)").fill("wrong person")
    page.get_by_role("button", name="Refuse", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text("Refused; the sender gets a report.")
    assert waiting.record(one).note == "Ask the desk first."
    page.get_by_role("checkbox", name="Choose Invoice").check()
    page.get_by_role("checkbox", name="Choose Minutes").check()
    page.get_by_role("button", name="Release the chosen").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Release 2 messages?")
    look("confirm")
    page.get_by_label("Reason (kept with each event)").fill("looked at both")
    page.get_by_role("button", name="Release them").click()
    expect(page.get_by_text("1 message is approved, and somebody else must approve too.")).to_be_visible()
    look("after")
    assert waiting.record(sick).released
    page.goto(f"{live_server.url}/held/letters")
    look("letters")
    page.goto(f"{live_server.url}/held?kind=malware")
    look("empty")
    assert "visit" not in page.url + page.title()
