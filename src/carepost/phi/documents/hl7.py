"""HL7 v2 messages (pipe-and-hat), each field beside the word people know it by: `PID-19` alone says nothing."""

import re
from typing import Final

from carepost.phi.documents.sheet import Sheet
from carepost.phi.documents.texts import decode, unpacked
from carepost.phi.documents.types import Trait, Unreadable

#: segment and field -> its name (HL7 v2.5.1 chapters 3, 4, 6, 7)
_NAMES: Final = {
    ("PID", 2): "Patient ID", ("PID", 3): "MRN", ("PID", 4): "Patient ID", ("PID", 5): "Patient name",
    ("PID", 6): "Mother's maiden name", ("PID", 7): "DOB", ("PID", 9): "Patient alias", ("PID", 11): "Address",
    ("PID", 13): "Phone", ("PID", 14): "Phone", ("PID", 18): "Account number", ("PID", 19): "SSN",
    ("PID", 20): "Driver license", ("NK1", 2): "Next of kin", ("NK1", 4): "Address", ("NK1", 5): "Phone",
    ("GT1", 3): "Guarantor", ("GT1", 5): "Address", ("GT1", 6): "Phone", ("GT1", 12): "SSN",
    ("IN1", 16): "Insured", ("IN1", 18): "DOB", ("IN1", 36): "Policy number", ("IN1", 49): "Member ID",
    ("IN2", 2): "SSN", ("IN2", 6): "Medicare number", ("IN2", 8): "Medicaid number", ("IN2", 61): "Member ID",
    ("DG1", 3): "Diagnosis", ("DG1", 4): "Diagnosis", ("PR1", 3): "Procedure", ("AL1", 3): "Allergy",
    ("OBR", 4): "Test", ("OBX", 3): "Test", ("OBX", 5): "Result", ("OBX", 6): "Unit", ("OBX", 7): "Reference range",
    ("RXO", 1): "Medication", ("RXE", 2): "Medication", ("RXD", 2): "Medication", ("RXA", 5): "Vaccine",
    ("PV1", 7): "Attending doctor", ("PV1", 19): "Visit number", ("PV1", 44): "Admitted", ("PV1", 45): "Discharged",
    ("NTE", 3): "Note", ("SCH", 7): "Appointment reason",
}  # fmt: skip
_DATES: Final = frozenset({("PID", 7), ("IN1", 18), ("PV1", 44), ("PV1", 45)})
_PERSONS: Final = frozenset({("PID", 5), ("PID", 9), ("NK1", 2), ("GT1", 3), ("IN1", 16)})
_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2}){1,500}")
_PACKED: Final = "{0}Base64{0}"
_SSNS: Final = frozenset({("PID", 19), ("GT1", 12), ("IN2", 2)})


def read(data: bytes, sheet: Sheet) -> None:
    """Each segment a line. Raises Unreadable where no header segment stands first."""
    text = decode(data).strip("\x0b\x1c\r\n \t")
    if text[:3] not in ("MSH", "FHS", "BHS") or len(text) < 8:
        raise Unreadable("damaged")
    sheet.note(Trait.CLINICAL)
    bar, hat, repeat, escape = text[3], text[4], text[5:6], text[6:7]
    marks = {"F": bar, "S": hat, "T": text[7:8], "R": repeat, "E": escape, ".br": "\n"}
    for segment in text.replace("\n", "\r").replace("\x0b", "\r").replace("\x1c", "\r").split("\r"):
        fields = segment.split(bar)
        name = fields[0].strip()
        # MSH-1 is the separator itself, so its fields stand one further on
        first = 2 if name in ("MSH", "FHS", "BHS") else 1
        shown = []
        for number, field in enumerate(fields[1:], first):
            if hat and _PACKED.format(hat) in field:
                field = _unpacked(f"{name}-{number}", field, (hat, repeat, escape), marks, sheet)
            if field and not (first == 2 and number == 2):
                shown.append(_field((name, number), field, hat, repeat, escape, marks))
        if shown:
            sheet.write("; ".join(shown) + "\n")


def _unpacked(name: str, field: str, signs: tuple[str, str, str], marks: dict[str, str], sheet: Sheet) -> str:
    """`field` without its files: encapsulated data (HL7 v2.5.1 2.A.24) has a report in its last component."""
    hat, repeat, escape = signs
    kept = []
    for one in field.split(repeat) if repeat else [field]:
        said, packed, rest = one.partition(_PACKED.format(hat))
        if packed:
            data, _, more = rest.partition(hat)
            sheet.add(unpacked(name, _unescape(data, escape, marks)))
            said = f"{said}{hat}{more}"
        kept.append(said)
    return repeat.join(kept)


def _field(
    place: tuple[str, int], field: str, hat: str, repeat: str, escape: str, marks: dict[str, str]
) -> str:  # fmt: skip
    texts = []
    for one in field.split(repeat) if repeat else [field]:
        pieces = [_unescape(piece, escape, marks) for piece in one.split(hat) if piece] if hat else [one]
        if place in _PERSONS and len(pieces) > 1:
            pieces = [pieces[1], *pieces[2:3], pieces[0]]
        texts.append(" ".join(pieces))
    text = ", ".join(texts)
    if place in _DATES and text[:8].isdigit():
        text = f"{text[:4]}-{text[4:6]}-{text[6:8]}"
    elif place in _SSNS and len(text) == 9 and text.isdigit():
        text = f"{text[:3]}-{text[3:5]}-{text[5:]}"
    label = _NAMES.get(place)
    return f"{label}: {text}" if label else text


def _unescape(text: str, escape: str, marks: dict[str, str]) -> str:
    if not escape or escape not in text:
        return text
    pieces = text.split(escape)
    # every second piece stands between two escape marks
    return "".join(_marked(piece, marks) if number % 2 else piece for number, piece in enumerate(pieces))


def _marked(piece: str, marks: dict[str, str]) -> str:
    """What stands between two escape marks: a separator, a line, octets in hexadecimal (2.7.5); "" for highlighting."""
    if piece[:1] == "X" and _HEX.fullmatch(piece[1:]):
        return bytes.fromhex(piece[1:]).decode("utf-8", "replace")
    return marks.get(piece, "")
