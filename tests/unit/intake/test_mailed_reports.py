"""DMARC and TLS reports that come by mail: kept, proved or not, or refused by a named error."""

import gzip
from email.message import EmailMessage

import msgspec
import pytest

from carepost.ground.errors import Refused, Unavailable
from carepost.intake import inbound
from carepost.intake.orgkeys import DirectoryKeys
from carepost.proof import event, kinds
from carepost.queue.sealing import Opener
from carepost.rfc.reports import Report, Row
from carepost.wire import reports as kept
from carepost.wire.types import Actor, Origin, Submission
from tests.unit.intake.office import CLINIC, HARBOUR, Office, submission
from tests.unit.intake.test_conversations import PUBLIC, Desk
from tests.unit.intake.test_conversations import signed as dkim_signed
from tests.unit.rfc.test_reports import BAD, BOMB, GOOD, tls, xml

DMARC, TLS = "dmarc-reports@clinic.test", "tls-reports@clinic.test"
REPORTER = "reports.provider.test"
ZONE = {f"s._domainkey.{REPORTER}": [("TXT", PUBLIC)], f"_dmarc.{REPORTER}": [("TXT", "v=DMARC1; p=reject")]}


def carrying(data: bytes, name: str, kind: str, *, alone: bool = False) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = f"noreply@{REPORTER}", "Report domain: clinic.test"
    main, sub = kind.split("/")
    if alone:
        mail.set_content(data, main, sub, filename=name)
    else:
        mail.set_content("A report.\n")
        mail.add_attachment(data, main, sub, filename=name)
    return mail.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def came(body: bytes, to: str = DMARC, sender: str = "", **changes: object) -> Submission:
    made = submission(to, body=body, sender=sender, origin=Origin.MX, actor=Actor("system", "mx"))
    return msgspec.structs.replace(made, **changes)


async def told(desk: Desk) -> list[kept.Received]:
    opener = Opener(DirectoryKeys(desk.office.directory, desk.office.purposes))
    found = []
    for row in (await desk.office.queue.drain(0, 0))[0]:
        read = event.read(row.event)
        assert read.kind == kinds.REPORT_RECEIVED and set(read.facts) <= kinds.FACTS
        assert b"198.51.100.7" not in row.event
        found.append(kept.decode(opener.personal(row)["report"][1]))
    return found


@pytest.fixture
def desk(office: Office) -> Desk:
    return Desk(office, ZONE)


NOTE = f"From: noreply@{REPORTER}\r\nAuto-Submitted: auto-generated\r\n\r\nx\r\n".encode()
PACKED = gzip.compress(xml(GOOD + BAD))


@pytest.mark.parametrize(
    "body",
    [
        carrying(PACKED, "provider.test!clinic.test!1!2.xml.gz", "application/gzip"),
        carrying(PACKED, "r.xml.gz", "application/gzip", alone=True),
        carrying(xml(GOOD + BAD), "r.xml", "text/xml"),
        carrying(PACKED, "r.xml.gz", "application/octet-stream"),
    ],
)
async def test_a_dmarc_report_is_kept_with_who_proved_to_send_it(desk: Desk, body: bytes) -> None:
    assert (await desk.intake.accept(came(dkim_signed(body, REPORTER)))).deliveries == ()
    (found,) = await told(desk)
    assert (found.proved, found.report.domain, found.report.good, found.report.bad) == (REPORTER, "clinic.test", 40, 3)
    assert await desk.office.queue.listing(b"") == ()


async def test_an_unsigned_report_is_kept_and_proved_by_nobody(desk: Desk) -> None:
    await desk.intake.accept(came(carrying(PACKED, "r.xml.gz", "application/gzip")))
    assert [found.proved for found in await told(desk)] == [""]


async def test_a_tls_report_is_kept(desk: Desk) -> None:
    body = carrying(gzip.compress(tls()), "r.json.gz", "application/tlsrpt+gzip")
    await desk.intake.accept(came(dkim_signed(body, REPORTER), TLS))
    (found,) = await told(desk)
    assert (found.report.kind, found.report.good, found.proved) == ("tls", 90, REPORTER)


async def test_a_key_for_tls_reports_alone_signs_reports_and_nothing_else(office: Office) -> None:
    """RFC 8460 3: `s=tlsrpt`."""
    zone = ZONE | {f"s._domainkey.{REPORTER}": [("TXT", PUBLIC.replace("v=DKIM1;", "v=DKIM1; s=tlsrpt;"))]}
    desk = Desk(office, zone)
    body = dkim_signed(carrying(gzip.compress(tls()), "r.json.gz", "application/tlsrpt+gzip"), REPORTER)
    await desk.intake.accept(came(body, TLS))
    assert [found.proved for found in await told(desk)] == [REPORTER]
    await desk.intake.accept(came(dkim_signed(NOTE, REPORTER), "notice@clinic.test"))
    last = event.read((await office.queue.drain(1, 0))[0][0].event)
    assert (last.kind, last.facts["dkim"], last.facts["dmarc"]) == (kinds.MESSAGE_IGNORED, "permerror", "fail")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (carrying(BOMB, "r.xml", "text/xml"), "report-doctype"),
        (carrying(gzip.compress(b"\0" * 40_000_000), "r.xml.gz", "application/gzip"), "packed-large"),
        (carrying(b"PK\x03\x04", "r.zip", "application/zip"), "packed-damaged"),
        (carrying(b"{}", "r.json", "application/tlsrpt+json"), "report-syntax"),
        (carrying(xml(GOOD, domain="elsewhere.test"), "r.xml", "text/xml"), "report-foreign"),
        (carrying(b"x", "photo.png", "image/png"), "report-missing"),
        (b"From: a@b.test\r\nSubject: Hello\r\n\r\nA person wrote this.\r\n", "report-missing"),
    ],
)
async def test_bi_058_what_is_no_report_is_refused_by_name(desk: Desk, body: bytes, code: str) -> None:
    with pytest.raises(Refused) as error:
        await desk.intake.accept(came(body))
    assert (error.value.code, error.value.enhanced) == (code, "5.6.0")
    assert (await desk.office.queue.drain(0, 0))[0] == ()


async def test_another_organisations_report_is_not_ours(desk: Desk) -> None:
    body = carrying(xml(GOOD), "r.xml", "text/xml")
    with pytest.raises(Refused, match="no domain of this organisation"):
        await desk.intake.accept(came(body, "dmarc-reports@harbour.test", org=HARBOUR))
    await desk.intake.accept(came(body, org=CLINIC))


async def test_a_flood_of_reports_waits_at_its_sender(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbound, "MOST", 2 * inbound.WEIGHT)
    body = carrying(xml(GOOD), "r.xml", "text/xml")
    for _ in range(2):
        await desk.intake.accept(came(body))
    with pytest.raises(Unavailable):
        await desk.intake.accept(came(body))


def test_a_report_of_many_long_rows_is_cut_and_stays_counted() -> None:
    rows = tuple(Row("2001:db8::1", 2, header_from="x" * 250, sent="y" * 250) for _ in range(500))
    encoded = kept.encode(kept.Received(Report("dmarc", "clinic.test", "r", "1", 0, 1, 1000, 0, rows=rows)))
    assert len(encoded) <= kept.MOST
    report = kept.decode(encoded).report
    assert sum(row.count for row in report.rows) + report.more == 1000
