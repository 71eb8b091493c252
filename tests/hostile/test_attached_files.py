"""BI-052, BI-058..060: files made to exhaust whoever reads them. Each is answered, in bounded time and memory.

Read in a process of its own under the limits a worker has, so that what they bound is measured and not believed."""

import gzip
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable

import pytest

from tests.support import papers

#: seconds of processor time and octets of address space any of these may cost
SECONDS = 15
MEMORY = 1_500_000_000
#: octets beyond what the interpreter itself has
GROWTH = 700_000_000

PROGRAM = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))
resource.setrlimit(resource.RLIMIT_CPU, ({seconds}, {seconds}))
from carepost.phi.documents.read import document, message
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
data = sys.stdin.buffer.read()
found = [message(data)] if sys.argv[1] == "message" else []
documents = found[0].documents if found else document(data, sys.argv[2])
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({{
    "reasons": [d.reason for d in documents] + [m.reason for m in found],
    "traits": sorted({{t for d in documents for t in d.traits}}),
    "text": sum(len(d.text) for d in documents),
    "grown": (used.ru_maxrss - before) * 1024,
    "seconds": used.ru_utime + used.ru_stime,
}}))
"""


def read(data: bytes, name: str, how: str = "document") -> dict[str, object]:
    """Fails where the process is killed, raises, or outgrows its limits."""
    program = PROGRAM.format(memory=MEMORY, seconds=SECONDS)
    done = subprocess.run([sys.executable, "-c", program, how, name], input=data, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()[-500:]
    said: dict[str, object] = json.loads(done.stdout)
    assert said["grown"] < GROWTH and said["seconds"] < SECONDS
    return said


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
    import zlib

    packed = zlib.compress(zlib.compress(b"q " * 100_000_000, 9), 9)
    return papers.pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<<>>>>",
            papers.stream(packed, b"/Filter[/FlateDecode/FlateDecode]"),
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
    "packed twice": (pdf_bomb, "a.pdf", {"damaged", "memory", ""}),
    "form that draws itself": (pdf_forms, "a.pdf", {"", "damaged", "image-only"}),
    "braces": (lambda: b"{\\rtf1" + b"{" * 3_000_000, "a.rtf", {""}),
    "fonts": (lambda: b"{\\rtf1{\\fonttbl" + b"\\f1" * 300_000, "a.rtf", {"damaged"}),
    "tags without end": (lambda: b"<!doctype html>" + b"<a title='" * 500_000, "a.html", {"", "too-long"}),
    "cut short": (lambda: papers.zipped({"a.txt": "a" * 100_000})[:-30], "a.zip", {"damaged"}),
    "random after its magic": (lambda: b"PK\3\4" + bytes(range(256)) * 400, "a.zip", {"damaged"}),
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS, ids=str)
def test_bi_058_a_file_that_exhausts_is_answered(name: str) -> None:
    make, file, reasons = DOCUMENTS[name]
    said = read(make(), file)
    found = said["reasons"]
    assert isinstance(found, list) and reasons & set(found), found
    if "" not in reasons:
        assert any(found)


def test_bi_058_bombs_are_called_so() -> None:
    for data in (papers.flat_bomb(), zeros(150_000_000), russian(20)):
        assert "bomb" in read(data, "a.zip")["traits"]  # type: ignore[operator]


def test_what_a_bomb_stands_beside_is_read() -> None:
    raw = papers.mail("Hello", ("bomb.zip", zeros(150_000_000)), ("note.txt", b"MRN 12345"))
    said = read(raw, "", "message")
    assert "ratio" in said["reasons"]  # type: ignore[operator]
    assert said["text"] == len("MRN 12345")


def test_bi_052_two_thousand_messages_in_each_other() -> None:
    said = read(papers.nested(2_000, papers.mail("deep")), "", "message")
    assert "too-deep" in said["reasons"]  # type: ignore[operator]


def test_bi_052_fifty_thousand_parts_are_not_half_read() -> None:
    part = b"--cut\r\nContent-Type: text/plain\r\n\r\nx\r\n"
    head = papers.HEAD + 'Subject: a\r\nContent-Type: multipart/mixed; boundary="cut"\r\n\r\n'
    said = read(head.encode() + part * 50_000 + b"--cut--\r\n", "", "message")
    assert said["reasons"] == ["message-structure"]


def test_bi_060_a_part_kept_elsewhere_makes_the_message_unreadable() -> None:
    raw = (papers.HEAD + "Subject: a\r\nContent-Type: message/external-body; access-type=url\r\n\r\nx").encode()
    assert read(raw, "", "message")["reasons"] == ["message-structure"]


def test_bi_055_base64_with_junk_is_a_file_that_cannot_be_read() -> None:
    raw = papers.mail("x", ("a.txt", b"hello")).replace(b"aGVsbG8=", b"aGV*sb\0G8")
    assert "bad-encoding" in read(raw, "", "message")["reasons"]  # type: ignore[operator]


def test_symlinks_in_an_archive_are_a_fact() -> None:
    import io

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    assert "symlink" in read(out.getvalue(), "a.zip")["traits"]  # type: ignore[operator]
