"""PDF by pypdf, page by page under limits: pages, their form fields and notes, files attached, and what would act."""

import io
import re
import zlib
from typing import Any, Final

from pypdf import PdfReader, apply_configuration

from carepost.phi.documents.sheet import Inner, Sheet
from carepost.phi.documents.types import Trait, Unreadable

#: octets that come out of one stream, and work for one
_STREAM: Final = 30_000_000
_ACTS: Final = frozenset(
    {"/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/GoToE", "/Rendition", "/RichMediaExecute"}
)
_REMOTE: Final = frozenset({"/GoToR", "/SubmitForm", "/ImportData"})
#: of a document's own description, what people write
_SAID: Final = ("/Title", "/Subject", "/Author", "/Keywords")
#: operators that show text; octets of drawing beyond which letters may be drawn as shapes
_SHOWS: Final = re.compile(rb"\bT[jJ]\b")
_DRAWN: Final = 5_000
#: letters of a page that are no more than a header or caption; pixels of a page of letter size at 75 dots an inch
_CAPTION: Final = 200
_PAGE: Final = 500_000
#: annotations of a page, and form fields, that are looked at
_NOTES: Final = 2_000
#: actions one leads to that are followed, and steps along the outline
_CHAIN: Final = 500
_HEADINGS: Final = 20_000


def read(data: bytes, sheet: Sheet) -> None:
    """Raises Unreadable; what a page cannot give is said and the next one read."""
    with apply_configuration(
        zlib_maximum_output_length=_STREAM,
        lzw_maximum_output_length=_STREAM,
        run_length_maximum_output_length=_STREAM,
        array_based_stream_maximum_output_length=_STREAM,
        stream_decoding_work_maximum_length=3 * _STREAM,
        stream_parsing_work_maximum_count=500_000,
        xform_maximum_invocations_per_extraction=500,
        page_tree_maximum_entries=20_000,
        jbig2dec_binary=None,
    ):
        try:
            reader = PdfReader(io.BytesIO(data), strict=False)
            if reader.is_encrypted and not reader.decrypt(""):
                sheet.note(Trait.ENCRYPTED)
                raise Unreadable("encrypted")
            _root(reader, sheet)
            _outline(reader, sheet)
            count = len(reader.pages)
        except (Unreadable, MemoryError):
            raise
        except Exception:
            raise Unreadable("damaged") from None
        _pages(reader, min(count, sheet.limits.pages), sheet)
        if count > sheet.limits.pages:
            sheet.short("too-long")
        _fields(reader, sheet)
        _files(reader, sheet)


def _pages(reader: PdfReader, count: int, sheet: Sheet) -> None:
    for number in range(count):
        try:
            page = reader.pages[number]
            text = page.extract_text()
            missing = "damaged" if not _whole(page) else _missing(page, text)
            _notes(page, sheet)
        except (MemoryError, Unreadable):
            raise
        except Exception:
            # any class at all: pypdf on hostile input raises what Python raises
            sheet.short("damaged")
            continue
        sheet.budget.inflate(len(text))
        if text.strip():
            sheet.write(text + "\n")
        if missing:
            sheet.short(missing)
    if sheet.reason and sheet.written == 0:
        sheet.refuse(sheet.reason)


def _missing(page: Any, text: str) -> str:
    """Why a page may show more text than was found; "" for one that says enough, or is empty."""
    if text.strip():
        return "image-only" if len("".join(text.split())) < _CAPTION and _scanned(page) else ""
    if _has_pictures(page):
        return "image-only"
    contents = page.get_contents()
    data = contents.get_data() if contents is not None else b""
    if not text and _SHOWS.search(data):
        return "damaged"
    return "image-only" if len(data) > _DRAWN else ""


def _whole(page: Any) -> bool:
    """Whether its packed content comes out whole: pypdf makes what it can of a damaged stream, without a word."""
    contents = _resolved(page.get("/Contents"))
    streams = contents if isinstance(contents, list) else [contents]
    for one in streams[:100]:
        stream = _resolved(one)
        packed = getattr(stream, "_data", b"")
        if not packed or stream.get("/Filter") not in ("/FlateDecode", ["/FlateDecode"]):
            continue
        unpacking = zlib.decompressobj()
        try:
            unpacking.decompress(packed, _STREAM)
        except zlib.error:
            return False
        if not unpacking.eof:
            return False
    return True


def _resolved(value: Any) -> Any:
    return value.get_object() if hasattr(value, "get_object") else value


def _has_pictures(page: Any) -> bool:
    resources = _resolved(page.get("/Resources"))
    objects = _resolved(resources.get("/XObject")) if resources else None
    if not objects:
        return False
    return any(_resolved(one).get("/Subtype") in ("/Image", "/Form") for one in list(objects.values())[:100])


def _scanned(page: Any) -> bool:
    """Whether it shows a picture with room for a page of text: a scan, on which a fax or a scanner wrote its line."""
    objects = _resolved((_resolved(page.get("/Resources")) or {}).get("/XObject")) or {}
    pictures = (_resolved(one) for one in list(objects.values())[:100])
    return any(one.get("/Subtype") == "/Image" and _pixels(one) >= _PAGE for one in pictures if hasattr(one, "get"))


def _pixels(picture: Any) -> int:
    width, height = _resolved(picture.get("/Width")), _resolved(picture.get("/Height"))
    return width * height if isinstance(width, int) and isinstance(height, int) else 0


def _root(reader: PdfReader, sheet: Sheet) -> None:
    """The catalogue: what runs when the file is opened, scripts, and the document's own description."""
    root = reader.root_object
    if "/OpenAction" in root:
        _action(root["/OpenAction"], sheet)
    if "/AA" in root:
        sheet.note(Trait.ACTIVE)
    names = _resolved(root.get("/Names")) or {}
    if "/JavaScript" in names:
        sheet.note(Trait.ACTIVE)
    form = _resolved(root.get("/AcroForm")) or {}
    if "/XFA" in form:
        sheet.note(Trait.ACTIVE)
        sheet.short("unparsed-part")
    information: Any = reader.metadata or {}
    for key in _SAID:
        text = _resolved(information.get(key))
        if isinstance(text, str) and 0 < len(text) < 2000:
            sheet.write(text + "\n")


def _action(first: Any, sheet: Sheet) -> None:
    """An action and those it leads to, one or several (ISO 32000-2 12.6.2)."""
    todo = [_resolved(first)]
    for _ in range(_CHAIN):
        if not todo:
            return
        action = todo.pop()
        if not hasattr(action, "get"):
            continue
        kind = _resolved(action.get("/S"))
        if kind in _ACTS:
            sheet.note(Trait.ACTIVE)
        if kind in _REMOTE:
            sheet.note(Trait.REMOTE)
        after = _resolved(action.get("/Next"))
        todo.extend(_resolved(one) for one in (after if isinstance(after, list) else [after])[:_CHAIN])
    sheet.short("too-many")


def _outline(reader: PdfReader, sheet: Sheet) -> None:
    """Headings beside the pages, and their actions."""
    outlines = _resolved(reader.root_object.get("/Outlines"))
    todo = [outlines.get("/First")] if hasattr(outlines, "get") else []
    for _ in range(_HEADINGS):
        if not todo:
            return
        heading = _resolved(todo.pop())
        if hasattr(heading, "get"):
            if isinstance(title := _resolved(heading.get("/Title")), str):
                sheet.write(title + "\n")
            if "/A" in heading:
                _action(heading["/A"], sheet)
            todo += [heading.get("/Next"), heading.get("/First")]
    sheet.short("too-many")


def _notes(page: Any, sheet: Sheet) -> None:
    """Comments and actions on a page."""
    if "/AA" in page:
        sheet.note(Trait.ACTIVE)
    for one in list(_resolved(page.get("/Annots")) or ())[:_NOTES]:
        note = _resolved(one)
        if not hasattr(note, "get"):
            continue
        _action(note.get("/A"), sheet)
        events = _resolved(note.get("/AA"))
        for one in list(events.values())[:_CHAIN] if hasattr(events, "values") else ():
            _action(one, sheet)
        if note.get("/Subtype") in ("/RichMedia", "/Movie", "/Screen", "/3D"):
            sheet.note(Trait.ACTIVE)
        contents = _resolved(note.get("/Contents"))
        if isinstance(contents, str) and contents:
            sheet.write(contents + "\n")


def _fields(reader: PdfReader, sheet: Sheet) -> None:
    try:
        fields = reader.get_fields() or {}
        for name, field in list(fields.items())[:_NOTES]:
            value = field.get("/V")
            if isinstance(value, str) and value and not value.startswith("/"):
                sheet.write(f"{name}: {value}\n")
    except (MemoryError, Unreadable):
        raise
    except Exception:
        sheet.short("damaged")


def _files(reader: PdfReader, sheet: Sheet) -> None:
    try:
        for number, attached in enumerate(reader.attachment_list):
            sheet.note(Trait.EMBEDDED)
            if number >= 100:
                sheet.short("too-many")
                return
            content = attached.content
            sheet.budget.inflate(len(content))
            sheet.add(Inner(attached.name or "", content))
    except (MemoryError, Unreadable):
        raise
    except Exception:
        sheet.short("damaged")
