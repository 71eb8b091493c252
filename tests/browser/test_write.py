"""The page "Write" in a real browser: the live look, the reason that a rule asks for, a session that ends in between,
keyboard, two widths, axe; and without script."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from playwright.sync_api import Page, expect

from carepost.archive import store
from carepost.drafts.models import Draft
from carepost.mailbox import door
from carepost.policy.types import Assurance, Rule
from carepost.tenancy.models import Organisation
from tests.support.console import keep, sign_in
from tests.support.desk import person
from tests.support.mailroom import clinic
from tests.support.pages import follow
from tests.support.small_engine import SmallEngine

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "records"])]

OPEN = Callable[..., Page]
RULES = (
    Rule("portal-by-mail", portal_by_mail=True),
    Rule("ask-why", recipient_domain="insurer.test", ask_reason=True),
)


@pytest.fixture(autouse=True)
def _plain(settings: Any) -> None:
    settings.CSRF_TRUSTED_ORIGINS = []
    cache.clear()


@pytest.fixture
def maple() -> Organisation:
    return clinic("maple", "maple.test")


@pytest.fixture
def engine(tmp_path: Path, maple: Organisation, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallEngine]:
    store.store().migrate()
    made = SmallEngine(tmp_path / "shards")
    made.knows(maple.pk.bytes, "maple.test", rules=RULES)
    made.seen("verified.test", Assurance.VERIFIED)
    made.seen("insurer.test", Assurance.AUTHENTICATED)
    made.seen("selfsigned.test", Assurance.ENCRYPTED)
    monkeypatch.setattr(door, "client", lambda: made)
    yield made
    made.close()


def outlook(page: Page) -> Any:
    return page.locator("#outlook")


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (375, "dark")])
def test_a_message_is_written_foreseen_and_sent(
    width: int, scheme: str, live_server: Any, maple: Organisation, engine: SmallEngine, open_page: OPEN, checked: Any,
    no_sideways: Any,
) -> None:  # fmt: skip
    person(maple, "administrator", "ada@maple.test", "Ada Heron")
    page = open_page(viewport={"width": width, "height": 900}, color_scheme=scheme)

    def look(name: str) -> None:
        keep(page, f"write-{name}-{width}-{scheme}")
        checked(page)
        no_sideways(page)

    sign_in(page, live_server.url, "ada@maple.test")
    follow(page, "Write")
    expect(page.get_by_role("heading", level=1)).to_have_text("Write a message")
    look("empty")
    page.get_by_label("To", exact=True).fill(
        "Jane Roe <jane.roe@verified.test>; claims@insurer.test, p@selfsigned.test"
    )
    expect(outlook(page)).to_contain_text("Ordinary mail over TLS")
    expect(outlook(page)).to_contain_text("Secure portal")
    expect(page.get_by_label("Reason for sending")).to_be_visible()
    page.get_by_text("Bcc, and where answers go").click()
    page.get_by_label("Bcc", exact=True).fill("charts@verified.test")
    expect(outlook(page).get_by_text("Bcc", exact=True)).to_be_visible()
    page.get_by_label("Subject").fill("Your visit on Monday")
    message = page.get_by_label("Message", exact=True)
    message.fill("Dear Jane,\nsee you on ")
    page.get_by_label("Light formatting").check()
    message.press("End")
    page.get_by_role("button", name="Bold").click()
    message.press_sequentially("Monday")
    expect(message).to_have_value("Dear Jane,\nsee you on **Monday**")
    expect(outlook(page).locator("strong", has_text=re.compile("^Monday$"))).to_be_visible()
    page.locator("#id_files").set_input_files({"name": "plan.txt", "mimeType": "text/plain", "buffer": b"rest"})
    page.get_by_role("button", name="Attach").click()
    expect(page.get_by_text("plan.txt")).to_be_visible()
    look("foreseen")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Nothing was sent yet")).to_be_visible()
    look("refused")
    expect(page.get_by_label("Message", exact=True)).to_have_value("Dear Jane,\nsee you on **Monday**")
    page.get_by_label("Reason for sending").fill("The insurer asked for it")
    page.get_by_label("Reason for sending").press("Tab")
    page.get_by_role("button", name="Send").press("Enter")
    page.wait_for_url("**/messages/*")
    (sent,) = engine.taken
    assert sent.envelope.sender == "ada@maple.test"
    assert b"<strong>Monday</strong>" in sent.body and b"charts@" not in sent.body
    assert not Draft.objects.exists()


def test_a_session_that_ends_while_somebody_writes_loses_nothing(
    live_server: Any, maple: Organisation, engine: SmallEngine, open_page: OPEN, checked: Any
) -> None:
    person(maple, "administrator", "ada@maple.test", "Ada Heron")
    page = open_page(viewport={"width": 375, "height": 900})
    sign_in(page, live_server.url, "ada@maple.test")
    page.goto(f"{live_server.url}/write")
    page.get_by_label("To", exact=True).fill("jane.roe@verified.test")
    page.get_by_label("Message", exact=True).fill("Dear Jane, the first half")
    expect(outlook(page)).to_contain_text("Ordinary mail over TLS")
    Session.objects.all().delete()
    page.get_by_label("Message", exact=True).fill("Dear Jane, the first half, and the second")
    expect(page.locator("#lost")).to_be_visible()
    keep(page, "write-lost-375")
    checked(page)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Not sent: sign in again")
    expect(page.get_by_label("Message", exact=True)).to_have_value("Dear Jane, the first half, and the second")
    keep(page, "write-kept-375")
    checked(page)
    # in another tab, as the page says: the token of this page is of no session then, and it still gives everything back
    tab = page.context.new_page()
    cache.clear()
    sign_in(tab, live_server.url, "ada@maple.test")
    page.get_by_role("button", name="Go on").click()
    if page.get_by_role("heading", level=1).inner_text() != "Write a message":
        page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Write a message")
    expect(page.get_by_label("Message", exact=True)).to_have_value("Dear Jane, the first half, and the second")
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/messages/*")
    assert len(engine.taken) == 1 and b"and the second" in engine.taken[0].body


def test_it_works_without_script(live_server: Any, maple: Organisation, engine: SmallEngine, open_page: OPEN) -> None:
    person(maple, "administrator", "ada@maple.test", "Ada Heron")
    page = open_page(java_script_enabled=False)
    sign_in(page, live_server.url, "ada@maple.test")
    page.goto(f"{live_server.url}/write")
    page.get_by_label("To", exact=True).fill("jane.roe@verified.test")
    page.get_by_label("Subject").fill("Your visit")
    # Enter in a field looks, and never sends
    page.get_by_label("Subject").press("Enter")
    expect(outlook(page)).to_contain_text("Ordinary mail over TLS")
    assert not engine.taken
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/messages/*")
    assert len(engine.taken) == 1
