"""Numbers that name a provider: NPI and DEA. They weigh nothing against a patient; an organisation may ask for them.

An NPI is often known by its place alone: a box of a form, a segment, the head of a column, the doctor's name before it.
Every NPI that was issued begins with 1, as no telephone number does, and one in ten numbers has its check digit.
"""

import re
from collections.abc import Iterator

from carepost.phi import checks, heads
from carepost.phi.fold import Look
from carepost.phi.marks import WINDOW, Keys, Mark, digits_of, weak
from carepost.phi.numbers import BEGIN, END, FOLLOWS, LABEL, called, owned, paired

_TEN = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:[12]\d{3}[ .-]?\d{3}[ .-]?\d{3}|[12]\d{2}([ .-])\d{3}\1\d{4})"
    r"(?![A-Za-z0-9]|\.\d|-\d(?!\w{1,9}-[A-Za-z]))|[12]\d{9}(?=-\d[A-Za-z]))"
)
#: ten digits in any groups, right after their label
_LOOSE = re.compile(rf"{BEGIN}[12](?:[-. _/,\n]{{0,3}}\d){{9}}{END}")
_DEA = re.compile(
    r"[A-HJ-MPRSTUXa-hj-mprstux](?:(?<![A-Za-z0-9].)(?<!\d[.-].)|(?<=DEA.)|(?<=dea.))[A-Za-z9][ -]?\d{7}"
    r"(?![A-Za-z0-9]|\.\d)"
)
_LOOSE_DEA = re.compile(rf"{BEGIN}[A-HJ-MPRSTUXa-hj-mprstux](?:[-. ]{{0,2}}[A-Za-z9])(?:[-. ]{{0,2}}\d){{7}}{END}")
_NOISE = frozenset(("drug", "name", "cpt", "icd"))
#: a qualifier of X12, or a segment of HL7, says that a number is of a provider
_QUALIFIED = re.compile(r"(?:\*XX\*|\*HPI\*|\|XX\||\^NPI\^)$")
_SEGMENT = re.compile(
    r"(?:TS[23]|PV1|PV2|ORC|OBR|ROL|PRD|PR1|RXO|RXE|RXA|TXA|SCH|AIP|FT1|IN1|OBX|STF|PRA|PRV|NM1)[|*][^\n]{0,400}$"
)
#: how far a keyword of who gives care may stand from a number that nothing else names, and one of care from it
_CARERS, _CARE = 300, 120
_OF_CARE = ("dea", "icd", "cpt", "mbi", "ndc", "member")
_OF_PEOPLE = frozenset(("dob", "ssn", "mbi", "dea", "npi", "itin"))
#: a telephone may be spoken of between an NPI and its number
_SPOKEN = re.compile(r"(?<![a-z])npi(?: number)?,[^\d.;:\n]{1,60}, (?:is|reads|was|says):? $")
#: what a pronoun stands for is what was spoken of
_IT = re.compile(r"(?<![a-z])(?:it|that|this|the right one|he|she) ?(?:is|was|'s|should be|must be|reads):? $")
#: keywords that are nouns and name a provider's number, and nouns that stand before one as a name would
_OWN_NOUNS = ("npi", "provider", "name", "dea", "icd", "mbi", "member")
_CARING = heads.words("of orders")
#: what is counted is no provider: "1921730481 bytes"
_FOR_DOCTOR = re.compile(r" (?:for|of) (?:the )?(?:dr|doctor|dra)\.?(?: [a-z.'-]{1,20}){1,3}[:,#]? ?$")
_COUNTS = re.compile(r" (?!(?:for|is|and|at|in|on|the|npi|to|with|who|as|or|of|by|from|was|has)\b)[a-z]{3,}")
_REGISTERED = frozenset((
    "registrant", "registration", "certificate", "practitioner", "prescriber", "reg", "pres", "institutional", "permit",
    "renew", "distributor's", "distributor", "supplier", "federal",
))  # fmt: skip
_REGISTRY = re.compile(
    r"(?<![a-z])(?:registra(?:nt|tion)s?|permit|certificate)[^a-z]{0,4}(?:(?:no|number|id|is)[^a-z]{1,3})*$"
)
#: what is said of controlled substances (21 CFR 1301 to 1311), and of drugs that are
_SUBSTANCES = re.compile(
    r"(?<![a-z0-9])(?:registrants?|schedules? (?:[1-5]n?|i{1,3}v?|iv|v|ii-v)"
    r"(?![a-z0-9]| (?!for|of|and|drug|contr|sub)[a-z])|"
    r"controlled|federal|diversion|prescrib|presc?(?![a-z])|form 222|222 (?:form|copy|log|order)|"
    r"narcotic|opioid|arcos|csos|epcs|pdmp|biennial|mate act|suffix|oxycodone|fentanyl|tramadol|pregabalin|hydrocodone|"
    r"morphine|methadone|buprenorphine|adderall|ketamine|rx)(?![a-z])"
)
#: half of how far before a number the word for a telephone is looked for
_HALF = LABEL // 2
#: labels beside it of what is never ten digits
_OF_OTHER_FORM = ("provider", "dea", "icd", "mbi", "dob")
#: what a number of ten digits is, however far its label
_NEVER = ("phone", "card", "ssn")
#: so close a label is the number's own
_OWN = 15


def providers(look: Look, keys: Keys) -> Iterator[Mark]:
    yield from _npis(look, keys)
    yield from _deas(look, keys)


def _npis(look: Look, keys: Keys) -> Iterator[Mark]:
    for found in look.begins(_TEN, look.many):
        digits = digits_of(found[0])
        if checks.npi(digits) and _npi(look, keys, found, digits):
            yield weak(*found.span(), "npi", 0.0, "NPI")
    for hit in keys.of("npi"):
        loose = _LOOSE.search(look.text, hit.end, hit.end + LABEL)
        if loose and not _TEN.fullmatch(loose[0]) and checks.npi(digits_of(loose[0])):
            name = keys.label(loose.start(), LABEL, _NOISE)
            if name and name[0] == "npi":
                yield weak(*loose.span(), "npi", 0.0, "NPI")


def _npi(look: Look, keys: Keys, found: re.Match[str], digits: str) -> bool:
    """Whether ten digits with the check digit of an NPI are one."""
    start, end = found.span()
    name = called(look, keys, start, _NOISE)
    _, kinds = keys.under(start)
    if (head := keys.headed(start)) and head[0].startswith("other"):
        return False
    thing = heads.noun(look, keys, start, _OWN_NOUNS)
    if (name and name[0] == "npi" and not heads.elsewhere(look, keys, start, "npi", LABEL, thing)) or "npi" in kinds:
        return True
    if heads.follows(look, keys, "npi", end, FOLLOWS) and not (thing and heads.apart(look, end, end + FOLLOWS)):
        return True
    if found[0][0] == "1" and "npi" in keys.topic and not thing and not (name and name[0].startswith("other")):
        return True
    if _referred(look, keys, start) or paired(look, keys, start, "npi"):
        return True
    if thing and thing.word not in _CARING:
        return (
            name is not None and name[0] == "provider" and not heads.elsewhere(look, keys, start, "npi", LABEL, thing)
        )
    if (
        thing is None
        and not keys.in_name
        and _COUNTS.match(look.text, end)
        and not (name and keys.near("provider", *heads.paragraph(look, start, end, LABEL), 0))
    ):
        return False
    if _named(look, keys, found, name) or _QUALIFIED.search(look.text, max(0, start - 6), start):
        return True
    if digits[0] != "1" or found[1] or look.text.startswith("MSH|", look.text.rfind("\n", 0, start) + 1):
        return False
    if _segment(look, start):
        return True
    if _for_doctor(look, keys, start):
        return False
    if name and name[0] == "provider":
        return True
    if keys.in_name and not (name and name[0].startswith("other")):
        return True
    # No telephone number begins with 1
    own = keys.label(start, _OWN, _NOISE | {"account", "phone"})
    if (own and own[0] == "provider") or (keys.near("npi", start, end, LABEL) and not own):
        return True
    if own and own[0] not in _OF_PEOPLE and own[0] != "provider":
        return False
    if keys.after("provider", end, FOLLOWS):
        return True
    if name and (name[0].startswith("other") or name[0] in ("phone", "account", "card")):
        return False
    if "provider" in kinds:
        return True
    before, after = heads.paragraph(look, start, end, _CARERS)
    if "provider" in keys.topic or keys.near("provider", before, after, 0):
        return True
    before, after = max(before, start - _CARE), min(after, end + _CARE)
    return any(keys.near(kind, before, after, 0) for kind in _OF_CARE)


def _for_doctor(look: Look, keys: Keys, start: int) -> bool:
    """Whether a number is of a thing that somebody who gives care has: "hotel confirmation for Dr. Lisle: 1..."."""
    found = _FOR_DOCTOR.search(look.low, max(0, start - LABEL), start)
    own = keys.label(found.start(), 2) if found else None
    return own is not None and own[0].startswith("other")


def _referred(look: Look, keys: Keys, start: int) -> bool:
    """Whether the sentence comes back to its NPI: "missing NPI on the order, it is 1..."."""
    if not _IT.search(look.low, max(0, start - _OWN), start) and (
        look.text[start] != "1" or owned(look, keys, start, _NOISE) or heads.head(look, start).of is heads.Of.THING
    ):
        return False
    place = keys.before("npi", start, LABEL)
    return place is not None and not heads.apart(look, place[1], start)


def _named(look: Look, keys: Keys, found: re.Match[str], name: tuple[str, str] | None) -> bool:
    """Whether an NPI is spoken of around a number that nothing else names: "npi for the new oncologist = ..."."""
    start, end = found.span()
    if not keys.near("npi", start, end, 2 * LABEL if found[1] else WINDOW):
        return False
    if name is None or name[0] == "provider":
        # "Telephone of the doctor: 2..."
        return digits_of(found[0])[0] == "1" or not keys.near("phone", start - _HALF, start - _HALF, _HALF)
    if name[0] in _NEVER or name[0].startswith("other") or not keys.near("npi", start, start, 2 * LABEL):
        if name[0] == "phone" and look.text[start] == "1" and (place := keys.before("npi", start, LABEL)):
            # No telephone number begins with 1: "writes his NPI like a phone number, 1..."
            return not heads.apart(look, place[1], start)
        return name[0] == "phone" and bool(_SPOKEN.search(look.low, max(0, start - 2 * LABEL), start))
    # What is named before it has a number or a word of its own: "NPI for claim 8831 is ..."
    own = owned(look, keys, start, _NOISE)
    return own is None or own[0] in _OF_OTHER_FORM


def _segment(look: Look, start: int) -> bool:
    begin = look.text.rfind("\n", max(0, start - 400), start) + 1
    return bool(_SEGMENT.match(look.text, begin, start))


def _controlled(look: Look, keys: Keys, start: int, end: int) -> bool:
    """Whether what has the form of a DEA number stands where controlled substances, or who may order them, are spoken
    of."""
    begin, stop = heads.paragraph(look, start, end, WINDOW)
    if keys.near("dea", begin, stop, 0):
        return True
    return "dea" in keys.topic or bool(_SUBSTANCES.search(look.low, begin, stop))


def _deas(look: Look, keys: Keys) -> Iterator[Mark]:
    for found in look.before(_DEA, 3):
        start, end = found.span()
        if not checks.dea(re.sub("[ -]", "", found[0])):
            continue
        near = keys.near("dea", start, end, LABEL)
        name = called(look, keys, start, _NOISE)
        if not near and name and name[0] in ("dea", "provider", "npi"):
            near = name[1]
        other = name is not None and name[0].startswith("other") and owned(look, keys, start, _NOISE) == name
        other = other and not _REGISTRY.search(look.low, max(0, start - LABEL // 2), start)
        if not near and not other and not keys.headed(start) and _controlled(look, keys, start, end):
            near = "DEA"
        if look.low.startswith("dea", start - 3):
            near = "DEA"
        if not near and not (name and name[0].startswith("other")):
            near = keys.near("dea", start, end, 2 * LABEL) or ("DEA" if "dea" in keys.under(start)[1] else "")
        thing = heads.noun(look, keys, start, ("dea", "npi", "provider", "name", "licence"))
        if (
            thing
            and heads.elsewhere(look, keys, start, "dea", LABEL, thing)
            and not (
                heads.follows(look, keys, "dea", end, FOLLOWS)
                or thing.word in _REGISTERED
                or "dea" in keys.under(start)[1]
                or (name and name[0] in ("dea", "npi") and owned(look, keys, start, _NOISE) == name)
            )
        ):
            near = ""
        if near:
            yield weak(start, end, "dea", 0.0, near)
    for hit in keys.of("dea"):
        loose = _LOOSE_DEA.search(look.text, hit.end, hit.end + LABEL)
        if loose and not _DEA.fullmatch(loose[0]) and checks.dea(re.sub("[-. ]", "", loose[0])):
            yield weak(*loose.span(), "dea", 0.0, hit.entry.term)
