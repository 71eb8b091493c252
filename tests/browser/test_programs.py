"""A key and a credential for programs, as an administrator makes them: axe clean, nothing sideways."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from carepost.tenancy.actions import domains
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import BOOTSTRAP
from tests.support.console import _plain, door, keep, maple, sign_in
from tests.support.desk import person
from tests.support.mailroom import KeptDoor
from tests.support.pages import follow

__all__ = ["_plain", "door", "maple"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "records"])]


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (375, "dark")])
def test_a_program_gets_its_key(
    width: int, scheme: str, live_server: Any, maple: Organisation, door: KeptDoor, open_page: Callable[..., Page],
    checked: Any, no_sideways: Any,
) -> None:  # fmt: skip
    person(maple, "administrator", "ada@maple.test", "Ada Heron")
    for domain in ("keys.test", "lab.test"):
        domains.add_domain(maple.pk, domain, actor=BOOTSTRAP)
    page = open_page(viewport={"width": width, "height": 900}, color_scheme=scheme)

    def look(name: str) -> None:
        keep(page, f"programs-{name}-{width}-{scheme}")
        checked(page)
        no_sideways(page)

    sign_in(page, live_server.url, "ada@maple.test")
    follow(page, "Programs")
    look("list")
    page.get_by_role("link", name="Add an API key").click()
    page.get_by_label("What it is for").fill("Appointment reminders")
    page.get_by_label("Most requests").fill("600")
    look("key-new")
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("API key made")
    look("key-made")
    page.get_by_role("link", name="I have copied it").click()
    page.get_by_role("link", name="Add an SMTP credential").click()
    page.get_by_label("What it is for").fill("Practice software")
    look("credential-new")
    page.get_by_role("button", name="Make the credential").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("SMTP credential made")
    look("credential-made")
    page.get_by_role("link", name="I have copied it").click()
    look("both")
    page.get_by_role("link", name="Appointment reminders").click()
    look("one")
