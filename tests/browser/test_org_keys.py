"""Keys at rest, as an administrator changes one: axe clean, nothing sideways, the log's keys with their times."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from carepost.archive import books
from carepost.archive.store import store
from carepost.proof.note import SignerKey
from carepost.tenancy.models import Organisation
from tests.support.console import _plain, door, looking, maple, sign_in
from tests.support.desk import person
from tests.support.mailroom import KeptDoor

__all__ = ["_plain", "door", "maple"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "records"])]


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (375, "dark")])
def test_a_key_is_changed_with_a_reason(
    width: int, scheme: str, live_server: Any, maple: Organisation, door: KeptDoor, open_page: Callable[..., Page],
    checked: Any, no_sideways: Any,
) -> None:  # fmt: skip
    books.serving.cache_clear()
    person(maple, "administrator", "ada@maple.test", "Ada Heron")
    log = store()
    log.migrate()
    name = f"carepost/{maple.pk}"
    with log.writing():
        log.many(
            "INSERT INTO audit_key (org, vkey, at, since) VALUES (?, ?, ?, ?)",
            [
                (maple.pk.bytes, SignerKey(name, bytes([n]) * 32).verifier.text, (n + 1) * 10**15, n * 90)
                for n in (0, 1)
            ],
        )
    page = open_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    look = looking(page, "keys-at-rest", f"{width}-{scheme}", checked, no_sideways)
    sign_in(page, live_server.url, "ada@maple.test")
    page.goto(f"{live_server.url}/keys-at-rest")
    expect(page.get_by_role("heading", level=1)).to_have_text("Keys at rest")
    expect(page.get_by_text("Retired", exact=True)).to_have_count(1)
    look("before")
    search = page.get_by_role("region", name="Search")
    search.get_by_label("Reason").fill("somebody left")
    search.get_by_role("button", name="New search key").click()
    expect(page.get_by_text("Search: version 2 is made. It serves in a minute.")).to_be_visible()
    expect(search.get_by_text("Version 2 is coming")).to_be_visible()
    look("after")
