"""XML as text, read as a stream with entities and document types refused: CDA, FHIR, SVG, the parts of Office files."""

import re
from collections.abc import Iterable, Mapping
from typing import Final
from xml.sax import SAXException
from xml.sax.handler import ContentHandler

import defusedxml
import defusedxml.sax

from carepost.phi.documents.sheet import Sheet
from carepost.phi.documents.types import Trait, Unreadable

_CHUNK: Final = 64 * 1024
#: elements open at once
_DEPTH: Final = 500
#: attributes whose values people read or systems identify by
_TELLING: Final = frozenset(
    {"extension", "displayName", "value", "code", "title", "alt", "name", "unit", "label", "desc"}
)
#: (parent, element) -> what people call it
_CALLED: Final = {
    ("patientRole", "id"): "MRN",
    ("patient", "birthTime"): "DOB",
    ("subject", "birthTime"): "DOB",
    ("Patient", "birthDate"): "DOB",
}
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_COMPACT_DATE: Final = re.compile(r"(\d{4})(\d{2})(\d{2})\d{0,10}(?:[+-]\d{4})?")


class Handler(ContentHandler):
    """Namespaces are dropped: `w:t` is `t`. Subclasses say what to do with elements."""

    def __init__(self, sheet: Sheet) -> None:
        super().__init__()
        self.sheet = sheet
        self.path: list[str] = []

    def startElement(self, name: str, attrs: Mapping[str, str]) -> None:  # type: ignore[override]
        local = name.rpartition(":")[2]
        self.path.append(local)
        if len(self.path) > _DEPTH:
            raise Unreadable("too-deep")
        self.begin(local, attrs)

    def endElement(self, name: str) -> None:
        self.path.pop()
        self.end(name.rpartition(":")[2])

    def begin(self, name: str, attrs: Mapping[str, str]) -> None:
        """An element opens."""

    def end(self, name: str) -> None:
        """An element closes; it is no longer on `path`."""


def parse(chunks: Iterable[bytes], handler: Handler) -> None:
    """Raises Unreadable for entities, a DTD, or what is not well formed; what was read until then stays written."""
    parser = defusedxml.sax.make_parser()
    parser.forbid_dtd = True
    parser.setContentHandler(handler)
    try:
        for chunk in chunks:
            for at in range(0, len(chunk), _CHUNK):
                parser.feed(chunk[at : at + _CHUNK])
        parser.close()
    except defusedxml.DefusedXmlException:
        handler.sheet.note(Trait.BOMB)
        raise Unreadable("entities") from None
    except (SAXException, LookupError, UnicodeError):
        raise Unreadable("damaged") from None


class _Anything(Handler):
    """All text, and the telling attributes with the name of their element before them."""

    def begin(self, name: str, attrs: Mapping[str, str]) -> None:
        if name == "ClinicalDocument" or (len(self.path) == 1 and "hl7.org" in str(attrs.get("xmlns", ""))):
            self.sheet.note(Trait.CLINICAL)
        elif name in ("script", "foreignObject"):
            self.sheet.note(Trait.ACTIVE)
        for key in attrs.keys():  # noqa: SIM118 -- SAX attributes are no dictionary
            local = key.rpartition(":")[2]
            if local in _TELLING:
                self._say(name, attrs[key])
            elif local.startswith("on") and self.path[0] == "svg":
                self.sheet.note(Trait.ACTIVE)

    def _say(self, name: str, value: str) -> None:
        parent = self.path[-2] if len(self.path) > 1 else ""
        called = _CALLED.get((parent, name)) or _CAMEL.sub(" ", name).lower()
        date = _COMPACT_DATE.fullmatch(value) if name.endswith(("Time", "Date", "low", "high")) else None
        if date is not None:
            value = f"{date[1]}-{date[2]}-{date[3]}"
        self.sheet.write(f"{called}: {value} ")

    def characters(self, content: str) -> None:
        self.sheet.write(content)

    def end(self, name: str) -> None:
        self.sheet.write("\n")


def read(data: bytes, sheet: Sheet) -> None:
    parse((data,), _Anything(sheet))
