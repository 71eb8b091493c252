"""OLE compound files (MS-CFB): Office and Outlook of before 2007, and encrypted Office of today.

Their formats are not read. Their words mostly stand in them as plain runs of characters, so those are taken, and the
reading is never more than partly: what was found counts, what was not proves nothing."""

import re
from typing import Final

from carepost.phi.documents.sheet import Sheet
from carepost.phi.documents.types import Trait, Unreadable

_WIDE: Final = re.compile(rb"(?:[\x09\x0a\x0d\x20-\x7e\xa0-\xff]\x00){4,}")
_NARROW: Final = re.compile(rb"[\x09\x0a\x0d\x20-\x7e\xa0-\xff]{6,}")


#: octets FF to FD, which fill what is free of a sector and end its chains
_FILLING: Final = re.compile("[\xfd-\xff]{2,}")
#: a word, a number of more than two digits, or what begins like a code
_SAYS: Final = re.compile(r"[^\W\d_]{3}|\d{3}|[^\W\d_]\d\d")
#: names of streams and storages (MS-CFB, MS-DOC, MS-XLS, MS-PPT), and of who wrote the file
_OWN: Final = frozenset(
    (
        "Root Entry", "CompObj", "ObjInfo", "WordDocument", "0Table", "1Table", "Data", "Workbook", "Book", "Pictures",
        "PowerPoint Document", "Current User", "SummaryInformation", "DocumentSummaryInformation", "MSWordDoc",
        "Word.Document.8", "Excel.Sheet.8", "PowerPoint.Show.8", "Microsoft Word-Dokument", "Caolan80",
    )
)  # fmt: skip


def _named(name: str) -> bytes:
    return name.encode("utf-16-le")


_ENCRYPTED: Final = (_named("EncryptedPackage"), _named("EncryptionInfo"))
_MACROS: Final = (_named("_VBA_PROJECT"), _named("Macros"), _named("_VBA_PROJECT_CUR"))
_OBJECTS: Final = (_named("ObjectPool"), _named("\x01Ole10Native"))
#: Excel 97 to 2003 and 5: a workbook's first record, perhaps the one about writing, and FilePass (MS-XLS 2.4.117)
_LOCKED_BOOK: Final = re.compile(
    rb"\x09\x08(?:\x10\0\0\x06\x05\0.{12}|\x08\0\0\x05\x05\0.{4})(?:\x86\0\0\0)?\x2f\0", re.DOTALL
)
#: a sheet of Excel 4's macros among the sheets (BoundSheet8, MS-XLS 2.4.28: its `dt` is 1)
_MACRO_SHEET: Final = re.compile(rb"\x85\0.\0.{4}[\0-\x02]\x01", re.DOTALL)
_BOOKS: Final = (_named("Workbook"), _named("Book"))
#: PowerPoint's token of a locked presentation, in its record of who edited last (MS-PPT 2.3.2)
_LOCKED_SHOW: Final = re.compile(rb"\0\0\xf6\x0f.{8}\xdf\xc4\xd1\xf3", re.DOTALL)
#: the first octets of Word's document, which stands at a sector's start, and its flag for a password (MS-DOC 2.5.2)
_WORD: Final = b"\xec\xa5"
_WORD_LOCKED: Final = 0x0100
_SECTOR: Final = 512
_INSTALLER: Final = bytes.fromhex("84100c0000000000c000000000000046")


def read(data: bytes, sheet: Sheet) -> None:
    if any(name in data for name in _ENCRYPTED) or _locked(data):
        sheet.note(Trait.ENCRYPTED)
        raise Unreadable("encrypted")
    book = any(name in data for name in _BOOKS)
    if any(name in data for name in _MACROS) or (book and _MACRO_SHEET.search(data)):
        sheet.note(Trait.MACROS)
    if any(name in data for name in _OBJECTS):
        sheet.note(Trait.EMBEDDED)
    if _INSTALLER in data[:65_536]:
        sheet.note(Trait.EXECUTABLE)
    sheet.short("legacy-format")
    for run in _WIDE.finditer(data):
        _write(run[0].decode("utf-16-le"), sheet)
    for run in _NARROW.finditer(data):
        _write(run[0].decode("cp1252", "replace"), sheet)
    if sheet.written == 0:
        sheet.refuse("legacy-format")


def _write(run: str, sheet: Sheet) -> None:
    """A run that may be somebody's words: not the form's own names, and not the filling of sectors, which read as words
    of no language made an invitation to a picnic look like a note of care."""
    said = _FILLING.sub(" ", run).strip("\t\n ")
    if _SAYS.search(said) and said not in _OWN:
        sheet.write(said.replace("\r", "\n") + "\n")


def _locked(data: bytes) -> bool:
    """Under a password of before 2007, where streams keep their names and only what is in them is encrypted."""
    if _named("WordDocument") in data:
        at = data.find(_WORD)
        while at >= 0:
            flags = int.from_bytes(data[at + 10 : at + 12], "little")
            if at % _SECTOR == 0 and flags & _WORD_LOCKED:
                return True
            at = data.find(_WORD, at + 2)
    if any(name in data for name in _BOOKS) and _LOCKED_BOOK.search(data):
        return True
    return _LOCKED_SHOW.search(data) is not None
