"""Numbers that name a person: of Social Security and of Medicare.

A number is what its nearest keyword calls it, or the head of its column; a check digit alone makes nothing strong. What
is called something else, in a list of ours (a meter, a part, a parcel) or not (`heads`), is nothing here.
"""

import re
from collections.abc import Iterator

from carepost.phi import checks, heads
from carepost.phi.beside import somebody
from carepost.phi.fold import Look
from carepost.phi.marks import WINDOW, Keys, Mark, digits_of, strong, weak

#: a number begins and ends where no letter or digit goes on; a dash or a point may part it from a word beside it
BEGIN, END = r"(?<![A-Za-z0-9])(?<!\d[.-])", r"(?![A-Za-z0-9]|[.-]\d)"
_NINE = re.compile(rf"{BEGIN}\d{{3}} ?([-./ _]?)[ \n]?\d{{2}} ?\1[ \n]?\d{{4}}{END}")
#: nine digits in any groups, right after their label
_LOOSE = re.compile(rf"{BEGIN}\(?\d(?:[-. _/,|()\[\]\n\t]{{0,3}}\d){{8}}(?![A-Za-z0-9]|[-. /]{{0,2}}\d)")
_MBI = re.compile(
    r"(?<![A-Za-z0-9])[1-9][A-Za-z][A-Za-z0-9]\d([-./_ \n]?|-\n| - )[A-Za-z][A-Za-z0-9]\d\1[A-Za-z]{2}\d{2}"
    r"(?![A-Za-z0-9])"
)
#: the same as a scanner reads it, in any groups, right after its label: an MBI has no letters S L O I B Z, so they
#: stand for digits
_LOOSE_MBI = re.compile(r"(?<![A-Za-z0-9])[1-9IlSBZ](?:[-. _/\n]{0,3}[A-Za-z0-9]){10}(?![A-Za-z0-9])")
_DIGIT_LIKE = str.maketrans("OoIlSBZ", "0011582")
#: how far before a number its label may stand, and how far after: "474-67-7040 (SSN)"
LABEL, FOLLOWS = 60, 14
_EXTENSION = 'extension="'
#: what may stand between a number and a label that is its own
_TOUCHES = re.compile(
    r"(?:[\s:#=.,()\[\]\"'|*/-]|\b(?:is|was|no|num|nbr|number|id|code|the|this)\b|\([a-z ]{2,12}\))*$"
)
_CLOSE = 28
#: the end of a paragraph, and words after it
_BREAK = re.compile(r"\n\n[^\n]{0,60}[A-Za-z]")
#: how far two labels and their two numbers reach, how the second label is joined, and what else stands between
_RUN = 80
_PAIRS = re.compile(r"(?: ?\([a-z ]{1,12}\))? ?(?:[/,&+;|]|and\b|y\b|or\b|as\b) ?[a-z]")
#: a label and what it is for: "SSN for Medicare reporting: ..."
_OF_WHAT = re.compile(r" (?:for|of|on|from)(?: [a-z'.-]+){1,5}(?::| is| =|=) ?")
_JOINED = re.compile(
    r"(?:[\s/,&+;|:#=().-]|\b(?:as|an|the|her|his)\b|/ [a-z]{3,12} id\b|"
    r"\band\b|\bor\b|\by\b|numbers?\b|nos?\b|ids?\b|\d{1,11}|[a-z]{2}\d{7}|"
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*)*"
)
#: a thing speaks against a number from no farther than this
_THING = 30
#: keywords that say nothing of which number it is
NOISE = frozenset(("drug", "name", "cpt", "icd", "provider", "phone"))
#: and nothing of one of nine digits
_OF_NINE = NOISE | {"card"}
#: keywords that are no other thing, though nouns
_OWN = ("ssn", "itin", "name")
_OF_PLANS = ("mbi", "member", "name", "mrn", "account", "dob", "npi", "icd")
#: nouns that a Medicare number follows as a name would
_COVERED = heads.words("of plans")
#: a qualifier of X12 before it, an authority or a type of HL7 after it
_QUALIFIED, _ISSUED = re.compile(r"\*(?:MI|HN|II|C1)\*$"), re.compile(r"\^{1,4}(?:CMS|MC|MB|HIC|USSSA|US)(?![A-Z])")
#: words of who pays for care
_COVERAGE = re.compile(
    r"(?<![a-z])(?:(?:run|ran|bene|part [abcd]|snf|aco|hmo|eob|abn|payers?)(?![a-z])|"
    r"policy (?:id|no|#)|new one is|elig|enroll|hospice|coinsur|"
    r"deductible|benefit|disenroll|crossover|medigap|homebound)"
)
#: keywords of what stands beside a Medicare number
_CARING = ("icd", "npi", "ssn", "dea", "cpt", "drug", "provider")
#: keywords that say a number is about a person, though they do not name the number
_PEOPLE = ("name", "dob", "mrn", "member", "mbi")
#: one word that names the number only where it touches it: "social: 512 44 9087"
_JUST = re.compile(
    r"(?<![a-z])(?:socials?|soc|ss|s\.s\.?|sec|seg|seguro)\.?(?: (?:is|was|no|num|number|es))?(?: \([a-z' ]{1,20}\))?"
    r"(?:[\s.:;,#=|\[\"'(*-]{0,14}|\? ?(?:a|ans)?[:.]? )$|\*(?:sy|34)\*$"
    r"|(?<![a-z])(?:socials?|soc|ss) ?#? ?[/&,] ?(?:mrn|dob|d\.o\.b\.?|name|id|date of birth|birth ?date)[\s:#=]*$"
    r"|(?<=s )social [^.;:\n]{0,30} (?:is|was) $"
)
#: part of a longer name of a thing: "550-18-7731-A", "XK-512-44-9087"
_GOES_ON = re.compile(r"[-/](?:[A-Za-z]{1,2}(?![A-Za-z])|\d)")
_GOES_BEFORE = re.compile(r"[A-Za-z0-9][-/#.]$")
_PERSONAL = re.compile(
    r"(?<![a-z0-9])(?:his|her|my|hers|he|she|him|patients?|pts?|mom|mother|dad|father|wife|husband|son|daughter|child|"
    r"employees?|candidate|applicant|mr|mrs|ms|claimant|decedent|resident|client|subscriber|insured|beneficiary|paciente|"
    r"spouse|dependent|taxpayer|identity|identification|dob|born|age|sex|w-?[24]|1099|payroll|hire|benefits)(?![a-z0-9])"
)
#: a word right before a number, but these
_WORDED = re.compile(r"(?<![a-z])(?!(?:is|was|as|and|or|has|id)\b)[a-z][a-z'-]+ ?$")
_YOURS = re.compile(r"(?<![a-z])(?:my|your|his|her|their|own|su|mi) (?:number|numero|no\.?):? ?$")
_AROUND, _ALONE = 100, 16


def numbers(look: Look, keys: Keys) -> Iterator[Mark]:
    yield from _social(look, keys)
    yield from _medicare(look, keys)


def called(look: Look, keys: Keys, start: int, noise: frozenset[str]) -> tuple[str, str] | None:
    """What the number at `start` is called: by its column, or by the nearest keyword before it; a thing only where it
    stands close and nobody is named between."""
    if head := keys.headed(start):
        return head
    if look.low.startswith(_EXTENSION, max(0, start - len(_EXTENSION))):
        # of an identifier in CDA, whose root says what it is; not of a telephone
        noise = noise | {"other:phone"}
    found = keys.label(start, LABEL, noise)
    while found:
        # What a paragraph before is about says nothing here, and a thing only from close by
        place = keys.before(found[0], start, _THING if found[0] == "other:thing" else LABEL)
        if place is not None and not _BREAK.search(look.text, place[1], start):
            break
        noise |= {found[0]}
        found = keys.label(start, LABEL, noise)
    return found


def paired(look: Look, keys: Keys, start: int, kind: str) -> bool:
    """Whether a number stands under two labels that are said together: "SSN / DOB: 512 44 9087 / 1/2/1970"."""
    place = keys.before(kind, start, _RUN)
    if place is None or place[1] == start:
        return False
    between = look.low[place[1] : start]
    if _OF_WHAT.fullmatch(between):
        return True
    if not _PAIRS.match(between):
        return False
    for hit in keys.all:
        if place[1] <= hit.start and hit.end <= start and not hit.entry.kind.startswith("key:other"):
            blank = between[: hit.start - place[1]] + " " * (hit.end - hit.start)
            between = blank + between[hit.end - place[1] :]
    return bool(_JOINED.fullmatch(between))


def owned(look: Look, keys: Keys, start: int, noise: frozenset[str]) -> tuple[str, str] | None:
    """The label that touches the number at `start`: nothing but signs and small words stands between."""
    found = _TOUCHES.search(look.low, max(0, start - _CLOSE), start)
    return keys.label(found.start() if found else start, 1, noise)


def _social(look: Look, keys: Keys) -> Iterator[Mark]:
    for found in look.begins(_NINE, look.many):
        start, end = found.span()
        digits = digits_of(found[0])
        name = called(look, keys, start, _OF_NINE)
        if checks.itin(digits) and (keys.near("itin", start, end) or (name and name[0] == "ssn")):
            yield strong(start, end, "itin", "ITIN", digits)
        if not checks.ssn(digits):
            continue
        row, kinds = keys.under(start)
        thing = heads.noun(look, keys, start, _OWN)
        labelled = (name and name[0] == "ssn") and not heads.elsewhere(look, keys, start, "ssn", LABEL, thing)
        if labelled or _JUST.search(look.low, max(0, start - 48), start) or paired(look, keys, start, "ssn"):
            yield strong(start, end, "ssn", name[1] if name and name[0] == "ssn" else "SSN", digits)
        elif (after := heads.follows(look, keys, "ssn", end, FOLLOWS)) and not (
            thing and heads.apart(look, end, end + FOLLOWS)
        ):
            yield strong(start, end, "ssn", after, digits)
        elif "ssn" in kinds and (found[1] == "-" or not keys.label(start, start - row, NOISE)):
            yield strong(start, end, "ssn", "SSN", digits)
        elif not thing and not _speaks_against(look, keys, found, name):
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
        own = keys.before("ssn", start, LABEL)
        # "E-Verify case for 512-44-9087 says no (SSN)"
        aside = own and not heads.apart(look, own[1], start)
        return not (found[1] != "" and aside and owned(look, keys, start, NOISE) is None)
    dashed = found[1] in ("-", ".", " ", "/") and found[1] != ""
    # What the number seems called stands too far off to speak against an SSN
    far = keys.label(start, 15, NOISE) is None
    return not dashed and not far


def _unlabelled(look: Look, keys: Keys, found: re.Match[str], digits: str) -> Iterator[Mark]:
    start, end = found.span()
    begin, stop = heads.paragraph(look, start, end, WINDOW)
    near = keys.near("ssn", begin, stop, 0) or ("SSN" if "ssn" in keys.topic else "")
    if near:
        yield strong(start, end, "ssn", near, digits)
    elif found[1] == "-" and _stands(look, start):
        about = next(filter(None, (keys.near(kind, begin, stop, 0) for kind in _PEOPLE)), "")
        if about:
            yield strong(start, end, "ssn", about, digits)
        elif keys.in_name or _personal(look, max(begin, start - _AROUND), min(stop, end + _AROUND)):
            yield weak(start, end, "ssn", 1.0)


def _stands(look: Look, start: int) -> bool:
    """Whether a number that nothing names stands beside a sign or a person: in a sentence it would have a name."""
    begin = max(0, start - 24)
    if heads.head(look, start).of is heads.Of.PERSON or _YOURS.search(look.low, begin, start):
        return True
    return not _WORDED.search(look.low, begin, start)


def _personal(look: Look, begin: int, stop: int) -> bool:
    """Whether anybody is spoken of around a number that nothing names; or the text is that number and little else."""
    if len(look.text) <= _ALONE:
        return True
    return bool(_PERSONAL.search(look.low, begin, stop)) or somebody(look, begin, stop)


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
    for found in look.begins(_MBI, look.of(1, 1)):
        bare = re.sub(r"[-./_ \n]", "", found[0]).upper()
        if not checks.mbi(bare):
            continue
        start, end = found.span()
        before = look.text[max(0, start - 12) : start]
        label = keys.before("mbi", start, 2)
        if before[-1:] in ("-", ".") and before[-2:-1].isalnum() and not before[:-1][-9:].isdigit() and not label:
            continue
        name = called(look, keys, start, NOISE)
        if _no_medicare(look, keys, start, end, name):
            continue
        near = keys.near("mbi", start, end) or keys.near("member", start, end)
        about = near or next(filter(None, (keys.near(kind, start, end) for kind in ("dob", "mrn", "name"))), "")
        if not about and not _of_care(look, keys, start, end):
            continue
        if about or found[1] != "":
            yield strong(start, end, "mbi", about, bare)
        else:
            yield weak(start, end, "mbi", 0.5)
    for hit in keys.of("mbi"):
        smudged = _LOOSE_MBI.search(look.text, hit.end, hit.end + LABEL)
        if not smudged or _MBI.fullmatch(smudged[0]):
            continue
        bare = _cleaned(re.sub(r"[-./_ \n]", "", smudged[0]))
        name = keys.label(smudged.start(), LABEL, NOISE)
        if name and name[0] == "mbi" and checks.mbi(bare):
            yield strong(*smudged.span(), "mbi", name[1], bare)


def _no_medicare(look: Look, keys: Keys, start: int, end: int, name: tuple[str, str] | None) -> bool:
    """Whether what looks like a Medicare number is called something else."""
    if heads.follows(look, keys, "mbi", end, FOLLOWS):
        return False
    thing = heads.noun(look, keys, start, _OF_PLANS)
    own = owned(look, keys, start, NOISE)
    other = (
        name is not None and name[0].startswith("other") and (own == name or bool(thing) or name == keys.headed(start))
    )
    if thing is None or thing.word in _COVERED or "mbi" in keys.under(start)[1]:
        begin, stop = heads.paragraph(look, start, end, LABEL)
        return other and not keys.near("mbi", begin, stop, 0)
    away = all(heads.elsewhere(look, keys, start, kind, LABEL, thing) for kind in ("mbi", "member"))
    if away and own is None and thing.word not in heads.things():
        # A noun of no list where care is spoken of: "wheelchair repair 8R38-..."
        around = heads.paragraph(look, start, end, LABEL)
        away = not (keys.cared(*around) and _personal(look, *around))
    return away or (other and own == name)


def _of_care(look: Look, keys: Keys, start: int, end: int) -> bool:
    """Whether care or somebody is spoken of around what only looks like a Medicare number, or it stands alone."""
    begin, stop = heads.paragraph(look, start, end, WINDOW)
    return (
        keys.in_name
        or "mbi" in keys.topic
        or bool(_QUALIFIED.search(look.text, max(0, start - 4), start) or _ISSUED.match(look.text, end))
        or any(keys.near(kind, begin, stop, 0) for kind in _CARING)
        or bool(_COVERAGE.search(look.low, begin, stop))
        or keys.cared(begin, stop)
        or _personal(look, max(begin, start - _AROUND), min(stop, end + _AROUND))
    )


def _cleaned(bare: str) -> str:
    """An MBI without the letters that it cannot hold."""
    return bare.translate(_DIGIT_LIKE).upper()
