"""What each kind of file says, and what it is known to be by its content."""

import binascii
import gzip
import io
import tarfile
import zlib

import pypdf
import pytest

from carepost.phi.documents.read import document, message
from carepost.phi.documents.types import Document, Kind, Limits, Reading, Trait
from tests.support import papers

pytestmark = pytest.mark.fast

CDA = (
    b'<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"><recordTarget><patientRole><id extension="9988"/>'
    b'<patient><name><given>Jane</given><family>Roe</family></name><birthTime value="19800102"/></patient>'
    b"</patientRole>"
    b'</recordTarget><code code="E11.9" displayName="Type 2 diabetes"/></ClinicalDocument>'
)
HL7 = (
    b"MSH|^~\\&|LAB|X|||20200101||ORU^R01|1|P|2.5\rPID|1||12345^^^^MR||DOE^JANE^Q||19800102|F|||1 Main^^Town|"
    b"|555-0100||||||123456789\rOBX|1|NM|4548-4^A1c||8.4|%|4-6\rNTE|1||Refill\\T\\call\r"
)


def one(data: bytes, name: str = "", claimed: str = "") -> Document:
    return document(data, name, claimed)[0]


def test_docx_runs_are_joined_and_paragraphs_are_lines() -> None:
    body = "<w:p><w:r><w:t>SSN 123-</w:t></w:r><w:r><w:t>45-6789</w:t></w:r></w:p><w:p><w:r><w:t>Next</w:t></w:r></w:p>"
    data = papers.docx(
        **{
            "word/document.xml": f"<w:document {papers.W}><w:body>{body}</w:body></w:document>",
            "word/header1.xml": f"<w:hdr {papers.W}><w:p><w:r><w:t>On top</w:t></w:r></w:p></w:hdr>",
            "docProps/core.xml": "<cp><title>Roe, Jane</title></cp>",
        }
    )
    found = one(data, "letter.docx")
    assert (found.kind, found.reading) == (Kind.DOCX, Reading.READ)
    assert "SSN 123-45-6789\nNext\n" in found.text
    assert "On top" in found.text and "Roe, Jane" in found.text


def test_xlsx_rows_hold_shared_texts_and_numbers_in_their_places() -> None:
    found = one(papers.xlsx([["Name", "SSN"], ["Roe, Jane", "123456789"]]), "list.xlsx")
    assert found.kind is Kind.XLSX and found.reading is Reading.READ
    assert "Name\tSSN\nRoe, Jane\t123456789\n" in found.text
    assert "Clinic list" in found.text


def test_pptx_and_opendocument() -> None:
    assert "First\nSecond\n" in one(papers.pptx("First", "Second"), "a.pptx").text
    found = one(papers.odt("Dear Ms Roe", "your results"), "a.odt")
    assert found.kind is Kind.OPENDOCUMENT and found.text.startswith("Dear Ms Roe\nyour results\n")


def test_pdf_text_form_fields_and_attached_file() -> None:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(papers.pdf_page("MRN 12345 Jane Roe")))
    writer.add_attachment("inner.txt", b"SSN inside")
    out = io.BytesIO()
    writer.write(out)
    found = document(out.getvalue(), "chart.pdf")
    assert [d.kind for d in found] == [Kind.PDF, Kind.TEXT]
    assert "MRN 12345 Jane Roe" in found[0].text and Trait.EMBEDDED in found[0].traits
    assert found[1].text == "SSN inside" and found[1].depth == 1


def test_a_pdf_of_pictures_alone_is_unreadable() -> None:
    page = b"/Resources<</XObject<</I 5 0 R>>>>"
    picture = papers.stream(
        b"\xff", b"/Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8"
    )
    scan = papers.pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R" + page + b">>",
            papers.stream(b"/I Do"),
            picture,
        ]
    )
    found = one(scan, "scan.pdf")
    assert (found.reading, found.reason) == (Reading.UNREADABLE, "image-only")


def test_rtf_csv_json_and_texts_of_every_alphabet() -> None:
    assert one(rb"{\rtf1\ansi Jane \b Roe\b0 }", "a.rtf").text == "Jane Roe"
    assert one("name;größe\n".encode("cp1252"), "a.csv").text == "name;größe\n"
    assert one("größe".encode("utf-16"), "a.txt").text == "größe"
    assert one("plain".encode("utf-16-le"), "a.txt").text == "plain"
    found = one(b'{"resourceType":"Patient","birthDate":"1980-01-02"}', "p.json")
    assert found.kind is Kind.JSON and Trait.CLINICAL in found.traits


def test_hl7_fields_stand_beside_the_words_people_know_them_by() -> None:
    found = one(HL7, "result.hl7")
    assert found.kind is Kind.HL7 and Trait.CLINICAL in found.traits
    for shown in ("MRN: 12345", "Patient name: JANE Q DOE", "DOB: 1980-01-02", "SSN: 123-45-6789", "Test: 4548-4 A1c",
                  "Result: 8.4", "Note: Refill&call"):  # fmt: skip
        assert shown in found.text


def test_cda_identifiers_are_named() -> None:
    found = one(CDA, "summary.xml")
    assert found.kind is Kind.CDA and Trait.CLINICAL in found.traits
    for shown in ("MRN: 9988", "DOB: 1980-01-02", "Jane", "Roe", "code: E11.9", "Type 2 diabetes"):
        assert shown in found.text


def test_archives_are_opened_and_their_files_follow_them() -> None:
    inner = papers.zipped({"deep.txt": "deep"})
    found = document(papers.zipped({"a.txt": "shallow", "b.zip": inner}), "all.zip")
    assert [(d.name, d.text, d.depth) for d in found] == [
        ("all.zip", "", 0), ("a.txt", "shallow", 1), ("b.zip", "", 1), ("deep.txt", "deep", 2),
    ]  # fmt: skip
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("notes.txt")
        info.size = 5
        archive.addfile(info, io.BytesIO(b"notes"))
    found = document(gzip.compress(out.getvalue()), "all.tar.gz")
    assert [d.kind for d in found] == [Kind.GZIP, Kind.TAR, Kind.TEXT]
    assert found[2].text == "notes"


def test_bi_060_winmail_dat_is_unpacked() -> None:
    found = document(papers.tnef("See the chart", ("chart.txt", b"MRN 5")), "winmail.dat")
    assert found[0].kind is Kind.TNEF and "See the chart" in found[0].text
    assert (found[1].name, found[1].text) == ("chart.txt", "MRN 5")


def test_office_of_before_2007_gives_its_words_and_is_never_wholly_read() -> None:
    found = one(papers.ole("Dear Ms Roe", "_VBA_PROJECT"), "old.doc")
    assert (found.reading, found.reason) == (Reading.PARTLY, "legacy-format")
    assert "Dear Ms Roe" in found.text and Trait.MACROS in found.traits


def test_pictures_are_unreadable_unless_no_word_fits_or_an_eye_is_lent() -> None:
    assert one(papers.png(300, 100), "scan.png").reason == "image"
    assert one(papers.png(1, 1), "spacer.png").reading is Reading.READ
    seen = document(papers.png(300, 100), "scan.png", eye=lambda data: "JANE ROE")[0]
    assert (seen.reading, seen.text) == (Reading.READ, "JANE ROE")


def test_a_message_gives_subject_all_texts_all_pages_and_files() -> None:
    inner = papers.mail("inner words", ("note.txt", b"noted"), subject="Inner subject")
    raw = (
        (
            papers.HEAD
            + 'Subject: =?utf-8?q?R=C3=B6ntgen?=\r\nContent-Type: multipart/mixed; boundary="m"\r\n\r\n'
            + "--m\r\nContent-Type: text/html\r\n\r\n<p>one\r\n--m\r\nContent-Type: text/html\r\n\r\n<p>two\r\n"
            + "--m\r\nContent-Type: text/plain\r\n\r\nthree\r\n--m\r\nContent-Type: message/rfc822\r\n\r\n"
        ).encode()
        + inner
        + b"\r\n--m--\r\n"
    )
    found = message(raw)
    assert found.subject == "Röntgen"
    assert (found.texts, found.pages) == (("three",), ("<p>one", "<p>two"))
    assert [d.kind for d in found.documents] == [Kind.MESSAGE, Kind.TEXT]
    assert "Inner subject" in found.documents[0].text and "inner words" in found.documents[0].text
    assert found.documents[1].text == "noted"


def test_files_in_data_addresses_of_a_page_are_files() -> None:
    page = '<img src="data:text/plain;base64,TVJOIDEyMzQ1IEphbmUgUm9l">'
    found = message((papers.HEAD + f"Subject: a\r\nContent-Type: text/html\r\n\r\n{page}\r\n").encode())
    assert found.documents[0].text == "MRN 12345 Jane Roe"


def test_signatures_say_nothing_and_ciphertext_is_unreadable() -> None:
    assert one(b"-----BEGIN PGP SIGNATURE-----\n\nxyz\n", "signature.asc").reading is Reading.READ
    found = one(b"-----BEGIN PGP MESSAGE-----\n\nxyz\n", "encrypted.asc")
    assert (found.reading, found.reason, found.traits) == (Reading.UNREADABLE, "encrypted", (Trait.ENCRYPTED,))


@pytest.mark.parametrize(
    ("data", "kind", "reason"),
    [
        (b"7z\xbc\xaf\x27\x1c" + bytes(40), Kind.ARCHIVE, "archive-format"),
        (bytes(128) + b"DICM" + bytes(40), Kind.DICOM, "dicom"),
        (b"\0\0\0\x18ftypmp42" + bytes(40), Kind.MEDIA, "media"),
        (b"MZ" + bytes(100), Kind.EXECUTABLE, "executable"),
        (b"#!/bin/sh\necho\n", Kind.EXECUTABLE, "executable"),
        (bytes(range(256)) * 4, Kind.UNKNOWN, "unknown-type"),
        (b"", Kind.EMPTY, ""),
    ],
    ids=str,
)
def test_what_is_not_read_says_why(data: bytes, kind: Kind, reason: str) -> None:
    found = one(data)
    assert (found.kind, found.reason) == (kind, reason)


def test_rtf_fonts_of_another_alphabet() -> None:
    source = rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fswiss\fcharset0 Arial;}{\f1\fswiss\fcharset204 Arial Cyr;}}"
    assert one(source + rb"{\f0 Jane }{\f1\'d0\'ee }}", "a.rtf").text.strip() == "Jane Ро"


def test_an_attached_message_with_line_feeds_alone_is_read() -> None:
    found = document(papers.mail("inner words", ("note.txt", b"noted")).replace(b"\r\n", b"\n"), "old.eml")
    assert "inner words" in found[0].text and found[1].text == "noted"


def test_xlsx_dates_are_dates_and_cells_stand_in_their_columns() -> None:
    styles = (
        f'<styleSheet {papers.S}><numFmts><numFmt numFmtId="164" formatCode="[$-409]mm/dd/yyyy"/>'
        '<numFmt numFmtId="165" formatCode="&quot;day&quot; 0"/></numFmts>'
        '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/></cellXfs></styleSheet>'
    )
    row = '<c r="A1" s="1" t="n"><v>26056</v></c><c r="C1" s="2"><v>26056.5</v></c><c r="D1" s="3"><v>7</v></c>'
    row += '<c r="E1"><v>26056</v></c>'
    data = papers.xlsx(
        [["x"]],
        **{
            "xl/styles.xml": styles,
            "xl/worksheets/sheet1.xml": f"<worksheet {papers.S}><sheetData><row>{row}</row></sheetData></worksheet>",
        },
    )
    assert "1971-05-03\t\t1971-05-03\t7\t26056\n" in one(data, "a.xlsx").text


def test_a_row_of_a_table_is_a_line() -> None:
    def cell(*lines: str) -> str:
        return "<w:tc>" + "".join(f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>" for line in lines) + "</w:tc>"

    rows = f"<w:tr>{cell('Name')}{cell('SSN')}</w:tr><w:tr>{cell('Jane', 'Roe')}{cell('536-22-1234')}</w:tr>"
    body = f"<w:document {papers.W}><w:tbl>{rows}</w:tbl></w:document>"
    text = one(papers.docx(**{"word/document.xml": body}), "a.docx").text
    assert [[c.strip() for c in line.split("\t")] for line in text.split("\n")[:2]] == [
        ["Name", "SSN"], ["Jane Roe", "536-22-1234"],
    ]  # fmt: skip


def test_a_pdf_page_that_hides_its_text_is_not_called_read() -> None:
    """What pypdf gives up on without a word, a viewer may still show."""
    drawn = zlib.compress(b"BT /F1 12 Tf 72 700 Td (Jane Roe) Tj ET")

    def page(stream: bytes, resources: bytes = b"/Font<</F1 5 0 R>>") -> Document:
        catalogue = b"<</Type/Catalog/Pages 2 0 R>>"
        kids = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
        sheet = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<<" + resources + b">>>>"
        return one(papers.pdf([catalogue, kids, sheet, stream, b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]))

    flate = b"/Filter/FlateDecode"
    assert page(papers.stream(drawn, flate)).text == "Jane Roe\n"
    assert page(papers.stream(drawn[:4] + b"\xff" * 40, flate)).reason == "damaged"
    assert page(papers.stream(drawn, b"/Filter/NoSuchDecode")).reason == "damaged"
    assert page(papers.stream(drawn, flate), b"").reason == "damaged"
    assert page(papers.stream(b"0 0 m 9 9 l S " * 1000)).reason == "image-only"
    assert page(papers.stream(b"q Q")).reading is Reading.READ
    assert page(papers.stream(b"BT /F1 12 Tf ( ) Tj ET")).reading is Reading.READ


def test_files_inside_a_text_are_files() -> None:
    """Uuencoding and OpenPGP armour in a plain body: what a mail program shows as an attachment is one."""
    lines = "".join(binascii.b2a_uu(b"MRN 12345 Jane Roe"[n : n + 9]).decode() for n in (0, 9))
    found = message(papers.mail(f"See below.\r\n\r\nbegin 644 chart.txt\r\n{lines}`\r\nend\r\n"))
    assert [(d.name, d.text) for d in found.documents] == [("chart.txt", "MRN 12345 Jane Roe")]
    armour = "-----BEGIN PGP MESSAGE-----\r\n\r\nhQEMA\r\n-----END PGP MESSAGE-----\r\n"
    found = message(papers.mail(armour))
    assert [d.reason for d in found.documents] == ["encrypted"]
    assert message(papers.mail("to begin 644 chart.txt")).documents == ()


def test_more_text_than_is_read_is_said() -> None:
    found = message(papers.mail("word " * 400), limits=Limits(text=1000))
    assert (found.reading, found.reason, len(found.texts[0])) == (Reading.PARTLY, "too-long", 1000)
