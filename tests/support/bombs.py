"""Files made to exhaust whoever reads them (BI-052, BI-058..060), and the reasons their reading may give."""

import gzip
import zlib
from collections.abc import Callable

from tests.support import papers


def zeros(size: int) -> bytes:
    return papers.zipped({"zeros": bytes(size)})


def many_members() -> bytes:
    """The end record says ten million; the directory is short."""
    whole = bytearray(papers.zipped({"a": "a"}))
    end = whole.rindex(b"PK\5\6")
    whole[end + 8 : end + 12] = b"\xff\xff\xff\xff"
    whole[end + 12 : end + 16] = (500_000_000).to_bytes(4, "little")
    return bytes(whole)


def crowded(members: int = 6_000) -> bytes:
    return papers.zipped({f"f{n}": b"" for n in range(members)}, stored=True)


def russian(levels: int) -> bytes:
    data = papers.zipped({"x.txt": "deep"})
    for _ in range(levels):
        data = papers.zipped({"in.zip": data})
    return data


def fan(depth: int, width: int, size: int) -> bytes:
    """42.zip in small: every level holds the next many times."""
    data = zeros(size)
    for _ in range(depth):
        data = papers.zipped({f"{n}.zip": data for n in range(width)}, stored=True)
    return data


def laughs(entities: int = 30) -> str:
    lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, entities))
    return f'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY l0 "lol">{lines}]><l>&l{entities - 1};</l>'


def outside() -> str:
    return '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'


def huge_strings() -> bytes:
    shared = f"<sst {papers.S}>" + "<si><t>Jane Roe</t></si>" * 1_500_000 + "</sst>"
    return papers.xlsx([["1"]], **{"xl/sharedStrings.xml": shared})


def deep_xml() -> bytes:
    return b"<?xml version='1.0'?>" + b"<a>" * 200_000 + b"</a>" * 200_000


def pdf_loop() -> bytes:
    return papers.pdf([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2>>"])


def pdf_previous_loop() -> bytes:
    body = papers.pdf_page("x")
    at = body.rindex(b"startxref")
    start = body[at:].split()[1]
    return body.replace(b"/Root 1 0 R>>", b"/Root 1 0 R/Prev " + start + b">>")


def pdf_bomb() -> bytes:
    """A page's content packed twice over: 200 MB of nothing from a few kB."""
    packed = zlib.compress(zlib.compress(b"q " * 100_000_000, 9), 9)
    return papers.pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
            papers.stream(packed, b"/Filter[/FlateDecode/FlateDecode]"),
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        ]
    )


def pdf_forms() -> bytes:
    """A form that draws itself, thrice."""
    return papers.pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<</XObject<</F 5 0 R>>>>>>",
            papers.stream(b"/F Do /F Do /F Do"),
            papers.stream(
                b"/F Do /F Do /F Do",
                b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F 5 0 R>>>>",
            ),
        ]
    )


DOCUMENTS: dict[str, tuple[Callable[[], bytes], str, set[str]]] = {
    "zip bomb": (lambda: zeros(150_000_000), "a.zip", {"ratio"}),
    "zip bomb as a letter": (
        lambda: papers.docx(**{"word/document.xml": b"<a>" + b" " * 200_000_000}), "a.docx", {"ratio", "too-large"},
    ),
    "gzip bomb": (lambda: gzip.compress(bytes(150_000_000)), "a.gz", {"ratio"}),
    "zips in zips": (lambda: russian(20), "a.zip", {"too-deep"}),
    "42.zip": (lambda: fan(3, 16, 4_000_000), "42.zip", {"too-large", "too-many", "ratio"}),
    "ten million members": (many_members, "a.zip", {"too-many"}),
    "more members than are read": (crowded, "a.zip", {"too-many"}),
    "overlapping members": (papers.flat_bomb, "a.zip", {"overlap"}),
    "billion laughs": (lambda: laughs().encode(), "a.xml", {"entities"}),
    "laughs in a letter": (lambda: papers.docx(**{"word/document.xml": laughs()}), "a.docx", {"entities"}),
    "entity from outside": (lambda: outside().encode(), "a.xml", {"entities"}),
    "elements without end": (deep_xml, "a.xml", {"too-deep"}),
    "huge shared strings": (huge_strings, "a.xlsx", {"too-many", "too-long", "ratio"}),
    "pages in a circle": (pdf_loop, "a.pdf", {"damaged"}),
    "tables in a circle": (pdf_previous_loop, "a.pdf", {"", "damaged"}),
    "packed twice": (pdf_bomb, "a.pdf", {"damaged"}),
    "form that draws itself": (pdf_forms, "a.pdf", {"", "damaged", "image-only"}),
    "braces": (lambda: b"{\\rtf1" + b"{" * 3_000_000, "a.rtf", {""}),
    "fonts": (lambda: b"{\\rtf1{\\fonttbl" + b"\\f1" * 300_000, "a.rtf", {"damaged"}),
    "tags without end": (lambda: b"<!doctype html>" + b"<a title='" * 500_000, "a.html", {"", "too-long"}),
    "cut short": (lambda: papers.zipped({"a.txt": "a" * 100_000})[:-30], "a.zip", {"damaged"}),
    "random after its magic": (lambda: b"PK\3\4" + bytes(range(256)) * 400, "a.zip", {"damaged"}),
}  # fmt: skip
