"""DOCX, XLSX, PPTX (ECMA-376) and OpenDocument: text out of their parts as streams, facts out of their directory."""

import posixpath
import re
from collections.abc import Mapping
from typing import Final

from carepost.phi.documents.markup import Handler, parse
from carepost.phi.documents.sheet import Inner, Sheet
from carepost.phi.documents.types import Kind, Trait, Unreadable
from carepost.phi.documents.zipped import Archive

#: folder -> kind
_FOLDERS: Final = (("word/", Kind.DOCX), ("xl/", Kind.XLSX), ("ppt/", Kind.PPTX))
#: parts with no words of the author in them
_DULL: Final = re.compile(
    r"(?:theme|styles|settings|fontTable|webSettings|numbering|calcChain|printerSettings|_rels|tableStyles|presProps|viewProps)"
)
_SHEET: Final = re.compile(r"xl/(?:worksheets|macrosheets)/[^/]+\.xml")
_LINES: Final = frozenset(
    {"p", "br", "cr", "tr", "comment", "si", "sp", "h", "table-row", "annotation", "title", "row"}
)
_TABS: Final = frozenset({"tab", "tc", "c", "table-cell"})
_TEXTS: Final = frozenset({"t", "delText", "instrText"})
_LOUD: Final = re.compile(rb"attachedTemplate|oleObject|/frame|externalLink|subDocument|/package")
#: shared strings of a workbook
_STRINGS: Final = 400_000


def kind_of(archive: Archive) -> Kind:
    """Which document a zip is, or ZIP."""
    if "[Content_Types].xml" in archive:
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
    strings: list[str] = []
    if kind is Kind.XLSX and (member := archive.member("xl/sharedStrings.xml")) is not None:
        shared = _Strings(sheet, strings)
        _part(archive, member.filename, shared, sheet)
    for name in sorted(archive.names, key=_order):
        if (
            not name.endswith((".xml", ".vml"))
            or name == "xl/sharedStrings.xml"
            or name.startswith("[")
            or _DULL.search(name)
        ):
            continue
        if _SHEET.fullmatch(name):
            _part(archive, name, _Cells(sheet, strings), sheet)
        elif name == "xl/workbook.xml":
            _part(archive, name, _Names(sheet), sheet)
        else:
            _part(archive, name, _Words(sheet, everything=name.startswith(("docProps/", "customXml/"))), sheet)


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
        if base.lower() == "vbaproject.bin" or name.startswith("xl/macrosheets/"):
            sheet.note(Trait.MACROS)
        elif "/embeddings/" in name or "/activeX/" in name:
            sheet.note(Trait.EMBEDDED)
            if "/embeddings/" in name:
                _inner(archive, name, sheet)
        elif "/media/" in name:
            _inner(archive, name, sheet)
        elif name.endswith(".rels") and member.file_size <= sheet.limits.ratio_from:
            relations = archive.whole(member)
            if b'TargetMode="External"' in relations and _LOUD.search(relations):
                sheet.note(Trait.REMOTE)


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


class _Words(Handler):
    """Runs of text; `everything`: whatever characters there are."""

    def __init__(self, sheet: Sheet, *, everything: bool = False) -> None:
        super().__init__(sheet)
        self._everything = everything

    def begin(self, name: str, attrs: Mapping[str, str]) -> None:
        if name in _TABS:
            self.sheet.write("\t")
        elif name == "docPr" or name == "cNvPr":
            # the description of a picture is often what the picture says
            for key in ("descr", "title"):
                if key in attrs:
                    self.sheet.write(f" {attrs[key]}\n")

    def characters(self, content: str) -> None:
        if self._everything or (self.path and self.path[-1] in _TEXTS):
            self.sheet.write(content)

    def end(self, name: str) -> None:
        if name in _LINES or self._everything:
            self.sheet.write("\n")


class _Strings(Handler):
    """xl/sharedStrings.xml: kept apart, and counted where a cell uses them."""

    def __init__(self, sheet: Sheet, strings: list[str]) -> None:
        super().__init__(sheet)
        self._strings = strings
        self._now: list[str] = []
        self._room = sheet.limits.texts

    def characters(self, content: str) -> None:
        if self.path and self.path[-1] == "t":
            self._room -= len(content)
            if self._room < 0:
                raise Unreadable("too-long")
            self._now.append(content)

    def end(self, name: str) -> None:
        if name == "si":
            if len(self._strings) >= _STRINGS:
                raise Unreadable("too-many")
            self._strings.append("".join(self._now))
            self._now = []


class _Cells(Handler):
    """A worksheet: a row a line, cells set apart by tabs, shared strings in their places."""

    def __init__(self, sheet: Sheet, strings: list[str]) -> None:
        super().__init__(sheet)
        self._strings = strings
        self._type = ""
        self._value: list[str] = []

    def begin(self, name: str, attrs: Mapping[str, str]) -> None:
        if name == "c":
            self._type, self._value = str(attrs.get("t", "")), []

    def characters(self, content: str) -> None:
        if self.path and self.path[-1] in ("v", "t", "oddHeader", "oddFooter"):
            self._value.append(content)

    def end(self, name: str) -> None:
        if name == "c":
            self.sheet.write(self._shown() + "\t")
        elif name == "row":
            self.sheet.write("\n")
        elif name in ("oddHeader", "oddFooter"):
            self.sheet.write("".join(self._value) + "\n")

    def _shown(self) -> str:
        value = "".join(self._value)
        if self._type != "s":
            return value
        number = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else -1
        return self._strings[number] if 0 <= number < len(self._strings) else ""


class _Names(Handler):
    """xl/workbook.xml: the names of sheets."""

    def begin(self, name: str, attrs: Mapping[str, str]) -> None:
        if name == "sheet" and "name" in attrs:
            self.sheet.write(attrs["name"] + "\n")


def _opendocument(archive: Archive, sheet: Sheet) -> None:
    manifest = archive.member("META-INF/manifest.xml")
    small = manifest is not None and manifest.file_size <= sheet.limits.ratio_from
    if manifest is not None and small and b"encryption-data" in archive.whole(manifest):
        sheet.note(Trait.ENCRYPTED)
        raise Unreadable("encrypted")
    for name in archive.names:
        if name.startswith(("Basic/", "Scripts/")) and not name.endswith("/"):
            sheet.note(Trait.MACROS)
        elif name.startswith("Pictures/"):
            _inner(archive, name, sheet)
        elif name.startswith("Object "):
            sheet.note(Trait.EMBEDDED)
    for name in ("content.xml", "styles.xml", "meta.xml"):
        _part(archive, name, _Open(sheet), sheet)


class _Open(Handler):
    def begin(self, name: str, attrs: Mapping[str, str]) -> None:
        if name in ("tab", "table-cell"):
            self.sheet.write("\t")
        elif name in ("line-break", "s"):
            self.sheet.write("\n" if name == "line-break" else " ")

    def characters(self, content: str) -> None:
        self.sheet.write(content)

    def end(self, name: str) -> None:
        if name in ("p", "h", "table-row", "annotation", "title", "subject", "creator", "keyword"):
            self.sheet.write("\n")
