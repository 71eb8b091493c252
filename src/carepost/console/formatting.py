"""Light formatting of a message somebody writes (CommonMark without raw HTML): the page their recipients see, and the
same in plain text. Nothing loads from elsewhere, nothing runs."""

from typing import Final

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

_TAGS: Final = {
    "a", "blockquote", "br", "code", "em", "h3", "h4", "h5", "hr", "li", "ol", "p", "pre", "strong", "ul",
}  # fmt: skip
#: characters, and open brackets: reading many of these takes a time that grows with their square
LONGEST: Final = 50_000
_BRACKETS: Final = 2_000
_SCHEMES: Final = {"http", "https", "mailto", "tel"}
_PAGE: Final = '<!doctype html>\n<html><head><meta charset="utf-8"></head>\n<body>\n{body}</body></html>\n'
#: a picture would be asked for from elsewhere (or show nothing), and HTML would be shown as it was typed
_reader = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": 20}).disable(
    ["image", "html_block", "html_inline", "reference"]
)


def too_much(typed: str) -> bool:
    """More than can be read while somebody waits: it can only go as it is typed."""
    return len(typed) > LONGEST or typed.count("[") > _BRACKETS


def shown(typed: str) -> str:
    """Safe HTML of it, to stand inside a page. Headings begin at the third level, below those of the page."""
    tokens = _reader.parse(typed)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 2, 5)}"
    made = _reader.renderer.render(tokens, _reader.options, {})
    return nh3.clean(
        made,
        tags=_TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer nofollow",
    )


def page(typed: str) -> str:
    """As it stands in the message."""
    return _PAGE.format(body=shown(typed))


def plain(typed: str) -> str:
    """The same for who reads text: without marks, links written out."""
    lines: list[str] = []
    #: what stands before each line, from the outermost; of a list's item first its bullet, then as many blanks
    before: list[str] = []
    numbers: list[int | None] = []
    for token in _reader.parse(typed):
        kind = token.type
        if token.level == 0 and token.nesting >= 0 and lines:
            lines.append("")
        if kind == "blockquote_open":
            before.append("> ")
        elif kind in ("bullet_list_open", "ordered_list_open"):
            numbers.append(int(token.attrGet("start") or 1) if kind[0] == "o" else None)
        elif kind == "list_item_open":
            before.append(_bullet(numbers))
        elif kind in ("blockquote_close", "list_item_close"):
            before.pop()
        elif kind in ("bullet_list_close", "ordered_list_close"):
            numbers.pop()
        elif kind in ("inline", "code_block", "fence", "hr"):
            _add(lines, before, _words(token))
    return "\n".join(lines) + "\n" if lines else ""


def _bullet(numbers: list[int | None]) -> str:
    number = numbers[-1]
    if number is None:
        return "- "
    numbers[-1] = number + 1
    return f"{number}. "


def _add(lines: list[str], before: list[str], text: str) -> None:
    """One block, each line with what stands before it; paragraphs of a quotation are apart."""
    if before and before[-1] == "> " and lines and lines[-1].lstrip().startswith(">"):
        lines.append("".join(before).rstrip())
    for line in text.split("\n"):
        lines.append(("".join(before) + line).rstrip())
        # the bullet stands before the first line alone
        before[:] = [one if one == "> " else " " * len(one) for one in before]


def _words(token: Token) -> str:
    if token.type == "hr":
        return "-" * 20
    if token.type != "inline":
        return token.content.rstrip("\n")
    out: list[str] = []
    #: where the text of each open link begins in `out`, and its address
    links: list[tuple[int, str]] = []
    for one in token.children or ():
        if one.type in ("softbreak", "hardbreak"):
            out.append("\n")
        elif one.type == "link_open":
            links.append((len(out), str(one.attrGet("href") or "")))
        elif one.type == "link_close":
            at, address = links.pop()
            if address.removeprefix("mailto:") not in "".join(out[at:]):
                out.append(f" ({address})")
        else:
            out.append(one.content)
    return "".join(out)
