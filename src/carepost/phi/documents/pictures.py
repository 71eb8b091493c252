"""Pictures: unreadable without an eye (OCR); too small to hold a word, they are read as empty."""

import struct
from typing import Final

from carepost.phi.documents.sheet import Sheet

#: pixels of either side below which no line of text fits: spacers, bullets, tracking pixels
_SMALL: Final = 12
#: octets such a picture has at most: more of them would be something else
_FEW: Final = 4096


def read(data: bytes, sheet: Sheet) -> None:
    size = dimensions(data)
    if size is not None and 0 < min(size) < _SMALL and len(data) < _FEW:
        return
    seen = sheet.budget.eye(data) if sheet.budget.eye is not None else None
    if seen is None:
        sheet.refuse("image")
        return
    sheet.write(seen)


def dimensions(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels of a PNG or GIF; None for others, whose headers say it deeper inside."""
    if data.startswith(b"\x89PNG\r\n\x1a\n") and len(data) >= 24:
        return struct.unpack(">II", data[16:24])
    if data.startswith(b"GIF8") and len(data) >= 10:
        return struct.unpack("<HH", data[6:10])
    return None
