"""Reports as others send them, and as nobody should (BI-058, standards 3.3: aggregate XML bombs)."""

import gzip
import io
import json
import zipfile
from typing import Any

import pytest

from carepost.rfc import dmarcreport, packed, tlsreport
from carepost.rfc.packed import PackedError
from carepost.rfc.reports import ROWS, ReportError

pytestmark = pytest.mark.fast

RECORD = """<record><row><source_ip>{ip}</source_ip><count>{count}</count><policy_evaluated>
<disposition>none</disposition><dkim>{dkim}</dkim><spf>{spf}</spf></policy_evaluated></row>
<identifiers><header_from>Clinic.Test</header_from></identifiers><auth_results><dkim><domain>clinic.test</domain>
<result>pass</result></dkim><spf><domain>bounce.clinic.test</domain><result>pass</result></spf></auth_results></record>"""


def xml(records: str, namespace: str = "", domain: str = "clinic.test") -> bytes:
    return f"""<?xml version="1.0"?><feedback{namespace}><version>1.0</version><report_metadata>
<org_name>Example Mail</org_name><email>x@example.test</email><report_id>r-1</report_id><date_range>
<begin>1795000000</begin><end>1795086400</end></date_range></report_metadata><policy_published>
<domain>{domain}</domain><p>reject</p></policy_published>{records}</feedback>""".encode()


GOOD = RECORD.format(ip="198.51.100.7", count=40, dkim="pass", spf="fail")
BAD = RECORD.format(ip="2001:db8::1", count=3, dkim="fail", spf="fail")


@pytest.mark.parametrize("namespace", ["", ' xmlns="urn:ietf:params:xml:ns:dmarc-2.0"'])
def test_an_aggregate_report(namespace: str) -> None:
    found = dmarcreport.read(xml(GOOD + BAD, namespace))
    assert (found.domain, found.reporter, found.number, found.good, found.bad) == (
        "clinic.test", "Example Mail", "r-1", 40, 3,
    )  # fmt: skip
    first = found.rows[0]
    assert (first.source, first.aligned, first.header_from, first.signed) == (
        "198.51.100.7", True, "clinic.test", ("clinic.test",),
    )  # fmt: skip
    assert found.begins == 1795000000 * 1_000_000 and found.policy == "p=reject"


def test_a_report_of_very_many_rows_is_counted_and_kept_small() -> None:
    found = dmarcreport.read(xml(GOOD * (ROWS + 100)))
    assert len(found.rows) == ROWS and found.good == 40 * (ROWS + 100) and found.more == 4000


BOMB = (
    b"""<?xml version="1.0"?><!DOCTYPE f [<!ENTITY a "aaaaaaaaaa">"""
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(8))
    + b"]><feedback>&i;</feedback>"
)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (BOMB, "report-doctype"),
        (b'<!DOCTYPE f SYSTEM "file:///etc/passwd"><feedback/>', "report-doctype"),
        (b'<!DOCTYPE f [<!ENTITY % x SYSTEM "http://127.0.0.1/">%x;]><feedback/>', "report-doctype"),
        (b"<feedback>" + b"<a>" * 50, "report-syntax"),
        (b"<html/>", "report-syntax"),
        (b"<feedback><record>", "report-syntax"),
        (b"", "report-syntax"),
        (b"\xff\xfe\x00", "report-syntax"),
        (xml(""), "report-empty"),
        (xml(GOOD, domain=""), "report-empty"),
        (xml(GOOD.replace("40", "-4")), "report-syntax"),
        # encodings no parser knows, of several octets, of no text at all
        *(
            (b'<?xml version="1.0" encoding="%b"?><feedback/>' % one, "report-syntax")
            for one in (b"nope", b"utf-7", b"big5", b"idna", b"punycode", b"hex", b"zlib", b"undefined")
        ),
        (xml(GOOD.replace("40", "9" * 400)), "report-syntax"),
    ],
)
def test_aggregate_reports_that_are_refused(data: bytes, code: str) -> None:
    with pytest.raises(ReportError) as refused:
        dmarcreport.read(data)
    assert refused.value.code == code


def test_texts_of_a_report_are_safe_to_show() -> None:
    found = dmarcreport.read(xml(GOOD).replace(b"Example Mail", "E‮vil\n<b>".encode().replace(b"<b>", b"&lt;b&gt;")))
    assert found.reporter == "Evil <b>"


def tls(**changes: Any) -> bytes:
    report: dict[str, Any] = {
        "organization-name": "Example Mail",
        "date-range": {"start-datetime": "2026-11-20T00:00:00Z", "end-datetime": "2026-11-20T23:59:59Z"},
        "contact-info": "x@example.test",
        "report-id": "t-1",
        "policies": [
            {
                "policy": {"policy-type": "sts", "policy-string": ["version: STSv1"], "policy-domain": "Clinic.test"},
                "summary": {"total-successful-session-count": 90, "total-failure-session-count": 2},
                "failure-details": [
                    {
                        "result-type": "certificate-expired",
                        "failed-session-count": 2,
                        "receiving-mx-hostname": "MX.clinic.test",
                    }
                ],
            }
        ],
    }
    return json.dumps(report | changes).encode()


def test_a_tls_report() -> None:
    [found] = tlsreport.read(tls())
    assert (found.kind, found.domain, found.good, found.bad, found.policy) == ("tls", "clinic.test", 90, 2, "sts")
    assert (found.failures[0].kind, found.failures[0].mx, found.ends - found.begins) == (
        "certificate-expired", "mx.clinic.test", 86_399_000_000,
    )  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"{}", b"null", b"[" * 100_000, tls(policies=[]), tls(policies=[{}]), tls(policies="x"),
        tls(**{"date-range": {"start-datetime": "soon", "end-datetime": "later"}}),
        tls(policies=[{"policy": {"policy-type": "sts", "policy-domain": f"d{n}.test"}} for n in range(201)]),
    ],
)  # fmt: skip
def test_tls_reports_that_are_refused(data: bytes) -> None:
    with pytest.raises(ReportError):
        tlsreport.read(data)


def zipped(*files: tuple[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return made.getvalue()


def test_what_a_report_may_be_packed_in() -> None:
    data = xml(GOOD)
    assert packed.open_(data) == data
    assert packed.open_(gzip.compress(data)) == data
    assert packed.open_(zipped(("r.xml", data))) == data


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (gzip.compress(b"\0" * 40_000_000), "packed-large"),
        (zipped(("r.xml", b"\0" * 40_000_000)), "packed-large"),
        (gzip.compress(b"x" * 200)[:-9], "packed-damaged"),
        (b"\x1f\x8bnot gzip", "packed-damaged"),
        (b"PK\x03\x04not zip", "packed-damaged"),
        (zipped(("r.xml", b"data"))[:-1], "packed-damaged"),
        (zipped(("r.xml", b"data")).replace(b"r.xml", b"\0.xml"), "packed-damaged"),
        (zipped(("a.xml", b"1"), ("b.xml", b"2")), "packed-files"),
        (zipped(*((f"{n}.xml", b"") for n in range(50))), "packed-files"),
        (b"x" * (packed.MOST + 1), "packed-large"),
    ],
)
def test_bi_058_bombs_and_broken_archives(data: bytes, code: str) -> None:
    with pytest.raises(PackedError) as refused:
        packed.open_(data)
    assert refused.value.code == code


def test_bi_058_a_zip_of_very_many_files_is_refused_before_its_list_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    many = zipped(*((f"{n}.xml", b"") for n in range(2000)))
    long = many[:-22] + b"PK\x06\x07" + bytes(16) + many[-22:-10] + bytes(4) + many[-6:]

    def listed(*_anything: object) -> None:
        raise AssertionError("the list was read")

    monkeypatch.setattr(zipfile.ZipFile, "_RealGetContents", listed)
    for data in (many, long):
        with pytest.raises(PackedError) as refused:
            packed.open_(data)
        assert refused.value.code == "packed-files"


def test_bi_058_a_zip_that_lies_about_its_size_and_one_that_is_encrypted() -> None:
    honest = zipped(("r.xml", b"\0" * 40_000_000))
    lying = honest.replace((40_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    with pytest.raises(PackedError):
        packed.open_(lying)
    flagged = bytearray(zipped(("r.xml", b"data")))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        flagged[flagged.index(mark) + offset] |= 1
    with pytest.raises(PackedError):
        packed.open_(bytes(flagged))
