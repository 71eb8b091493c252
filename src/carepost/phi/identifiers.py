"""Identifiers of a person in a text: numbers with their checks and keywords, dates of birth, phones, addresses.

A number is what its nearest keyword calls it; a check digit alone makes nothing strong. Every expression is bounded and
starts at the edge of a word, so that a text of one repeated character costs one step a character.
"""

import re
from collections.abc import Iterable, Iterator

from carepost.phi import cards, numbers, providers
from carepost.phi.fold import Look
from carepost.phi.marks import QUIET, WINDOW, Keys, Mark, digits_of, strong, weak

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
#: the name of a month right before a number, and the longest that it is
_MONTHED = re.compile(rf"(?<![\w/.-]){_MONTH}\.? ?$")
_MONTHS = 13
#: digits of what a date begins with: a day, a month or a year
_DAYS = (1, 2, 4)
#: signs between numbers, before which no month stands
_JOINING = frozenset("-/,:\n\t|")
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
#: "Contusion of left knee, initial encounter": how a diagnosis ends, not what a number is called
_VISIT = re.compile(r"(?<!\w)(?:initial|subsequent) $")
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
_NOISE = QUIET | {"drug", "name", "cpt", "icd"}


def identifiers(look: Look, keys: Keys) -> Iterator[Mark]:
    """Every identifier of the text but names; overlapping ones too."""
    yield from numbers.numbers(look, keys)
    yield from cards.cards(look, keys)
    yield from providers.providers(look, keys)
    yield from _labelled(look, keys)
    yield from _dates(look, keys)
    yield from _contacts(look, keys)


def _labelled(look: Look, keys: Keys) -> Iterator[Mark]:
    """Numbers known by their label alone: record, member, licence, passport, account."""
    seen: set[int] = set()
    for hit in keys.all:
        kind = hit.entry.kind[4:]
        if kind not in _LABELLED or (look.text[hit.start - 1 : hit.start] == "/" and kind == "licence"):
            continue
        if look.low.startswith("encounter", hit.start) and _VISIT.search(look.low, max(0, hit.start - 12), hit.start):
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
    for found in _written(look):
        called = keys.label(found.start(), 30)
        if called and called[0] == "dob":
            yield strong(*found.span(), "dob", called[1], digits_of(found[0]) or found[0])
        else:
            yield weak(*found.span(), "date", 0.2)
    for found in look.begins(_EIGHT, look.of(8, 8), low=True):
        called = keys.label(found.start(), 12)
        if called and called[0] == "dob":
            yield strong(*found.span(), "dob", called[1], found[0])
    for found in look.begins(_AGE, look.of(1, 3), low=True):
        yield weak(*found.span(), "age", 0.2)


def _written(look: Look) -> Iterator[re.Match[str]]:
    """Every date: it begins with a digit, or with the name of a month before one."""
    low, end = look.low, 0
    for start, length in zip(look.starts, look.lengths, strict=True):
        if start < end:
            continue
        found = DATE.match(low, start) if length in _DAYS else None
        if (
            not found
            and start
            and low[start - 1] not in _JOINING
            and (low[max(0, start - 2) : start].rstrip(" .")[-1:].isalpha())
        ):
            named = _MONTHED.search(low, max(end, start - _MONTHS), start)
            found = DATE.match(low, named.start()) if named else None
        if found:
            end = found.end()
            yield found


def _phones(look: Look) -> Iterator[re.Match[str]]:
    text, end = look.text, 0
    for start in look.many:
        if start < end:
            continue
        found = _PHONE.match(text, start - 1) if start and (text[start - 1] == "(" or text[start - 1] == "+") else None
        if found := found or _PHONE.match(text, start):
            end = found.end()
            yield found


def _contacts(look: Look, keys: Keys) -> Iterator[Mark]:
    for found in _phones(look):
        called = keys.label(found.start(), 20, _NOISE)
        if (found[1] or found[2]) not in _TOLL_FREE and not (called and called[0].startswith("other")):
            yield weak(*found.span(), "phone", 0.4, called[1] if called and called[0] == "phone" else "")
    for found in _AT.finditer(look.text) if "@" in look.text else ():
        yield weak(*found.span(), "e-mail", 0.4)
    for found in look.begins(_STREET, look.of(1, 6)):
        yield weak(*found.span(), "address", 0.6)
    fives = look.of(5, 5)
    boxes: Iterable[re.Match[str]] = look.around(_BOX, low=True) if "box" in look.low else ()
    for found in (*boxes, *look.begins(_ZIP, fives, back=3), *look.begins(_ZIP, fives, back=4)):
        yield weak(*found.span(), "address", 0.4)


__all__ = ["DATE", "WINDOW", "digits_of", "identifiers", "plausible"]
