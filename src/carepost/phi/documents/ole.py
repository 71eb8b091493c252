"""OLE compound files (MS-CFB): Office and Outlook of before 2007, and encrypted Office of today.

Their formats are not read. Their words mostly stand in them as plain runs of characters, so those are taken, and the
reading is never more than partly: what was found counts, what was not proves nothing."""

import re
from typing import Final

from carepost.phi.documents.sheet import Sheet
from carepost.phi.documents.types import Trait, Unreadable

_WIDE: Final = re.compile(rb"(?:[\x09\x0a\x0d\x20-\x7e\xa0-\xff]\x00){4,}")
_NARROW: Final = re.compile(rb"[\x09\x0a\x0d\x20-\x7e\xa0-\xff]{6,}")


def _named(name: str) -> bytes:
    return name.encode("utf-16-le")


_ENCRYPTED: Final = (_named("EncryptedPackage"), _named("EncryptionInfo"))
_MACROS: Final = (_named("_VBA_PROJECT"), _named("Macros"), _named("_VBA_PROJECT_CUR"))
_OBJECTS: Final = (_named("ObjectPool"), _named("\x01Ole10Native"))
_INSTALLER: Final = bytes.fromhex("84100c0000000000c000000000000046")


def read(data: bytes, sheet: Sheet) -> None:
    if any(name in data for name in _ENCRYPTED):
        sheet.note(Trait.ENCRYPTED)
        raise Unreadable("encrypted")
    if any(name in data for name in _MACROS):
        sheet.note(Trait.MACROS)
    if any(name in data for name in _OBJECTS):
        sheet.note(Trait.EMBEDDED)
    if _INSTALLER in data[:65_536]:
        sheet.note(Trait.EXECUTABLE)
    sheet.short("legacy-format")
    for run in _WIDE.finditer(data):
        sheet.write(run[0].decode("utf-16-le").replace("\r", "\n") + "\n")
    for run in _NARROW.finditer(data):
        sheet.write(run[0].decode("cp1252", "replace").replace("\r", "\n") + "\n")
    if sheet.written == 0:
        sheet.refuse("legacy-format")
