"""Pictures, read by Debian's tesseract inside a worker's confines; without it they are unknown."""

import base64

import pytest

from carepost.inspection.pool import Limits, Pool
from carepost.inspection.process import Start
from carepost.inspection.types import Report
from carepost.phi.documents.types import Reading
from carepost.phi.types import Custom, Where, Word
from tests.support import papers

pytestmark = pytest.mark.peers

#: "BLOOD TEST 42" as a grey picture, drawn from a 5 x 7 font
GLYPHS = {
    "B": "1e11111e11111e", "L": "1010101010101f", "O": "0e11111111110e", "D": "1e11111111111e", "T": "1f040404040404",
    "E": "1f10101e10101f", "S": "0f10100e01011e", "4": "02060a121f0202", "2": "0e11010204081f", " ": "00000000000000",
}  # fmt: skip


def picture(text: str, scale: int = 6) -> bytes:
    """A PNG of `text` in black on white."""
    import struct
    import zlib

    rows = []
    for line in range(7):
        bits = "".join(f"{int(GLYPHS[c][2 * line : 2 * line + 2], 16):05b}0" for c in text)
        row = b"\0" + b"\xff" * 40 + b"".join((b"\0" if bit == "1" else b"\xff") * scale for bit in bits) + b"\xff" * 40
        rows.append(row * scale)
    width = len(rows[0]) // scale - 1
    blank = (b"\0" + b"\xff" * width) * 40
    data = blank + b"".join(rows) + blank
    height = 80 + 7 * scale

    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


async def looked_at(raw: bytes, *, ocr: bool) -> Report:
    pool = Pool(Limits(workers=1), Start(ocr=ocr))
    try:
        answer = await pool.inspect(raw, Custom(words=(Word("w1", "test 42"),)))
        assert isinstance(answer, Report), answer
        return answer
    finally:
        await pool.close()


async def test_words_in_a_picture_count() -> None:
    """The worker reads it under every confine: no network, no file, memory bound."""
    page = papers.mail("See the picture.", ("scan.png", picture("BLOOD TEST 42")))
    found = await looked_at(page, ocr=True)
    assert found.files is not None and found.files[0].reading is Reading.READ
    assert found.unread == ()
    assert found.findings is not None
    assert [(f.kind, f.where) for f in found.findings.found] == [("word:w1", Where.DOCUMENT)]


async def test_without_it_a_picture_is_unknown() -> None:
    found = await looked_at(papers.mail("See the picture.", ("scan.png", picture("BLOOD TEST"))), ocr=False)
    assert found.unread == ("image",)


async def test_what_is_no_picture_is_unknown_and_nothing_breaks() -> None:
    broken = base64.b64decode("iVBORw0KGgo=") + bytes(500)
    found = await looked_at(papers.mail("x", ("scan.png", broken)), ocr=True)
    assert found.unread == ("image",)
