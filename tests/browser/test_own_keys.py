"""The organisation's own keys, as an administrator makes, brings in and rotates them: axe clean, nothing sideways."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from carepost.crypto.smime import identity
from carepost.tenancy.actions import domains
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import BOOTSTRAP
from tests.rooms.keyring.test_own_keys import pkcs12
from tests.support.console import _plain, door, keep, maple, sign_in
from tests.support.desk import person
from tests.support.mailroom import KeptDoor
from tests.support.pages import follow

__all__ = ["_plain", "door", "maple"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "records"])]


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (375, "dark")])
def test_from_no_key_to_a_rotated_one(
    width: int, scheme: str, live_server: Any, maple: Organisation, door: KeptDoor, open_page: Callable[..., Page],
    checked: Any, no_sideways: Any,
) -> None:  # fmt: skip
    person(maple, "administrator", "ada@maple.test", "Ada Heron")
    domains.add_domain(maple.pk, "keys.test", actor=BOOTSTRAP)
    page = open_page(viewport={"width": width, "height": 900}, color_scheme=scheme)

    def look(name: str) -> None:
        keep(page, f"own-{name}-{width}-{scheme}")
        checked(page)
        no_sideways(page)
        assert "keys.test" not in page.url + page.title()

    sign_in(page, live_server.url, "ada@maple.test")
    follow(page, "Our keys")
    look("empty")
    page.get_by_role("link", name="Make a key").click()
    page.get_by_label("Address").fill("bea@elsewhere.test")
    page.get_by_label("Kind of key").select_option("smime:ec-p256")
    page.get_by_label("Reason").fill("her first")
    page.get_by_role("button", name="Make it").click()
    look("new-wrong")
    page.get_by_label("Address").fill("bea@keys.test")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("bea@keys.test")
    look("one")
    for step in ("Sign all mail", "Revoke it", "Never give its private key out"):
        page.get_by_role("link", name=step).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(step)
        expect(page.get_by_label("Reason (kept with the event)")).to_have_count(1)
        look(f"step-{step.split()[0].lower()}")
        page.get_by_role("link", name="Leave it as it is").click()
    page.get_by_role("link", name="Replace it with a new key").click()
    look("step-replace")
    page.get_by_label("Reason").fill("yearly")
    page.get_by_role("button", name="Make the new key").click()
    look("rotated")
    given_out(page, look)
    page.goto(f"{live_server.url}/our-keys/import")
    page.get_by_label("PKCS#12 file").set_input_files(
        [{"name": "office.p12", "mimeType": "application/x-pkcs12", "buffer": pkcs12("office@keys.test")}]
    )
    page.get_by_label("Passphrase").fill("correct horse battery")
    page.get_by_label("Reason").fill("from the old system")
    page.get_by_role("button", name="Show what would be taken").click()
    expect(page.get_by_role("status")).to_contain_text("office@keys.test")
    look("import-looked")
    page.goto(f"{live_server.url}/our-keys")
    expect(page.get_by_role("status")).to_contain_text("2 keys")
    look("list")
    own_authority(page, look)


def own_authority(page: Page, look: Callable[[str], None]) -> None:
    """Made a minute after the second factor was shown; a key that vouched for itself is certified by it."""
    page.get_by_role("link", name="Our authority").click()
    look("authority-none")
    page.get_by_label("Kind of key").select_option("ec-p384")
    page.get_by_label("Address of the portal").fill("http://portal.keys.test")
    page.get_by_label("Reason").fill("partners ask for it")
    page.get_by_role("button", name="Make the authority").click()
    expect(page.get_by_text("Issues", exact=True)).to_be_visible()
    look("authority")
    follow(page, "Our keys")
    page.get_by_role("link", name="bea@keys.test").first.click()
    page.get_by_role("link", name="Let our own authority certify it").click()
    page.get_by_label("Reason").fill("ours")
    page.get_by_role("button", name="Certify it").click()
    expect(page.get_by_role("link", name="our own authority")).to_be_visible()
    look("certified")


def given_out(page: Page, look: Callable[[str], None]) -> None:
    """The private part, a minute after the second factor was shown: a file and its passphrase on one page."""
    page.get_by_role("link", name="Back it up").click()
    look("step-take-out")
    page.get_by_label("Reason").fill("her new laptop")
    page.get_by_role("button", name="Take it out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The private key, this once")
    look("given-out")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download key-").click(no_wait_after=True)
    passphrase = page.locator("[data-passphrase]").inner_text().split()[0]
    assert identity.import_pkcs12(download.value.path().read_bytes(), passphrase).certificate.addresses
