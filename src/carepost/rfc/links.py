"""The links of an HTML page, replaced in place: every other octet stays as it was.

A page is read as browsers read it (HTML Living Standard 13.2.5), as far as it takes to know what is a tag: comments,
raw text, quoted values. One pass, never backwards, so that time grows with length alone; what is not finished at the
end is no tag. Octets are looked at as Latin-1: in every charset of CHARSETS an octet below 128 is that character."""

import html
import re
from collections.abc import Callable
from html.entities import html5
from typing import Final
from urllib.parse import urlsplit

import msgspec

#: links of one page that are looked at; those after them stay as they are
MOST: Final = 1_000
#: octets of a link's value, as it stands in the page; longer ones stay as they are
LONGEST: Final = 8_000
#: charsets in which an octet below 128 is always that ASCII character (Python's names)
CHARSETS: Final = frozenset({
    "ascii", "utf-8", "iso8859-1", "iso8859-2", "iso8859-3", "iso8859-4", "iso8859-5", "iso8859-6", "iso8859-7",
    "iso8859-8", "iso8859-9", "iso8859-10", "iso8859-13", "iso8859-14", "iso8859-15", "iso8859-16", "koi8-r", "koi8-u",
    "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258",
})  # fmt: skip
#: a link that wears this is left alone
NOTRACK: Final = "data-carepost-notrack"

_WS: Final = "[ \t\n\r\f]"
_NAME: Final = r"[^ \t\n\r\f/>][^ \t\n\r\f/>=]*+"
_VALUE: Final = f"{_WS}*+={_WS}*+" + r"""(?:"([^"]*+)"|'([^']*+)'|(?!["'])([^ \t\n\r\f>]*+))"""
_VALUE_: Final = f"{_WS}*+={_WS}*+" + r"""(?:"[^"]*+"|'[^']*+'|(?!["'])[^ \t\n\r\f>]*+)"""
_TAG: Final = re.compile(
    rf"</?+([a-zA-Z][^ \t\n\r\f/>]*+)(?:(?:{_WS}|/)*+{_NAME}(?:{_VALUE_}|(?!{_WS}*+=)))*+(?:{_WS}|/)*+>"
)
_ATTRIBUTE: Final = re.compile(rf"(?:{_WS}|/)*+({_NAME})(?:{_VALUE}|(?!{_WS}*+=))")
#: a character reference as attributes have them: one of letters without ";" counts only where no "=" follows
_REFERENCE: Final = re.compile(
    r"&(?:#[0-9]{1,8};?|#[xX][0-9a-fA-F]{1,7};?|([A-Za-z][A-Za-z0-9]{0,40});|([A-Za-z][A-Za-z0-9]{0,10})(?!=))"
)
#: what is inside them is text, up to their own end tag
_RAW: Final = frozenset({"script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"})
_RAW_END: Final = {name: re.compile(rf"</{name}(?=[ \t\n\r\f/>])", re.IGNORECASE) for name in _RAW}
_COMMENT_END: Final = re.compile("--!?>")
_LETTER: Final = re.compile("[a-zA-Z]")
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f]")


class Anchor(msgspec.Struct, frozen=True):
    """One link. `target`: as a browser would go to it, character references resolved; it is http or https."""

    #: offsets of the value of its `href`, without quotes
    start: int
    end: int
    target: str


class Page(msgspec.Struct, frozen=True):
    """What `read` found. `end`: where something can be added so that it is still inside the page."""

    anchors: tuple[Anchor, ...]
    end: int


def read(page: bytes, charset: str = "utf-8") -> Page:
    """Links somebody may follow to the web. Not among them: other schemes, relative ones, those that wear NOTRACK, and
    those no two readers would take alike (control characters, user names, hosts that are not ASCII)."""
    text = page.decode("latin-1")
    anchors: list[Anchor] = []
    at, end = 0, len(text)
    while (at := text.find("<", at)) >= 0:
        second = text[at + 1 : at + 3]
        if second[:1] in ("!", "?") or (second[:1] == "/" and not _LETTER.match(second, 1)):
            behind = _after_markup(text, at)
            if behind < 0:
                return Page(tuple(anchors), min(end, at))
            at = behind
            continue
        if second[:1] != "/" and not _LETTER.match(second):
            at += 1
            continue
        found = _TAG.match(text, at)
        name = found[1].lower() if found is not None else ""
        if found is None or name == "plaintext":
            # not finished, or nothing behind it is a tag
            return Page(tuple(anchors), min(end, at))
        at = found.end()
        if second[0] == "/":
            end = found.start() if name == "body" else end
        elif name in ("a", "area"):
            anchor = _anchor(text, found, charset) if len(anchors) < MOST else None
            if anchor is not None:
                anchors.append(anchor)
        elif name in _RAW:
            closed = _RAW_END[name].search(text, at)
            if closed is None:
                return Page(tuple(anchors), min(end, found.start()))
            at = closed.start()
    return Page(tuple(anchors), end)


def replace(page: bytes, found: Page, put: Callable[[Anchor], str], added: bytes) -> bytes:
    """`page` with other targets. `put`: what to write in place of a link's value, of letters that need no quotes, or ""
    to leave it. `added` goes to the end of the page."""
    pieces: list[bytes] = []
    at = 0
    for anchor in found.anchors:
        new = put(anchor)
        if new:
            pieces += (page[at : anchor.start], new.encode("ascii"))
            at = anchor.end
    return b"".join((*pieces, page[at : found.end], added, page[found.end :]))


def web(value: str) -> str:
    """`value` as an absolute http or https address in ASCII without control characters; "" for everything else."""
    target = value.strip(" \t\n\r\f")
    if _CONTROL.search(target) or "\\" in target:
        return ""
    try:
        parts = urlsplit(target)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if parts.scheme.lower() not in ("http", "https") or not target[len(parts.scheme) :].startswith("://"):
        return ""
    if not host.isascii() or " " in parts.netloc or "@" in parts.netloc or not host or port == 0:
        return ""
    return "".join(c if "!" <= c <= "~" and c not in '"<>`' else _percent(c) for c in target)


def resolved(value: str) -> str:
    """The value of an attribute with its character references resolved, as browsers do in attributes."""
    return _REFERENCE.sub(_character, value)


def _after_markup(text: str, at: int) -> int:
    """Behind a comment, a declaration or what browsers take for one; -1 where it has no end."""
    if text.startswith(("<!-->", "<!--->"), at):
        return text.index(">", at) + 1
    if text.startswith("<!--", at):
        closed = _COMMENT_END.search(text, at + 4)
        return closed.end() if closed is not None else -1
    # also an end tag without a name, and </> itself
    return text.find(">", at + 2) + 1 or -1


def _anchor(text: str, tag: "re.Match[str]", charset: str) -> Anchor | None:
    at = tag.end(1)
    span: tuple[int, int] | None = None
    while (one := _ATTRIBUTE.match(text, at)) is not None and one.end() < tag.end():
        name = one[1].lower()
        if name == NOTRACK:
            return None
        if name == "href" and span is None:
            # of two the first counts
            span = next((one.span(group) for group in (2, 3, 4) if one.span(group)[0] >= 0), (0, 0))
        at = one.end()
    if span is None or not 0 < span[1] - span[0] <= LONGEST:
        return None
    try:
        value = text[span[0] : span[1]].encode("latin-1").decode(charset)
    except (UnicodeDecodeError, LookupError):
        return None
    target = web(resolved(value))
    return Anchor(span[0], span[1], target) if target else None


def _character(found: "re.Match[str]") -> str:
    whole = found[0]
    if whole[1] == "#":
        return html.unescape(whole if whole.endswith(";") else whole + ";")
    if found[1] is not None:
        return html5.get(f"{found[1]};", whole)
    return html5.get(found[2], whole)


def _percent(character: str) -> str:
    return "".join(f"%{octet:02X}" for octet in character.encode("utf-8", "replace"))
