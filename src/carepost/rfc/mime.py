"""What a person reads of a message: its text, its HTML page, its attachments. For portal and console.

Never raises anything but MimeError, never fetches, never decodes UTF-7, never trusts a name or a type it was given.
The HTML is as sent: whoever shows it sanitises it first.
"""

import binascii
import re
import unicodedata

import msgspec

from carepost.rfc import words
from carepost.rfc.errors import MimeError
from carepost.rfc.parts import DEFAULT, Limits, Part, walk

__all__ = ["Attachment", "Content", "Limits", "decode", "filename", "read"]

#: characters of a shown file name
MAX_NAME = 150

_BLANK = bytes.maketrans(b"", b"")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_FORBIDDEN = re.compile('[<>:"|?*]')
_UNSHOWN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9]|conin\$|conout\$)(?:\..*)?", re.IGNORECASE | re.DOTALL)


class Attachment(msgspec.Struct, frozen=True):
    """`name` is safe to show and to save; `content_type` is the sender's claim: serve it with `nosniff`, as a download.

    `fault` says why `data` is empty although the part is not (bad-encoding); "" where it is whole."""

    name: str
    content_type: str
    data: bytes
    #: without angle brackets; "" where none
    content_id: str = ""
    #: stands inside the HTML rather than beside it
    inline: bool = False
    fault: str = ""


class Content(msgspec.Struct, frozen=True):
    """`text` and `html` have LF line ends; "" where there is none."""

    text: str
    html: str
    attachments: list[Attachment]


def decode(raw: bytes, part: Part) -> bytes:
    """The octets of a part. Raises MimeError where the transfer encoding is not kept to (BI-055)."""
    body = raw[part.start : part.end]
    if part.encoding == "base64":
        packed = body.translate(_BLANK, b" \t\r\n")
        try:
            # strict mode still lets padding follow a whole group
            if len(packed) % 4 == 0 and not packed.endswith(b"==="):
                return binascii.a2b_base64(packed, strict_mode=True)
        except binascii.Error:
            pass
        raise MimeError("bad-encoding", "A part of the message is not valid base64.")
    if part.encoding == "quoted-printable":
        return binascii.a2b_qp(body)
    if part.encoding == "unknown":
        raise MimeError("bad-encoding", "A part of the message has an unknown transfer encoding.")
    return body


def read(raw: bytes, limits: Limits = DEFAULT) -> Content:
    """Raises MimeError where the structure is over a limit or has two readings; a damaged part is marked, not fatal.

    Of several HTML parts only the first is the page: joined, one could capture another (BI-067)."""
    texts: list[str] = []
    html = ""
    attachments: list[Attachment] = []
    for number, part in enumerate(walk(raw, limits), 1):
        fault, data = "", b""
        try:
            data = decode(raw, part)
        except MimeError as error:
            fault = error.code
        name = part.disposition_params.get("filename") or part.params.get("name", "")
        shown = part.disposition in ("", "inline") and not name and not fault
        if shown and part.type == "text/plain":
            texts.append(_text(data, part))
        elif shown and part.type == "text/html" and not html:
            html = _text(data, part)
        else:
            safe_name = filename(name) if name else f"part-{number}{_EXTENSIONS.get(part.type, '')}"
            inline = bool(part.content_id) and part.disposition != "attachment"
            attachments.append(Attachment(safe_name, part.type, data, part.content_id, inline, fault))
    return Content("\n".join(t for t in texts if t), html, attachments)


_EXTENSIONS = {
    "text/plain": ".txt", "text/html": ".html", "text/calendar": ".ics", "message/rfc822": ".eml",
    "image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "application/pdf": ".pdf",
    "message/delivery-status": ".txt", "text/rfc822-headers": ".txt",
}  # fmt: skip


def _text(data: bytes, part: Part) -> str:
    # ASCII and what is not known are read as UTF-8: what is wrong in them becomes U+FFFD, never markup (BI-061)
    charset = words.codec(part.params.get("charset", "utf-8")) or "utf-8"
    text = data.decode("utf-8" if charset == "ascii" else charset, "replace")
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def filename(name: str) -> str:
    """A file name that shows what it is and saves where it is told to (BI-056); "attachment" where nothing is left."""
    name = unicodedata.normalize("NFC", words.decode(_UNSHOWN.sub("", name)))
    name = _INVISIBLE.sub("", re.split(r"[/\\]", name)[-1])
    name = _FORBIDDEN.sub("", name).strip(". \t")
    if _DEVICE.fullmatch(name):
        name = "_" + name
    if len(name) > MAX_NAME:
        stem, dot, extension = name.rpartition(".")
        keep = dot + extension if dot and len(extension) <= 10 else ""
        name = (stem if keep else name)[: MAX_NAME - len(keep)].rstrip(". ") + keep
    return name or "attachment"
