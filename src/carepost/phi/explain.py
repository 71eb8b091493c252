"""Findings in words, masked: "SSN near 'SSN', subject; ICD-10 E11.9". No value can be shown, for none is held."""

from carepost.phi.types import Finding, Findings, Score, Where

_NAMES = {
    "ssn": "SSN",
    "itin": "ITIN",
    "mbi": "Medicare number",
    "npi": "NPI",
    "dea": "DEA number",
    "dob": "date of birth",
    "mrn": "medical record number",
    "member-id": "member ID",
    "driver-licence": "driver licence",
    "card": "payment card",
    "passport": "passport number",
    "account": "account number",
    "phone": "phone number",
    "e-mail": "e-mail address",
    "address": "postal address",
    "name": "name of a person",
    "greeting": "greeting by name",
    "date": "date",
    "age": "age",
    "icd10": "ICD-10 code",
    "ndc": "drug code (NDC)",
    "procedure-code": "procedure code",
    "drug-dose": "drug with a dose",
    "lab-result": "result with a value",
    "drug": "name of a drug",
    "condition": "condition",
    "event": "result has come",
    "procedure": "procedure",
    "test": "laboratory test",
    "specialty": "medical specialty",
    "medicine": "medicine",
    "care": "word of care",
    "plain": "word used of care",
    "statement-to": "speaks to a person about their care",
    "statement-of": "speaks of a person's care",
    "note-of-care": "reads like a note about a person's care",
}
_PLACES = {
    Where.SUBJECT: "subject", Where.TEXT: "", Where.HTML: "", Where.NAME: "name of attachment",
    Where.DOCUMENT: "attachment", Where.FIELD: "form field",
}  # fmt: skip
_ORDER = {Score.IDENTIFIER: 0, Score.HEALTH: 1, Score.PERSON: 2}


def explain(findings: Findings, *, terms: bool = True) -> tuple[str, ...]:
    """One phrase for each finding, strongest first; then what the message is, and what could not be read.

    `terms=False` leaves ICD-10-CM codes out: beside a person's address a code is health information, so events, logs
    and notices use it.
    """
    order = sorted(findings.found, key=lambda f: (f.strength, _ORDER[f.score], f.where is not Where.SUBJECT))
    said = list(dict.fromkeys(_phrase(finding, terms) for finding in order))
    if findings.bulk:
        said.insert(0, f"{findings.identifiers} different identifiers")
    if findings.genre:
        said.append(f"reads as a {findings.genre.value}" if findings.genre != "veterinary" else "reads as veterinary")
    said.extend(f"not read: {reason}" for reason in findings.unread)
    return tuple(said)


def name(kind: str) -> str:
    """A kind of finding, for people."""
    custom, _, identity = kind.partition(":")
    if identity:
        return f"{'your word' if custom == 'word' else 'your pattern'} {identity}"
    return _NAMES.get(kind, kind)


def place(where: Where, number: int, line: int) -> str:
    """Where something was found, for people."""
    words = _PLACES[where]
    if words and number:
        words = f"{words} {number}"
    if where in (Where.TEXT, Where.HTML, Where.DOCUMENT) and line:
        return f"{words}, line {line}" if words else f"line {line}"
    return words


def _phrase(finding: Finding, terms: bool) -> str:
    words = f"ICD-10 {finding.term}" if finding.kind == "icd10" and terms else name(finding.kind)
    if finding.kind == "note-of-care":
        words += f": {finding.near}"
    elif finding.near and not (finding.kind == "icd10" and not finding.near):
        words += f" near '{finding.near}'" if finding.near != "its title" else " near its title"
    if finding.count > 1:
        words += f" ({finding.count} times)"
    where = place(finding.where, finding.number, finding.line)
    return f"{words}, {where}" if where else words
