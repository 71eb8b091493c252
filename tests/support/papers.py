"""Files made for tests: documents, archives and messages, kind ones and hostile ones. Nobody in them exists."""

import base64
import io
import struct
import zipfile
import zlib
from collections.abc import Iterable

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
P = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
TYPES = "<Types/>"


def zipped(members: dict[str, bytes | str], *, stored: bool = False) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def docx(*paragraphs: str, **more: bytes | str) -> bytes:
    body = "".join(f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>" for text in paragraphs)
    parts: dict[str, bytes | str] = {
        "[Content_Types].xml": TYPES,
        "word/document.xml": f"<w:document {W}><w:body>{body}</w:body></w:document>",
    }
    return zipped({**parts, **more})


def xlsx(rows: Iterable[Iterable[str]], **more: bytes | str) -> bytes:
    """Texts as shared strings, numbers as values."""
    strings: list[str] = []
    lines = []
    for row in rows:
        cells = []
        for value in row:
            if value.isdigit():
                cells.append(f"<c><v>{value}</v></c>")
            else:
                cells.append(f'<c t="s"><v>{len(strings)}</v></c>')
                strings.append(value)
        lines.append(f"<row>{''.join(cells)}</row>")
    shared = "".join(f"<si><t>{one}</t></si>" for one in strings)
    parts: dict[str, bytes | str] = {
        "[Content_Types].xml": TYPES,
        "xl/workbook.xml": f'<workbook {S}><sheets><sheet name="Clinic list"/></sheets></workbook>',
        "xl/sharedStrings.xml": f"<sst {S}>{shared}</sst>",
        "xl/worksheets/sheet1.xml": f"<worksheet {S}><sheetData>{''.join(lines)}</sheetData></worksheet>",
    }
    return zipped({**parts, **more})


def pptx(*lines: str) -> bytes:
    body = "".join(f"<a:p><a:r><a:t>{line}</a:t></a:r></a:p>" for line in lines)
    return zipped({"[Content_Types].xml": TYPES, "ppt/slides/slide1.xml": f"<p {P}>{body}</p>"})


def odt(*paragraphs: str, manifest: str = "<manifest/>") -> bytes:
    body = "".join(f"<text:p>{one}</text:p>" for one in paragraphs)
    space = 'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "META-INF/manifest.xml": manifest,
            "content.xml": f"<office {space}>{body}</office>",
        }
    )


def stream(data: bytes, extra: bytes = b"") -> bytes:
    return b"<</Length %d%s>>\nstream\n" % (len(data), extra) + data + b"\nendstream"


def pdf(objects: list[bytes]) -> bytes:
    """Object 1 is the catalogue."""
    out = b"%PDF-1.7\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    tail = b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + tail


def pdf_page(text: str, *, catalogue: bytes = b"", page: bytes = b"", content: bytes | None = None) -> bytes:
    drawn = b"BT /F1 12 Tf 72 700 Td (" + text.encode("latin-1") + b") Tj ET" if content is None else content
    return pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R" + catalogue + b">>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R"
            b"/Resources<</Font<</F1 5 0 R>>>>" + page + b">>",
            stream(drawn),
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        ]
    )


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    rows = b"".join(b"\0" + b"\xff" * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


HEAD = "From: Nurse Quill <nurse@clinic.test>\r\nTo: a@verified.test\r\nMIME-Version: 1.0\r\n"


def mail(
    text: str = "", *files: tuple[str, bytes], subject: str = "Hello", kind: str = "application/octet-stream"
) -> bytes:
    """A multipart message with `files` (name, data) attached."""
    out = [f'{HEAD}Subject: {subject}\r\nContent-Type: multipart/mixed; boundary="cut"\r\n\r\n'.encode()]
    out.append(f"--cut\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n".encode())
    for name, data in files:
        head = f'--cut\r\nContent-Type: {kind}\r\nContent-Disposition: attachment; filename="{name}"\r\n'
        out.append(head.encode() + b"Content-Transfer-Encoding: base64\r\n\r\n")
        out.append(base64.encodebytes(data).replace(b"\n", b"\r\n") + b"\r\n")
    out.append(b"--cut--\r\n")
    return b"".join(out)


def nested(levels: int, innermost: bytes) -> bytes:
    """Messages within messages, as their headers alone."""
    head = f"{HEAD}Subject: level\r\nContent-Type: message/rfc822\r\n\r\n".encode()
    return head * levels + innermost


def flat_bomb(names: int = 400, octets: int = 5_000_000) -> bytes:
    """One kernel of compressed zeros under many names: members that overlap (BI-058)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = bytes(octets)
    kernel = packer.compress(zeros) + packer.flush()
    crc = zlib.crc32(zeros)
    name = b"0"
    local = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, 0, 8, 0, 33, crc, len(kernel), octets, len(name), 0) + name
    entries = b"".join(
        struct.pack(
            "<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, 0, 8, 0, 33, crc, len(kernel), octets, len(name), 0, 0, 0, 0, 0, 0
        )
        + name
        for _ in range(names)
    )
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, names, names, len(entries), len(local) + len(kernel), 0)
    return local + kernel + entries + end


def encrypted_zip() -> bytes:
    """A member marked as under a password (the bit is what is looked at)."""
    whole = bytearray(zipped({"chart.txt": "secret"}))
    whole[6] |= 1
    at = whole.index(b"PK\1\2")
    whole[at + 8] |= 1
    return bytes(whole)


def ole(*words: str) -> bytes:
    """The head of a compound file and directory names or text in UTF-16, as such files hold them."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + b"".join(w.encode("utf-16-le") + bytes(64) for w in words)


def tnef(body: str, *files: tuple[str, bytes]) -> bytes:
    def attribute(level: int, number: int, data: bytes) -> bytes:
        return bytes([level]) + struct.pack("<II", number, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)

    out = b"\x78\x9f\x3e\x22\x01\x00" + attribute(1, 0x0002800C, body.encode() + b"\0")
    for name, data in files:
        out += attribute(2, 0x00069002, bytes(14)) + attribute(2, 0x00018010, name.encode() + b"\0")
        out += attribute(2, 0x0006800F, data)
    return out
