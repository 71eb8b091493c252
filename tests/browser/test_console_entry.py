"""Coming into the console in a real browser: by an invitation and an authenticator app, and by a passkey."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from carepost.tenancy.actions import staff
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import BOOTSTRAP
from tests.support.console import OPEN, _plain, door, keep, maple
from tests.support.desk import PASSWORD, code_now
from tests.support.mailroom import KeptDoor

__all__ = ["_plain", "door", "maple"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "records"])]


def test_a_new_administrator_gets_in_by_link_and_app(
    live_server: Any, maple: Organisation, door: KeptDoor, open_page: OPEN, checked: Any
) -> None:
    invited = staff.add_staff(maple.pk, "ada@maple.test", "Ada Heron", "administrator", actor=BOOTSTRAP)
    page = open_page()
    enter_by_link(page, live_server.url + invited.path)
    checked(page)
    page.get_by_role("link", name="Set up an app").click()
    expect(page.get_by_label("Authenticator code")).to_be_focused()
    keep(page, "console-app-add")
    checked(page)
    secret = page.locator(".cs-mono").inner_text().strip()
    page.get_by_label("Authenticator code").fill(code_now(secret))
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    checked(page)
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    assert page.faults == []  # type: ignore[attr-defined]


def test_a_passkey_is_added_and_signs_in(
    live_server: Any, maple: Organisation, door: KeptDoor, open_page: OPEN
) -> None:
    invited = staff.add_staff(maple.pk, "ada@maple.test", "Ada Heron", "administrator", actor=BOOTSTRAP)
    page = open_page()
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }})  # fmt: skip
    # passkeys belong to a name, not to an address of numbers
    base = live_server.url.replace("127.0.0.1", "localhost")
    enter_by_link(page, base + invited.path)
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("office laptop")
    page.get_by_label("Sign in with it alone").check()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    page.goto(f"{base}/security/passkeys")
    expect(page.get_by_text("office laptop", exact=True)).to_be_visible()
    page.goto(f"{base}/sign-out")
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")


def enter_by_link(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same password again").fill(PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    # nothing is typed a second time
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign-in security")
