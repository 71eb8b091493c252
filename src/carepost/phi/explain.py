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


def _phrase(finding: Finding, terms: bool) -> str:
    custom, _, identity = finding.kind.partition(":")
    if identity:
        words = f"{'your word' if custom == 'word' else 'your pattern'} {identity}"
    elif finding.kind == "icd10" and terms:
        words = f"ICD-10 {finding.term}"
    else:
        words = _NAMES.get(finding.kind, finding.kind)
    if finding.near and not (finding.kind == "icd10" and not finding.near):
        words += f" near '{finding.near}'" if finding.near != "its title" else " near its title"
    if finding.count > 1:
        words += f" ({finding.count} times)"
    place = _PLACES[finding.where]
    if place and finding.number:
        place = f"{place} {finding.number}"
    if finding.where in (Where.TEXT, Where.HTML, Where.DOCUMENT) and finding.line:
        place = f"{place}, line {finding.line}" if place else f"line {finding.line}"
    return f"{words}, {place}" if place else words
