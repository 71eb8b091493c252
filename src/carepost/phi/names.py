"""Names of people: a common given name beside a capitalised word, or what a label such as "patient:" announces.

Names of doctors and of whoever signs the message are not the patient's.
"""

import re
from collections.abc import Iterator

from carepost.phi import lists
from carepost.phi.fold import Look
from carepost.phi.marks import Keys, Mark, strong, weak
from carepost.phi.types import Score, Strength

_CAPITAL = re.compile(r"(?<![\w@.'-])[A-Z][A-Za-z'-]{1,20}(?![\w@]|\.\w)")
_NEXT = re.compile(r" (?:[A-Z]\.? )?((?:de |la |del |van |von |Mc|Mac|O')?[A-Z][A-Za-z'-]{1,24})(?![\w@])")
#: "Jolene B.", "Marguerite H (seizures)"
_INITIAL = re.compile(r" [A-Z](?:\.|(?![\w'.&/-]))")
_BEFORE = re.compile(r"([A-Z][A-Za-z'-]{1,24}), ?$")
_CARET = re.compile(r"\b([A-Za-z'-]{2,24})\^([A-Za-z'-]{2,24})")
_TITLE = re.compile(r"(?:\bdr\.?|\bdoctor|\bprof\.?|\bprofessor|\bnurse) (?:[a-z]\. )?(?:[a-z'-]{2,20} )?$")
_LETTERS = re.compile(
    r",? ?(?:m\.?d|d\.?o|r\.?n|n\.?p|p\.?a(?:-c)?|ph\.?d|dds|dmd|lcsw|lpn|cna|aprn|crna|facs|cpa|esq|pharmd|dpm|od)\b"
)
_CLOSING = re.compile(
    r"(?:sincerely|regards|thanks|thank you|best|cheers|cordially|respectfully|yours|warmly|saludos|atentamente)"
    r"[^\n]{0,20}\n{1,2}[^\n]{0,40}$"
)
_GREETING = re.compile(
    r"(?:^|\n|(?<=[.!?] ))(?:dear|hi|hello|hey|hola|estimad[oa]|good (?:morning|afternoon|evening)|"
    r"congratulations|thanks),? (?:mr\.? |mrs\.? |ms\.? |miss |sr\.? |sra\.? )?([a-z'-]{2,20})(?= [A-Z]|[,!.:;\n-]|$| )"
)
_LEADING = re.compile(r"(?:^|\n)([A-Z][a-z'-]{1,20}),? ")
_ANNOUNCED = re.compile(
    r"(?: name)?\s?[:=#-]?[\s\"*|]{0,3}(?:(?:mr|mrs|ms|miss)\.? )?"
    r"([A-Z][A-Za-z'-]{1,24})(,? )(?:[A-Z]\.? )?([A-Z][A-Za-z'-]{1,24})(?!\w)"
)
#: two capitalised words that a record number, a birth date or an age follows: "Ann Example (DOB 1/2/1970)"
_RECORDED = re.compile(
    r"(?<![\w@.'-])([A-Z][A-Za-z'-]{1,24})(?:, ?| )(?:[A-Z]\.? )?([A-Z][A-Za-z'-]{1,24})[\s,;/|(\[-]{1,4}"
    r"(?:(?:dob|d\.o\.b|mrn|mr ?#|ssn|id|acct|age|aged|born|date of birth|medicare|member|medicaid|policy|chart|"
    r"nacid[oa]|DOB|MRN|MR ?#|SSN|ID|Medicare|Medicaid|Member)(?![A-Za-z])|(?<=[/|] )#? ?\d{5,10}(?!\d)|"
    r"\(?\d{3}\)?[ .-]\d{3}-\d{4}|"
    r"(?<=\()\d{1,3}[,)]|(?<=, )\d{1,3}(?=[,;.] )|(?:[Rr]oom|[Rr]m|[Bb]ed|[Bb]ay)\.? ?\d|"
    r"\d{1,3} ?(?:y/?o|yo|[mfMF]\b|year|yr)|(?:\d{1,2}[/.-]){2}\d{2,4}|[01]\d[0-3]\d(?:19|20)\d\d(?!\d)|"
    r"(?:19|20)\d\d-\d\d-\d\d|"
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6} \d{1,2}, (?:19|20)\d\d)",
)
#: a family name alone that an age and a sex follow: "Example 84 f"
_AGED = re.compile(r"(?<![\w@.'-])([A-Z][A-Za-z'-]{2,24}),? [(]?\d{1,3} ?(?:y/?o ?)?[mfMF](?![\w'])")
#: two capitalised words after a word that a person follows: "for Ann Example"
_MEANT = re.compile(
    r"(?<!\w)(?=[A-Za-z])"
    r"(?:[Ff]or|[Rr][Ee]:?|[Rr]egarding|[Oo]n|[Ss]ee|[Aa]bout|[Oo]f|[Tt]reat(?:ed|ing)?|[Ff]rom|[Ww]ith|[Cc]aller|"
    r"[Mm]br|[Ss]tudent|[Cc]laim(?:ant)?|FYI|[Tt]ransfer|[Ee]valuate|[Bb]aby(?: girl| boy)?|[Nn]ight|is|at|[Vv]isited|"
    r"to|by|and|chart|called|saw|[Bb]ook) (?:my patient |our patient |pt )?([A-Z][A-Za-z'-]{1,24}),? (?:[A-Z]\.? )?"
    r"([A-Z][A-Za-z'-]{1,24})(?![\w'@-]| [A-Z][a-z])"
)
#: two capitalised words that do or suffer something: "Ann Example has"
_SUBJECT = re.compile(
    r"(?<![\w@.'-])([A-Z][A-Za-z'-]{1,24}) (?:[A-Z]\.? )?([A-Z][A-Za-z'-]{1,24}),? "
    r"(?:is|was|has|needs|takes|had|reports?|presents?|presented|underwent|refused|died|fell|got|came|called|requests|may|also|"
    r"tested|will|carries|complains?|resident|patient|inmate|student|aged?) "
)
#: a line that is a family name and a number, and the name of a file
_LINE = re.compile(r"(?:^|\n)([A-Z][A-Za-z'-]{1,24})(?:,? [A-Z][A-Za-z'-]{1,24})? [#(]?\d{5,10}\)?(?=\n|$)")
_PAIR = re.compile(r"(?<![A-Za-z])([A-Z][a-z'-]{1,24})[ ,]{1,2}([A-Z][a-z'-]{1,24})(?![A-Za-z])")
_DATED = re.compile(
    r"(?<!\d)(?:[01]\d[0-3]\d(?:19|20)\d\d|(?:19|20)\d\d[01]\d[0-3]\d)(?!\d)|\d{1,2}[-.]\d{1,2}[-.]\d{2,4}"
)
#: "JSantangelo DOB061479"
_BORN = re.compile(r"(?<![a-z])dob ?(\d{6})(?!\d)")
_HONORIFIC = re.compile(r"(?<!\w)(?:Mr|Mrs|Ms|Miss)\.? [A-Z][A-Za-z'-]{1,24}(?!\w)")


def names(look: Look, keys: Keys) -> Iterator[Mark]:
    """Full names (weight 1), and greetings by name (half as much: they say that one person is spoken to)."""
    given = lists.given_names()
    for found in _CAPITAL.finditer(look.text):
        if found[0].lower() not in given:
            continue
        start, end = found.span()
        before = _BEFORE.search(look.text, max(0, start - 27), start)
        after = _NEXT.match(look.text, end)
        if before and before[1].lower() not in lists.not_surnames():
            start = before.start()
        elif after and after[1].lower() not in lists.not_surnames():
            end = after.end()
        elif initial := _INITIAL.match(look.text, end):
            if not _other(look, start, initial.end()):
                yield weak(start, initial.end(), "name", 0.8)
            continue
        else:
            continue
        if not _other(look, start, end):
            yield weak(start, end, "name", 1.0)
    for hit in keys.of("name"):
        told = _ANNOUNCED.match(look.text, hit.end)
        if (
            told
            and not {told[1].lower(), told[3].lower()} & lists.not_surnames()
            and not _other(look, told.start(1), told.end())
        ):
            yield weak(told.start(1), told.end(), "name", 1.0, hit.entry.term)
    for found in _RECORDED.finditer(look.text):
        if _person(look, found, found.end(2)):
            yield weak(found.start(), found.end(2), "name", 1.0)
            yield Mark(found.start(), found.end(2), Score.PERSON, "statement-of", Strength.STRONG)
    for found in _MEANT.finditer(look.text):
        if _person(look, found, found.end()):
            yield weak(found.start(1), found.end(), "name", 0.8)
    for found in _SUBJECT.finditer(look.text):
        if _person(look, found, found.end(2)):
            yield weak(found.start(1), found.end(2), "name", 0.8)
    for found in _LINE.finditer(look.text):
        if found[1].lower() not in lists.not_surnames():
            yield weak(*found.span(1), "name", 0.8)
            yield Mark(*found.span(), Score.PERSON, "statement-of", Strength.STRONG)
    for found in look.around(_AGED):
        if found[1].lower() not in lists.not_surnames():
            yield weak(*found.span(1), "name", 0.8)
            yield Mark(*found.span(), Score.PERSON, "statement-of", Strength.STRONG)
    for found in _HONORIFIC.finditer(look.text):
        yield weak(*found.span(), "name", 0.8)
    for found in _CARET.finditer(look.text):
        yield weak(*found.span(), "name", 1.0)
    for found in _GREETING.finditer(look.low):
        if found[1] in given:
            yield weak(*found.span(1), "greeting", 0.5)
    for found in _LEADING.finditer(look.text):
        if found[1].lower() in given:
            yield weak(*found.span(1), "greeting", 0.5)


def file_name(look: Look) -> Iterator[Mark]:
    """Who a file is named after: two capitalised words and a date in one name."""
    if born := _BORN.search(look.low):
        yield strong(*born.span(1), "dob", "DOB", born[1])
    found = _PAIR.search(look.text)
    if found and _person(look, found, found.end()) and _DATED.search(look.text):
        yield weak(*found.span(), "name", 1.0)
        yield Mark(*found.span(), Score.PERSON, "statement-of", Strength.STRONG)


def _person(look: Look, found: re.Match[str], end: int) -> bool:
    """Whether the two words of `found` can be a person who is no provider: not a place, not a title of a page."""
    words = {found[1].lower(), found[2].lower()}
    state = len(found[2]) == 2 and found[2].isupper()
    return not state and not words & lists.not_surnames() and not _other(look, found.start(1), end)


def _other(look: Look, start: int, end: int) -> bool:
    """Whether the name belongs to a provider or to who signs."""
    return bool(
        _TITLE.search(look.low, max(0, start - 30), start)
        or _LETTERS.match(look.low, end)
        or _CLOSING.search(look.low, max(0, start - 80), start)
    )
