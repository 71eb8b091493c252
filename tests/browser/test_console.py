"""Every page of the console in a real browser, in light and dark at two widths, and axe."""

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from carepost.destinations import merging
from carepost.destinations.models import Destination
from carepost.keyring import acts as keyring
from carepost.keyring import found
from carepost.policy.types import Assurance
from carepost.tenancy import scope
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import BOOTSTRAP
from tests.rooms.keyring.test_found_keys import smime as published
from tests.rooms.keyring.test_recipient_keys import openpgp, smime
from tests.support.console import OPEN, _plain, door, given, keep, maple, sign_in
from tests.support.desk import person, sample
from tests.support.mailroom import KeptDoor
from tests.support.sides import DAY_US, NOON, certificate, counted, host, record
from tests.support.smime import Authority

__all__ = ["_plain", "door", "maple"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "records"])]


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1440, "dark"), (375, "light"), (375, "dark")])
def test_every_page_is_clean(
    width: int, scheme: str, live_server: Any, maple: Organisation, door: KeptDoor, open_page: OPEN, checked: Any,
    no_sideways: Any, monkeypatch: Any,
) -> None:  # fmt: skip
    view = sample(maple.pk)
    given(monkeypatch, view)
    person(maple, "administrator", "ada@maple.test", "Ada Heron")
    person(maple, "operator", "olga@maple.test", "Olga Rail")
    page = open_page(viewport={"width": width, "height": 900}, color_scheme=scheme)

    def look(name: str) -> None:
        keep(page, f"console-{name}-{width}-{scheme}")
        checked(page)
        no_sideways(page)

    page.goto(f"{live_server.url}/sign-in")
    look("sign-in")
    sign_in(page, live_server.url, "ada@maple.test")
    look("overview")
    # on a telephone the navigation is folded, and one touch away
    fold = page.locator("[data-fold]")
    assert (fold.get_attribute("open") is None) == (width < 768)
    if width < 768:
        page.get_by_text("Menu: Overview").click()
        expect(page.get_by_role("link", name="Health", exact=True)).to_be_visible()
        look("menu")
    else:
        # all of it in one line
        assert page.get_by_role("navigation", name="Main").evaluate("nav => nav.getBoundingClientRect().height") < 60
        page.get_by_text("Settings", exact=True).click()
        expect(page.get_by_role("link", name="People", exact=True)).to_be_visible()
        look("menu-settings")
    for path in ("messages", "health", "people", "people/new", "holds", "first-run", "help", "security", "security/app",
                 "security/passkeys/add", f"messages/{view.id}",
                 "messages/00000000-0000-7000-8000-000000000000"):  # fmt: skip
        page.goto(f"{live_server.url}/{path}")
        look(re.sub(r"[0-9a-f-]{36}", "one" if view.id in path else "none", path).replace("/", "-"))
    page.goto(f"{live_server.url}/people")
    page.get_by_role("link", name="Ada Heron").click()
    look("person")
    page.goto(f"{live_server.url}/destinations")
    look("destinations-empty")
    lab = history(maple)
    page.goto(f"{live_server.url}/destinations")
    look("destinations")
    page.goto(f"{live_server.url}/destinations/{lab}")
    look("destination")
    page.get_by_text("Pin a next hop").click()
    page.get_by_label("Keys it may hold").fill("not a key")
    page.get_by_label("Reason (kept with the event)").first.fill("agreed with Lab")
    page.get_by_role("button", name="Pin", exact=True).click()
    look("destination-pin-wrong")
    assert "lab" not in page.url + page.title()
    protection(page, live_server.url, look)
    certificates(page, live_server.url, maple, look)
    page.goto(f"{live_server.url}/domains")
    page.get_by_role("link", name="maple.test").click()
    page.get_by_role("link", name="What to publish in DNS").click()
    page.get_by_role("button", name="Compare with DNS now").click()
    look("domain-check")
    given(monkeypatch)
    page.goto(f"{live_server.url}/messages")
    look("messages-empty")
    page.get_by_label("Recipient", exact=True).fill("anna@dane.test")
    page.get_by_role("button", name="Search").click()
    look("messages-none-found")
    assert "anna" not in page.url + page.title()
    assert [f for f in page.faults if "status of 4" not in f] == []  # type: ignore[attr-defined]


def protection(page: Page, base: str, look: Callable[[str], None]) -> None:
    """The policy: empty, a rule refused, tried and saved, its version, and its removal shown first."""
    page.goto(f"{base}/policy")
    look("policy-empty")
    page.get_by_role("link", name="Add a rule").click()
    page.get_by_label("Name of the rule").fill("results-desk")
    page.get_by_label("Recipient’s domain").fill("partner.test")
    expect(page.get_by_label("Hours", exact=True)).to_be_hidden()
    look("policy-rule-new")
    page.get_by_text("Subject or header field, size, hours").click()
    page.get_by_label("Hours", exact=True).fill("at night")
    page.get_by_role("button", name="Show what it would change").click()
    look("policy-rule-wrong")
    page.get_by_label("Hours", exact=True).fill("not mon-fri 08:00-18:00 America/New_York")
    page.get_by_label("health information of a person (certain)").check()
    page.get_by_label("At least").select_option("AUTHENTICATED")
    page.get_by_label("Then").select_option("approve")
    page.get_by_text("What the sender is asked and told").click()
    page.get_by_label("What the sender is told").fill("Ask the privacy officer first.")
    page.get_by_role("button", name="Show what it would change").click()
    look("policy-rule-tried")
    assert "partner" not in page.url + page.title()
    page.get_by_label("Why the policy changes").fill("decided by the board")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Policy")
    look("policy")
    page.get_by_role("link", name="Open the rule results-desk").click()
    look("policy-rule")
    page.get_by_role("button", name="Show what removing it would change").click()
    look("policy-remove")
    page.goto(f"{base}/policy#versions")
    page.get_by_role("link", name="2", exact=True).click()
    look("policy-version")
    page.goto(f"{base}/policy")
    page.get_by_role("link", name="The policy as one document").click()
    look("policy-document")
    page.get_by_role("link", name="Leave them out").click()
    expect(page.get_by_text("Rule 1", exact=True)).to_have_count(1)


def certificates(page: Page, base: str, org: Organisation, look: Callable[[str], None]) -> None:
    """Certificates of recipients: none, one refused, one in use beside its predecessor, several tried and used."""
    page.goto(f"{base}/certificates")
    look("certificates-empty")
    page.get_by_role("link", name="Hand in a certificate").click()
    page.get_by_label("Address of the recipient").fill("bo@partner.test")
    page.get_by_label("Or paste it").fill("-----BEGIN NOTHING-----")
    page.get_by_label("Reason").fill("read to me by telephone")
    page.get_by_role("button", name="Hand it in").click()
    look("certificate-new-wrong")
    pem = smime("bo@partner.test")
    keyring.add_key(org.pk, "bo@partner.test", smime("bo@partner.test", days=9), actor=BOOTSTRAP, reason="old")
    page.get_by_label("Or paste it").fill(pem.decode())
    page.get_by_role("button", name="Hand it in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("bo@partner.test")
    look("certificate")
    page.goto(f"{base}/certificates/several")
    look("certificate-several-new")
    page.get_by_label("The files").set_input_files([
        {"name": "cy@partner.test.asc", "mimeType": "text/plain", "buffer": openpgp("cy@partner.test")},
        {"name": "bo@partner.test.pem", "mimeType": "text/plain", "buffer": pem},
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"who is who"},
    ])  # fmt: skip
    page.get_by_label("Reason").fill("yearly list")
    page.get_by_role("button", name="Show what would happen").click()
    look("certificate-several-tried")
    page.get_by_role("button", name="Use 1 certificate").click()
    look("certificate-several-done")
    page.get_by_role("link", name="See all certificates").click()
    look("certificates")
    page.get_by_label("Address of the recipient").fill("bo@partner.test")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("status")).to_contain_text("2 certificates found")
    assert "partner" not in page.url + page.title()
    page.get_by_role("link", name="bo@partner.test").last.click()
    page.locator("summary", has_text="Use this one again").click()
    page.get_by_label("How you know that it is theirs").fill("the old one holds")
    page.get_by_role("button", name="Use this one again").click()
    look("certificate-other-used")
    key_sources(page, base, org, look)


def key_sources(page: Page, base: str, org: Organisation, look: Callable[[str], None]) -> None:
    """Where keys are looked for, an authority, and what a key that differs looks like."""
    page.goto(f"{base}/certificates")
    page.get_by_role("link", name="Where keys are looked for").click()
    look("certificate-sources")
    page.get_by_label("Autocrypt headers of mail they sent").check()
    page.get_by_label("Reason (kept with the event)").first.fill("tried for a week")
    page.get_by_role("button", name="Save").click()
    page.get_by_label("Certificate of the authority").set_input_files([
        {"name": "ca.cer", "mimeType": "application/pkix-cert", "buffer": Authority("Invented Partner CA").der},
    ])  # fmt: skip
    page.get_by_label("Reason (kept with the event)").last.fill("the partner's own")
    page.get_by_role("button", name="Believe it").click()
    expect(page.get_by_role("main")).to_contain_text("Invented Partner CA")
    look("certificate-sources-set")
    found.take(org.pk, published("smimea", address="di@partner.test"))
    found.take(org.pk, published("wkd", address="di@partner.test"))
    page.goto(f"{base}/certificates")
    page.get_by_role("link", name="di@partner.test").first.click()
    look("certificate-changed")


def history(org: Organisation) -> uuid.UUID:
    """Destinations of an organisation: one well, one that renewed and then lost encryption."""
    for domain in ("lab.test", "imaging.test"):
        known = record(domain, host(f"mx.{domain}", tlsa=("030101" + "ab" * 32,)), mta_sts="testing")
        merging.count(counted(org.pk.bytes, domain, good=41), {domain: known}.get)
    renewed = host(at=NOON + DAY_US, certificate=certificate(2, ends=NOON + 20 * DAY_US))
    merging.take(record("lab.test", renewed, mta_sts="enforce"))
    lost = host(at=NOON + 2 * DAY_US, tls="none", assurance=Assurance.NONE, fault="no-tls", certificate=None)
    merging.take(record("lab.test", lost, mta_sts="enforce", lost_at=NOON + 2 * DAY_US))
    with scope.every("the test's own eyes"):
        return Destination.objects.get(org=org, domain="lab.test").pk
