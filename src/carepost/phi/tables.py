"""Rows and columns: a header says what the cells under it are (CSV, HTML tables), and HL7 v2 says it by position."""

import bisect
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from carepost.phi import checks, identifiers
from carepost.phi.fold import Look, flatten
from carepost.phi.keywords import KEYWORDS
from carepost.phi.marks import Keys, Mark, digits_of, strong, weak
from carepost.phi.types import Score, Strength
from carepost.phi.vocabulary import Vocabulary

_NAMED = {flatten(word).strip(): (kind, label) for kind, label, words in KEYWORDS for word in words}
_HEADERS = {word: named for word, named in _NAMED.items() if ":" not in named[0]} | {
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
    # a column of these is of papers, whoever stands in the row
    **dict.fromkeys(
        ("claim", "claim no", "claim number", "claim id", "clm no", "clm id", "case", "case no", "case number",
         "case id", "ref", "ref no", "reference", "reference no", "reference number", "auth no", "authorization number",
         "policy no", "policy number", "rx no", "rx number"),
        ("other:order", "order"),
    ),
}  # fmt: skip
#: a word that says what a column holds, whatever stands beside it: "pcp_npi", "subscriber ssn"
_TELLING = {
    **dict.fromkeys(("ssn", "ssan", "socsec", "social"), ("ssn", "SSN")), "npi": ("npi", "NPI"), "dea": ("dea", "DEA"),
    **dict.fromkeys(("mbi", "hic", "hicn", "medicare", "bene", "beneficiary"), ("mbi", "Medicare")),
    **dict.fromkeys(("icd", "icd10", "icd9", "dx", "diag", "diagnosis"), ("icd", "diagnosis")),
    **dict.fromkeys(("dob", "birthdate"), ("dob", "DOB")),
    **dict.fromkeys(("attending", "rendering", "referring", "ordering", "prescriber", "provider", "physician", "pcp",
                     "doctor", "surgeon", "24j", "33a", "perf"), ("provider", "provider")),
}  # fmt: skip
#: columns that make a row a record of a person
_RECORDS = frozenset(("ssn", "mbi", "member", "mrn", "dob", "name"))
_DELIMITERS = "\t|;,"
#: HL7 v2 segments that say something of a patient's health
_FACTS = {"DG1": "condition", "OBX": "lab-result", "RXE": "drug-dose", "AL1": "condition", "PR1": "procedure"}
#: fields of HL7 that hold an SSN: of the patient, the guarantor, the insured, the next of kin
_SSNS = frozenset((("PID", 19), ("GT1", 12), ("IN2", 2), ("NK1", 37)))
_CELLS = 60
#: the longest name of a column, the shortest header, the widest line of labels, and so many lines under it
_CELL, _SHORTEST, _WIDEST, _ROWS = 40, 7, 200, 200
_SEGMENTS = frozenset(("PID", "DG1", "OBX", "RXE", "AL1", "PR1", "GT1", "IN2", "NK1"))
#: what makes a line of labels a header
_IDENTIFYING = frozenset(("ssn", "mbi", "npi", "dea", "icd", "card"))
_NEWLINE = re.compile("\n")
_NUMBERED = re.compile(r"(?<![a-z0-9])(?:icd-?10(?:-?cm)?|dx ?\d|24j|33a|32a|17b|npi ?\d|medicare a/b)(?![a-z0-9])")
#: a header holds no number and no sentence
_PLAIN = re.compile(r"\d{2}|[A-Za-z]{5}[.!?](?:\s|$)")
_NUMBER = re.compile(r"\d{3}|[A-Z]\d\d")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_TEN = re.compile(r"[12]\d{3}[ -]?\d{3}[ -]?\d{3}")
_NAME = re.compile(r"[A-Z][A-Za-z'-]{1,24}(?:,? [A-Z][A-Za-z'.-]{0,24}){0,3}")
_ID = re.compile(r"[A-Za-z]{0,5}-?\d[A-Za-z0-9-]{2,18}")
_DEA = re.compile(r"[A-Za-z][A-Za-z9]\d{7}")
_CODES = re.compile(r"(?<![\w.-])[A-Z]\d[0-9AB](?:\.?[0-9A-Z]{1,4})?(?![\w-]|\.\d)")
_DAY = re.compile(r"(?:19|20)\d{6}")


class Row(NamedTuple):
    """A line under a header: where it begins, its text, what parts its cells, and what each column holds."""

    start: int
    line: str
    delimiter: str
    columns: Sequence[tuple[str, str] | None]


def rows(look: Look) -> list[Row]:
    """The rows under every header, and HL7 segments (no delimiter)."""
    found: list[Row] = []
    columns: Sequence[tuple[str, str] | None] = ()
    delimiter = ""
    start = 0
    lines = look.text.split("\n")
    for number, line in enumerate(lines):
        if line[3:4] == "|" and line[:3] in _SEGMENTS:
            found.append(Row(start, line, "", ()))
        elif delimiter and line.count(delimiter) >= max(1, len(columns) - 2):
            found.append(Row(start, line, delimiter, columns))
        elif len(line) >= _SHORTEST and (header := _header(line, lines[number + 1 : number + 3])):
            delimiter, columns = header
        elif line:
            delimiter, columns = "", ()
        start += len(line) + 1
    return found


def tell(look: Look, keys: Keys, found: Sequence[Row]) -> None:
    """Tells the keywords of a text what its tables say: the name of each cell that stands under one, and what the
    header of each row names."""
    for row in found:
        place = row.start
        kinds = frozenset(column[0] for column in row.columns if column)
        if kinds:
            keys.rows.append((row.start, row.start + len(row.line), kinds))
        for index, cell in enumerate(row.line.split(row.delimiter) if row.delimiter else ()):
            if index < len(row.columns) and (column := row.columns[index]):
                keys.cells.append((place, place + len(cell), *column))
            place += len(cell) + 1
    keys.rows.extend(_governed(look, keys))
    keys.rows.sort(key=lambda row: row[:2])


def _governed(look: Look, keys: Keys) -> Iterator[tuple[int, int, frozenset[str]]]:
    """The lines under a line of labels that only spaces part, up to an empty one."""
    ends = [found.start() for found in _NEWLINE.finditer(look.text)]
    if len(ends) < 1:
        return
    lined = {bisect.bisect_left(ends, hit.start) for hit in keys.all if hit.entry.kind[4:] in _IDENTIFYING}
    if not lined:
        return
    by_line: dict[int, set[str]] = {}
    for hit in keys.all:
        if (number := bisect.bisect_left(ends, hit.start)) in lined:
            by_line.setdefault(number, set()).add(hit.entry.kind[4:])
    ends.append(len(look.text))
    until = -1
    for number, kinds in sorted(by_line.items()):
        if number < until or len(kinds & _IDENTIFYING) < 1 or len(kinds) < 2 or number + 1 >= len(ends):
            continue
        start, end = ends[number - 1] + 1 if number else 0, ends[number]
        if end - start > _WIDEST or _PLAIN.search(_NUMBERED.sub("", look.low[start:end])):
            continue
        until = number + 1
        while until < len(ends) and until - number <= _ROWS and ends[until] > ends[until - 1] + 1:
            yield ends[until - 1] + 1, ends[until], frozenset(kinds)
            until += 1


def tables(look: Look, vocabulary: Vocabulary, found: Sequence[Row]) -> Iterator[Mark]:
    """Marks in the rows under every header, and in HL7 segments."""
    for row in found:
        if row.delimiter:
            yield from _row(look, row.line, row.start, row.delimiter, row.columns, vocabulary)
        else:
            yield from _segment(row.line, row.start, vocabulary)


def _header(line: str, following: Sequence[str]) -> tuple[str, list[tuple[str, str] | None]] | None:
    if len(line) > 1000:
        return None
    for delimiter in _DELIMITERS:
        if delimiter in line:
            cells = [_named(cell) for cell in line.split(delimiter)[:_CELLS]]
            known = sum(cell is not None and ":" not in cell[0] for cell in cells)
            if known >= 2:
                if any(cell and cell[0] == "cpt" for cell in cells):
                    # beside a column of procedures a bare "code" is theirs
                    cells = [None if cell and cell[0] == "code" else cell for cell in cells]
                return delimiter, cells
            # One that is known, or one that is something else, is a header where rows of numbers follow
            if all(cell is None or cell[0] == "code" for cell in cells):
                continue
            if any(cells) and not _PLAIN.search(line) and any(
                below.count(delimiter) == line.count(delimiter) and _NUMBER.search(below) for below in following
            ):  # fmt: skip
                return delimiter, cells
    return None


def _named(cell: str) -> tuple[str, str] | None:
    """What a column is called."""
    if len(cell) > _CELL:
        return None
    words = flatten(_HUMP.sub(" ", cell).lower() if not (cell.isupper() or cell.islower()) else cell.lower()).strip()
    if known := _HEADERS.get(words) or _HEADERS.get(words.replace(" ", "")):
        return known
    for word in words.split():
        if told := _TELLING.get(word):
            return told
    other = _NAMED.get(words)
    return (other[0], other[1]) if other else None


def _row(
    look: Look, line: str, start: int, delimiter: str, columns: Sequence[tuple[str, str] | None], vocabulary: Vocabulary
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
        yield strong(*day.span(), "dob", "DOB", digits_of(day[0]))
    if any(column and column[0] in _RECORDS for column in columns):
        yield Mark(start, start + len(line), Score.PERSON, "statement-of", Strength.STRONG)


def _cell(look: Look, cell: str, start: int, kind: str, label: str, vocabulary: Vocabulary) -> Iterator[Mark]:
    end = start + len(cell)
    digits = digits_of(cell)
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
    elif kind in ("npi", "provider") and _TEN.fullmatch(cell) and checks.npi(digits):
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
    fields = line.split("|")[:40]
    place = start
    if fields[0] in _FACTS and len(fields) > 3 and fields[3].strip():
        code = fields[3].split("^", 1)[0].strip().upper() if fields[0] == "DG1" else ""
        kind, term = ("icd10", code) if code and vocabulary.title(code) else (_FACTS[fields[0]], "")
        yield Mark(start, start + len(line), Score.HEALTH, kind, Strength.STRONG, fields[0], term, value=hash(line))
    for number, field in enumerate(fields):
        if (fields[0], number) in _SSNS and checks.ssn(digits_of(field)):
            yield strong(place, place + len(field), "ssn", fields[0], digits_of(field))
        bare = field.split("^", 1)[0].strip()
        end = place + len(bare)
        if fields[0] == "PID" and bare:
            if number in (2, 3) and _ID.fullmatch(bare):
                yield strong(place, end, "mrn", "PID", bare)
            elif number == 7 and bare[:8].isdigit() and len(bare) >= 8:
                yield strong(place, end, "dob", "PID", bare)
        place += len(field) + 1
