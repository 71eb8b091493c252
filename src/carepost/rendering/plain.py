"""The text part of a template, made from its HTML: what a reader without HTML needs, Liquid left as it stands."""

import re
from html.parser import HTMLParser
from typing import Final

_SKIPPED: Final = frozenset({"head", "style", "script", "title", "template"})
_BREAKS: Final = frozenset(
    {"p", "div", "tr", "table", "section", "article", "header", "footer", "ul", "ol", "blockquote", "pre", "hr"}
)
_HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_SPACE: Final = re.compile(r"[ \t\r\n\f\v\u00a0]+")
_BLANKS: Final = re.compile(r"\n{3,}")


def text_of(html: str) -> str:
    """Never raises: what is no HTML is text."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = [line.strip() for line in "".join(reader.out).split("\n")]
    return _BLANKS.sub("\n\n", "\n".join(lines)).strip() + "\n"


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self._skipping = 0
        #: address of the link that is open, and where its words begin
        self._link: tuple[str, int] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SKIPPED:
            self._skipping += 1
        elif tag == "br":
            self.out.append("\n")
        elif tag == "li":
            self.out.append("\n- ")
        elif tag in _HEADINGS:
            self.out.append("\n\n")
        elif tag in _BREAKS:
            self.out.append("\n")
        elif tag == "img":
            self.out.append(next((value or "" for name, value in attrs if name == "alt"), ""))
        elif tag == "a":
            self._link = (next((value or "" for name, value in attrs if name == "href"), ""), len(self.out))

    def handle_endtag(self, tag: str) -> None:
        if tag in _SKIPPED:
            self._skipping = max(0, self._skipping - 1)
        elif tag in _HEADINGS or tag == "p":
            self.out.append("\n\n")
        elif tag in _BREAKS:
            self.out.append("\n")
        elif tag == "a" and self._link is not None:
            address, begin = self._link
            self._link = None
            said = "".join(self.out[begin:]).strip()
            address = address.removeprefix("mailto:").strip()
            if address and not address.startswith("#") and address != said:
                self.out.append(f" ({address})" if said else address)

    def handle_data(self, data: str) -> None:
        if not self._skipping:
            self.out.append(_SPACE.sub(" ", data))
