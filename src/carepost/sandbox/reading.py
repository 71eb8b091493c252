"""A received mail as its owner's mail program would show it: header, text, cleaned HTML, attachments.

Reads with the standard library on purpose: an opinion independent of the product's own reader. Bounded.
"""

import email
import email.message
import email.policy
import html
import re

import msgspec
import nh3

MAX_PARTS = 200
MAX_TEXT = 2_000_000
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})

STYLES = """background-color border border-radius color display font-family font-size font-weight line-height
margin max-width padding text-align text-decoration width"""

_LINK = re.compile(r"https?://[^\s<>\"']{1,2000}")
_CID = re.compile(r'src="cid:([^"]{1,500})"')


class Part(msgspec.Struct, frozen=True):
    """One attachment or picture. `content_id` without its angle brackets."""

    number: int
    name: str
    kind: str
    content: bytes
    content_id: str = ""


class Reading(msgspec.Struct, frozen=True):
    subject: str
    from_: str
    to: str
    date: str
    text: str
    #: "" when there is none; cleaned
    html: str
    parts: tuple[Part, ...]
    #: what a mail program would have to decrypt: "S/MIME", "OpenPGP" or ""
    encrypted: str


def read(raw: bytes) -> Reading:
    """Never raises for what a mail contains: what cannot be read is left out."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    texts: list[str] = []
    pages: list[str] = []
    parts: list[Part] = []
    for number, part in enumerate(message.walk()):
        if number >= MAX_PARTS:
            break
        if part.is_multipart():
            continue
        kind = part.get_content_type()
        attached = _safe(part.get_content_disposition) == "attachment" or bool(_safe(part.get_filename))
        if kind in ("text/plain", "text/html") and not attached:
            (texts if kind == "text/plain" else pages).append(_text(part))
        else:
            parts.append(_part(number, kind, part))
    return Reading(
        _field(message, "subject"),
        _field(message, "from"),
        _field(message, "to"),
        _field(message, "date"),
        "\n".join(texts),
        clean("\n".join(pages)),
        tuple(parts),
        _encrypted(message),
    )


def _safe(call: object) -> str:
    """The standard library raises on some malformed header fields; then the field is not there."""
    try:
        return str(call() or "") if callable(call) else ""
    except (ValueError, LookupError, TypeError, AttributeError, IndexError):
        return ""


def _field(message: email.message.Message, name: str) -> str:
    return _safe(lambda: message.get(name))[:2000]


def _bytes(part: email.message.Message) -> bytes:
    try:
        content = part.get_payload(decode=True)
    except (ValueError, LookupError, TypeError):
        return b""
    return content if isinstance(content, bytes) else b""


def _text(part: email.message.Message) -> str:
    charset = _safe(part.get_content_charset) or "utf-8"
    raw = _bytes(part)[:MAX_TEXT]
    if charset.startswith("utf-7"):  # BI-061
        charset = "ascii"
    try:
        return raw.decode(charset, "replace")
    except LookupError:
        return raw.decode("utf-8", "replace")


def _part(number: int, kind: str, part: email.message.Message) -> Part:
    name = re.sub(r"[^\w .()\-]", "_", _safe(part.get_filename).replace("\\", "/").rpartition("/")[2])[:120]
    content_id = _safe(lambda: part.get("content-id")).strip().strip("<>")
    return Part(number, name.strip(". ") or f"part-{number}", kind, _bytes(part), content_id)


def _encrypted(message: email.message.Message) -> str:
    kind = message.get_content_type()
    if kind in ("application/pkcs7-mime", "application/x-pkcs7-mime"):
        return "S/MIME"
    return "OpenPGP" if kind == "multipart/encrypted" else ""


def clean(page: str) -> str:
    """HTML without script, forms, frames or anything fetched from elsewhere; links open outside the frame."""
    if not page:
        return ""
    attributes = {tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items()}
    attributes["*"] = {"style", "align", "dir", "lang", "title"}
    attributes["img"] = {"src", "alt", "width", "height"}
    attributes.setdefault("td", set()).update({"width", "valign", "bgcolor"})
    attributes.setdefault("table", set()).update({"width", "cellpadding", "cellspacing", "border", "bgcolor", "role"})
    return nh3.clean(
        page[:MAX_TEXT],
        attributes=attributes,
        set_tag_attribute_values={"a": {"target": "_blank"}},
        filter_style_properties=set(STYLES.split()),
        url_relative="deny",
        url_schemes={"http", "https", "mailto", "cid"},
        link_rel="noopener noreferrer",
    )


def place_pictures(page: str, parts: tuple[Part, ...], address: str) -> str:
    """`cid:` pictures become `address/<number>`; others stay and are stopped by the page's policy."""
    known = {part.content_id: part.number for part in parts if part.content_id and part.kind in PICTURES}

    def place(found: re.Match[str]) -> str:
        number = known.get(html.unescape(found[1]))
        return 'src=""' if number is None else f'src="{address}/{number}"'

    return _CID.sub(place, page)


def linked(text: str) -> str:
    """Plain text as HTML, its web addresses as links."""
    pieces = []
    at = 0
    for found in _LINK.finditer(text):
        address = found[0].rstrip(".,;:!?)")
        pieces.append(html.escape(text[at : found.start()]))
        safe = html.escape(address)
        pieces.append(f'<a href="{safe}" target="_blank" rel="noopener noreferrer">{safe}</a>')
        at = found.start() + len(address)
    pieces.append(html.escape(text[at:]))
    return "".join(pieces)
