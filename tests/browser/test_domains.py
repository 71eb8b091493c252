"""Our domains in a real browser: records beside DNS, keys that change, the policy, the rules of providers."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from carepost.rfc.asking import Found, Question, Record
from carepost.tenancy import select
from carepost.tenancy.models import Organisation
from tests.support.cast import fresh_books
from tests.support.console import _plain, _tables, keep, maple, sign_in
from tests.support.desk import person
from tests.support.mailroom import KeptDoor
from tests.support.pages import follow

__all__ = ["_plain", "_tables", "fresh_books", "maple"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "records"])]


class Dns(KeptDoor):
    """What an engine's resolver answers: addresses for the house's name, TXT records as they are published."""

    def __init__(self) -> None:
        super().__init__()
        self.txt: dict[str, str] = {}

    def ask(self, question: Question) -> Found:
        if question.record is Record.A and question.name == "localhost":
            return Found(names=("192.0.2.7",))
        text = self.txt.get(question.name) if question.record is Record.TXT else None
        return Found(texts=(text.encode(),)) if text else Found()

    def health(self) -> list[object]:
        return []


@pytest.fixture
def dns(monkeypatch: pytest.MonkeyPatch) -> Dns:
    made = Dns()
    monkeypatch.setattr("carepost.mailbox.door.client", lambda: made)
    return made


def publish(dns: Dns, maple: Organisation) -> None:
    [row] = select.domains(maple.pk)
    dns.txt |= {f"{key.selector}._domainkey.maple.test": key.record for key in row.dkim_keys.all()}


@pytest.mark.parametrize("width", [1440, 375])
def test_a_domain_is_set_up_and_its_keys_change(
    width: int, live_server: Any, maple: Organisation, dns: Dns, open_page: Callable[..., Page], checked: Any,
    no_sideways: Any,
) -> None:  # fmt: skip
    person(maple, "administrator", "ada@maple.test", "Ada Heron")
    publish(dns, maple)
    page = open_page(viewport={"width": width, "height": 900})

    def look(name: str) -> None:
        keep(page, f"domain-{name}-{width}")
        checked(page)
        no_sideways(page)

    sign_in(page, live_server.url, "ada@maple.test")
    follow(page, "Domains")
    page.get_by_role("link", name="Add a domain").click()
    page.get_by_label("Domain (what stands behind").fill("maple.test")
    page.get_by_role("button", name="Add the domain").click()
    expect(page.get_by_text("maple.test is a sender domain here already.")).to_be_visible()
    look("new")
    page.get_by_role("link", name="Back").click()
    page.get_by_role("link", name="maple.test").click()
    look("reports")
    page.get_by_role("link", name="Records in DNS").click()
    expect(page.get_by_text("Not looked at yet")).to_be_visible()
    page.get_by_role("button", name="Compare with DNS now").click()
    expect(page.get_by_role("heading", name="To be mended")).to_be_visible()
    expect(page.get_by_role("heading", name="What receivers should do (DMARC)")).to_be_visible()
    look("records")
    dns.txt["_dmarc.maple.test"] = "v=DMARC1; p=reject; rua=mailto:dmarc-reports@maple.test"
    page.get_by_role("button", name="Compare with DNS now").click()
    dns.txt["_dmarc.maple.test"] = "v=DMARC1; p=none; rua=mailto:dmarc-reports@maple.test"
    page.get_by_role("button", name="Compare with DNS now").click()
    page.get_by_role("link", name="Over time").click()
    expect(page.get_by_role("heading", name="What receivers should do (DMARC) (weaker)")).to_be_visible()
    expect(page.get_by_text("p=reject").first).to_be_visible()
    look("history")
    page.get_by_role("link", name="Who sends").click()
    expect(page.get_by_role("heading", name="What changed")).to_be_visible()
    look("changed")
    page.get_by_role("link", name="Rules of providers").click()
    expect(page.get_by_role("heading", name="Yahoo and AOL")).to_be_visible()
    look("rules")
    page.get_by_role("link", name="Signing keys").click()
    page.get_by_role("button", name="Make the next keys").click()
    expect(page.get_by_text("Next: waits for DNS").first).to_be_visible()
    page.get_by_role("button", name="Look in DNS, then sign with the next keys").click()
    expect(page.get_by_role("alert")).to_contain_text("mail is signed as before")
    look("keys")
    publish(dns, maple)
    page.get_by_role("button", name="Look in DNS, then sign with the next keys").click()
    expect(page.get_by_text("Former: leave it published").first).to_be_visible()
    page.get_by_role("link", name="Revoke c2").last.click()
    look("revoke")
    page.get_by_role("button", name="Revoke the key").click()
    page.get_by_label("Reason (kept with the event)").fill("no mail is on its way")
    page.get_by_role("button", name="Revoke the key").click()
    expect(page.get_by_text("Revoked: publish it empty")).to_be_visible()
    page.get_by_role("link", name="MTA-STS policy").click()
    page.get_by_label("Policy", exact=True).select_option("testing")
    page.get_by_label("Mail servers of the domain").fill("mx.maple.test")
    page.get_by_role("button", name="Keep the policy").click()
    expect(page.get_by_role("heading", name="What to publish")).to_be_visible()
    look("policy")
