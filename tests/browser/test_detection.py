"""The pages of detection in a real browser: words and exceptions, a text that is tried, findings called wrong."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from carepost.archive import store
from carepost.detection import acts
from carepost.detection.entries import Sender
from carepost.mailbox import door
from carepost.phi.types import Exemption, Pattern, Score, Shown, Strength, Where
from carepost.tenancy import scope
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import BOOTSTRAP, COMMAND_LINE
from carepost.wire.doors import HealthAnswer, InspectAnswer
from tests.support.console import OPEN, _plain, keep, maple, sign_in
from tests.support.desk import person
from tests.support.mailroom import KeptDoor
from tests.support.pages import follow
from tests.support.workers import Workers

__all__ = ["_plain", "maple"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "records"])]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[KeptDoor]:
    store.store().migrate()
    kept, workers = KeptDoor(), Workers()
    shard = {"queued": 0, "deferred": 0, "held": 0, "accepted": 0, "sent": 0, "outbox": 0, "oldest_s": 0,
             "disk_free": 80_000_000_000}  # fmt: skip
    kept.health = lambda: [HealthAnswer({"0": shard}, {})]  # type: ignore[attr-defined]

    def inspect(*asked: Any) -> InspectAnswer:
        return workers.inspect(*asked)

    kept.inspect = inspect  # type: ignore[attr-defined]
    monkeypatch.setattr(door, "client", lambda: kept)
    yield kept
    workers.close()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (375, "dark")])
def test_words_are_added_tried_and_reports_settled(
    width: int, scheme: str, live_server: Any, maple: Organisation, engine: KeptDoor, open_page: OPEN, checked: Any,
    no_sideways: Any,
) -> None:  # fmt: skip
    ada = person(maple, "administrator", "ada@maple.test", "Ada Heron")
    page = open_page(viewport={"width": width, "height": 900}, color_scheme=scheme)

    def look(name: str) -> None:
        keep(page, f"detection-{name}-{width}-{scheme}")
        checked(page)
        no_sideways(page)

    sign_in(page, live_server.url, "ada@maple.test")
    follow(page, "Detection")
    look("empty")
    for entry in (Pattern("case-number", r"HX-\d{6}", keywords=("case file", "file number")),
                  Exemption("footer", phrase="Maple Clinic, 1 Elm Street, Riverton. Please call before you come."),
                  Sender("newsletter", "news@maple.test")):  # fmt: skip
        acts.put(maple.pk, entry, actor=COMMAND_LINE, reason="agreed")
    page.get_by_text("Add a word, pattern or exception").click()
    page.get_by_label("Name").fill("programme")
    page.get_by_label("Word, pattern, text, address or domain").fill("Project Bluebell")
    page.get_by_label("It is enough alone").check()
    page.get_by_label("Reason (kept with the version)").fill("our programme")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_text("“programme” holds from the next message on")).to_be_visible()
    page.get_by_label("Text", exact=True).fill("Project Bluebell, SSN 536-90-4399: asthma, metformin 500 mg")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("•••-••-••99")).to_be_visible()
    look("tried")
    shown = Shown("ssn", Score.IDENTIFIER, Strength.STRONG, Where.TEXT, 0, 1, "•••-••-••99", b"t" * 16)
    with scope.organisation(maple.pk):
        acts.report(maple.pk, ada.pk, shown, actor=BOOTSTRAP)
    page.get_by_role("link", name="Findings called wrong").click()
    look("reports")
    page.get_by_role("button", name="Make an exception of SSN").click()
    expect(page.get_by_text("Say why; it is kept with the version.")).to_be_visible()
    page.get_by_label("Reason for SSN").fill("an order number")
    page.get_by_role("button", name="Make an exception of SSN").click()
    expect(page.get_by_text("Does not count any more", exact=True)).to_be_visible()
    look("excepted")
    page.get_by_label("Reason for SSN").fill("it was one after all")
    page.get_by_role("button", name="Let it count again: SSN").click()
    expect(page.get_by_text("Put aside", exact=True)).to_be_visible()
    look("settled")
    expect(page.get_by_role("button", name="Make an exception of SSN")).to_be_visible()
