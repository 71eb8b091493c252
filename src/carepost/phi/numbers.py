"""Numbers that name a person: of Social Security, of Medicare, of a payment card.

A number is what its nearest keyword calls it, or the head of its column; a check digit alone makes nothing strong. What
is called something else (a meter, a part, a parcel) is nothing here.
"""

import re
from collections.abc import Iterator

from carepost.phi import checks, lists
from carepost.phi.fold import Look
from carepost.phi.marks import Keys, Mark, digits_of, strong, weak

#: a number begins and ends where no letter or digit goes on; a dash or a point may part it from a word beside it
BEGIN, END = r"(?<![A-Za-z0-9])(?<!\d[.-])", r"(?![A-Za-z0-9]|[.-]\d)"
_NINE = re.compile(rf"{BEGIN}\d{{3}} ?([-./ _]?)[ \n]?\d{{2}} ?\1[ \n]?\d{{4}}{END}")
#: nine digits in any groups, right after their label
_LOOSE = re.compile(rf"{BEGIN}\(?\d(?:[-. _/,)\n]{{0,3}}\d){{8}}(?![A-Za-z0-9]|[-. /]{{0,2}}\d)")
_MBI = re.compile(
    r"(?<![A-Za-z0-9])[1-9][A-Za-z][A-Za-z0-9]\d([-./_ \n]?|-\n| - )[A-Za-z][A-Za-z0-9]\d\1[A-Za-z]{2}\d{2}"
    r"(?![A-Za-z0-9])"
)
#: the same as a scanner reads it, in any groups, right after its label: an MBI has no letters S L O I B Z, so they
#: stand for digits
_LOOSE_MBI = re.compile(r"(?<![A-Za-z0-9])[1-9IlSBZ](?:[-. _/\n]{0,3}[A-Za-z0-9]){10}(?![A-Za-z0-9])")
_DIGIT_LIKE = str.maketrans("OoIlSBZ", "0011582")
_CARD = re.compile(rf"{BEGIN}\d(?:[ -]?\d){{12,18}}{END}")
_GROUPS = re.compile(
    rf"{BEGIN}(?:\d{{4}}([./_]|- | -| - |, )\d{{4}}\1\d{{4}}\1\d{{4}}|(?:\d{{4}}[ \n-]){{3}}\d{{4}}"
    rf"|3\d{{3}}([./_]| - |, )\d{{6}}\2\d{{4,5}}|3\d{{3}}[ \n-]\d{{6}}[ \n-]\d{{4,5}}|\d{{5,15}}-?\n\d{{3,12}}){END}"
)
#: so many digits a card has, the likeliest first
_LENGTHS = (16, 15, 14, 19, 13)
#: how far before a number its label may stand, and how far after: "474-67-7040 (SSN)"
LABEL, FOLLOWS = 60, 14
_EXTENSION = 'extension="'
#: what may stand between a number and a label that is its own
_TOUCHES = re.compile(
    r"(?:[\s:#=.,()\[\]\"'|*/-]|\b(?:is|was|no|num|nbr|number|id|code|the|this)\b|\([a-z ]{2,12}\))*$"
)
_CLOSE = 28
#: a card that is said to be of an order: "the card on your order: ..."
_PAYS = re.compile(
    r"(?<![a-z])(?:cards?|visa|mastercard|amex)(?: number| no\.?| details)? (?:on|for|of|from|used for|to) "
    r"(?:your|the|this|that|our|his|her|my|their) [a-z]+(?: [a-z]+)?[\s:=#(-]{1,4}$"
)
#: a thing speaks against a number from no farther than this
_THING = 30
#: keywords that say nothing of which number it is
NOISE = frozenset(("drug", "name", "cpt", "icd", "provider", "phone"))
#: and nothing of one of nine digits
_OF_NINE = NOISE | {"card"}
#: keywords that say a number is about a person, though they do not name the number
_PEOPLE = ("name", "dob", "mrn", "member", "mbi")
#: one word that names the number only where it touches it: "social: 512 44 9087"
_JUST = re.compile(
    r"(?<![a-z])(?:socials?|soc|ss|s\.s\.?|sec|seg|seguro)\.?(?: (?:is|was|no|num|number|es))?"
    r"[\s.:;,#=|\[\"'(*-]{0,14}$|\*(?:sy|34)\*$"
)
#: part of a longer name of a thing: "550-18-7731-A", "XK-512-44-9087"
_GOES_ON = re.compile(r"[-/](?:[A-Za-z]{1,2}(?![A-Za-z])|\d)")
_GOES_BEFORE = re.compile(r"[A-Za-z0-9][-/#.]$")
_PAIR = re.compile(
    r"(?<![A-Za-z])([A-Z][a-z'-]{1,24}|[A-Z]{2,20}),? (?:[A-Z]\.? )?([A-Z][a-z'-]{1,24}|[A-Z]{2,20})(?![a-z])"
)
_PERSONAL = re.compile(
    r"(?<![a-z0-9])(?:his|her|my|hers|he|she|him|patients?|pts?|mom|mother|dad|father|wife|husband|son|daughter|child|"
    r"employees?|candidate|applicant|mr|mrs|ms|claimant|decedent|resident|client|subscriber|insured|beneficiary|paciente|"
    r"spouse|dependent|taxpayer|identity|identification|dob|born|age|sex|w-?[24]|1099|payroll|hire|benefits)(?![a-z0-9])"
)
_AROUND, _ALONE = 100, 16


def numbers(look: Look, keys: Keys) -> Iterator[Mark]:
    yield from _social(look, keys)
    yield from _medicare(look, keys)
    yield from _cards(look, keys)


def called(look: Look, keys: Keys, start: int, noise: frozenset[str]) -> tuple[str, str] | None:
    """What the number at `start` is called: by its column, or by the nearest keyword before it; a thing only where it
    stands close and nobody is named between."""
    if head := keys.headed(start):
        return head
    if look.low.startswith(_EXTENSION, max(0, start - len(_EXTENSION))):
        # of an identifier in CDA, whose root says what it is; not of a telephone
        noise = noise | {"other:phone"}
    found = keys.label(start, LABEL, noise)
    if found and found[0] == "other:thing":
        near = keys.label(start, _THING, noise)
        if near is None or "\n\n" in look.text[max(0, start - _THING) : start]:
            return keys.label(start, LABEL, noise | {"other:thing"})
    return found


def owned(look: Look, keys: Keys, start: int, noise: frozenset[str]) -> tuple[str, str] | None:
    """The label that touches the number at `start`: nothing but signs and small words stands between."""
    found = _TOUCHES.search(look.low, max(0, start - _CLOSE), start)
    return keys.label(found.start() if found else start, 1, noise)


def _social(look: Look, keys: Keys) -> Iterator[Mark]:
    for found in look.begins(_NINE, long=True):
        start, end = found.span()
        digits = digits_of(found[0])
        name = called(look, keys, start, _OF_NINE)
        if checks.itin(digits) and (keys.near("itin", start, end) or (name and name[0] == "ssn")):
            yield strong(start, end, "itin", "ITIN", digits)
        if not checks.ssn(digits):
            continue
        row, kinds = keys.under(start)
        if (name and name[0] == "ssn") or _JUST.search(look.low, max(0, start - 24), start):
            yield strong(start, end, "ssn", name[1] if name and name[0] == "ssn" else "SSN", digits)
        elif after := keys.after("ssn", end, FOLLOWS):
            yield strong(start, end, "ssn", after, digits)
        elif "ssn" in kinds and (found[1] == "-" or not keys.label(start, start - row, NOISE)):
            yield strong(start, end, "ssn", "SSN", digits)
        elif not _speaks_against(look, keys, found, name):
            yield from _unlabelled(look, keys, found, digits)
    yield from _loosely(look, keys)


def _speaks_against(look: Look, keys: Keys, found: re.Match[str], name: tuple[str, str] | None) -> bool:
    """Whether nine digits are called something else, or are part of something longer."""
    start, end = found.span()
    if _GOES_ON.match(look.text, end) or _GOES_BEFORE.search(look.text, max(0, start - 2), start):
        return True
    if name is None:
        return False
    if name[0].startswith("other"):
        return True
    dashed = found[1] in ("-", ".", " ", "/") and found[1] != ""
    # What the number seems called stands too far off to speak against an SSN
    far = keys.label(start, 15, NOISE) is None
    return not dashed and not far


def _unlabelled(look: Look, keys: Keys, found: re.Match[str], digits: str) -> Iterator[Mark]:
    start, end = found.span()
    if near := keys.near("ssn", start, end):
        yield strong(start, end, "ssn", near, digits)
    elif found[1] == "-":
        about = next(filter(None, (keys.near(kind, start, end) for kind in _PEOPLE)), "")
        if about:
            yield strong(start, end, "ssn", about, digits)
        elif keys.in_name or _personal(look, start, end):
            yield weak(start, end, "ssn", 1.0)


def _personal(look: Look, start: int, end: int) -> bool:
    """Whether anybody is spoken of around a number that nothing names; or the text is that number and little else."""
    if len(look.text) <= _ALONE:
        return True
    begin, stop = max(0, start - _AROUND), end + _AROUND
    if _PERSONAL.search(look.low, begin, stop):
        return True
    no_name = lists.not_surnames()
    return any(
        pair[1].lower() not in no_name and pair[2].lower() not in no_name
        for pair in _PAIR.finditer(look.text, begin, stop)
    )


def _loosely(look: Look, keys: Keys) -> Iterator[Mark]:
    """Nine digits in groups of any kind, right after their label: "SSN 512-449-087", "ssn 5 1 2 4 4 9 0 8 7"."""
    for hit in keys.of("ssn"):
        found = _LOOSE.search(look.text, hit.end, hit.end + LABEL)
        if not found or _NINE.fullmatch(found[0]) or any(c.isdigit() for c in look.text[hit.end : found.start()]):
            continue
        digits = digits_of(found[0])
        name = keys.label(found.start(), LABEL, NOISE)
        if name and name[0] == "ssn" and checks.ssn(digits):
            yield strong(*found.span(), "ssn", name[1], digits)


def _medicare(look: Look, keys: Keys) -> Iterator[Mark]:
    for found in look.begins(_MBI):
        bare = re.sub(r"[-./_ \n]", "", found[0]).upper()
        if not checks.mbi(bare):
            continue
        start, end = found.span()
        before = look.text[max(0, start - 12) : start]
        if before[-1:] in ("-", ".") and before[-2:-1].isalnum() and not before[:-1][-9:].isdigit():
            continue
        name = called(look, keys, start, NOISE)
        if name and name[0].startswith("other") and not keys.near("mbi", start, end, LABEL):
            continue
        near = keys.near("mbi", start, end) or keys.near("member", start, end)
        about = near or next(filter(None, (keys.near(kind, start, end) for kind in ("dob", "mrn", "name"))), "")
        if about or found[1] != "":
            yield strong(start, end, "mbi", about, bare)
        elif bare == found[0] or name or keys.near("icd", start, end) or keys.near("npi", start, end):
            yield weak(start, end, "mbi", 0.5)
    for hit in keys.of("mbi"):
        smudged = _LOOSE_MBI.search(look.text, hit.end, hit.end + LABEL)
        if not smudged or _MBI.fullmatch(smudged[0]):
            continue
        bare = _cleaned(re.sub(r"[-./_ \n]", "", smudged[0]))
        name = keys.label(smudged.start(), LABEL, NOISE)
        if name and name[0] == "mbi" and checks.mbi(bare):
            yield strong(*smudged.span(), "mbi", name[1], bare)


def _cleaned(bare: str) -> str:
    """An MBI without the letters that it cannot hold."""
    return bare.translate(_DIGIT_LIKE).upper()


def _cards(look: Look, keys: Keys) -> Iterator[Mark]:
    for found in look.begins(_CARD):
        start = found.start()
        whole = _card(found[0])
        if not whole:
            continue
        end, digits = start + len(whole), digits_of(whole)
        near = keys.near("card", start, end)
        if _no_card(look, keys, start, near):
            continue
        if near or whole.count("-") == 3 or whole.count(" ") == 3:
            yield strong(start, end, "card", near, digits)
        else:
            yield weak(start, end, "card", 0.5)
    for found in look.begins(_GROUPS, long=True) if keys.of("card") else ():
        digits = digits_of(found[0])
        near = keys.near("card", *found.span()) if checks.card(digits) else ""
        if near and not _no_card(look, keys, found.start(), near):
            yield strong(*found.span(), "card", near, digits)


def _no_card(look: Look, keys: Keys, start: int, near: str) -> bool:
    """Whether the number of a card is called something else. Where a card is spoken of, only what touches the number
    says so: "your receipt; the new one is ..." does not."""
    if head := keys.headed(start):
        return head[0].startswith("other")
    if near and "card" in keys.under(start)[1]:
        return False
    name = (owned if near else called)(look, keys, start, NOISE)
    if name and name[0] == "other:order" and _PAYS.search(look.low, max(0, start - LABEL), start):
        return False
    return name is not None and name[0].startswith("other")


def _card(text: str) -> str:
    """The card a run of digits begins with: a date or a code may follow it after a space."""
    if checks.card(digits_of(text)):
        return text
    for length in _LENGTHS:
        place = count = 0
        while place < len(text) and count < length:
            count += text[place].isdigit()
            place += 1
        if count == length and text[place : place + 1] in (" ", "-") and checks.card(digits_of(text[:place])):
            return text[:place]
    return ""
