"""Places of a file in which words stand that no page shows first: each is read, or the file is not called read."""

import base64
import time
import zlib

import pytest

from carepost.inspection.examine import parts
from carepost.phi.documents.read import document, message
from carepost.phi.documents.types import Kind, Reading, Trait
from carepost.phi.types import Where
from tests.support import papers

pytestmark = pytest.mark.fast

RTF = (
    rb"{\rtf1\ansi\deff0{\fonttbl{\f0 Arial;}}{\info{\title TITLED}{\author WRITTEN}}"
    rb"{\header ABOVE\par}{\footerf BELOW\par}"
    rb"Body \u945?\u8364?{\v HIDDEN}{\footnote NOTED}{\*\annotation REMARKED}{\deleted STRUCK}{\bin5 {{{{{AFTER "
    rb"{\shp{\*\shpinst\shpleft1{\sp{\sn fLine}{\sv 98765}}{\shptxt BOXED\par}}}"
    rb"{\shp{\*\shpinst{\sp{\sn gtextUNICODE}{\sv DR\'41WN}}{\sp{\sn wzDescription}{\sv PICTURED}}}}"
    rb"{\*\userprops{\propname Patient}\proptype30{\staticval OWNED}}"
    rb"{\field{\*\fldinst{ FORMTEXT {\*\formfield{\*\ffdeftext FILLED}}}}{\fldrslt SHOWN}} end}"
)


@pytest.mark.parametrize(
    "place",
    ["TITLED", "WRITTEN", "ABOVE", "BELOW", "HIDDEN", "NOTED", "REMARKED", "STRUCK", "AFTER", "BOXED", "FILLED",
     "DRAWN", "PICTURED", "OWNED"],
)  # fmt: skip
def test_rtf_beside_its_body(place: str) -> None:
    (found,) = document(RTF, "letter.rtf")
    assert place in found.text and "Body α€" in found.text and "SHOWN end" in found.text
    assert "98765" not in found.text and "fLine" not in found.text


def test_folded_lines_of_a_calendar_are_one_line() -> None:
    data = b"BEGIN:VCALENDAR\r\nDESCRIPTION:SSN 123-45-\r\n 6789\\, due\\nJane\r\nEND:VCALENDAR\r\n"
    assert "SSN 123-45-6789, due\nJane\r\n" in document(data, "visit.ics")[0].text


WEB_ARCHIVE = (
    b'MIME-Version: 1.0\nContent-Type: multipart/related; boundary="cut"\n\n--cut\nContent-Type: text/html\n'
    b"Content-Transfer-Encoding: quoted-printable\n\n<p>Jane R=6Fe</p>\n--cut--\n"
)


@pytest.mark.parametrize(
    ("name", "data"), [("word/afchunk.mht", WEB_ARCHIVE), ("word/afchunk1.rtf", rb"{\rtf1 Jane R\'6fe}")]
)
def test_a_file_that_a_docx_takes_in_is_read(name: str, data: bytes) -> None:
    found = document(papers.docx("Dear", **{name: data}), "letter.docx")
    assert "Jane Roe" in found[1].text and found[1].reading is Reading.READ


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.bin", "xl/sharedStrings.bin", "xl/macrosheets/sheet1.bin"])
def test_a_binary_workbook_is_not_called_read(part: str) -> None:
    data = papers.zipped({"[Content_Types].xml": papers.TYPES, "xl/workbook.xml": "<workbook/>", part: b"\x81\x01\0"})
    (found,) = document(data, "list.xlsb")
    assert found.kind is Kind.XLSX and found.reading is not Reading.READ and found.reason == "unparsed-part"


def test_slides_have_comments_charts_and_notes() -> None:
    parts = {
        "[Content_Types].xml": papers.TYPES,
        "ppt/slides/slide1.xml": f"<p {papers.P}/>",
        "ppt/comments/comment1.xml": '<p:cmLst xmlns:p="urn:p"><p:cm><p:text>SAID</p:text></p:cm></p:cmLst>',
        "ppt/charts/chart1.xml": '<c:c xmlns:c="urn:c"><c:pt><c:v>DRAWN</c:v></c:pt><c:pt><c:v>7</c:v></c:pt></c:c>',
        "ppt/notesSlides/notesSlide1.xml": f"<p {papers.P}><a:p><a:r><a:t>NOTED</a:t></a:r></a:p></p>",
    }
    text = document(papers.zipped(parts), "talk.pptx")[0].text
    assert "SAID\n" in text and "DRAWN\n7\n" in text and "NOTED\n" in text


def test_xlsx_keeps_words_beside_its_sheets() -> None:
    parts = {
        "xl/comments1.xml": f"<comments {papers.S}><comment><text><r><t>NOTED</t></r></text></comment></comments>",
        "xl/threadedComments/threadedComment1.xml": "<T><threadedComment><text>SAID</text></threadedComment></T>",
        "xl/pivotCache/pivotCacheDefinition1.xml": '<p><items><s v="KEPT"/><n v="778899"/></items></p>',
        "xl/externalLinks/externalLink1.xml": "<e><cell><v>LINKED</v></cell></e>",
        "xl/drawings/vmlDrawing1.vml": '<x><textpath string="DRAWN"/></x>',
    }
    text = document(papers.xlsx([["x"]], **parts), "list.xlsx")[0].text
    assert all(word in text for word in ("NOTED", "SAID", "KEPT", "778899", "LINKED", "DRAWN"))


@pytest.mark.parametrize(
    ("code", "value", "shown"),
    [
        (r"000\-00\-0000", "12345678", "012-34-5678"),
        ("000-00-0000", "123456789", "123-45-6789"),
        ("000-00-0000", "1234567890", "1234567890"),
        ("000-00-0000", "12.5", "12.5"),
        ("00000", "501", "00501"),
        ("#,##0", "501", "501"),
    ],
)
def test_xlsx_numbers_are_shown_by_formats_of_zeros(code: str, value: str, shown: str) -> None:
    styles = (
        f'<styleSheet {papers.S}><numFmts><numFmt numFmtId="164" formatCode="{code}"/></numFmts>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs></styleSheet>'
    )
    row = f'<row><c r="A1" s="1"><v>{value}</v></c><c r="B1"><v>77</v></c></row>'
    sheet = f"<worksheet {papers.S}><sheetData>{row}</sheetData></worksheet>"
    data = papers.xlsx([["x"]], **{"xl/styles.xml": styles, "xl/worksheets/sheet1.xml": sheet})
    assert f"{shown}\t77\n" in document(data, "list.xlsx")[0].text


def test_opendocument_keeps_spaces_between_spans_and_reads_objects() -> None:
    spans = "<t:p><t:span>SSN</t:span> <t:span>123-45-6789</t:span></t:p>\n  \n<t:p>next</t:p>"
    data = papers.zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "META-INF/manifest.xml": "<manifest/>",
            "content.xml": f'<o xmlns:t="urn:t">{spans}</o>',
            "Object 1/content.xml": '<o xmlns:t="urn:t"><t:p>CHARTED</t:p></o>',
        }
    )
    text = document(data, "letter.odt")[0].text
    assert text.startswith("SSN 123-45-6789\nnext\n") and "CHARTED" in text


def test_opendocument_says_what_its_sheets_and_slides_are_called() -> None:
    """As LibreOffice writes it; a table of a slide is drawn once more in a form of its own, and is no file to read."""
    content = '<o:document-content xmlns:o="o" xmlns:t="t" xmlns:d="d"><o:body>{}</o:body></o:document-content>'
    for body, words in (
        ('<o:spreadsheet><t:table t:name="Roe, Jane"><t:table-row/></t:table></o:spreadsheet>', True),
        ('<o:presentation><d:page d:name="Roe, Jane"/></o:presentation>', True),
        ('<o:text><t:table t:name="Roe, Jane"/></o:text>', False),
    ):
        parts = {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": content.format(body),
            "Pictures/TablePreview1.svm": "VCLMTF" + "\0" * 9,
        }
        (found,) = document(papers.zipped(parts), "list.ods")
        assert ("Roe, Jane" in found.text) == words and found.reading is Reading.READ
    other = {**parts, "Pictures/other.svm": "VCLMTF" + "\0" * 9}
    assert [one.reading for one in document(papers.zipped(other), "list.ods")] == [Reading.READ, Reading.UNREADABLE]


def test_hl7_carries_reports_as_files() -> None:
    first, second = (base64.b64encode(text).decode() for text in (b"A1c is 8.4% for Jane Roe", rb"{\rtf1 Jane R\'6fe}"))
    packed = f"L^TEXT^P^Base64^{first[:8]}\\.br\\{first[8:]}~L^TEXT^P^Base64^{second}"
    data = f"MSH|^~\\&|LAB|X|||20200101||ORU^R01|1|P|2.5\rOBX|1|ED|R^Report||{packed}|mg\rNTE|1||Ros\\XC3A9\\\r"
    message, *files = document(data.encode(), "result.hl7")
    assert "Rosé" in message.text and "Test: R Report" in message.text and "Unit: mg" in message.text
    assert first[:8] not in message.text and [one.depth for one in files] == [1, 1]
    assert files[0].text == "A1c is 8.4% for Jane Roe" and files[1].kind is Kind.RTF and files[1].text == "Jane Roe"


def test_a_cda_with_no_narrative_carries_a_file() -> None:
    packed = base64.b64encode(papers.pdf_page("MRN 12345 Jane Roe")).decode()
    data = (
        '<ClinicalDocument xmlns="urn:hl7-org:v3"><component><nonXMLBody><text mediaType="application/pdf" '
        f'representation="B64">{packed[:50]}\n{packed[50:]}</text></nonXMLBody></component><title>Visit</title>'
        "</ClinicalDocument>"
    )
    clinical, report = document(data.encode(), "visit.xml")
    assert "Visit" in clinical.text and packed[:20] not in clinical.text
    assert report.kind is Kind.PDF and "MRN 12345 Jane Roe" in report.text and report.reading is Reading.READ


def test_bookmarks_of_a_pdf_are_read_and_a_ring_of_them_ends() -> None:
    outline = b"/Outlines<</First<</Title(Jane Roe)/First<</Title(A1c)>>/Next<</Title(Bill)>>>>>>"
    (found,) = document(papers.pdf_page("page", catalogue=outline), "chart.pdf")
    assert all(f"{title}\n" in found.text for title in ("Jane Roe", "A1c", "Bill"))
    ring = papers.pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R/Outlines 3 0 R>>",
            b"<</Type/Pages/Kids[]/Count 0>>",
            b"<</First 4 0 R>>",
            b"<</Title(Round)/Next 4 0 R/First 4 0 R>>",
        ]
    )
    (found,) = document(ring, "ring.pdf")
    assert found.reading is not Reading.READ and found.reason == "too-many"


def _scan(width: int, height: int, words: str) -> bytes:
    packed = zlib.compress(bytes(width * height // 8))
    picture = b"/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceGray/BitsPerComponent 1" % (
        width,
        height,
    )
    drawn = b"q 612 0 0 792 0 0 cm /I Do Q BT /F1 9 Tf 20 780 Td (" + words.encode() + b") Tj ET"
    return papers.pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R"
            b"/Resources<</Font<</F1 5 0 R>>/XObject<</I 6 0 R>>>>>>",
            papers.stream(drawn),
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
            papers.stream(packed, picture + b"/Filter/FlateDecode"),
        ]
    )


@pytest.mark.parametrize(
    ("width", "height", "words", "reading"),
    [
        (1728, 2200, "FAX 555-0100 Page 1 of 2", Reading.PARTLY),
        (320, 120, "FAX 555-0100 Page 1 of 2", Reading.READ),
        (1728, 2200, "a letter that says enough " * 20, Reading.READ),
    ],
    ids=["fax", "logo", "letter"],
)
def test_a_scan_under_a_line_of_text_is_not_called_read(width: int, height: int, words: str, reading: Reading) -> None:
    (found,) = document(_scan(width, height, words), "fax.pdf")
    assert words.strip()[:20] in found.text
    assert found.reading is reading and found.reason == ("image-only" if reading is Reading.PARTLY else "")


@pytest.mark.parametrize(
    "field",
    [
        'Content-Type: text/plain; name="=?utf-8?b?SmFuZSBSb2UgQTFjLmV4ZQ==?="',
        "Content-Type: text/plain\r\nContent-Disposition: attachment; filename==?utf-8?q?Jane_Roe_A1c=2Eexe?=",
        "Content-Type: text/plain\r\n"
        "Content-Disposition: attachment; filename*0*=utf-8''Jane%20; filename*1=\"Roe A1c.exe\"",
    ],
    ids=["base64", "quoted", "rfc2231"],
)
def test_names_of_files_are_read_as_programs_show_them(field: str) -> None:
    head = "From: a@clinic.test\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=cut\r\n\r\n--cut\r\n"
    (found,) = message(f"{head}{field}\r\n\r\nx\r\n--cut--\r\n".encode()).documents
    assert found.name == "Jane Roe A1c.exe" and Trait.EXECUTABLE in found.traits


def test_fhir_and_calendars_carry_files() -> None:
    packed = base64.b64encode(papers.pdf_page("MRN 12345 Jane Roe")).decode()
    fhir = f'{{"resourceType": "DocumentReference", "attachment": {{"data": "{packed}", "title": "Visit"}}}}'
    folded = "\r\n ".join(packed[at : at + 60] for at in range(0, len(packed), 60))
    attached = f"ATTACH;FMTTYPE=application/pdf;ENCODING=BASE64;VALUE=BINARY:{folded}"
    visit = f"BEGIN:VCALENDAR\r\n{attached}\r\nSUMMARY:Visit\r\nEND:VCALENDAR\r\n"
    for text, name in ((fhir, "a.json"), (visit, "a.ics")):
        outer, report = document(text.encode(), name)
        assert "Visit" in outer.text and packed[:20] not in outer.text and outer.reading is Reading.READ
        assert report.kind is Kind.PDF and "MRN 12345 Jane Roe" in report.text


def test_many_colons_and_equals_in_a_calendar_take_linear_time() -> None:
    bombs = ("ABC;" + "ENCODING=B" * 30_000, "ABC;ENCODING=B;" * 20_000, "A-" * 200_000, "ABC;\r\n" * 50_000)
    for bomb in bombs:
        began = time.process_time()
        (found,) = document(f"BEGIN:VCALENDAR\r\n{bomb}\r\n".encode(), "a.ics")
        assert found.reading is Reading.READ and time.process_time() - began < 2


def test_words_beside_too_many_files_are_still_read() -> None:
    cards = "PHOTO;ENCODING=b;TYPE=PNG:QUJDQUJD\r\n" * 300
    outer, *files = document(f"BEGIN:VCARD\r\n{cards}NOTE:Jane Roe\r\nEND:VCARD\r\n".encode(), "a.vcf")
    assert "NOTE:Jane Roe" in outer.text and len(files) == 200
    assert outer.reading is Reading.PARTLY and outer.reason == "too-many"


@pytest.mark.parametrize(
    "field",
    [
        'Content-Type: text/plain; name="Jane Roe A1c.exe"\r\nContent-Disposition: attachment; filename="a.txt"',
        'Content-Type: text/plain; name="a.txt"\r\nContent-Disposition: attachment; filename="Jane Roe A1c.exe"',
        "Content-Type: text/plain; name*=utf-8''Jane%20Roe%20A1c.exe\r\n"
        "Content-Disposition: attachment; filename=a.txt",
        "Content-Type: text/plain; name==?utf-8?q?Jane_Roe_A1c=2Eexe?=\r\n"
        "Content-Disposition: attachment; filename=a.txt",
    ],
)
def test_bi_056_a_file_of_two_names_has_both(field: str) -> None:
    """Outlook saves by the one, others by the other: the stricter of both counts, and words in either are read."""
    raw = f"From: a@clinic.test\r\nMIME-Version: 1.0\r\n{field}\r\n\r\nLunch at noon.\r\n".encode()
    found = message(raw)
    (document,) = found.documents
    assert Trait.EXECUTABLE in document.traits
    shown = {part.text for part in parts(found) if part.where is Where.NAME}
    assert shown == {"a.txt", "Jane Roe A1c.exe"}


def test_bi_057_what_either_name_promises_is_compared() -> None:
    fields = 'Content-Type: application/octet-stream; name="a.txt"\r\nContent-Disposition: attachment; filename="a.pdf"'
    raw = f"From: a@clinic.test\r\nMIME-Version: 1.0\r\n{fields}\r\n\r\n%PDF-1.4\r\n%%EOF\r\n".encode()
    (document,) = message(raw).documents
    assert Trait.MISMATCH in document.traits
    (document,) = message(raw.replace(b'name="a.txt"', b'name="b.pdf"')).documents
    assert Trait.MISMATCH not in document.traits


def test_what_fills_a_file_of_before_2007_is_no_text() -> None:
    """Names of its streams and free places of its sectors."""
    filling = b"\xff" * 400 + b"\xfd\xff\xff\xff\xfe\xff\xff\xff" * 9
    words = "WordDocument\0Root Entry\0".encode("utf-16-le")
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + words + filling
    data += b"\0Dear Jane Roe, your A1c is 9.2%\0E11.9 x\0" + filling
    (found,) = document(data, "letter.doc")
    assert found.kind is Kind.LEGACY_OFFICE and found.reading is Reading.PARTLY
    assert found.text.split("\n")[:2] == ["Dear Jane Roe, your A1c is 9.2%", "E11.9 x"] and "ÿ" not in found.text
