"""RTF by striprtf, kept to what its time is linear in; objects and pictures inside are facts."""

import re
from collections.abc import Callable
from typing import Final

from striprtf import striprtf

from carepost.phi.documents.sheet import Sheet
from carepost.phi.documents.types import Trait, Unreadable

#: octets of RTF source that are read; a picture as hex digits makes most of a large one
_SOURCE: Final = 20_000_000
#: they have no types
_table: Final[Callable[[str], str]] = striprtf.font_table_group
_to_text: Final[Callable[..., str]] = striprtf.rtf_to_text
_NUMBER: Final = re.compile(r"\\f(\d{1,5})")
_CHARSET: Final = re.compile(r"\\fcharset(\d{1,3})")
_FONTS: Final = 1_000
#: destinations striprtf leaves out though people read or write them (RTF 1.9.1): what stands at the page's edge, below
#: it and beside it, the document's own description, prefilled fields
_SAID: Final = re.compile(
    r"(?:\\\*)?\\(?:header[lrf]?|footer[lrf]?|footnote|ftn(?:sep|cn)|annotation|info|title|subject|author|keywords"
    r"|doccomm|formfield|ffdeftext|fldinst|shp|shpgrp|shpinst|shptxt|dptxbxtext|docvar|userprops|propname|staticval)"
    r"(?![a-zA-Z])"
)
#: what people read among a drawing's properties: the words of a shape, what a picture is said to show
_SHOWN: Final = re.compile(r"\{\\sp\{\\sn (?:gtextUNICODE|wzDescription)\}\{\\sv ([^{}]*)\}\}")
#: a drawing's properties, which would follow its text out
_DRAWING: Final = re.compile(r"\{\\sp(?![a-zA-Z])")


def read(data: bytes, sheet: Sheet) -> None:
    if b"\\object" in data or b"\\objdata" in data:
        sheet.note(Trait.EMBEDDED)
        sheet.short("embedded-object")
    if b"\\pict" in data:
        sheet.short("image")
    if b"\\*\\template" in data or b"INCLUDEPICTURE" in data or b"\\objupdate" in data:
        sheet.note(Trait.REMOTE)
    if len(data) > _SOURCE:
        sheet.short("too-long")
    source = _fonts(data[:_SOURCE].decode("latin-1"), sheet)
    source = _DRAWING.sub(r"{\\*\\sp", _SHOWN.sub(r"\\par \1\\par ", _SAID.sub(r"\\par ", source)))
    try:
        text: str = _to_text(source, errors="replace")
    except (ValueError, LookupError, OverflowError):
        raise Unreadable("damaged") from None
    sheet.write(text)


def _fonts(source: str, sheet: Sheet) -> str:
    """`source` with its table of fonts written anew: striprtf's reading of one made to harm takes cubic time."""
    table = _table(source)
    if not table:
        return source
    if source.endswith(table):
        # it never ends, and takes the rest of the document with it
        sheet.short("damaged")
    fonts = []
    for entry in table.split(";")[:_FONTS]:
        number, charset = _NUMBER.search(entry), _CHARSET.search(entry)
        if number and charset:
            fonts.append(f"{{\\f{number[1]}\\fcharset{charset[1]} x;}}")
    return source.replace(table, "{\\fonttbl" + "".join(fonts) + "}", 1)
