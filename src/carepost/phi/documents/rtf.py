"""RTF by striprtf, cut to a size its time is linear in; objects and pictures inside are facts."""

from collections.abc import Callable
from typing import Final

from striprtf import striprtf

from carepost.phi.documents.sheet import Sheet
from carepost.phi.documents.types import Trait, Unreadable

#: octets of RTF source that are read; a picture as hex digits makes most of a large one
_SOURCE: Final = 20_000_000
#: it has no types
_to_text: Final[Callable[..., str]] = striprtf.rtf_to_text


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
    source = data[:_SOURCE].decode("latin-1")
    try:
        text: str = _to_text(source, errors="replace")
    except (ValueError, LookupError, OverflowError):
        raise Unreadable("damaged") from None
    sheet.write(text)
