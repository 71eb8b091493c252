"""DOCX, XLSX, PPTX (ECMA-376) and OpenDocument: text out of their parts as streams, facts out of their directory."""

import posixpath
import re
import zipfile
from collections.abc import Callable, Mapping
from typing import Final

from carepost.phi.documents.markup import Handler, parse
from carepost.phi.documents.sheet import Inner, Sheet
from carepost.phi.documents.types import Kind, Trait, Unreadable
from carepost.phi.documents.workbook import Cells, Strings, Styles, Workbook
from carepost.phi.documents.zipped import Archive

#: folder -> kind
_FOLDERS: Final = (("word/", Kind.DOCX), ("xl/", Kind.XLSX), ("ppt/", Kind.PPTX))
#: parts with no words of the author in them
_DULL: Final = re.compile(
    r"(?:theme|styles|settings|fontTable|webSettings|numbering|calcChain|printerSettings|_rels|tableStyles|presProps|viewProps)"
)
_TYPES: Final = "[Content_Types].xml"
_READ_BEFORE: Final = frozenset({_TYPES, "xl/workbook.xml", "xl/styles.xml", "xl/sharedStrings.xml"})
_SHEET: Final = re.compile(r"xl/(?:worksheets|macrosheets)/[^/]+\.xml")
_LINES: Final = frozenset({"p", "br", "cr", "comment", "si", "sp", "title", "text", "v"})
_OPEN_LINES: Final = frozenset({"p", "h", "annotation", "title", "subject", "creator", "keyword"})
_ROWS: Final = frozenset({"tr", "table-row"})
_CELLS: Final = frozenset({"tc", "table-cell"})
#: runs, what was struck out, fields; comments of slides and of threads; what a chart shows
_TEXTS: Final = frozenset({"t", "delText", "instrText", "text", "v"})
#: attributes people read: pictures' descriptions, words drawn as pictures, what a pivot table keeps of its source
_SHOWN: Final = {
    "docPr": ("descr", "title"),
    "cNvPr": ("descr", "title"),
    "textpath": ("string",),
    "s": ("v",),
    "n": ("v",),
    "d": ("v",),
}
#: files a document takes in whole when it is opened (ECMA-376 17.17.2.1)
_TAKEN_IN: Final = (".htm", ".html", ".xhtml", ".mht", ".mhtml", ".rtf", ".txt", ".docx", ".docm", ".doc", ".eml")
#: content in BIFF12 (MS-XLSB): not read here
_BINARY: Final = re.compile(
    r"xl/(?:workbook|sharedStrings|comments\d*|(?:work|macro|chart)sheets/[^/]+|pivotCache/[^/]+)\.bin"
)
_LOUD: Final = re.compile(r"attachedTemplate|oleObject|/frame|externalLink|subDocument|/package")
#: content types of a project of macros and of sheets of Excel 4's
_PROGRAM: Final = re.compile(r"vbaProject|macrosheet|macroEnabled", re.IGNORECASE)
#: charts, tables and formulas inside an OpenDocument
_OBJECT: Final = re.compile(r"Object [^/]+/content\.xml")
#: a table of a slide drawn once more, by LibreOffice: its words stand in the content
_PREVIEW: Final = re.compile(r"Pictures/TablePreview\d+\.svm")
#: properties that programs fill in, not people
_MACHINE: Final = frozenset({"docProps/app.xml", "docProps/thumbnail.xml"})


def kind_of(archive: Archive) -> Kind:
    """Which document a zip is, or ZIP."""
    if _TYPES in archive:
        for folder, kind in _FOLDERS:
            if any(name.startswith(folder) for name in archive.names):
                return kind
    first = archive.member("mimetype")
    if first is not None and first.file_size < 200 and "content.xml" in archive:
        return Kind.OPENDOCUMENT
    return Kind.ZIP


def read(archive: Archive, kind: Kind, sheet: Sheet) -> None:
    """Every part that holds words, in the order of their names; what is embedded goes on as a file of its own."""
    if kind is Kind.OPENDOCUMENT:
        _opendocument(archive, sheet)
        return
    _facts(archive, sheet)
    tables = _workbook(archive, sheet) if kind is Kind.XLSX else None
    for name in sorted(archive.names, key=_order):
        if name in _READ_BEFORE or name in _MACHINE or not name.endswith((".xml", ".vml")) or _DULL.search(name):
            continue
        if tables is not None and _SHEET.fullmatch(name):
            _part(archive, name, tables(), sheet)
        elif name.startswith(("docProps/", "customXml/")):
            _part(archive, name, _Everything(sheet), sheet)
        else:
            _part(archive, name, _Words(sheet), sheet)


def _workbook(archive: Archive, sheet: Sheet) -> Callable[[], Handler]:
    """What is needed before a worksheet can be read; the answer makes a reader of one."""
    book, strings, styles = Workbook(sheet), Strings(sheet), Styles(sheet)
    _part(archive, "xl/workbook.xml", book, sheet)
    _part(archive, "xl/styles.xml", styles, sheet)
    _part(archive, "xl/sharedStrings.xml", strings, sheet)
    sheet.write("\n".join(book.names) + "\n")
    return lambda: Cells(sheet, strings.strings, styles, book.day_0)


def _order(name: str) -> tuple[bool, bool, str]:
    return not name.startswith(("word/document", "xl/worksheets", "ppt/slides")), name.startswith("docProps/"), name


def _part(archive: Archive, name: str, handler: Handler, sheet: Sheet) -> None:
    """One part; a damaged one is left out and said, what is over a limit ends the document."""
    member = archive.member(name)
    if member is None:
        return
    try:
        parse(archive.chunks(member), handler)
    except Unreadable as error:
        if error.reason != "damaged":
            raise
        sheet.short("damaged")
    sheet.write("\n")


def _facts(archive: Archive, sheet: Sheet) -> None:
    for name in archive.names:
        base = posixpath.basename(name)
        member = archive.member(name)
        assert member is not None
        if _BINARY.fullmatch(name):
            sheet.short("unparsed-part")
        if base.lower() == "vbaproject.bin" or name.startswith("xl/macrosheets/"):
            sheet.note(Trait.MACROS)
        elif "/embeddings/" in name or "/activeX/" in name:
            sheet.note(Trait.EMBEDDED)
            if "/embeddings/" in name:
                _inner(archive, name, sheet)
        elif "/media/" in name or name.lower().endswith(_TAKEN_IN):
            _inner(archive, name, sheet)
        elif name.lower().endswith(".rels") or name == _TYPES:
            _named(archive, member, sheet)


def _named(archive: Archive, member: zipfile.ZipInfo, sheet: Sheet) -> None:
    """What a damaged list of parts would have named is not known."""
    try:
        parse(archive.chunks(member), _Relations(sheet))
    except Unreadable as error:
        if error.reason != "damaged":
            raise
        sheet.short("damaged")


def _inner(archive: Archive, name: str, sheet: Sheet) -> None:
    member = archive.member(name)
    if member is None or member.is_dir():
        return
    try:
        sheet.add(Inner(posixpath.basename(name), archive.whole(member), inline=True))
    except Unreadable as error:
        if error.reason not in ("damaged", "compression"):
            raise
        sheet.add(Inner(posixpath.basename(name), b"", inline=True, fault=error.reason))


class _Relations(Handler):
    """What a document names as its parts and their types (ECMA-376 part 2): Office goes by these, whatever a part is
    called, in any encoding XML has."""

    def begin(self, name: str, attrs: Mapping[str, str]) -> None:
        kind = attrs.get("Type", "")
        if _PROGRAM.search(attrs.get("ContentType", "")) or _PROGRAM.search(kind):
            self.sheet.note(Trait.MACROS)
        if attrs.get("TargetMode") == "External" and _LOUD.search(kind):
            self.sheet.note(Trait.REMOTE)


class _Table(Handler):
    """Rows of a table are lines and cells are set apart by tabs, whatever lines stand inside a cell."""

    def __init__(self, sheet: Sheet) -> None:
        super().__init__(sheet)
        #: of each row that is open: cells so far
        self._rows: list[int] = []
        self._cells = 0

    def begin(self, name: str, attrs: Mapping[str, str]) -> None:
        if name in _ROWS:
            self._rows.append(0)
        elif name in _CELLS and self._rows:
            if self._rows[-1]:
                self.sheet.write("\t")
            self._rows[-1] += 1
            self._cells += 1

    def end(self, name: str) -> None:
        if name in _ROWS and self._rows:
            self._rows.pop()
            self.sheet.write(" " if self._cells else "\n")
        elif name in _CELLS and self._cells:
            self._cells -= 1

    def line(self) -> None:
        self.sheet.write(" " if self._cells else "\n")


class _Words(_Table):
    """Runs of text of DOCX and PPTX."""

    def __init__(self, sheet: Sheet) -> None:
        super().__init__(sheet)
        #: inside a field that shows the day it is opened on
        self._clock = False

    def begin(self, name: str, attrs: Mapping[str, str]) -> None:
        super().begin(name, attrs)
        if name == "tab":
            self.sheet.write(" " if self._cells else "\t")
        elif name in _SHOWN:
            # the description of a picture is often what the picture says
            for key in _SHOWN[name]:
                if key in attrs:
                    self.sheet.write(f" {attrs[key]}\n")
        elif name == "fld":
            self._clock = attrs.get("type", "").startswith("datetime")

    def characters(self, content: str) -> None:
        if self.path[-1] in _TEXTS and not self._clock:
            self.sheet.write(content)

    def end(self, name: str) -> None:
        super().end(name)
        if name in _LINES:
            self.line()
        elif name == "fld":
            self._clock = False


class _Everything(Handler):
    """Properties and custom parts: whatever characters there are."""

    def characters(self, content: str) -> None:
        if not content.isspace():
            self.sheet.write(content)

    def end(self, name: str) -> None:
        self.sheet.write("\n")


def _opendocument(archive: Archive, sheet: Sheet) -> None:
    manifest = archive.member("META-INF/manifest.xml")
    small = manifest is not None and manifest.file_size <= sheet.limits.ratio_from
    if manifest is not None and small and b"encryption-data" in archive.whole(manifest):
        sheet.note(Trait.ENCRYPTED)
        raise Unreadable("encrypted")
    for name in archive.names:
        if name.startswith(("Basic/", "Scripts/")) and not name.endswith("/"):
            sheet.note(Trait.MACROS)
        elif name.startswith("Pictures/") and not _PREVIEW.fullmatch(name):
            _inner(archive, name, sheet)
        elif name.startswith("Object "):
            sheet.note(Trait.EMBEDDED)
    objects = [name for name in archive.names if _OBJECT.fullmatch(name)]
    for name in ("content.xml", "styles.xml", "meta.xml", *objects):
        _part(archive, name, _Open(sheet), sheet)


class _Open(_Table):
    """OpenDocument's content, styles (headers, footers) and description."""

    def begin(self, name: str, attrs: Mapping[str, str]) -> None:
        super().begin(name, attrs)
        if name in ("tab", "s"):
            self.sheet.write(" ")
        elif name == "line-break":
            self.line()
        elif name == "page" or (name == "table" and self.path[-2:-1] == ["spreadsheet"]):
            # what a sheet or a slide is called stands on its tab
            called = next((value for key, value in attrs.items() if key.rpartition(":")[2] == "name"), "")
            self.sheet.write(f"{called}\n")

    def characters(self, content: str) -> None:
        # a space between two spans of a paragraph is one; what indents the XML is none
        if not content.isspace() or "p" in self.path or "h" in self.path:
            self.sheet.write(content)

    def end(self, name: str) -> None:
        super().end(name)
        if name in _OPEN_LINES:
            self.line()
