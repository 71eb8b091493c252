"""Searching by everything, asking whether something arrived, the report and the suppression list, in a real browser."""

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from carepost.ground import clock
from carepost.jobs import work
from carepost.mailbox import door as engine
from carepost.proof import kinds
from carepost.tenancy.models import Organisation
from tests.support.cast import fresh_books, shard
from tests.support.console import _plain, _tables, keep, looked_at, maple, sign_in
from tests.support.desk import person
from tests.support.mailroom import KeptDoor
from tests.support.outbox import Outbox

__all__ = ["_plain", "_tables", "fresh_books", "maple", "shard"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "records"])]


def test_activity(
    live_server: Any, maple: Organisation, shard: Any, open_page: Callable[..., Page], checked: Any,
    no_sideways: Any, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    kept = KeptDoor()
    monkeypatch.setattr(engine, "client", lambda: kept)
    monkeypatch.setattr(kept, "health", list, raising=False)
    person(maple, "administrator", "ada@maple.test", "Ada Heron")
    outbox, org = Outbox().empty(), maple.pk.bytes
    one, (first,) = outbox.accepted(org, ("jane@patient.test",), subject="Knee results")
    outbox.sent(org, one, first, provider="gmail")
    two, (second,) = outbox.accepted(org, ("joan@family.test",), subject="Hip results")
    outbox.failed(org, two, second, provider="yahoo")
    outbox.add(org, kinds.DELIVERY_COMPLAINED, [one, first], cause="abuse")
    outbox.add(org, kinds.UNSUBSCRIBED, [first])
    outbox.commit()
    page = open_page()
    sign_in(page, live_server.url, "ada@maple.test")

    def looked(name: str) -> None:
        looked_at(page, f"activity-{name}", checked, no_sideways)

    page.goto(f"{live_server.url}/messages")
    page.get_by_text("More to search by").click()
    page.get_by_label("Recipient’s mail provider").select_option("gmail")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_role("link", name="Knee results")).to_be_visible()
    expect(page.get_by_text("Hip results")).to_have_count(0)
    expect(page.get_by_label("Recipient’s mail provider")).to_have_value("gmail")
    looked("search")

    page.get_by_role("link", name="Did it arrive?").click()
    page.get_by_label("Recipient’s e-mail address").fill("jane@patient.test")
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_role("heading", name="accepted by mx.patient.test")).to_be_visible()
    expect(page.get_by_text("We cannot know whether anybody has read it")).to_be_visible()
    looked("arrival")
    # printed: what is on record, without what only a screen has
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", name="accepted by mx.patient.test")).to_be_visible()
    expect(page.get_by_role("button", name="Ask")).to_be_hidden()
    keep(page, "activity-arrival-printed")
    page.goto(f"{live_server.url}/messages/{uuid.UUID(bytes=one)}")
    expect(page.get_by_text("jane@patient.test").first).to_be_visible()
    expect(page.locator("main .btn:visible")).to_have_count(0)
    keep(page, "activity-message-printed")
    page.emulate_media(media="screen")

    page.goto(f"{live_server.url}/report")
    expect(page.get_by_role("rowheader", name="Yahoo and AOL")).to_be_visible()
    expect(page.get_by_role("cell", name="1 (100.0 %)").first).to_be_visible()
    looked("report")

    page.goto(f"{live_server.url}/suppressions")
    page.get_by_label("Address nothing is to be sent to").fill("ann@elsewhere.test")
    page.get_by_label("Reason (kept with the event)").last.fill("She asked for it")
    page.get_by_role("button", name="Add the address").click()
    expect(page.get_by_role("cell", name="ann@elsewhere.test")).to_be_visible()
    looked("suppressions")

    # a list: what would happen first; one of more than a megabyte is tried by a job
    page.goto(f"{live_server.url}/suppressions/import")
    looked("suppressions-import")
    lines = "".join(f"person{number}@elsewhere.test,asked\n" for number in range(40_000))
    page.locator("input[type=file]").set_input_files(
        {"name": "list.csv", "mimeType": "text/csv", "buffer": f"address,note\n{lines}".encode()}
    )
    page.locator("form[enctype='multipart/form-data'] button").first.click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Import suppressed addresses")
    looked("suppressions-job")

    # a small one, which can be taken back once it is done
    page.goto(f"{live_server.url}/suppressions/import")
    page.locator("input[type=file]").set_input_files(
        {"name": "list.csv", "mimeType": "text/csv", "buffer": b"address\nbo@elsewhere.test\n"}
    )
    page.get_by_role("button", name="Show what would happen").click()
    page.get_by_role("button", name="Add 1 address").click()
    doing = work.Work(threading.Event())
    while doing.step(clock.now()):
        pass
    page.reload()
    page.get_by_text("Take this import back").click()
    looked("suppressions-import-back")
    page.get_by_label("Reason (kept with each event)").fill("The wrong file")
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Taking back an import of suppressed addresses")
