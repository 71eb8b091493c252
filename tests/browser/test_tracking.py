"""Opens and clicks as an administrator meets them: off with a warning, on with an attestation, figures; axe clean."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from carepost.engagement.models import Copy, Sent
from carepost.ground import clock, ids
from carepost.tenancy import scope
from carepost.tenancy.models import Organisation
from tests.support.console import _plain, door, keep, maple, sign_in
from tests.support.desk import person
from tests.support.pages import follow

__all__ = ["_plain", "door", "maple"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "records"])]


def happened(org: Organisation) -> None:
    """Two days of newsletters, as the journal has judged them."""
    today = clock.now() // 86_400_000_000
    with scope.organisation(org.pk):
        for day in (today, today - 1):
            for what, count in (("opens", 1200), ("clicks", 1200)):
                Sent.objects.create(org_id=org.pk, day=day, category="marketing", what=what, count=count)
            for called, many in (("human", 9), ("undetermined", 4), ("automated", 6)):
                for number in range(many):
                    Copy.objects.create(
                        org_id=org.pk, delivery=ids.text(ids.new()), day=day, category="marketing", opened=called,
                        clicked=called if number % 2 else "",
                    )  # fmt: skip


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (375, "dark")])
def test_watching_is_turned_on_and_its_figures_read(
    width: int, scheme: str, live_server: Any, maple: Organisation, open_page: Callable[..., Page], door: Any,
    checked: Any, no_sideways: Any,
) -> None:  # fmt: skip
    person(maple, "administrator", "ada@maple.test", "Ada Heron")
    page = open_page(viewport={"width": width, "height": 900}, color_scheme=scheme)

    def look(name: str) -> None:
        keep(page, f"tracking-{name}-{width}-{scheme}")
        checked(page)
        no_sideways(page)

    sign_in(page, live_server.url, "ada@maple.test")
    follow(page, "Opens and clicks")
    expect(page.get_by_role("heading", name="Nothing is watched")).to_be_visible()
    look("empty")
    page.get_by_role("link", name="Settings", exact=True).click()
    expect(page.get_by_text("Off is right for mail about care.")).to_be_visible()
    look("off")
    card = page.get_by_role("region", name="Marketing mail")
    card.get_by_label("Opens").select_option("on")
    card.get_by_label("Reason").fill("newsletter")
    card.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("who vouches")
    look("refused")
    card.get_by_label("Attestation").fill("A. Heron, administrator: newsletters alone, nothing about anyone's care.")
    card.get_by_role("button", name="Save").click()
    expect(card.get_by_text("newsletters alone")).to_be_visible()
    look("on")
    known = page.get_by_role("region", name="Networks you know")
    known.get_by_label("Network (192").fill("192.0.2.0/24")
    known.get_by_label("Note").fill("mail filter of the main building")
    known.get_by_label("Reason").fill("it looks at every link")
    known.get_by_role("button", name="Save network").click()
    expect(known.get_by_role("row", name="192.0.2.0/24")).to_contain_text("A scanner")
    known.get_by_text("Remove a network").click()
    look("networks")
    happened(maple)
    page.get_by_role("link", name="Opens and clicks").first.click()
    expect(page.get_by_text("26 of 2400").first).to_be_visible()
    look("figures")
