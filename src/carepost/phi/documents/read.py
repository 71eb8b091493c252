"""Reading files, and files in files, without recursion: a stack of what is still to read, one budget for all."""

from collections.abc import Callable
from typing import Final

from carepost.phi.documents import (
    hl7,
    mail,
    markup,
    names,
    office,
    ole,
    packed,
    pdf,
    pictures,
    rtf,
    texts,
    tnef,
    zipped,
)
from carepost.phi.documents.kinds import sniff
from carepost.phi.documents.sheet import Budget, Eye, Inner, Sheet, Watch, unwatched
from carepost.phi.documents.types import Document, Kind, Limits, Message, Reading, TimeUp, Trait, Unreadable
from carepost.phi.render import render

DEFAULT: Final = Limits()


def message(raw: bytes, limits: Limits = DEFAULT, watch: Watch = unwatched, eye: Eye | None = None) -> Message:
    """All that a message says. Raises nothing: what cannot be read is in the answer, with its reason.

    `watch` keeps the time of each file; `eye` reads pictures."""
    budget = Budget(limits, watch, eye)
    try:
        with watch():
            taken = mail.take(raw, budget)
    except (Unreadable, TimeUp, MemoryError) as error:
        return Message(reading=Reading.UNREADABLE, reason=_reason(error))
    said, shown = _cut(taken.texts, budget), _cut(taken.pages, budget)
    documents = tuple(_files(taken.files, budget))
    if said != tuple(taken.texts) or shown != tuple(taken.pages):
        return Message(taken.subject, said, shown, documents, Reading.PARTLY, "too-long")
    return Message(taken.subject, said, shown, documents)


def _cut(whole: list[str], budget: Budget) -> tuple[str, ...]:
    """As much of a message's own text as is read."""
    kept = []
    for text in whole:
        room = min(budget.limits.text, budget.texts)
        if room <= 0:
            break
        kept.append(text[:room])
        budget.texts -= len(kept[-1])
    return tuple(kept)


def document(
    data: bytes, name: str = "", claimed: str = "",
    limits: Limits = DEFAULT, watch: Watch = unwatched, eye: Eye | None = None,
) -> tuple[Document, ...]:  # fmt: skip
    """One file, and after it the files found inside. Raises nothing."""
    return tuple(_files([Inner(name, data, claimed)], Budget(limits, watch, eye)))


def _files(files: list[Inner], budget: Budget) -> list[Document]:
    """In the order they stand, each followed by what is in it."""
    todo = [(file, 0, number) for number, file in enumerate(files, 1)][::-1]
    found: list[Document] = []
    while todo:
        file, depth, number = todo.pop()
        budget.files -= 1
        if budget.files < 0:
            found.append(Document("", Kind.UNKNOWN, Reading.UNREADABLE, "too-many", depth=depth, number=number))
            break
        one, inner = _file(file, depth, number, budget)
        found.append(one)
        todo.extend((each, depth + 1, number) for each in reversed(inner))
    return found


def _file(file: Inner, depth: int, number: int, budget: Budget) -> tuple[Document, list[Inner]]:
    sheet = Sheet(budget, depth)
    called = (file.name, *file.also)
    sheet.note(*file.traits, *(trait for name in called for trait in names.traits(name)))
    kind = Kind.UNKNOWN
    try:
        if file.fault:
            raise Unreadable(file.fault)
        kind = sniff(file.data, file.name, file.claimed)
        if depth > budget.limits.depth:
            sheet.note(Trait.BOMB)
            raise Unreadable("too-deep")
        if len(file.data) > budget.limits.file:
            raise Unreadable("too-large")
        with budget.watch():
            kind = _read(file, kind, sheet)
            if kind in _ONE and zipped.follows(file.data):
                sheet.note(Trait.MISMATCH)
                zipped.read(zipped.Archive(file.data, sheet), sheet)
    except (Unreadable, TimeUp, MemoryError) as error:
        sheet.stopped(_reason(error))
    except Exception:
        # a parser met with hostile input raises whatever Python raises; only the class of the fault is of use here
        sheet.stopped("damaged")
    if file.data and any(names.contradicts(name, file.claimed, kind) for name in called):
        sheet.note(Trait.MISMATCH)
    shown = Document(
        file.name, kind, sheet.reading, sheet.reason, sheet.text, tuple(sorted(sheet.traits)),
        len(file.data), depth, number, file.inline, file.also,
    )  # fmt: skip
    return shown, sheet.inner


def _reason(error: BaseException) -> str:
    if isinstance(error, Unreadable):
        return error.reason
    return "too-slow" if isinstance(error, TimeUp) else "memory"


def _read(file: Inner, kind: Kind, sheet: Sheet) -> Kind:
    """Writes the text of a file on the sheet; the answer is what kind it turned out to be."""
    if kind is Kind.ZIP:
        archive = zipped.Archive(file.data, sheet)
        kind = office.kind_of(archive)
        if kind is Kind.ZIP:
            zipped.read(archive, sheet)
        else:
            office.read(archive, kind, sheet)
    elif kind is Kind.GZIP:
        packed.gzip(file.data, sheet, file.name)
    elif kind is Kind.MESSAGE:
        _nested(file.data, sheet)
    elif kind in _READERS:
        _READERS[kind](file.data, sheet)
    else:
        if kind is Kind.EXECUTABLE:
            sheet.note(Trait.EXECUTABLE)
        elif kind is Kind.CIPHERTEXT:
            sheet.note(Trait.ENCRYPTED)
        elif kind is Kind.DICOM:
            sheet.note(Trait.CLINICAL)
        if kind in _CLOSED:
            sheet.refuse(_CLOSED[kind])
    return kind


def _nested(data: bytes, sheet: Sheet) -> None:
    # an attached message may have any line ends; the one being sent has CRLF
    taken = mail.take(mail.crlf(data), sheet.budget)
    sheet.extend(taken.files)
    sheet.write("\n".join((taken.subject, *taken.texts)))
    for page in taken.pages:
        sheet.write("\n" + render(page))


_READERS: Final[dict[Kind, Callable[[bytes, Sheet], None]]] = {
    Kind.TEXT: texts.plain,
    Kind.CSV: texts.plain,
    Kind.JSON: texts.plain,
    Kind.CALENDAR: texts.calendar,
    Kind.HTML: texts.page,
    Kind.XML: markup.read,
    Kind.CDA: markup.read,
    Kind.HL7: hl7.read,
    Kind.RTF: rtf.read,
    Kind.PDF: pdf.read,
    Kind.LEGACY_OFFICE: ole.read,
    Kind.TAR: packed.tar,
    Kind.TNEF: tnef.read,
    Kind.IMAGE: pictures.read,
    Kind.SIGNATURE: packed.signature,
}
#: what holds no zip of its own at its end; one there makes two files of it (a picture that is an archive too)
_ONE: Final = frozenset({Kind.IMAGE, Kind.PDF, Kind.MEDIA, Kind.FONT, Kind.SIGNATURE, Kind.RTF, Kind.DICOM})
#: what is not opened, and the reason it gives; EMPTY and FONT say nothing about anybody
_CLOSED: Final = {
    Kind.ARCHIVE: "archive-format",
    Kind.DICOM: "dicom",
    Kind.MEDIA: "media",
    Kind.EXECUTABLE: "executable",
    Kind.CIPHERTEXT: "encrypted",
    Kind.UNKNOWN: "unknown-type",
}
