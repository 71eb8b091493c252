"""The recipient's way in a real browser: keyboard only, without script, on a small telephone, and axe on every page."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import clear_url_caches, set_urlconf
from playwright.sync_api import Page, expect

from carepost.cold import items
from carepost.cold.models import Target, secret_aad
from carepost.keyring import found
from carepost.mailbox import door as engine
from carepost.mailbox.models import Body, Deposit
from carepost.rfc.compose import Attachment
from carepost.tenancy import keys, scope
from carepost.tenancy.models import Organisation
from tests.rooms.keyring.test_found_keys import smime as published
from tests.rooms.keyring.test_recipient_keys import openpgp
from tests.support.console import OPEN, keep, looking, maple
from tests.support.mailroom import KeptDoor, lay

__all__ = ["maple"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

JANE = "jane.quillfeather@patient.test"
PAGE = """<p>Dear Ms Quillfeather,</p><p>your <b>blood test</b> of 19 November is back. All values are in their usual
range, so you need not do anything.</p><table><tr><th>Value</th><th>Yours</th><th>Usual</th></tr>
<tr><td>Haemoglobin</td><td>13.9</td><td>12.0 to 15.5</td></tr>
<tr><td>Zebrafish titre</td><td>0.4</td><td>below 1.0</td></tr></table>
<p>Please write here if you have questions, or read <a href="https://clinic.test/tests">how we test</a>.</p>
<p>Kind regards,<br>Dr. Olive Owl</p><img src="https://tracker.test/pixel.gif">"""
FILES = [
    Attachment("Blood test 2026-11-19.pdf", "application/pdf", b"%PDF-1.4 made up" * 3000),
    Attachment("values.csv", "text/csv", b"value,yours\n"),
]


@pytest.fixture(autouse=True)
def _face(settings: Any) -> Iterator[None]:
    from carepost.settings import outside

    for name in ("ROOT_URLCONF", "MIDDLEWARE", "AUTHENTICATION_BACKENDS", "TEMPLATES", "SESSION_COOKIE_NAME",
                 "CSRF_COOKIE_NAME", "SESSION_COOKIE_SAMESITE"):  # fmt: skip
        setattr(settings, name, getattr(outside, name))
    settings.CSRF_TRUSTED_ORIGINS = []
    clear_url_caches()
    set_urlconf(None)
    yield
    clear_url_caches()


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> KeptDoor:
    kept = KeptDoor()
    monkeypatch.setattr(engine, "client", lambda: kept)
    return kept


@pytest.fixture
def row(maple: Organisation) -> Deposit:
    return lay(maple, html=PAGE, text="Dear Ms Quillfeather, your blood test is back.", attachments=FILES)


@pytest.mark.parametrize("width", [1440, 768, 375, 320])
def test_every_page_of_the_way_is_clean_at_every_width(
    width: int, live_server: Any, row: Deposit, door: KeptDoor, open_page: OPEN, checked: Any, no_sideways: Any
) -> None:
    page = open_page(viewport={"width": width, "height": 800}, device_scale_factor=1)
    look = looking(page, "portal", width, checked, no_sideways)
    page.goto(f"{live_server.url}/m/{row.link}")
    look("door")
    page.get_by_role("link", name="This isn’t me").click()
    look("not-me")
    page.go_back()
    page.get_by_role("link", name="I can’t get the code").click()
    look("help")
    page.go_back()
    page.get_by_role("button", name="Send me the code").click()
    look("code")
    page.get_by_label("Code", exact=True).fill("000000")
    if door.code(JANE) != "000000":
        page.get_by_role("button", name="Open the message").click()
        expect(page.get_by_role("alert")).to_be_visible()
        look("code-wrong")
    page.get_by_label("Code", exact=True).fill(door.code(JANE))
    page.get_by_role("button", name="Open the message").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Results of the Quillfeather panel")
    expect(page.frame_locator("iframe").get_by_text("Haemoglobin")).to_be_visible()
    look("read")
    page.goto(f"{live_server.url}/m/{row.link}/print")
    keep(page, f"portal-print-{width}")
    no_sideways(page)
    # the printed page is sandboxed, so axe, which needs script, looks at a copy
    copy = open_page(viewport={"width": width, "height": 800})
    copy.set_content(page.content())
    checked(copy)
    page.goto(f"{live_server.url}/m/{row.link}/reply")
    look("reply")
    page.get_by_role("link", name="Messages").click()
    look("inbox")
    page.get_by_role("link", name="Settings").click()
    look("settings")
    page.get_by_role("link", name="See or give your key").click()
    page.get_by_label("Or paste it here").fill("not a key")
    page.get_by_role("button", name="Send me the code").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look("key-wrong")
    page.get_by_label("Or paste it here").fill(openpgp(JANE).decode())
    page.get_by_role("button", name="Send me the code").click()
    look("key-code")
    page.get_by_role("button", name="Stop, and use no new key").click()
    found.take(row.org_id, published("recipient", address=JANE))
    page.goto(f"{live_server.url}/settings/key")
    look("key-on-file")
    page.goto(f"{live_server.url}/m/{row.link}/delete")
    look("delete")
    page.get_by_role("button", name="Delete it").click()
    look("inbox-empty")
    page.goto(f"{live_server.url}/m/{row.link}")
    look("deleted")
    page.goto(f"{live_server.url}/m/unknown")
    look("unknown")
    page.goto(live_server.url)
    look("about")
    # 404, 410 and 422 are said by the browser as errors of loading; anything else is ours
    assert [f for f in page.faults if "status of 4" not in f] == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [1440, 375])
def test_a_conversation_leads_from_message_to_message(
    width: int, live_server: Any, maple: Organisation, row: Deposit, door: KeptDoor, open_page: OPEN, checked: Any,
    no_sideways: Any,
) -> None:  # fmt: skip
    second = lay(maple, thread=str(row.thread_id), text="And how do you feel today?")
    page = open_page(viewport={"width": width, "height": 800})
    page.goto(f"{live_server.url}/m/{second.link}")
    page.get_by_role("button", name="Send me the code").click()
    page.get_by_label("Code", exact=True).fill(door.code(JANE))
    page.get_by_role("button", name="Open the message").click()
    expect(page.get_by_role("heading", name="Other messages of this conversation")).to_be_visible()
    expect(page.get_by_text("(not read yet)")).to_be_visible()
    keep(page, f"portal-conversation-{width}")
    checked(page)
    no_sideways(page)
    page.get_by_role("link", name="Message of").click()
    expect(page.get_by_text("(read)")).to_be_visible()
    assert row.link in page.url


def test_agreed_codes_and_questions_have_clean_pages(
    live_server: Any, maple: Organisation, door: KeptDoor, open_page: OPEN, checked: Any, no_sideways: Any
) -> None:
    page = open_page(viewport={"width": 375, "height": 800})
    coded = lay(maple, code="Blue Heron 42")
    asked = lay(maple, question=("In which town did you first meet Dr. Owl?", "Nutwood"))
    page.goto(f"{live_server.url}/m/{asked.link}")
    keep(page, "portal-question-door")
    checked(page)
    page.get_by_role("button", name="Show the question").click()
    keep(page, "portal-question")
    checked(page)
    page.goto(f"{live_server.url}/m/{coded.link}")
    keep(page, "portal-access-code")
    checked(page)
    for _ in range(5):
        page.get_by_label("Access code").fill("a guess")
        page.get_by_role("button", name="Open the message").click()
        checked(page)
        no_sideways(page)
    keep(page, "portal-locked")
    expect(page.get_by_role("heading", level=1)).to_have_text("Too many tries: this page is closed for now")


def test_the_whole_way_by_keyboard_alone(live_server: Any, row: Deposit, door: KeptDoor, open_page: OPEN) -> None:
    page = open_page()
    page.goto(f"{live_server.url}/m/{row.link}")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to main content")
    page.keyboard.press("Enter")
    tab_to(page, "Send me the code")
    page.keyboard.press("Enter")
    page.wait_for_url("**/code")
    tab_to(page, "", "code")
    page.keyboard.type(door.code(JANE))
    page.keyboard.press("Enter")
    page.wait_for_url("**/read")
    tab_to(page, "Reply")
    page.keyboard.press("Enter")
    page.wait_for_url("**/reply")
    tab_to(page, "", "text")
    page.keyboard.type("Thank you, doctor.")
    tab_to(page, "Send reply")
    page.keyboard.press("Enter")
    page.wait_for_url("**/read?done=replied")
    expect(page.get_by_text("Your reply was sent")).to_be_visible()
    assert any("Thank you, doctor." in text for text in door.mails("dr.owl@maple.test"))


def tab_to(page: Page, text: str, element: str = "") -> None:
    """Presses Tab until the wanted thing has the focus, which must be visible."""
    for _ in range(30):
        page.keyboard.press("Tab")
        here = page.evaluate(
            "() => { const e = document.activeElement, s = getComputedStyle(e);"
            " return [e.textContent.trim(), e.id, s.outlineStyle !== 'none' || s.boxShadow !== 'none'] }"
        )
        if (text and here[0] == text) or (element and here[1] == element):
            assert here[2], f"the focus on {text or element} cannot be seen"
            return
    pytest.fail(f"{text or element} is not reached by Tab")


def test_the_whole_way_without_script(live_server: Any, row: Deposit, door: KeptDoor, open_page: OPEN) -> None:
    page = open_page(java_script_enabled=False, viewport={"width": 320, "height": 700})
    page.goto(f"{live_server.url}/m/{row.link}")
    page.get_by_role("button", name="Send me the code").click()
    page.get_by_label("Code", exact=True).fill(door.code(JANE))
    page.get_by_role("button", name="Open the message").click()
    expect(page.frame_locator("iframe").get_by_text("Haemoglobin")).to_be_visible()
    page.get_by_role("link", name="Reply").click()
    page.get_by_label("Your message").fill("Without script")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_role("heading", name="Draft saved")).to_be_visible()
    page.get_by_role("button", name="Send reply").click()
    expect(page.get_by_text("Your reply was sent")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")


def test_opening_a_message_touches_no_other_host(
    live_server: Any, row: Deposit, door: KeptDoor, open_page: OPEN
) -> None:
    """BI-062, BI-094: no request leaves the host, and what the frame holds runs nothing."""
    page = open_page()
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    sign_in(page, live_server.url, row, door)
    expect(page.frame_locator("iframe").get_by_text("Haemoglobin")).to_be_visible()
    assert [url for url in seen if not url.startswith((live_server.url, "data:"))] == []
    frame = page.frames[1]
    assert re.fullmatch(r"null|undefined", str(frame.evaluate("() => self.origin"))) is not None


def sign_in(page: Page, base: str, row: Deposit, door: KeptDoor) -> None:
    page.goto(f"{base}/m/{row.link}")
    page.get_by_role("button", name="Send me the code").click()
    page.get_by_label("Code", exact=True).fill(door.code(JANE))
    page.get_by_role("button", name="Open the message").click()


@pytest.mark.parametrize("width", [1440, 375])
def test_a_body_in_a_cold_store_that_is_away_is_said_plainly(
    width: int, live_server: Any, row: Deposit, door: KeptDoor, open_page: OPEN, checked: Any, no_sideways: Any
) -> None:
    store = Target(endpoint="https://127.0.0.1:1", region="us-east-1", bucket="clinic-cold", access="x", days=30)
    store.wrapped = keys.purposes().wrap("portal", b"invented", secret_aad(store.pk.bytes))
    store.save()
    with scope.organisation(row.org_id):
        item = items.begin(row.org_id, store, row.message, b"x")
        Body.objects.filter(org_id=row.org_id, message=row.message).update(cold=item, chunks=b"")
    page = open_page(viewport={"width": width, "height": 800}, device_scale_factor=1)
    sign_in(page, live_server.url, row, door)
    expect(page.get_by_role("heading", level=1)).to_contain_text("kept in our long-term storage")
    expect(page.get_by_role("link", name="Try again")).to_be_visible()
    keep(page, f"portal-cold-{width}")
    checked(page)
    no_sideways(page)


def test_files_travel_with_progress_and_a_draft_saves_itself(
    live_server: Any, row: Deposit, door: KeptDoor, open_page: OPEN, tmp_path: Path
) -> None:
    page = open_page()
    sign_in(page, live_server.url, row, door)
    page.get_by_role("link", name="Reply").click()
    page.get_by_label("Your message").fill("With a file")
    expect(page.get_by_text("Draft saved.")).to_be_visible()
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(b"%PDF made up" * 1000)
    page.get_by_label("Attachments").set_input_files(scan)
    expect(page.get_by_text("1 file chosen")).to_be_visible()
    page.get_by_role("button", name="Send reply").click()
    expect(page.get_by_text("Your reply was sent")).to_be_visible()
    assert b"scan.pdf" in door.taken[-1].body
