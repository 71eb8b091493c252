"""XML as text, read as a stream with entities and document types refused: CDA, FHIR, SVG, the parts of Office files."""

import re
from collections.abc import Iterable, Mapping
from typing import Final
from xml.sax import SAXException

import defusedxml
from defusedxml.expatreader import DefusedExpatParser

from carepost.phi.documents.sheet import Sheet
from carepost.phi.documents.texts import unpacked
from carepost.phi.documents.types import Trait, Unreadable

_CHUNK: Final = 64 * 1024
#: elements open at once
_DEPTH: Final = 500
#: names of elements whose short form is kept
_NAMES: Final = 500
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


class Handler:
    """Namespaces are dropped: `w:t` is `t`. Subclasses say what to do with elements."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.path: list[str] = []
        self._locals: dict[str, str] = {}

    def opened(self, name: str, attrs: Mapping[str, str]) -> None:
        local = self._locals.get(name)
        if local is None:
            local = name.rpartition(":")[2]
            if len(self._locals) < _NAMES:
                self._locals[name] = local
        path = self.path
        path.append(local)
        if len(path) > _DEPTH:
            raise Unreadable("too-deep")
        self.begin(local, attrs)

    def closed(self, name: str) -> None:
        self.end(self.path.pop())

    def begin(self, name: str, attrs: Mapping[str, str]) -> None:
        """An element opens."""

    def end(self, name: str) -> None:
        """An element closes; it is no longer on `path`."""

    def characters(self, content: str) -> None:
        """Text inside the innermost element of `path`."""


class _Parser(DefusedExpatParser):  # type: ignore[misc]
    """defusedxml's parser with its refusals; elements go to the handler without the layer of SAX between."""

    def __init__(self, handler: Handler) -> None:
        super().__init__(forbid_dtd=True)
        self._to = handler

    def reset(self) -> None:
        super().reset()
        self._parser.StartElementHandler = self._to.opened
        self._parser.EndElementHandler = self._to.closed
        self._parser.CharacterDataHandler = self._to.characters


def parse(chunks: Iterable[bytes], handler: Handler) -> None:
    """Raises Unreadable for entities, a DTD, or what is not well formed; what was read until then stays written."""
    parser = _Parser(handler)
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

    def __init__(self, sheet: Sheet) -> None:
        super().__init__(sheet)
        #: base64 of the file inside which we are, and how deep it began
        self._packed: list[str] = []
        self._from = 0
        self._media = ""

    def begin(self, name: str, attrs: Mapping[str, str]) -> None:
        if attrs.get("representation") == "B64" and not self._from:
            self._from, self._packed, self._media = len(self.path), [], attrs.get("mediaType", "")
        if name == "ClinicalDocument" or (len(self.path) == 1 and "hl7.org" in str(attrs.get("xmlns", ""))):
            self.sheet.note(Trait.CLINICAL)
        elif name in ("script", "foreignObject"):
            self.sheet.note(Trait.ACTIVE)
        elif name == "docSuppData":
            # Word 2003's own XML carries a project of macros as one long text
            self.sheet.note(Trait.MACROS)
        for key, value in attrs.items():
            local = key.rpartition(":")[2]
            if local in _TELLING:
                self._say(name, value)
            elif local == "macrosPresent" and value == "yes":
                self.sheet.note(Trait.MACROS)
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
        if self._from and len(self.path) == self._from:
            self._packed.append(content)
        else:
            self.sheet.write(content)

    def end(self, name: str) -> None:
        if self._from and len(self.path) < self._from:
            # a document with no narrative carries it as a file (CDA R2 4.3.1.2)
            if packed := "".join(self._packed):
                self.sheet.add(unpacked(name, packed, self._media))
            self._from = 0
        self.sheet.write("\n")


def read(data: bytes, sheet: Sheet) -> None:
    parse((data,), _Anything(sheet))
