"""What could be an identifier: every string whose form and check digits allow it, whatever stands around it.

Generous on purpose: what a candidate is, `verdict` says. Every expression is bounded and begins where digits begin.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from carepost.phi import checks
from carepost.phi.cards import begun
from carepost.phi.fold import Look
from carepost.phi.marks import digits_of
from carepost.phi.numbers import BEGIN, END
from carepost.phi.vocabulary import Vocabulary

#: the kinds that are judged
KINDS = ("ssn", "mbi", "npi", "dea", "card", "icd10")
_BY = r"(?: ?[-./_,|\t\n] ?| )"
#: what a number of Medicare before 2018 has after the SSN that it is: who of a family it is of (CMS, HICN suffixes)
_WHOSE = r"(?:-?(?:[ABCDEFTWM][1-9A-Z]?|HA|[JK][1-4])(?![A-Za-z0-9]))"
_SSN = re.compile(
    rf"(?<![A-Za-z0-9])(?:\d{{3}}{_BY}?\d{{2}}{_BY}?\d{{4}}|\d{{3}}([ .-])\d{{3}}\1\d{{3}})(?:{END}|(?={_WHOSE}))"
)
_MBI = re.compile(
    r"(?<![A-Za-z0-9])[1-9][A-Za-z][A-Za-z0-9]\d(?:[-./_ \n]|-\n| - )?[A-Za-z][A-Za-z0-9]\d(?:[-./_ \n]|-\n| - )?"
    r"[A-Za-z]{2}[-. ]?\d{2}(?![A-Za-z0-9])"
)
_NPI = re.compile(
    r"(?<![A-Za-z0-9])[12](?:\d{9}|\d{2}[ .-]\d{3}[ .-]?\d{4}|\d{3}[ .-]\d{3}[ .-]\d{3}|\d{4}[ -]\d{5}|"
    r"\d(?:[ -]\d{2}){4})(?![A-Za-z0-9]|\.\d)"
)
_DEA = re.compile(
    r"[A-HJ-MPRSTUXa-hj-mprstux](?:(?<![A-Za-z0-9].)|(?<=DEA.)|(?<=dea.)) ?[A-Za-z9][ .-]?\d(?:[ -]?\d){6}"
    r"(?![A-Za-z0-9]|\.\d)"
)
_CARD = re.compile(rf"{BEGIN}\d(?:[ -]?\d){{12,18}}(?:{END}|(?=[Ee]xp|EXP))")
_GROUPED = r"(?:[ \t\n]?[\[\]()|/.,;_\n\t-][ \t\n]?[\[(|]?|[ \n\t])"
_GROUPS = re.compile(rf"{BEGIN}(?:\d{{4}}(?:{_GROUPED}\d{{4}}){{3}}|3\d{{3}}{_GROUPED}\d{{6}}{_GROUPED}\d{{4,5}}){END}")
_CODE = re.compile(
    r"(?:(?<![\w.-])|(?<=[\s(]\d\.)|(?<=^\d\.)|(?<=\.\.)|(?<=dx-))([A-Za-z]\d[0-9ABab])(?:\.([0-9A-Za-z]{1,4})|([0-9A-Z]{1,4}))?"
    r"(?![\w-]|\.\d)"
)
_SERVICE = re.compile(r"[A-V]\d{4}")
#: a postal code of the United States, ZIP+4: nobody parts an SSN so, of which 26 sets have none
_POSTAL = re.compile(r"\d{5}-\d{4}")
_SIGNS = re.compile(r"[^A-Za-z0-9]")


class Candidate(NamedTuple):
    """What could be an identifier of a kind: where, and its letters and digits alone."""

    kind: str
    start: int
    end: int
    value: str
    #: of a code of ICD-10-CM
    title: str = ""
    #: written as a code of HCPCS or of dental procedures is
    service: bool = False


def candidates(look: Look, vocabulary: Vocabulary, failed: Counter[str] | None = None) -> Iterator[Candidate]:
    """Every candidate of the text, by kind; one place may be of two. `failed` counts, by kind, what has the form and
    not the check digits: beside many of those a right one is right by chance."""
    failed = Counter() if failed is None else failed
    for kind, expression, passes in (("ssn", _SSN, checks.ssn), ("npi", _NPI, checks.npi)):
        for found in look.begins(expression, look.many):
            if kind == "ssn" and _POSTAL.fullmatch(found[0]):
                continue
            if passes(value := digits_of(found[0])):
                yield Candidate(kind, *found.span(), value)
            else:
                failed[kind] += 1
    for found in look.begins(_CARD, look.many):
        if whole := begun(found[0]):
            yield Candidate("card", found.start(), found.start() + len(whole), digits_of(whole))
        else:
            failed["card"] += 1
    for found in look.begins(_GROUPS, look.many):
        if checks.card(value := digits_of(found[0])) and not _CARD.fullmatch(found[0]):
            yield Candidate("card", *found.span(), value)
    for found in look.begins(_MBI, look.of(1, 1)):
        if checks.mbi(value := _SIGNS.sub("", found[0]).upper()):
            yield Candidate("mbi", *found.span(), value)
        else:
            failed["mbi"] += 1
    for found in look.before(_DEA, 4):
        if checks.dea(value := _SIGNS.sub("", found[0]).upper()):
            yield Candidate("dea", *found.span(), value)
        else:
            failed["dea"] += 1
    for found in look.begins(_CODE, look.lettered, back=1):
        rest = (found[2] or found[3] or "").upper()
        term = found[1].upper() + (f".{rest}" if rest else "")
        if (title := vocabulary.title(term)) is not None:
            yield Candidate("icd10", *found.span(), term, title, bool(_SERVICE.fullmatch(found[0])))
        else:
            failed["icd10"] += 1
