"""What a file is, by its first bytes and, for zips, by its directory. The name only tells texts apart (BI-056)."""

import re
from typing import Final

import puremagic

from carepost.phi.documents.names import extension
from carepost.phi.documents.types import Kind

#: octets looked at
HEAD: Final = 4096

_MAGIC: Final = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind.LEGACY_OFFICE),
    (b"{\\rtf", Kind.RTF),
    (b"\x78\x9f\x3e\x22", Kind.TNEF),
    (b"\x1f\x8b", Kind.GZIP),
    (b"7z\xbc\xaf\x27\x1c", Kind.ARCHIVE),
    (b"Rar!\x1a\x07", Kind.ARCHIVE),
    (b"\xfd7zXZ\x00", Kind.ARCHIVE),
    (b"BZh", Kind.ARCHIVE),
    (b"MSCF", Kind.ARCHIVE),
    (b"\x28\xb5\x2f\xfd", Kind.ARCHIVE),
    (b"\x89PNG\r\n\x1a\n", Kind.IMAGE),
    (b"\xff\xd8\xff", Kind.IMAGE),
    (b"GIF8", Kind.IMAGE),
    (b"II*\0", Kind.IMAGE),
    (b"MM\0*", Kind.IMAGE),
    (b"\x7fELF", Kind.EXECUTABLE),
    (b"\xca\xfe\xba\xbe", Kind.EXECUTABLE),
    (b"\xcf\xfa\xed\xfe", Kind.EXECUTABLE),
    (b"L\0\0\0\x01\x14\x02\0", Kind.EXECUTABLE),
    (b"ID3", Kind.MEDIA),
    (b"OggS", Kind.MEDIA),
    (b"\x1a\x45\xdf\xa3", Kind.MEDIA),
    (b"-----BEGIN PGP MESSAGE", Kind.CIPHERTEXT),
    (b"-----BEGIN PGP SIGNATURE", Kind.SIGNATURE),
    (b"-----BEGIN PGP PUBLIC", Kind.SIGNATURE),
    (b"-----BEGIN CERTIFICATE", Kind.SIGNATURE),
    (b"BEGIN:VCALENDAR", Kind.CALENDAR),
    (b"BEGIN:VCARD", Kind.CALENDAR),
)  # fmt: skip
_RIFF: Final = {b"WEBP": Kind.IMAGE, b"WAVE": Kind.MEDIA, b"AVI ": Kind.MEDIA}
_FTYP_IMAGES: Final = frozenset({b"heic", b"heix", b"mif1", b"msf1", b"avif", b"hevc"})
#: PKCS #7 content types in DER (RFC 5652): 1.2.840.113549.1.7.{2,3} and .9.16.1.23
_SIGNED: Final = bytes.fromhex("06092a864886f70d010702")
_CMS: Final = bytes.fromhex("2a864886f70d0109100117")
_ENVELOPED: Final = bytes.fromhex("06092a864886f70d010703")
_HTML: Final = re.compile(rb"\s*(?:<!--.{0,500}?-->\s*)?<(?:!doctype\s+html|html|head|body)[\s>]", re.I | re.DOTALL)
_HL7: Final = re.compile(rb"[\x0b\s]{0,8}(?:MSH|FHS|BHS)([^\w\s])([^\w\s]{2,5}|\1)")
_MAIL: Final = re.compile(
    rb"(?:(?:received|return-path|from|date|subject|message-id|mime-version|to):[^\r\n]*\r?\n)", re.I
)
_MAIL_FIELD: Final = re.compile(rb"^(?:from|date|message-id|mime-version|received):", re.I | re.M)
_CONTROLS: Final = bytes(set(range(32)) - set(b"\t\n\r\f\x0b\x1b\x1c\x0c\x08"))


def sniff(data: bytes, name: str = "", claimed: str = "") -> Kind:
    """Never raises. A zip is ZIP here; whoever opens it sees what kind of document it is."""
    if not data:
        return Kind.EMPTY
    head = data[:HEAD]
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return Kind.ZIP
    if b"%PDF-" in head[:1024]:
        return Kind.PDF
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    return _binary(data, head) or _text(head, name, claimed) or _guess(head)


def _binary(data: bytes, head: bytes) -> Kind | None:
    if head[:2] == b"MZ" and len(data) > 64:
        return Kind.EXECUTABLE
    if head[:2] == b"BM" and len(data) > 26 and int.from_bytes(head[2:6], "little") in range(26, len(data) + 64):
        return Kind.IMAGE
    if head[:4] == b"RIFF" and head[8:12] in _RIFF:
        return _RIFF[head[8:12]]
    if head[4:8] == b"ftyp":
        return Kind.IMAGE if head[8:12] in _FTYP_IMAGES else Kind.MEDIA
    if head[128:132] == b"DICM":
        return Kind.DICOM
    if head[257:262] == b"ustar":
        return Kind.TAR
    if head[:1] == b"\x30" and (_ENVELOPED in head[:32] or _CMS in head[:32]):
        return Kind.CIPHERTEXT
    if head[:1] == b"\x30" and _SIGNED in head[:32]:
        return Kind.SIGNATURE
    return None


def _text(head: bytes, name: str, claimed: str) -> Kind | None:
    """Texts by how they begin; None where the bytes are no text."""
    wide = _wide(head)
    if not wide and _nontext(head):
        return None
    plain = head.decode(wide, "ignore").encode() if wide else head.removeprefix(b"\xef\xbb\xbf")
    if plain[:2] == b"#!":
        return Kind.EXECUTABLE
    if _HL7.match(plain):
        return Kind.HL7
    if _HTML.match(plain):
        return Kind.HTML
    start = plain.lstrip()
    if start.startswith((b"<?xml", b"<ClinicalDocument", b"<svg")) or (start[:1] == b"<" and extension(name) == "xml"):
        if b"<html" in plain[:1024].lower():
            return Kind.HTML
        return Kind.CDA if b"ClinicalDocument" in plain else Kind.XML
    if (
        claimed == "message/rfc822"
        or extension(name) in ("eml", "mht", "mhtml")
        or (_MAIL.match(plain) and _mail(plain))
    ):
        return Kind.MESSAGE
    kind = extension(name)
    if claimed == "text/html" or kind in ("html", "htm", "xhtml"):
        return Kind.HTML
    if start[:1] in (b"{", b"[") and (kind in ("json", "ndjson", "fhir") or claimed.endswith("json")):
        return Kind.JSON
    if kind in ("csv", "tsv") or claimed in ("text/csv", "text/tab-separated-values"):
        return Kind.CSV
    return Kind.TEXT


def _mail(plain: bytes) -> bool:
    return len({m[0].lower() for m in _MAIL_FIELD.finditer(plain)}) >= 3


def _wide(head: bytes) -> str:
    """The kind of UTF-16 it is, with or without its mark; "" where it is none."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    for name, zeros, letters in (("utf-16-le", head[1::2], head[::2]), ("utf-16-be", head[::2], head[1::2])):
        if len(head) > 7 and zeros.count(0) * 10 > len(zeros) * 9 and not _nontext(letters):
            return name
    return ""


def _nontext(head: bytes) -> bool:
    """More than one control in a hundred octets, or NULs."""
    if b"\0" in head:
        return True
    stripped = head.translate(None, _CONTROLS)
    return (len(head) - len(stripped)) * 100 > len(head)


_MIME: Final = (
    ("image/", Kind.IMAGE), ("audio/", Kind.MEDIA), ("video/", Kind.MEDIA), ("font/", Kind.FONT),
    ("application/x-font", Kind.FONT), ("application/x-executable", Kind.EXECUTABLE),
)  # fmt: skip


def _guess(head: bytes) -> Kind:
    """What puremagic knows of the rest: formats nobody here reads, but whose name helps a person."""
    try:
        found = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return Kind.UNKNOWN
    best = found[0] if found else None
    if best is None or best.confidence < 0.4 or len(best.byte_match) < 4:
        return Kind.UNKNOWN
    return next((kind for start, kind in _MIME if best.mime_type.startswith(start)), Kind.UNKNOWN)
