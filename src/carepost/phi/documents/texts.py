"""Plain texts, whatever their character set; and pages of HTML as a reader sees them, hidden text after it (BI-064)."""

import base64
import binascii
import html
import re
from typing import Final

from carepost.phi.documents.sheet import Inner, Sheet
from carepost.phi.documents.types import Trait
from carepost.rfc import words

_BOMS: Final = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BLOCKS: Final = _set(
    "address article aside blockquote body br caption center dd div dl dt fieldset figcaption figure footer form h1 h2"
    " h3 h4 h5 h6 head header hr html legend li main nav ol option p pre section select table tbody tfoot thead title"
    " tr ul"
)
_CELLS: Final = frozenset({"td", "th"})
_ACTIVE: Final = frozenset({"script", "iframe", "object", "embed", "applet"})
_TAG: Final = re.compile(r"/?([a-zA-Z][a-zA-Z0-9:-]{0,30})")
_CLOSE: Final = re.compile(r"</(?:script|style)", re.IGNORECASE)
_ATTRIBUTE: Final = re.compile(
    r"""\b(alt|title|content|value|placeholder|href|label|aria-label|summary)\s*=\s*("[^"]{1,2000}"|'[^']{1,2000}')""",
    re.IGNORECASE,
)
_HANDLER: Final = re.compile(r"\bon[a-z]{3,20}\s*=|javascript:", re.IGNORECASE)
_DATA: Final = re.compile(
    r"data:([a-z]{1,20}/[a-z0-9.+-]{1,80})(?:;charset=[\w-]{1,20})?;base64,([A-Za-z0-9+/=]{16,})", re.I
)
#: files taken out of one page's data: addresses, and how long a tag may be to be searched
_DATA_FILES: Final = 50
_LONG_TAG: Final = 20_000


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


def plain(data: bytes, sheet: Sheet) -> None:
    """TXT, CSV, JSON, calendars."""
    text = decode(data)
    if '"resourceType"' in text[:4096]:
        sheet.note(Trait.CLINICAL)
    sheet.write(text)


_CHARSET: Final = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?([\w-]{1,40})""", re.IGNORECASE)


def page(data: bytes, sheet: Sheet) -> None:
    """An HTML file."""
    found = _CHARSET.search(data[:4096])
    text = decode(data, found[1].decode("ascii") if found else "")
    if _HANDLER.search(text) or re.search(r"<(?:script|iframe|object|embed|applet)\b", text, re.IGNORECASE):
        sheet.note(Trait.ACTIVE)
    sheet.extend(embedded(text))
    sheet.write(rendered(text))


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


def _base64(text: str) -> tuple[bytes, str]:
    """The octets of base64, and why there are none."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4)), ""
    except (binascii.Error, ValueError):
        return b"", "bad-encoding"


def rendered(page: str) -> str:
    """The text of a page. Linear in its length: every search begins where the one before ended, or is the last.

    Blocks and rows become lines, cells are set apart by tabs, and what stands inside a line stays joined, so
    `<b>123</b>-45` reads `123-45`. Comments, scripts and telling attributes follow after the text."""
    out: list[str] = []
    hidden: list[str] = []
    at = 0
    while (start := page.find("<", at)) >= 0:
        out.append(page[at:start])
        if page.startswith("<!--", start):
            end = page.find("-->", start + 4)
            hidden.append(page[start + 4 : end if end >= 0 else len(page)])
            at = end + 3 if end >= 0 else len(page)
            continue
        tag = _TAG.match(page, start + 1)
        if tag is None and page[start + 1 : start + 2] not in ("!", "?"):
            out.append("<")
            at = start + 1
            continue
        end = page.find(">", start)
        if end < 0:
            out.append(page[start:])
            at = len(page)
            break
        name = tag[1].lower() if tag else ""
        if name in _CELLS:
            out.append("\t")
        elif name in _BLOCKS:
            out.append("\n")
        at = end + 1
        if end - start > 8 and end - start < _LONG_TAG:
            hidden.extend(m[2][1:-1] for m in _ATTRIBUTE.finditer(page, start, end))
        if name in ("script", "style") and page[start + 1] != "/":
            close = _CLOSE.search(page, at)
            stop = close.start() if close else len(page)
            if name == "script":
                hidden.append(page[at:stop])
            at = stop
    out.append(page[at:])
    text = html.unescape("".join(out))
    rest = html.unescape("\n".join(h for h in hidden if h and not h.startswith("data:")))
    return f"{text}\n{rest}" if rest else text
