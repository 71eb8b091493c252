"""A job from the search to its file, and one message sent again, in a real browser."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from carepost.archive import books, store
from carepost.ground import ids
from carepost.jobs.models import Job
from carepost.mailbox import door as engine
from carepost.tenancy.models import Organisation
from carepost.wire.types import Accepted, AcceptedDelivery, Submission
from tests.support.cast import fresh_books, shard
from tests.support.console import _plain, looked_at, maple, sign_in
from tests.support.desk import person
from tests.support.mailroom import KeptDoor
from tests.support.outbox import Outbox

__all__ = ["_plain", "fresh_books", "maple", "shard"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "records"])]

RAW = b"From: nurse@maple.test\r\nTo: jane@patient.test\r\nSubject: Knee\r\n\r\nHello.\r\n"


def test_jobs_and_sending_again(
    live_server: Any, maple: Organisation, shard: Any, open_page: Callable[..., Page], checked: Any,
    no_sideways: Any, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    store.store().migrate()
    kept = KeptDoor()
    taken: list[Submission] = []

    def accept(submission: Submission) -> Accepted:
        taken.append(submission)
        made = [AcceptedDelivery(ids.text(ids.new(1)), r.address, "queued", "tls", "", "", "")
                for r in submission.envelope.recipients]  # fmt: skip
        return Accepted(ids.text(ids.new(1)), tuple(made))

    monkeypatch.setattr(engine, "client", lambda: kept)
    monkeypatch.setattr(kept, "health", list, raising=False)
    monkeypatch.setattr(shard, "body", lambda *_: RAW, raising=False)
    monkeypatch.setattr(shard, "accept", accept, raising=False)
    monkeypatch.setattr("carepost.archive.engine.client", lambda: shard)
    monkeypatch.setattr(books.Opener, "body", lambda _self, _org, _message, stored: stored)
    person(maple, "administrator", "ada@maple.test", "Ada Heron")
    outbox, org = Outbox().empty(), maple.pk.bytes
    for number in range(3):
        message, (one, two) = outbox.accepted(
            org, ("jane@patient.test", "joan@family.test"), subject=f"Knee results {number}", tags=("recall",)
        )
        outbox.failed(org, message, one)
        outbox.deferred(org, message, two)
    outbox.commit()
    page = open_page()
    sign_in(page, live_server.url, "ada@maple.test")

    def looked(name: str) -> None:
        looked_at(page, f"jobs-{name}", checked, no_sideways)

    page.goto(f"{live_server.url}/messages")
    page.get_by_label("Recipient", exact=True).fill("joan@family.test")
    page.get_by_role("button", name="Search", exact=True).click()
    looked("found")
    page.get_by_role("button", name=re.compile("Do something with all")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("All messages that fit your search")
    looked("new")
    page.get_by_label(re.compile("Take back")).check()
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("alert")).to_contain_text("Say why")
    page.get_by_label(re.compile("^Reason")).fill("the wrong batch")
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Take back")
    looked("job")
    follows(page)
    page.get_by_role("button", name="Cancel the job").click()
    expect(page.locator("main")).to_contain_text("Cancelled")
    page.get_by_role("link", name="Jobs").last.click()
    looked("list")
    page.goto(f"{live_server.url}/messages")
    page.get_by_role("link", name="Knee results 2").click()
    page.get_by_role("link", name="Send again").click()
    looked("resend")
    page.get_by_label(re.compile("^Reason")).fill("she lost it")
    page.get_by_role("button", name="Send again").click()
    expect(page.locator("main")).to_contain_text("Sent again to 1 recipient")
    assert [r.address for one in taken for r in one.envelope.recipients] == ["jane@patient.test"]


def follows(page: Page) -> None:
    """The page of a job that runs looks again by itself: the figures are those of now, what is said aloud is put there
    anew only when it changes, the focus stays, and no session is kept open by it."""
    page.evaluate("""() => {
      window.said = 0;
      new MutationObserver(() => { window.said += 1; }).observe(
        document.getElementById("job-state"), {childList: true, subtree: true, characterData: true});
    }""")
    page.get_by_role("button", name="Cancel the job").focus()
    for made in (1, 2):
        with page.expect_request(lambda one: one.headers.get("x-carepost-idle") == "1" and "/jobs/" in one.url):
            Job.objects.update(state="running", seen=made, made=made)
        expect(page.locator("#job")).to_contain_text(f"{made} messages looked at so far, {made} recipients taken back")
        expect(page.locator("#job-state")).to_have_text("Running")
    expect(page.get_by_role("button", name="Cancel the job")).to_be_focused()
    assert page.evaluate("window.said") == 1, "waiting became running; that it went on running is not said again"
    expect(page.locator("#job time").first).to_have_attribute("data-turned", "")
    Job.objects.update(state="done")
    expect(page.locator("#job-state")).to_have_text("Done 2 messages looked at, 2 recipients taken back from.")
    expect(page.get_by_role("button", name="Cancel the job")).to_have_count(0)
    expect(page.locator("#job [hx-get]")).to_have_count(0)
    Job.objects.update(state="running")
    page.reload()
