"""BI-056..059: names that deceive, types that contradict, what runs or fetches, what is locked: facts, not verdicts."""

import io
import random

import pypdf
import pytest

from carepost.phi.documents import names
from carepost.phi.documents.read import document
from carepost.phi.documents.types import Document, Kind, Reading, Trait
from tests.support import papers

pytestmark = pytest.mark.fast


def one(data: bytes, name: str = "", claimed: str = "") -> Document:
    return document(data, name, claimed)[0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("report.pdf", set()),
        ("Dr. Smith v1.2 final.pdf", set()),
        ("report.pdf.exe", {Trait.EXECUTABLE, Trait.DOUBLE_EXTENSION}),
        ("report.pdf      .scr", {Trait.EXECUTABLE, Trait.DOUBLE_EXTENSION}),
        ("setup.exe", {Trait.EXECUTABLE}),
        ("report\u202efdp.exe", {Trait.REORDERED_NAME, Trait.EXECUTABLE}),
        ("=?utf-8?B?4oCuZmRwLmV4ZQ==?=", {Trait.REORDERED_NAME, Trait.EXECUTABLE}),
        ("../../etc/passwd", {Trait.ODD_NAME}),
        ("C:\\x.txt", {Trait.ODD_NAME}),
        ("/etc/shadow", {Trait.ODD_NAME}),
        ("a.pdf\0.exe", {Trait.ODD_NAME, Trait.EXECUTABLE, Trait.DOUBLE_EXTENSION}),
        ("CON", {Trait.ODD_NAME}),
        ("nul.txt", {Trait.ODD_NAME}),
        ("x" * 4000 + ".pdf", {Trait.ODD_NAME}),
        ("book.xlsm", {Trait.MACROS}),
    ],
)
def test_bi_056_what_a_name_gives_away(name: str, expected: set[Trait]) -> None:
    assert names.traits(name) == expected


@pytest.mark.parametrize(
    ("data", "name", "claimed", "contradicts"),
    [
        (papers.pdf_page("x"), "a.pdf", "", False),
        (papers.pdf_page("x"), "a.docx", "", True),
        (b"<!doctype html><script>x</script>", "photo.png", "image/png", True),
        (b"<!doctype html><script>x</script>", "", "image/png", True),
        (b"MZ" + bytes(100), "a.pdf", "application/pdf", True),
        (b"name,date\n", "a.xls", "", False),
        (papers.docx("x"), "a.docx", "application/octet-stream", False),
        (papers.zipped({"x.txt": "x"}), "a.docx", "", True),
        (b"hello", "a.csv", "", False),
        (b"hello", "a.unheard", "", False),
        (b"", "a.pdf", "", False),
    ],
)
def test_bi_057_type_comes_from_content(data: bytes, name: str, claimed: str, contradicts: bool) -> None:
    assert (Trait.MISMATCH in one(data, name, claimed).traits) is contradicts


def test_bi_059_macros_templates_and_objects_of_office_files() -> None:
    outside = '<Relationship Type="http://x/attachedTemplate" Target="http://x.example/t.dotm" TargetMode="External"/>'
    data = papers.docx("x", **{"word/vbaProject.bin": b"x", "word/_rels/settings.xml.rels": outside,
                               "word/embeddings/inner.xlsx": papers.xlsx([["Inside"]])})  # fmt: skip
    found = document(data, "a.docm")
    assert {Trait.MACROS, Trait.REMOTE, Trait.EMBEDDED} <= set(found[0].traits)
    assert found[1].kind is Kind.XLSX and "Inside" in found[1].text


@pytest.mark.parametrize(
    "relation",
    [
        "<Relationship Type='http://x/attachedTemplate' Target='http://x.example/t.dotm' TargetMode='External'/>",
        '<Relationship Type="http://x/oleObject" Target="http://x.example/o" TargetMode = "Extern&#97;l"/>',
        '<?xml version="1.0"?>'
        + f"<!--{random.Random(59).randbytes(3_000_000).hex()}-->"
        + '<a Type="http://x/frame" TargetMode="External"/>',
        '\ufeff<Relationship Type="http://x/attachedTemplate" TargetMode="External"/>'.encode("utf-16-le"),
    ],
    ids=["other-quotes", "as-reference", "long", "utf-16"],
)
def test_bi_059_a_remote_template_however_it_is_written(relation: str | bytes) -> None:
    data = papers.docx("x", **{"word/_rels/settings.xml.rels": relation})
    assert Trait.REMOTE in one(data, "a.docx").traits


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ("word/_rels/document.xml.rels", '<R Type="http://schemas.microsoft.com/office/2006/relationships/vbaProject"/>'),
        ("[Content_Types].xml", '<Types><Override ContentType="application/vnd.ms-office.vbaProject"/></Types>'),
        ("[Content_Types].xml", '<T><O ContentType="application/vnd.ms-word.document.macroEnabled.main+xml"/></T>'),
    ],
    ids=["relation", "content-type", "main-part"],
)  # fmt: skip
def test_bi_059_macros_under_a_name_of_their_own(part: str, says: str) -> None:
    data = papers.docx("x", **{"word/notes.bin": b"x", part: says})
    assert Trait.MACROS in one(data, "a.docx").traits


def _bof(after: bytes) -> bytes:
    """The start of a workbook's stream (MS-XLS 2.4.21), a sector long at least."""
    return (b"\x09\x08\x10\0\0\x06\x05\0" + bytes(12) + after).ljust(512, b"\0")


def _sheet(kind: int) -> bytes:
    return b"\x85\0\x0c\0" + b"\x21\x43\0\0" + b"\0" + bytes([kind]) + b"\x04\0Calc"


def test_bi_059_macro_sheets_of_excel_4_are_macros() -> None:
    assert Trait.MACROS in one(papers.ole("Workbook") + _bof(_sheet(1)), "a.xls").traits
    assert one(papers.ole("Workbook") + _bof(_sheet(0)), "a.xls").traits == ()


def _word(flags: int) -> bytes:
    return (b"\xec\xa5\xc1\0" + bytes(6) + flags.to_bytes(2, "little")).ljust(512, b"\0")


@pytest.mark.parametrize(
    ("stream", "data", "locked"),
    [
        ("Workbook", _bof(b"\x2f\0\x36\0\1\0"), True),
        ("Workbook", _bof(b"\x86\0\0\0\x2f\0\x36\0"), True),
        ("Workbook", _bof(_sheet(0)), False),
        ("WordDocument", _word(0x0100), True),
        ("WordDocument", _word(0x0200), False),
        ("Current User", b"\0\0\xf6\x0f\x1c\0\0\0\x14\0\0\0\xdf\xc4\xd1\xf3", True),
        ("Current User", b"\0\0\xf6\x0f\x1c\0\0\0\x14\0\0\0\x5f\xc0\x91\xe3", False),
    ],
)
def test_bi_058_a_password_of_before_2007(stream: str, data: bytes, locked: bool) -> None:
    head = papers.ole(stream)
    found = one(head.ljust(-(-len(head) // 512) * 512, b"\0") + data, "a.bin")
    assert (Trait.ENCRYPTED in found.traits, found.reason == "encrypted") == (locked, locked)


def test_an_ordinary_link_is_no_remote_template() -> None:
    link = '<Relationship Type="http://x/hyperlink" Target="http://x.example/" TargetMode="External"/>'
    assert one(papers.docx("x", **{"word/_rels/document.xml.rels": link}), "a.docx").traits == ()


@pytest.mark.parametrize(
    "catalogue",
    [
        b"/OpenAction<</S/JavaScript/JS(app.alert)>>",
        b"/OpenAction<</S/Launch/F(cmd.exe)>>",
        b"/AA<</WC<</S/JavaScript/JS(x)>>>>",
        b"/OpenAction<</S/URI/URI(http://x)/Next<</S/JavaScript/JS(x)>>>>",
        b"/OpenAction<</S/GoTo/D[0]/Next[<</S/Named/N/Print>><</S/Launch/F(cmd.exe)>>]>>",
        b"/Outlines<</First<</Title(a)/Next<</Title(b)/A<</S/JavaScript/JS(x)>>>>>>>>",
        b"/Names<</JavaScript<</Names[(a)<</S/JavaScript/JS(x)>>]>>>>",
    ],
    ids=str,
)
def test_bi_059_pdf_that_acts(catalogue: bytes) -> None:
    found = one(papers.pdf_page("x", catalogue=catalogue), "a.pdf")
    assert Trait.ACTIVE in found.traits and "x" in found.text


def test_bi_059_a_pdf_that_only_links_does_not_act() -> None:
    outline = b"/Outlines<</First<</Title(a)/A<</S/GoTo/D[0]>>>>>>/OpenAction<</S/GoTo/D[0]/Next<</S/Named/N/Print>>>>"
    page = b"/Annots[<</Type/Annot/Subtype/Link/A<</S/URI/URI(http://x.example)>>>>]"
    assert one(papers.pdf_page("x", catalogue=outline, page=page), "a.pdf").traits == ()


def test_bi_059_actions_that_lead_to_themselves_end() -> None:
    data = papers.pdf_page("x", catalogue=b"/OpenAction 1 0 R/S/GoTo/Next 1 0 R")
    found = one(data, "a.pdf")
    assert (found.reading, found.reason) == (Reading.PARTLY, "too-many") and "x" in found.text


def test_bi_059_events_of_a_field() -> None:
    page = b"/Annots[<</Type/Annot/Subtype/Widget/AA<</E<</S/JavaScript/JS(x)>>>>>>]"
    assert Trait.ACTIVE in one(papers.pdf_page("x", page=page), "a.pdf").traits


def test_bi_059_macros_in_the_xml_of_word_2003() -> None:
    page = b'<?xml version="1.0"?><w:wordDocument xmlns:w="w" %s><w:body/></w:wordDocument>'
    assert Trait.MACROS in one(page % b'w:macrosPresent="yes"', "a.doc").traits
    assert Trait.MACROS in one(page % b'xmlns:v="w" v:macrosPresent="yes"', "a.doc").traits
    assert Trait.MACROS in one((page % b"").replace(b"body", b"docSuppData"), "a.doc").traits
    assert one(page % b'w:macrosPresent="no"', "a.doc").traits == ()


@pytest.mark.parametrize(
    ("before", "name"), [(papers.png(30, 30), "a.png"), (papers.pdf_page("x"), "a.pdf"), (b"{\\rtf1 x}", "a.rtf")]
)
def test_bi_057_two_files_in_one(before: bytes, name: str) -> None:
    """A picture to one program and an archive to another (as GIFAR): both are looked at."""
    found = document(before + papers.zipped({"x.js": "Jane Roe"}), name)
    assert Trait.MISMATCH in found[0].traits
    assert Trait.EXECUTABLE in found[1].traits and "Jane Roe" in found[1].text
    assert one(before, name).traits == () and len(document(before, name)) == 1


def test_bi_059_action_of_an_annotation() -> None:
    page = b"/Annots[<</Type/Annot/Subtype/Link/A<</S/JavaScript/JS(x)>>/Contents(noted)>>]"
    found = one(papers.pdf_page("x", page=page), "a.pdf")
    assert Trait.ACTIVE in found.traits and "noted" in found.text


def test_scripts_of_pages_and_drawings() -> None:
    assert Trait.ACTIVE in one(b"<html><body onload=x>", "a.html").traits
    assert Trait.ACTIVE in one(b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'><script/></svg>").traits
    assert Trait.ACTIVE not in one(b"<html><body><p>on the whole</p>", "a.html").traits


def test_locked_files_are_recognised() -> None:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(100, 100)
    writer.encrypt("secret")
    out = io.BytesIO()
    writer.write(out)
    locked = [
        (out.getvalue(), "a.pdf"),
        (papers.ole("EncryptedPackage"), "a.docx"),
        (papers.odt("x", manifest="<m><encryption-data/></m>"), "a.odt"),
    ]
    for data, name in locked:
        found = one(data, name)
        assert (found.reading, found.reason) == (Reading.UNREADABLE, "encrypted")
        assert Trait.ENCRYPTED in found.traits
    archive = document(papers.encrypted_zip(), "a.zip")
    assert Trait.ENCRYPTED in {trait for d in archive for trait in d.traits}
    assert archive[1].reason == "encrypted"


def test_a_pdf_that_anybody_may_open_is_read() -> None:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(papers.pdf_page("Jane Roe")))
    writer.encrypt("", "owner")
    out = io.BytesIO()
    writer.write(out)
    assert "Jane Roe" in one(out.getvalue(), "a.pdf").text


def test_bi_056_paths_and_links_in_archives_are_facts_and_never_paths_here() -> None:
    found = document(papers.zipped({"../../evil.txt": "up", "/abs.txt": "abs"}), "a.zip")
    assert all(Trait.ODD_NAME in d.traits for d in found[1:])
    assert [d.text for d in found[1:]] == ["up", "abs"]
