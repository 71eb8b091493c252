"""Domains with their reports, and a checked message, in a real browser: two widths, light and dark, axe, keyboard."""

from typing import Any

import pytest
from playwright.sync_api import expect

from carepost.crypto import dkim
from carepost.destinations import reports
from carepost.ground import clock, ids
from carepost.mailbox import door as engine
from carepost.rfc.reports import Failure, Report, Row
from carepost.tenancy.models import Organisation
from carepost.wire.reports import Received
from tests.support.console import OPEN, _plain, keep, maple, sign_in
from tests.support.desk import person
from tests.support.mailroom import KeptDoor
from tests.support.pages import follow
from tests.support.zone import Dns

__all__ = ["_plain", "maple"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "records"])]

SECRET, PUBLIC = dkim.generate(dkim.ED25519)
MARK = "Quillfeather"


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> KeptDoor:
    kept = KeptDoor()
    kept.ask = Dns({  # type: ignore[attr-defined]
        "s._domainkey.there.test": [("TXT", PUBLIC)], "_dmarc.there.test": [("TXT", "v=DMARC1; p=reject")],
        "there.test": [("TXT", "v=spf1 ip4:198.51.100.7 -all")],
    })  # fmt: skip
    kept.health = list  # type: ignore[attr-defined]
    monkeypatch.setattr(engine, "client", lambda: kept)
    return kept


def told(org: Organisation) -> None:
    end = clock.now()
    rows = (
        Row("198.51.100.7", 1240, dkim="pass", spf="pass", signed=("maple.test",), sent="maple.test"),
        Row("2001:db8:85a3::8a2e:370:7334", 44, dkim="pass", spf="fail", signed=("maple.test", "newsletter.test")),
        Row("203.0.113.99", 17, disposition="reject", dkim="fail", spf="fail", sent="bulk-sender.evil.test"),
    )
    dmarc = Report("dmarc", "maple.test", "Example Mail", "1", end - 86_400_000_000, end, 1284, 17, "p=reject", rows)
    broken = (
        Failure("certificate-expired", 12, "mx1.maple.test"),
        Failure("starttls-not-supported", 3, "mx2.maple.test"),
    )
    tls = Report("tls", "maple.test", "Example Mail", "2", end - 86_400_000_000, end, 412, 15, "sts", (), broken)
    for report in (dmarc, tls):
        reports.keep(org.pk.bytes, ids.new(), Received(report, "reports.example.test"))


def mail() -> bytes:
    raw = (
        f"From: Dr. Vera There <vera@there.test>\r\nReply-To: x@elsewhere.test\r\nSubject: {MARK}\r\n"
        "Message-ID: <m-1@there.test>\r\nDate: Sat, 21 Nov 2026 11:00:00 +0000\r\n"
        "Authentication-Results: mx.maple.test; dkim=pass header.d=there.test\r\n\r\nHello.\r\n"
    ).encode()
    signed = dkim.Signer("there.test", "s", dkim.ED25519, SECRET).sign(raw, clock.now() // 1_000_000) + raw
    return (
        b"Return-Path: <vera@there.test>\r\nReceived: from out.there.test (out.there.test [198.51.100.7])\r\n"
        b"\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384)\r\n\tby mx.maple.test with ESMTPS id 1;\r\n"
        b"\tSat, 21 Nov 2026 11:42:07 +0000\r\nReceived: from [10.0.0.9] by out.there.test with ESMTP id 2;\r\n"
        b"\tSat, 21 Nov 2026 11:00:01 +0000\r\n" + signed
    )


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1440, "dark"), (375, "light"), (320, "light")])
def test_the_pages_are_clean(
    width: int, scheme: str, live_server: Any, maple: Organisation, door: KeptDoor, open_page: OPEN, checked: Any,
    no_sideways: Any,
) -> None:  # fmt: skip
    person(maple, "administrator", "ada@maple.test", "Ada Heron")
    page = open_page(viewport={"width": width, "height": 900}, color_scheme=scheme)

    def look(name: str) -> None:
        keep(page, f"world-{name}-{width}-{scheme}")
        checked(page)
        no_sideways(page)
        assert MARK not in page.url + page.title()

    sign_in(page, live_server.url, "ada@maple.test")
    page.goto(f"{live_server.url}/domains")
    look("domains-empty")
    page.get_by_role("link", name="maple.test").click()
    look("domain-empty")
    told(maple)
    page.goto(f"{live_server.url}/domains")
    look("domains")
    page.get_by_role("link", name="maple.test").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Who sends as maple.test")
    look("domain")
    follow(page, "Check a message")
    look("check")
    page.get_by_role("button", name="Check the message").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose a file, or paste the message.")
    look("check-nothing")
    page.get_by_label("The message as a file").set_input_files(
        files=[{"name": "mail.eml", "mimeType": "message/rfc822", "buffer": mail()}]
    )
    page.get_by_role("button", name="Check the message").click()
    expect(page.get_by_role("heading", name="What can and cannot be concluded")).to_be_visible()
    look("checked")
    page.get_by_role("link", name="Check another").click()
    page.get_by_label("Or paste the message").fill("hello")
    page.get_by_role("button", name="Check the message").click()
    expect(page.get_by_role("alert")).to_contain_text("Cannot be read")
    look("check-broken")
    assert [f for f in page.faults if "status of 4" not in f] == []  # type: ignore[attr-defined]
