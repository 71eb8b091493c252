"""What a file's name gives away (BI-056, BI-063): tricks on the eye, and the type it claims to be."""

import base64
import binascii
import re

from carepost.phi.documents.types import Kind, Trait

_REORDERING = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_WORD = re.compile(r"=\?[^?*\s]{1,40}(?:\*[^?\s]{0,40})?\?([bBqQ])\?([^?\s]*)\?=")
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.[^.]*)?", re.IGNORECASE)


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PROGRAMS = _set(
    "exe scr com pif bat cmd msi msp dll cpl js jse vbs vbe wsf wsh hta ps1 psm1 jar lnk reg sh app dmg apk iso img"
    " vhd vhdx url scf inf chm xll wll ppam one appx msix"
)
_MACRO = _set("docm dotm xlsm xltm xlam pptm potm ppsm sldm ppam xlsb")
#: extensions of papers: one of these before a program's is a disguise
_PAPERS = _set("pdf doc docx xls xlsx ppt pptx rtf txt csv jpg jpeg png gif odt htm html xml zip")

_TEXTS = frozenset({Kind.TEXT, Kind.CSV, Kind.JSON, Kind.HL7, Kind.CALENDAR, Kind.XML, Kind.SIGNATURE, Kind.EMPTY})
_MARKUP = frozenset({Kind.XML, Kind.CDA, Kind.HTML})
_SAME: dict[str, frozenset[Kind]] = {
    "pdf": frozenset({Kind.PDF}), "rtf": frozenset({Kind.RTF}),
    "docx": frozenset({Kind.DOCX}), "docm": frozenset({Kind.DOCX}), "dotx": frozenset({Kind.DOCX}),
    "xlsx": frozenset({Kind.XLSX}), "xlsm": frozenset({Kind.XLSX}), "xltx": frozenset({Kind.XLSX}),
    "pptx": frozenset({Kind.PPTX}), "pptm": frozenset({Kind.PPTX}), "ppsx": frozenset({Kind.PPTX}),
    "odt": frozenset({Kind.OPENDOCUMENT}), "ods": frozenset({Kind.OPENDOCUMENT}), "odp": frozenset({Kind.OPENDOCUMENT}),
    "doc": frozenset({Kind.LEGACY_OFFICE, Kind.RTF, Kind.HTML, Kind.XML}),
    "xls": frozenset({Kind.LEGACY_OFFICE, Kind.HTML, Kind.CSV, Kind.TEXT, Kind.XML}),
    "ppt": frozenset({Kind.LEGACY_OFFICE}), "msg": frozenset({Kind.LEGACY_OFFICE}),
    "zip": frozenset({Kind.ZIP}), "gz": frozenset({Kind.GZIP}), "tgz": frozenset({Kind.GZIP}),
    "tar": frozenset({Kind.TAR}), "7z": frozenset({Kind.ARCHIVE}), "rar": frozenset({Kind.ARCHIVE}),
    "txt": _TEXTS, "csv": _TEXTS, "log": _TEXTS, "md": _TEXTS, "json": frozenset({Kind.JSON, Kind.TEXT}),
    "hl7": frozenset({Kind.HL7, Kind.TEXT}), "xml": _MARKUP, "cda": _MARKUP, "ccd": _MARKUP,
    "html": frozenset({Kind.HTML}), "htm": frozenset({Kind.HTML}), "eml": frozenset({Kind.MESSAGE}),
    "png": frozenset({Kind.IMAGE}), "jpg": frozenset({Kind.IMAGE}), "jpeg": frozenset({Kind.IMAGE}),
    "gif": frozenset({Kind.IMAGE}), "bmp": frozenset({Kind.IMAGE}), "tif": frozenset({Kind.IMAGE}),
    "tiff": frozenset({Kind.IMAGE}), "webp": frozenset({Kind.IMAGE}), "heic": frozenset({Kind.IMAGE}),
    "dcm": frozenset({Kind.DICOM}),
    "mp3": frozenset({Kind.MEDIA}), "mp4": frozenset({Kind.MEDIA}), "wav": frozenset({Kind.MEDIA}),
}  # fmt: skip
_CLAIMS = {
    "application/pdf": "pdf", "application/rtf": "rtf", "text/rtf": "rtf", "application/zip": "zip",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/msword": "doc", "application/vnd.ms-excel": "xls", "application/vnd.ms-powerpoint": "ppt",
    "image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/bmp": "bmp", "image/tiff": "tiff",
    "image/webp": "webp", "application/gzip": "gz", "text/csv": "csv",
}  # fmt: skip


def extension(name: str) -> str:
    """Lower case, without its dot; "" where there is none."""
    stem, dot, last = name.rstrip(". \t").rpartition(".")
    return last.lower() if dot and stem and len(last) <= 10 and last.isalnum() else ""


def unworded(name: str) -> str:
    """`name` with its encoded words decoded, and nothing taken out of it (unlike what is shown)."""
    return _WORD.sub(lambda m: _payload(m[1], m[2]), name) if "=?" in name else name


def _payload(encoding: str, text: str) -> str:
    try:
        if encoding in "bB":
            return base64.b64decode(text + "=" * (-len(text) % 4)).decode("utf-8", "replace")
        return binascii.a2b_qp(text.encode("ascii", "replace"), header=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return text


def traits(raw: str) -> set[Trait]:
    """Of a name as the message or archive gave it."""
    name = unworded(raw)
    found: set[Trait] = set()
    if _REORDERING.search(name):
        found.add(Trait.REORDERED_NAME)
    visible = _REORDERING.sub("", name)
    steps = re.split(r"[/\\]", visible)
    if _CONTROL.search(visible) or ".." in steps or visible[:1] in ("/", "\\") or visible[1:3] == ":\\":
        found.add(Trait.ODD_NAME)
    last = _CONTROL.sub("", steps[-1])
    if _DEVICE.fullmatch(last.strip()) or len(last) > 255:
        found.add(Trait.ODD_NAME)
    kind = extension(last)
    if kind in _PROGRAMS:
        found.add(Trait.EXECUTABLE)
        before = last.rpartition(".")[0].rstrip()
        if extension(before) in _PAPERS or len(last.rpartition(".")[0]) - len(before) > 3:
            found.add(Trait.DOUBLE_EXTENSION)
    if kind in _MACRO:
        found.add(Trait.MACROS)
    return found


def contradicts(name: str, claimed: str, kind: Kind) -> bool:
    """Whether the extension, or the declared type where there is none, promises something else than `kind`."""
    promised = _SAME.get(extension(name))
    if promised is None:
        promised = _SAME.get(_CLAIMS.get(claimed, ""))
    return promised is not None and kind not in promised and kind is not Kind.EMPTY
