"""Plain texts, whatever their character set; and pages of HTML, with the files that stand inside them (BI-064)."""

import base64
import binascii
import re
from typing import Final

from carepost.phi.documents.sheet import Inner, Sheet
from carepost.phi.documents.types import Trait
from carepost.phi.render import render
from carepost.rfc import words

_BOMS: Final = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_HANDLER: Final = re.compile(r"\bon[a-z]{3,20}\s*=|javascript:", re.IGNORECASE)
_DATA: Final = re.compile(
    r"data:([a-z]{1,20}/[a-z0-9.+-]{1,80})(?:;charset=[\w-]{1,20})?;base64,([A-Za-z0-9+/=]{16,})", re.I
)
#: files taken out of one page's data: addresses
_DATA_FILES: Final = 50


def decode(data: bytes, charset: str = "") -> str:
    """By its mark, its declared character set, as UTF-8, or else as Windows-1252, which knows every octet."""
    for mark, name in _BOMS:
        if data.startswith(mark):
            return data.decode(name, "replace").removeprefix("\ufeff")
    sample = data[:2000]
    if sample.count(b"\0") * 3 > len(sample):
        even = sample[::2].count(b"\0")
        return data.decode("utf-16-be" if even * 2 > sample.count(b"\0") else "utf-16-le", "replace")
    declared = words.codec(charset) if charset else None
    if declared not in (None, "ascii", "utf-8"):
        return data.decode(declared, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("utf-8" if declared == "utf-8" else "cp1252", "replace")


#: files taken out of one text, after which the words beside them are still read
_INSIDE: Final = 200
#: files inside: FHIR's Attachment.data, iCalendar's ATTACH and vCard's PHOTO, KEY and SOUND
_FHIR_DATA: Final = re.compile(r'"data"\s{0,9}:\s{0,9}"([A-Za-z0-9+/=]{16,})"')
_ATTACHED: Final = re.compile(
    r"^[A-Z-]{3,20};[^:\r\n]{0,300}ENCODING=(?:BASE64|B)\b[^:\r\n]{0,300}:([^\r\n]+)", re.M | re.I
)
_FOLD: Final = re.compile(r"\r?\n[ \t]")
#: what a comma, semicolon, line and backslash are written as
_ESCAPED: Final = re.compile(r"\\([nN,;\\])")


def calendar(data: bytes, sheet: Sheet) -> None:
    """iCalendar and vCard: folded lines are one again (RFC 5545 3.1, RFC 6350 3.2), escapes what they stand for."""
    text = _without(_ATTACHED, _FOLD.sub("", decode(data)), sheet)
    sheet.write(_ESCAPED.sub(lambda mark: "\n" if mark[1] in "nN" else mark[1], text))


def plain(data: bytes, sheet: Sheet) -> None:
    """TXT, CSV, JSON."""
    text = decode(data)
    if '"resourceType"' in text[:4096]:
        sheet.note(Trait.CLINICAL)
        text = _without(_FHIR_DATA, text, sheet)
    sheet.write(text)


def _without(packed: re.Pattern[str], text: str, sheet: Sheet) -> str:
    """`text` without the files that stand in it, which are read as files."""

    def take(found: re.Match[str]) -> str:
        if len(sheet.inner) >= _INSIDE:
            sheet.short("too-many")
            return ""
        sheet.add(unpacked(f"data-{len(sheet.inner) + 1}", found[1]))
        return ""

    return packed.sub(take, text)


_CHARSET: Final = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?([\w-]{1,40})""", re.IGNORECASE)


def page(data: bytes, sheet: Sheet) -> None:
    """An HTML file."""
    found = _CHARSET.search(data[:4096])
    text = decode(data, found[1].decode("ascii") if found else "")
    if _HANDLER.search(text) or re.search(r"<(?:script|iframe|object|embed|applet)\b", text, re.IGNORECASE):
        sheet.note(Trait.ACTIVE)
    sheet.extend(embedded(text))
    sheet.write(render(text))


def embedded(text: str) -> list[Inner]:
    """Files in `data:` addresses of a page."""
    found = []
    for number, match in enumerate(_DATA.finditer(text), 1):
        if number > _DATA_FILES:
            found.append(Inner(f"data-{number}", b"", fault="too-many"))
            break
        data, fault = _base64(match[2])
        found.append(Inner(f"data-{number}", data, match[1].lower(), True, fault))
    return found


def unpacked(name: str, text: str, claimed: str = "") -> Inner:
    """A file that stands as base64 in another (HL7 v2 `ED`, CDA `representation="B64"`)."""
    data, fault = _base64("".join(text.split()))
    return Inner(name, data, claimed, True, fault)


def _base64(text: str) -> tuple[bytes, str]:
    """The octets of base64, and why there are none."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4)), ""
    except (binascii.Error, ValueError):
        return b"", "bad-encoding"
