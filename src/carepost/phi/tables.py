"""Rows and columns: a header says what the cells under it are (CSV, HTML tables), and HL7 v2 says it by position."""

import re
from collections.abc import Iterator

from carepost.phi import checks, identifiers
from carepost.phi.fold import Look, flatten
from carepost.phi.keywords import KEYWORDS
from carepost.phi.marks import Mark, strong, weak
from carepost.phi.types import Score, Strength
from carepost.phi.vocabulary import Vocabulary

_HEADERS = {
    flatten(word).strip(): (kind, label) for kind, label, words in KEYWORDS for word in words if ":" not in kind
} | {
    "ssn number": ("ssn", "SSN"),
    "patient dob": ("dob", "DOB"),
    "id": ("mrn", "record number"),
    "patient": ("name", "name"),
    "pt name": ("name", "name"),
    "acct": ("mrn", "account"),
    "account": ("mrn", "account"),
    "dx1": ("icd", "diagnosis"),
    "code": ("code", "diagnosis"),
    "codes": ("code", "diagnosis"),
    "icd10 code": ("icd", "diagnosis"),
}
#: columns that make a row a record of a person
_RECORDS = frozenset(("ssn", "mbi", "member", "mrn", "dob", "name"))
_DELIMITERS = "\t|;,"
#: HL7 v2 segments that say something of a patient's health
_FACTS = {"DG1": "condition", "OBX": "lab-result", "RXE": "drug-dose", "AL1": "condition", "PR1": "procedure"}
_CELLS = 60
_NAME = re.compile(r"[A-Z][A-Za-z'-]{1,24}(?:,? [A-Z][A-Za-z'.-]{0,24}){0,3}")
_ID = re.compile(r"[A-Za-z]{0,5}-?\d[A-Za-z0-9-]{2,18}")
_DEA = re.compile(r"[A-Za-z][A-Za-z9]\d{7}")
_CODES = re.compile(r"(?<![\w.-])[A-Z]\d[0-9AB](?:\.?[0-9A-Z]{1,4})?(?![\w-]|\.\d)")
_DAY = re.compile(r"(?:19|20)\d{6}")


def tables(look: Look, vocabulary: Vocabulary) -> Iterator[Mark]:
    """Marks in the rows under every header, and in HL7 segments."""
    columns: list[tuple[str, str] | None] = []
    delimiter = ""
    start = 0
    for line in look.text.split("\n"):
        if line[3:4] == "|" and line[:3] in ("PID", "DG1", "OBX", "RXE", "AL1", "PR1"):
            yield from _segment(line, start, vocabulary)
        elif delimiter and line.count(delimiter) >= max(1, len(columns) - 2):
            yield from _row(look, line, start, delimiter, columns, vocabulary)
        elif header := _header(line):
            delimiter, columns = header
        elif line:
            delimiter, columns = "", []
        start += len(line) + 1


def _header(line: str) -> tuple[str, list[tuple[str, str] | None]] | None:
    if len(line) > 1000:
        return None
    for delimiter in _DELIMITERS:
        if delimiter in line:
            cells = [_HEADERS.get(flatten(cell.lower()).strip()) for cell in line.split(delimiter)[:_CELLS]]
            if sum(cell is not None for cell in cells) >= 2:
                if any(cell and cell[0] == "cpt" for cell in cells):
                    # beside a column of procedures a bare "code" is theirs
                    cells = [None if cell and cell[0] == "code" else cell for cell in cells]
                return delimiter, cells
    return None


def _row(
    look: Look, line: str, start: int, delimiter: str, columns: list[tuple[str, str] | None], vocabulary: Vocabulary
) -> Iterator[Mark]:
    place = start
    for index, cell in enumerate(line.split(delimiter)):
        column = columns[index] if index < len(columns) else None
        bare = cell.strip(" \"'")
        if column and bare and len(bare) <= 60:
            begin = place + cell.find(bare[0])
            yield from _cell(look, bare, begin, *column, vocabulary)
        place += len(cell) + 1
    # A date of words has a comma of its own, and moves the columns
    if ("dob", "DOB") in columns and (day := identifiers.DATE.search(look.low, start, start + len(line))):
        yield strong(*day.span(), "dob", "DOB", identifiers.digits_of(day[0]))
    if any(column and column[0] in _RECORDS for column in columns):
        yield Mark(start, start + len(line), Score.PERSON, "statement-of", Strength.STRONG)


def _cell(look: Look, cell: str, start: int, kind: str, label: str, vocabulary: Vocabulary) -> Iterator[Mark]:
    end = start + len(cell)
    digits = identifiers.digits_of(cell)
    if kind == "ssn" and checks.ssn(digits):
        yield strong(start, end, "ssn", label, digits)
    elif kind == "dob" and (identifiers.DATE.fullmatch(cell.lower()) or _DAY.fullmatch(cell)):
        yield strong(start, end, "dob", label, digits)
    elif kind == "mbi" and checks.mbi(cell.replace("-", "").upper()):
        yield strong(start, end, "mbi", label, cell)
    elif kind in ("mrn", "member", "licence") and _ID.fullmatch(cell) and identifiers.plausible(look, cell, start, 4):
        name = {"mrn": "mrn", "member": "member-id", "licence": "driver-licence"}[kind]
        yield strong(start, end, name, label, cell)
    elif kind == "name" and _NAME.fullmatch(cell):
        yield weak(start, end, "name", 1.0, label)
    elif kind == "npi" and checks.npi(digits):
        yield weak(start, end, "npi", 0.0, label)
    elif kind == "dea" and _DEA.fullmatch(cell) and checks.dea(cell):
        yield weak(start, end, "dea", 0.0, label)
    elif kind == "card" and 13 <= len(digits) <= 19 and checks.card(digits):
        yield strong(start, end, "card", label, digits)
    elif kind in ("icd", "code"):
        for code in _CODES.finditer(cell.upper()):
            if vocabulary.title(code[0]):
                begin, near = start + code.start(), "diagnosis"
                yield Mark(
                    begin, begin + len(code[0]), Score.HEALTH, "icd10", Strength.STRONG, near, code[0],
                    value=hash(code[0]),
                )  # fmt: skip


def _segment(line: str, start: int, vocabulary: Vocabulary) -> Iterator[Mark]:
    """HL7 v2.5 PID-3 (record), PID-7 (birth), PID-19 (SSN), DG1-3 (diagnosis), and what else it tells of a patient."""
    fields = line.split("|")[:24]
    place = start
    if fields[0] in _FACTS and len(fields) > 3 and fields[3].strip():
        code = fields[3].split("^", 1)[0].strip().upper() if fields[0] == "DG1" else ""
        kind, term = ("icd10", code) if code and vocabulary.title(code) else (_FACTS[fields[0]], "")
        yield Mark(start, start + len(line), Score.HEALTH, kind, Strength.STRONG, fields[0], term, value=hash(line))
    for number, field in enumerate(fields):
        bare = field.split("^", 1)[0].strip()
        end = place + len(bare)
        if fields[0] == "PID" and bare:
            if number in (2, 3) and _ID.fullmatch(bare):
                yield strong(place, end, "mrn", "PID", bare)
            elif number == 7 and bare[:8].isdigit() and len(bare) >= 8:
                yield strong(place, end, "dob", "PID", bare)
            elif number == 19 and checks.ssn(identifiers.digits_of(bare)):
                yield strong(place, end, "ssn", "PID", identifiers.digits_of(bare))
        place += len(field) + 1
