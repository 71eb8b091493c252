"""A message's text made safe to show: nothing runs, nothing loads from elsewhere, nothing leaves by itself (BI-062)."""

import base64
import html
import re
from collections.abc import Mapping
from typing import Final

import msgspec
import nh3
from django.utils.html import urlize

from carepost.mailbox.content import Content, File

_TAGS: Final = {
    "a", "abbr", "b", "big", "blockquote", "br", "caption", "center", "cite", "code", "col", "colgroup", "dd", "del",
    "div", "dl", "dt", "em", "font", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "li", "ol", "p",
    "pre", "q", "s", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr",
    "tt", "u", "ul",
}  # fmt: skip
_ATTRIBUTES: Final = {
    "*": {"align", "dir", "lang", "style", "title"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "table": {"border", "cellpadding", "cellspacing", "width"},
    "td": {"colspan", "rowspan", "valign", "width"},
    "th": {"colspan", "rowspan", "valign", "width", "scope"},
    "font": {"color", "size"},
    "ol": {"start"},
}
_STYLES: Final = {
    "background-color", "border", "border-bottom", "border-collapse", "border-left", "border-right", "border-top",
    "color", "font-family", "font-size", "font-style", "font-weight", "line-height", "list-style-type", "margin",
    "margin-bottom", "margin-left", "margin-right", "margin-top", "max-width", "padding", "padding-bottom",
    "padding-left", "padding-right", "padding-top", "text-align", "text-decoration", "vertical-align", "width",
}  # fmt: skip
_LINKS: Final = ("http://", "https://", "mailto:", "tel:")
_PICTURES: Final = ("image/png", "image/jpeg", "image/gif", "image/webp")
_DATA: Final = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]+\Z")
_REMOTE: Final = re.compile(r"""<img\b[^>]*\bsrc\s*=\s*["']?\s*(?:https?:)?//""", re.IGNORECASE)
_TAG: Final = re.compile(r"<[^>]*>")
#: as nh3 writes them
_IMAGE: Final = re.compile(r"<img\b[^>]*>")
_ALT: Final = re.compile(r' alt="([^"]*)"')
_BREAK: Final = re.compile(r"<(?:br|p|div|li|tr|h[1-6])\b", re.IGNORECASE)

#: lines of text that fit into each step of the frame's height (recipient.css, .cp-n-1 and so on)
_BOUNDS: Final = (3, 5, 8, 12, 16, 22, 30, 42, 60)

_PAGE: Final = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Text of the message</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><style>'
    "body{{margin:0;padding:14px 16px;font:17px/1.5 Helvetica,Arial,sans-serif;color:#1b1b1b;background:#fff;"
    "overflow-wrap:anywhere}}img{{max-width:100%;height:auto}}table{{max-width:100%}}"
    "td,th{{padding:2px 10px 2px 0;text-align:left}}pre{{white-space:pre-wrap}}"
    ".plain{{white-space:pre-wrap}}a{{color:#1a4480}}</style></head><body>{body}</body></html>"
)


class Frame(msgspec.Struct, frozen=True):
    """Steps 1 to 10 of the frame's height, for narrow and wide screens."""

    narrow: int
    wide: int


def body(content: Content) -> str:
    """Safe HTML of the message's text; HTML is preferred, as mail programs do."""
    if content.html:
        return _clean(content.html, content.pictures)
    text = content.text or "(This message has no text.)"
    return f'<div class="plain">{_clean(urlize(html.escape(text), autoescape=False), ())}</div>'


def document(content: Content) -> str:
    return _PAGE.format(body=body(content))


def has_remote_pictures(content: Content) -> bool:
    return bool(content.html and _REMOTE.search(content.html))


def frame(content: Content) -> Frame:
    """How tall the text will be, roughly; the frame scrolls where this is wrong."""
    if content.html:
        lines = _TAG.sub("", _BREAK.sub("\n<", content.html)).splitlines()
    else:
        lines = content.text.splitlines()
    lines = [line.strip() for line in lines]
    return Frame(_step(lines, 38), _step(lines, 84))


def _step(lines: list[str], width: int) -> int:
    height = sum(-(-len(line) // width) if line else 0.5 for line in lines)
    return next((step for step, bound in enumerate(_BOUNDS, 1) if height <= bound), len(_BOUNDS) + 1)


def _clean(raw: str, files: tuple[File, ...]) -> str:
    pictures = {f.content_id: f for f in files if f.content_id and f.kind in _PICTURES}

    def attribute(tag: str, name: str, value: str) -> str | None:
        if tag == "a" and name == "href":
            return value if value.strip().casefold().startswith(_LINKS) else None
        if tag == "img" and name == "src":
            return _picture(value.strip(), pictures)
        return value

    cleaned = nh3.clean(
        raw,
        tags=_TAGS,
        clean_content_tags={"script", "style", "title", "noscript", "template", "svg", "math"},
        attributes=_ATTRIBUTES,
        attribute_filter=attribute,
        filter_style_properties=_STYLES,
        url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    return _IMAGE.sub(_shown, cleaned)


def _shown(image: re.Match[str]) -> str:
    """A picture that is not shown leaves its description; one that is shown has at least an empty one."""
    tag = image[0]
    alt = _ALT.search(tag)
    if " src=" not in tag:
        return f"[{alt[1]}]" if alt and alt[1].strip() else ""
    return tag if alt else tag.replace("<img", '<img alt=""', 1)


def _picture(source: str, pictures: Mapping[str, File]) -> str | None:
    """Pictures that came with the message are shown; all others stay unloaded."""
    if source.casefold().startswith("cid:"):
        found = pictures.get(source[4:].strip("<> "))
        return f"data:{found.kind};base64,{base64.b64encode(found.data).decode()}" if found else None
    return source if _DATA.match(source) else None
