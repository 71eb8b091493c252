"""What a deposited message holds, ready to be shown: text, HTML, attachments, and the pictures inside the HTML."""

import re
from typing import Final

import msgspec

from carepost.rfc import mime
from carepost.rfc.errors import MimeError

_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}")

_WORDS: Final = {
    "application/pdf": "PDF document",
    "application/msword": "Word document",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "Word document",
    "application/vnd.ms-excel": "Excel table",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "Excel table",
    "application/zip": "ZIP archive",
    "text/plain": "text file",
    "text/csv": "table (CSV)",
    "text/calendar": "calendar entry",
    "text/html": "web page",
    "image/jpeg": "JPEG picture",
    "image/png": "PNG picture",
    "image/gif": "GIF picture",
    "application/dicom": "DICOM picture",
    "message/rfc822": "e-mail",
}
_FAMILIES: Final = {"image": "picture", "audio": "sound", "video": "video", "text": "text file"}


class File(msgspec.Struct, frozen=True):
    """`name` is safe to show and to save; `kind` is the sender's claim: `type/subtype`."""

    name: str
    kind: str
    data: bytes
    #: without angle brackets; "" when it is no part of the HTML
    content_id: str = ""
    #: it could not be decoded, so `data` is empty
    damaged: bool = False

    @property
    def size(self) -> int:
        return len(self.data)

    @property
    def words(self) -> str:
        return _WORDS.get(self.kind) or _FAMILIES.get(self.kind.partition("/")[0]) or "file"


class Content(msgspec.Struct, frozen=True):
    text: str
    html: str
    #: beside the text
    files: tuple[File, ...]
    #: inside the HTML
    pictures: tuple[File, ...] = ()


def read(raw: bytes) -> Content:
    """What a person reads of a message. One that cannot be taken apart is offered whole, as a file."""
    try:
        found = mime.read(raw)
    except MimeError:
        text = "This message cannot be shown here, because it is damaged. You can download it as it came."
        return Content(text, "", (File("message.eml", "message/rfc822", raw),))
    files: list[File] = []
    pictures: list[File] = []
    for one in found.attachments:
        file = File(one.name, one.content_type, one.data, one.content_id, bool(one.fault))
        inside = found.html and one.inline and one.content_id in found.html
        (pictures if inside else files).append(file)
    return Content(found.text, found.html, tuple(files), tuple(pictures))


def file_kind(value: str) -> str:
    """A content type without parameters; `application/octet-stream` for anything else."""
    kind = value.partition(";")[0].strip().casefold()
    return kind if _TYPE.fullmatch(kind) and not kind.startswith("multipart/") else "application/octet-stream"


def safe_name(name: str) -> str:
    """Of a file somebody hands in: what it may be called afterwards (BI-056)."""
    return mime.filename(name)
