"""Identifiers of a person in a text: numbers with their checks and keywords, dates of birth, phones, addresses.

A number is what its nearest keyword calls it; a check digit alone makes nothing strong. Every expression is bounded and
starts at the edge of a word, so that a text of one repeated character costs one step a character.
"""

import re
from collections.abc import Iterator

from carepost.phi import checks
from carepost.phi.fold import Look
from carepost.phi.marks import WINDOW, Keys, Mark, strong, weak

#: a number begins and ends where no letter or digit goes on; a dash or a point may part it from a word beside it
_BEGIN, _END = r"(?<![A-Za-z0-9])(?<!\d[.-])", r"(?![A-Za-z0-9]|[.-]\d)"
_NINE = re.compile(rf"{_BEGIN}\d{{3}} ?([-./ _]?)[ \n]?\d{{2}} ?\1[ \n]?\d{{4}}{_END}")
_SPACED = re.compile(r"(?<![\w-])\d(?:[ .-]\d){8}(?![ .-]?\d)")
_MBI = re.compile(rf"{_BEGIN}[1-9][A-Za-z][A-Za-z0-9]\d([-. ]?)[A-Za-z][A-Za-z0-9]\d\1[A-Za-z]{{2}}\d{{2}}{_END}")
#: the same as a scanner reads it: an MBI has no letters S L O I B Z, so they stand for digits
_SMUDGED_MBI = re.compile(rf"{_BEGIN}[1-9IlSBZ][A-Za-z][A-Za-z0-9][\dOIlSBZo]([-. ]?)[A-Za-z0-9]{{3}}\1[A-Za-z]{{2}}"
                          rf"[\dOIlSBZo]{{2}}{_END}")  # fmt: skip
_DIGIT_LIKE = str.maketrans("OoIlSBZ", "0011582")
_CARD = re.compile(rf"{_BEGIN}\d(?:[ -]?\d){{12,18}}{_END}")
_GROUPS = re.compile(
    rf"{_BEGIN}(?:\d{{4}}([./_]|- | -| - |, )\d{{4}}\1\d{{4}}\1\d{{4}}|(?:\d{{4}}[ \n-]){{3}}\d{{4}}){_END}"
)
_DEA = re.compile(rf"{_BEGIN}[ABCDEFGHJKLMPRSTUXabcdefghjklmprstux][A-Za-z9][ -]?\d{{7}}{_END}")
_TEN = re.compile(rf"{_BEGIN}(?:[12]\d{{3}}[ .-]?\d{{3}}[ .-]?\d{{3}}|[12]\d{{2}}([ .-])\d{{3}}\1\d{{4}}){_END}")
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|"
    r"diciembre)"
)
DATE = re.compile(
    rf"(?<![\w/.-])(?:(?:0?[1-9]|[12]\d|3[01]) ?[/.-] ?(?:0?[1-9]|[12]\d|3[01]) ?[/.-] ?(?:(?:19|20)\d\d|\d\d)"
    rf"|(?:19|20)\d\d[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])"
    rf"|{_MONTH}\.? ?\d{{1,2}}(?:st|nd|rd|th)?,? ?,?(?:19|20)\d\d"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?[ -](?:of |de )?{_MONTH}\.?,?[ -](?:de |of |del )?(?:19|20)\d\d)(?![\w/]|-\d)"
)
_EIGHT = re.compile(r"(?<!\d)(?:(?:19|20)\d{6}|\d{4}(?:19|20)\d\d)(?!\d)")
_PHONE = re.compile(r"(?<![\w.-])(?:\+?1[-. ]?)?(?:\((\d{3})\) ?|(\d{3})[-. /])\d{3}[-. ]\d{4}(?![\w-])")
_TOLL_FREE = frozenset(("800", "888", "877", "866", "855", "844", "833", "822"))
_AT = re.compile(r"(?<=\w)@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_STREET = re.compile(
    r"(?<![\w.-])\d{1,6}[A-Za-z]? (?:[NSEW]\.?[EW]?\.? )?(?:[A-Z][A-Za-z']{1,20}\.? |\d{1,3}(?:st|nd|rd|th) ){1,4}"
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Way|Place|Pl|Terrace|Ter|Circle|Cir|"
    r"Parkway|Pkwy|Highway|Hwy|Trail|Trl|Square|Loop|Row|Path|Plaza|Crescent|Alley|Isle|Island|Islands|Ridge|Point|"
    r"Points|Run|Pike|Walk|Heights|Hills?|Park|Valley|Village|View|Crossing|Junction|Station|Summit|Creek|Meadows?)"
    r"\b\.?"
)
_BOX = re.compile(r"(?<!\w)p\.? ?o\.? box \d{1,6}(?!\w)")
_ZIP = re.compile(
    r"(?<!\w)(?:A[LKZR]|C[AOT]|D[EC]|FL|GA|HI|I[DLNA]|K[SY]|LA|M[EDAINSOT]|N[EVHJMYCD]|O[HKR]|P[AR]|RI|S[CD]|T[NX]|UT|"
    r"V[TA]|W[AVIY]),? \d{5}(?:-\d{4})?(?!\w)"
)
_AGE = re.compile(
    r"(?<![\w.-])\d{1,3}[ -]?(?:y/?o|yo[mf]?|years?[ -]old|yrs?[ -]old|y\.o\.|yr old|"
    r"[mf](?= (?:h/o|with|w/|c/o|s/p)))\b"
)
#: what may stand between a label and its number
_AFTER = re.compile(
    r"(?:[\s:#=.,()\[\]\"'|*-]|is\b|no\b|number\b|num\b|nbr\b|id\b|was\b|of record\b|account\b){0,8}"
    r"(?:ending (?:in|with|on) )?([a-z]{0,5}-?\d[a-z0-9]{0,12}(?:[- ]?[a-z0-9]{2,12}){0,3})(?![\w])"
)
_MONEY = re.compile(r"[$€£]\s?$")
_YEAR = re.compile(r"(?:19|20)\d\d")
#: label kind -> finding kind, fewest digits, strong
_LABELLED = {
    "mrn": ("mrn", 4, True),
    "member": ("member-id", 5, True),
    "licence": ("driver-licence", 4, True),
    "passport": ("passport", 6, True),
    "account": ("account", 5, False),
}
#: keywords that say a number is about a person, though they do not name the number
_PEOPLE = ("name", "dob", "mrn", "member", "mbi")
#: a label right after its number: "474-67-7040 (SSN)"
_FOLLOWS = 14
_NOISE = frozenset(("drug", "name", "cpt", "icd"))


def identifiers(look: Look, keys: Keys) -> Iterator[Mark]:
    """Every identifier of the text but names; overlapping ones too."""
    yield from _social(look, keys)
    yield from _medicare(look, keys)
    yield from _cards(look, keys)
    yield from _providers(look, keys)
    yield from _labelled(look, keys)
    yield from _dates(look, keys)
    yield from _contacts(look, keys)


def digits_of(text: str) -> str:
    return "".join(c for c in text if c.isdigit())


def _social(look: Look, keys: Keys) -> Iterator[Mark]:
    for found in look.around(_NINE):
        start, end = found.span()
        digits = digits_of(found[0])
        dashed = found[1] in ("-", ".", " ", "/") and found[1] != ""
        called = keys.label(start, 60, _NOISE)
        if checks.itin(digits) and (keys.near("itin", start, end) or (called and called[0] == "ssn")):
            yield strong(start, end, "itin", "ITIN", digits)
        if not checks.ssn(digits):
            continue
        if called and called[0] == "ssn":
            yield strong(start, end, "ssn", called[1], digits)
        elif after := keys.after("ssn", end, _FOLLOWS):
            yield strong(start, end, "ssn", after, digits)
        elif called and (called[0].startswith("other") or not dashed) and not _far(called, keys, start):
            continue
        elif near := keys.near("ssn", start, end):
            yield strong(start, end, "ssn", near, digits)
        elif found[1] == "-":
            about = next(filter(None, (keys.near(kind, start, end) for kind in _PEOPLE)), "")
            yield strong(start, end, "ssn", about, digits) if about else weak(start, end, "ssn", 1.0)
    for found in look.around(_SPACED):
        digits = digits_of(found[0])
        called = keys.label(found.start(), 60, _NOISE)
        if called and called[0] == "ssn" and checks.ssn(digits):
            yield strong(*found.span(), "ssn", called[1], digits)


def _far(called: tuple[str, str], keys: Keys, start: int) -> bool:
    """Whether what the number seems called stands too far off to speak against an SSN."""
    return not called[0].startswith("other") and keys.label(start, 15, _NOISE) is None


def _medicare(look: Look, keys: Keys) -> Iterator[Mark]:
    for found in look.around(_MBI):
        bare = re.sub("[-. ]", "", found[0]).upper()
        if not checks.mbi(bare):
            continue
        near = keys.near("mbi", *found.span()) or keys.near("member", *found.span())
        about = near or next(filter(None, (keys.near(kind, *found.span()) for kind in ("dob", "mrn", "name"))), "")
        if about or found[1] == "-":
            yield strong(*found.span(), "mbi", about, bare)
        elif bare == found[0]:
            yield weak(*found.span(), "mbi", 0.5)
    for found in look.around(_SMUDGED_MBI) if keys.of("mbi") else ():
        called = keys.label(found.start(), 60, _NOISE)
        bare = re.sub("[-. ]", "", found[0]).translate(_DIGIT_LIKE).upper()
        if called and called[0] == "mbi" and checks.mbi(bare) and not _MBI.fullmatch(found[0]):
            yield strong(*found.span(), "mbi", called[1], bare)


def _cards(look: Look, keys: Keys) -> Iterator[Mark]:
    for found in look.around(_CARD):
        digits = digits_of(found[0])
        if not checks.card(digits):
            continue
        near = keys.near("card", *found.span())
        if near or found[0].count("-") == 3 or found[0].count(" ") == 3:
            yield strong(*found.span(), "card", near, digits)
        elif not ((called := keys.label(found.start(), 20)) and called[0] == "other:order"):
            yield weak(*found.span(), "card", 0.5)
    for found in look.around(_GROUPS) if keys.of("card") else ():
        digits = digits_of(found[0])
        if checks.card(digits) and (near := keys.near("card", *found.span())):
            yield strong(*found.span(), "card", near, digits)


def _providers(look: Look, keys: Keys) -> Iterator[Mark]:
    """NPI and DEA numbers: they name a provider, not a patient, and weigh nothing against one."""
    for found in look.around(_TEN):
        if not checks.npi(digits_of(found[0])):
            continue
        called = keys.label(found.start(), 60, _NOISE)
        said = called is not None and called[0] == "npi"
        if (
            said
            or keys.after("npi", found.end(), _FOLLOWS)
            or (called is None and keys.near("npi", *found.span(), 120))
        ):
            yield weak(*found.span(), "npi", 0.0, "NPI")
    for found in look.around(_DEA):
        if checks.dea(re.sub("[ -]", "", found[0])) and (near := keys.near("dea", *found.span(), 60)):
            yield weak(*found.span(), "dea", 0.0, near)


def _labelled(look: Look, keys: Keys) -> Iterator[Mark]:
    """Numbers known by their label alone: record, member, licence, passport, account."""
    seen: set[int] = set()
    for hit in keys.all:
        kind = hit.entry.kind[4:]
        if kind not in _LABELLED or (look.text[hit.start - 1 : hit.start] == "/" and kind == "licence"):
            continue
        value = _AFTER.match(look.low, hit.end)
        if not value or value.start(1) in seen or not plausible(look, value[1], value.start(1), _LABELLED[kind][1]):
            continue
        called = keys.label(value.start(1), 60, _NOISE | {"account"} if kind != "account" else _NOISE)
        if called and called[0] != kind:
            continue
        seen.add(value.start(1))
        name, _, sure = _LABELLED[kind]
        if sure:
            yield strong(*value.span(1), name, hit.entry.term, value[1])
        else:
            yield weak(*value.span(1), name, 0.6, hit.entry.term)


def plausible(look: Look, value: str, start: int, fewest: int) -> bool:
    """Whether a labelled value can be an identifier: enough digits, no date, year, phone or price."""
    digits = digits_of(value)
    return (
        fewest <= len(digits) <= 17
        and not (_YEAR.fullmatch(value))
        and not DATE.match(look.low, start)
        and not _PHONE.match(look.text, start)
        and not _MONEY.search(look.text, max(0, start - 2), start)
    )


def _dates(look: Look, keys: Keys) -> Iterator[Mark]:
    for found in look.around(DATE, low=True):
        called = keys.label(found.start(), 30)
        if called and called[0] == "dob":
            yield strong(*found.span(), "dob", called[1], digits_of(found[0]) or found[0])
        else:
            yield weak(*found.span(), "date", 0.2)
    for found in look.around(_EIGHT, low=True):
        called = keys.label(found.start(), 12)
        if called and called[0] == "dob":
            yield strong(*found.span(), "dob", called[1], found[0])
    for found in look.around(_AGE, low=True):
        yield weak(*found.span(), "age", 0.2)


def _contacts(look: Look, keys: Keys) -> Iterator[Mark]:
    for found in look.around(_PHONE):
        called = keys.label(found.start(), 20, _NOISE)
        if (found[1] or found[2]) not in _TOLL_FREE and not (called and called[0].startswith("other")):
            yield weak(*found.span(), "phone", 0.4, called[1] if called and called[0] == "phone" else "")
    for found in _AT.finditer(look.text):
        yield weak(*found.span(), "e-mail", 0.4)
    for found in look.around(_STREET):
        yield weak(*found.span(), "address", 0.6)
    for found in (*look.around(_BOX, low=True), *look.around(_ZIP)):
        yield weak(*found.span(), "address", 0.4)


__all__ = ["DATE", "WINDOW", "digits_of", "identifiers", "plausible"]
