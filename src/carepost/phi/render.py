"""HTML as text: what a reader sees, then what a reader does not see.

Inline markup vanishes, so that an identifier split by it is whole again; blocks are lines, cells are tabs. Hidden text
stays where it stands; comments, scripts, titles and values of attributes, and text in base64 data URIs follow at the
end: all of it leaves with the message. Linear: each end of tag, quote or comment is looked for once.
"""

import base64
import binascii
import html
import re
import urllib.parse

_BLOCKS = frozenset((
    "address", "article", "aside", "blockquote", "body", "br", "caption", "center", "dd", "details", "div", "dl",
    "dt", "fieldset", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hr",
    "html", "legend", "li", "main", "nav", "ol", "option", "p", "pre", "section", "select", "summary", "table",
    "tbody", "tfoot", "thead", "title", "tr", "ul",
))  # fmt: skip
_PARAGRAPHS = frozenset(("p", "table", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "footer"))
_CELLS = frozenset(("td", "th"))
_RAW = frozenset(("script", "style", "xmp", "noscript", "template"))
_NAME = re.compile(r"</?([a-zA-Z][a-zA-Z0-9:]{0,30})")
_MARK = re.compile(r"[\"'>]")
_VALUE = re.compile(
    r"\b(alt|title|value|placeholder|aria-label|content|summary|label|href|src|data|action|background)\s?=\s?"
    r"(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]{1,2000}))",
    re.IGNORECASE,
)
_DATA = re.compile(r"data:([\w.+-]{1,40}/[\w.+-]{1,40})?((?:;[\w.+=-]{1,60}){0,4}),([^\"'\s)>]*)", re.IGNORECASE)
_BASE64 = re.compile(
    r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/]{40,}(?:\r?\n[A-Za-z0-9+/]{40,})*(?:\r?\n[A-Za-z0-9+/]{1,76}(?=={1,2}|$))?={0,2}"
)
#: a tag as nearly all are written; `_end` finds the same end, and that of others
_TAG = re.compile(r"<(/?[a-z][a-z0-9]{0,30})[^\"'>]*(?:(?<==)(?:\"[^\"]*\"|'[^']*')[^\"'>]*)*>")
_INLINE = ("a", "abbr", "b", "big", "em", "font", "i", "img", "small", "span", "strong", "sub", "sup", "u", *_CELLS)
#: what stands for a tag, where nothing else decides
_SHOWN: dict[str, str] = {
    **{mark + name: "\n\n" if name in _PARAGRAPHS else "\n" for name in _BLOCKS for mark in ("", "/")},
    **dict.fromkeys(_INLINE, ""),
    **{f"/{name}": "\t" for name in _CELLS},
}
#: a data URI inside a data URI inside a data URI is looked at; deeper is left as it stands
_DEPTH = 2


def render(source: str, depth: int = 0) -> str:
    """The text of a piece of HTML. Never raises: what is no HTML is text."""
    page = _Page(source)
    place = 0
    see = page.seen.append
    while (start := source.find("<", place)) >= 0:
        see(source[place:start])
        tag = _TAG.match(source, start)
        if tag is not None and (shown := _SHOWN.get(tag[1])) is not None:
            see(shown)
            if "=" in tag[0]:
                page.unseen.append(tag[0])
            place = tag.end()
            continue
        place = page.markup(start)
        if place < 0:
            place = start
            break
    see(source[place:])
    text = html.unescape("".join(page.seen))
    hidden = _hidden(page.unseen, depth)
    return f"{text}\n\n{hidden}" if hidden else text


class _Page:
    """A page being read: what a reader sees so far, and what they do not."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.low = ""
        self.seen: list[str] = []
        self.unseen: list[str] = []
        #: elements that are not closed from here to the end: not looked for again
        self.open: set[str] = set()

    def markup(self, start: int) -> int:
        """Past the markup at `start`; -1 when it has no end, and all that follows is text."""
        source = self.source
        if source.startswith("<!--", start):
            end = source.find("-->", start + 4)
            if end < 0:
                return -1
            self.unseen.append(source[start + 4 : end])
            return end + 3
        named = _NAME.match(source, start)
        if not named and not source.startswith(("<!", "<?", "</"), start):
            self.seen.append("<")
            return start + 1
        end = _end(source, start)
        if end < 0:
            return -1
        name = named[1].lower() if named else ""
        closing = source[start + 1] == "/"
        if "=" in source[start:end]:
            self.unseen.append(source[start : end + 1])
        if name in _RAW and not closing:
            return self._raw(name, end)
        if name in _BLOCKS:
            self.seen.append("\n\n" if name in _PARAGRAPHS else "\n")
        elif name in _CELLS and closing:
            self.seen.append("\t")
        elif closing and source[end + 1 : end + 2] == "<" and self.seen[-1][-2:].islower():
            # "<b>Meter</b><span>512": words and what they name are not one word; digits split by markup are one number
            follows = _end(source, end + 1) + 1
            if follows and source[follows : follows + 1].isdigit():
                self.seen.append(" ")
        return end + 1

    def _raw(self, name: str, end: int) -> int:
        """Past what stands in an element that is not text."""
        self.low = self.low or self.source.lower()
        close = -1 if name in self.open else self.low.find(f"</{name}", end)
        if close < 0:
            self.open.add(name)
            return end + 1
        if name != "style":
            self.unseen.append(self.source[end + 1 : close])
        return close


def _end(source: str, start: int) -> int:
    """Where the tag at `start` ends; a value in quotes may hold `>`. -1: nowhere."""
    place = start + 1
    while mark := _MARK.search(source, place):
        if mark[0] == ">":
            return mark.start()
        place = mark.end()
        if source[mark.start() - 1] == "=" or source[mark.start() - 2 : mark.start()] == "= ":
            close = source.find(mark[0], place)
            if close < 0:
                return -1
            place = close + 1
    return -1


def _hidden(unseen: list[str], depth: int) -> str:
    # the cells of a table are often dressed alike
    told = {piece: _told(piece, depth) for piece in dict.fromkeys(unseen)}
    return "\n".join(said for piece in unseen if (said := told[piece]))


def _told(piece: str, depth: int) -> str:
    """What a tag, a comment or a script says."""
    if not piece.startswith("<"):
        return render(piece, depth + 1) if "<" in piece and depth < _DEPTH else html.unescape(piece)
    values = _VALUE.finditer(piece)
    told = (_attribute(value[1].lower(), value[2] or value[3] or value[4] or "", depth) for value in values)
    return "\n".join(filter(None, told))


def _attribute(name: str, value: str, depth: int) -> str:
    if name in ("href", "src", "action", "data", "background"):
        if value[:5].lower() == "data:":
            return decoded(value, depth)
        _, mark, query = html.unescape(value).partition("?")
        return urllib.parse.unquote_plus(query).replace("&", "\n") if mark else ""
    return html.unescape(value)


def decoded(text: str, depth: int = 0) -> str:
    """What stands in data URIs and long base64 runs of a text, where it decodes to text; "" for pictures and noise."""
    found = []
    for uri in _DATA.finditer(text):
        kind, flags, payload = (uri[1] or "text/plain").lower(), uri[2].lower(), uri[3]
        if kind.startswith(("image/", "font/", "audio/", "video/")) and kind != "image/svg+xml":
            continue
        inner = _base64(payload) if "base64" in flags else urllib.parse.unquote(payload)
        found.append(_nested(inner, kind, depth))
    if not found:
        found = [_nested(_base64(run[0]), "text/plain", depth) for run in _BASE64.finditer(text)]
    return "\n".join(filter(None, found))


def _nested(inner: str, kind: str, depth: int) -> str:
    if depth >= _DEPTH:
        return inner
    if "html" in kind or "xml" in kind:
        return render(inner, depth + 1)
    deeper = decoded(inner, depth + 1)
    return f"{inner}\n{deeper}" if deeper else inner


def _base64(payload: str) -> str:
    payload = urllib.parse.unquote(payload).rstrip("=")
    try:
        raw = base64.b64decode(payload + "=" * (-len(payload) % 4), validate=True)
        text = raw.decode()
    except (binascii.Error, ValueError):
        return ""
    # Bytes that happen to be UTF-8 are not yet something a person wrote
    printable = sum(c.isprintable() or c in "\r\n\t" for c in text[:400])
    return text if printable >= 0.9 * min(len(text), 400) else ""
