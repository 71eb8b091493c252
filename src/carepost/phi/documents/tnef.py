"""TNEF, Outlook's `winmail.dat` (MS-OXTNEF): the files and the plain body are taken out; what stands in MAPI properties
is not read, so the reading is partly (BI-060)."""

from typing import Final

from carepost.phi.documents.sheet import Inner, Sheet
from carepost.phi.documents.texts import decode
from carepost.phi.documents.types import Unreadable

_SUBJECT: Final = 0x00018004
_BODY: Final = 0x0002800C
_TITLE: Final = 0x00018010
_DATA: Final = 0x0006800F
_RENDERING: Final = 0x00069002
_MAPI: Final = 0x00069003


def read(data: bytes, sheet: Sheet) -> None:
    """Raises Unreadable for what is not whole."""
    at = 6
    title, content = "", b""
    while at + 9 <= len(data):
        attribute = int.from_bytes(data[at + 1 : at + 5], "little")
        size = int.from_bytes(data[at + 5 : at + 9], "little")
        start, end = at + 9, at + 9 + size
        if end + 2 > len(data):
            raise Unreadable("damaged")
        value = data[start:end]
        if attribute == _RENDERING:
            _file(title, content, sheet)
            title, content = "", b""
        elif attribute == _TITLE:
            title = decode(value).rstrip("\0")
        elif attribute == _DATA:
            content = value
        elif attribute in (_SUBJECT, _BODY):
            sheet.write(decode(value).rstrip("\0") + "\n")
        elif attribute == _MAPI:
            sheet.short("tnef")
        # two octets of checksum follow
        at = end + 2
    _file(title, content, sheet)


def _file(title: str, content: bytes, sheet: Sheet) -> None:
    if content:
        sheet.budget.inflate(len(content))
        sheet.add(Inner(title, content))
