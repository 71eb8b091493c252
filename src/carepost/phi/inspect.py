"""The door: parts of a message in, what they say out. Pure and linear in the text; no value it finds leaves it."""

import bisect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from carepost.phi import (
    clinical,
    custom,
    disguise,
    evidence,
    genre,
    identifiers,
    lists,
    names,
    person,
    reasons,
    tables,
    verdict,
    vocabulary,
    weigh,
)
from carepost.phi.custom import Compiled
from carepost.phi.fold import Look, look, unrepeated, unstuck
from carepost.phi.harmless import counts
from carepost.phi.marks import Keys, Mark
from carepost.phi.person import Statement
from carepost.phi.render import decoded, render
from carepost.phi.types import Custom, Finding, Findings, Genre, Level, Part, Score, Strength, Where
from carepost.phi.vocabulary import Vocabulary

#: in longer texts that are high already, names and statements would add nothing but time
_LONG = 6_000
#: of the words in the name of a file
_SEPARATORS = re.compile(r"[_+]|%20|(?<=[A-Za-z])[.-]|[.-](?=[A-Za-z])")
#: "SocialSecurityCard", in the name of a file
_HUMPS = re.compile(r"(?<=[a-z]{2})(?=[A-Z][a-z]{2})")
#: marks that support a level and say nothing to a reader of the reasons
#: marks of numbers of people, and of who cares for them
_NUMBERS = frozenset(("ssn", "mbi", "npi", "dea", "card", "mrn", "member-id", "dob"))
_SILENT = frozenset(("plain", "date", "age"))
#: weak identifiers, and classes of words, that tell of one person
_OF_ONE = frozenset(("ssn", "mbi", "mrn", "member-id", "dob", "age"))
_SAID_OF_ONE = frozenset(("myself", "him or her", "family"))
#: the office that codes (health information management), and the pronoun
_OFFICE, _HIM, _END = re.compile(r"\bHIM\b"), re.compile(r"\b[Hh]im\b"), re.compile("\n")
#: the pronoun, not "section I.C.9"
_I = re.compile(r"(?<![\w.])[Ii](?:'[a-z]{1,2})? [a-z]")


class _Read(msgspec.Struct):
    """One part, read."""

    part: Part
    look: Look
    marks: list[Mark]
    said: list[Statement]
    exempt: list[tuple[int, int]]
    footers: list[tuple[int, int]]
    #: who signs for an office
    signed: list[tuple[int, int]]
    keys: Keys


def inspect(
    parts: Sequence[Part],
    own: Custom | None = None,
    words: Vocabulary | None = None,
    unread: Sequence[str] = (),
    seen: Callable[[Part, Look, Mark], None] | None = None,
) -> Findings:
    """What a message says: `parts` are its subject, bodies, names and texts of attachments, form fields.

    `own` are the organisation's words, patterns and exemptions; `words` the vocabulary (loaded once where not given);
    `unread` says why something could not be read, and is passed on; `seen` is shown every mark that counts. ConfigError
    without the extra `phi`, or for a `own` that `custom.check` refuses; nothing else is raised.
    """
    read, kind = _all(parts, own, words)
    if seen is not None:
        for one in read:
            for mark in one.marks:
                if mark.kind not in _SILENT:
                    seen(one.part, one.look, mark)
    alone, individual, why = _levels(read, kind)
    subject = _stream([one for one in read if one.part.where is Where.SUBJECT], None)
    count = len(
        {m.value for r in read for m in r.marks if m.score is Score.IDENTIFIER and m.strength is Strength.STRONG}
    )
    return Findings(
        found=(*_findings(read), *why),
        level=alone,
        level_individual=individual,
        subject=weigh.level(subject, individual=True),
        identifiers=count,
        bulk=count >= weigh.BULK,
        genre=kind,
        unread=tuple(unread),
    )


def described(parts: Sequence[Part], individual: bool) -> list[tuple[dict[str, float], set[str]]]:
    """What `evidence` sees of each stretch of a message that is not settled, its counts and its phrases: for measuring
    weights."""
    read, kind = _all(parts, None, None)
    found: list[tuple[dict[str, float], set[str]]] = []
    for group in _groups(read):
        total = _stream(group, kind)
        if weigh.settled(total):
            return []
        found.extend(
            (evidence.counts(block, kind, individual), block.phrases) for block in evidence.stretches(_sources(group))
        )
    return found


def _all(parts: Sequence[Part], own: Custom | None, words: Vocabulary | None) -> tuple[list[_Read], Genre | None]:
    """The parts, read, and what the whole is."""
    known = words or vocabulary.load()
    compiled = custom.compile_custom(own) if own else None
    looks = [(part, look(_text(part))) for part in parts]
    kind = genre.genre([text for part, text in looks if part.group == 0])
    read: list[_Read] = []
    topics: dict[int, frozenset[str]] = {}
    subject = next((text.low for part, text in looks if part.where is Where.SUBJECT), "")
    for part, text in looks:
        one = _read(part, text, known, compiled, topics.get(part.group, frozenset()), subject)
        if part.where is Where.SUBJECT:
            topics[part.group] = frozenset(hit.entry.kind[4:] for hit in one.keys.all)
        read.append(one)
    # Names and statements say nothing where nobody speaks of health
    health = any(mark.score is Score.HEALTH for one in read for mark in one.marks)
    if health or any(evidence.health_words(one.look) for one in read):
        for one in read:
            if len(one.look.text) <= _LONG or not _decided(one):
                _people(one, compiled)
        if kind in (None, Genre.NEWSLETTER) and genre.bulletin([one.look for one in read]) and not _told(read):
            kind = Genre.BULLETIN
    return read, kind


def _told(read: Sequence[_Read]) -> bool:
    """Whether anything tells of one person: a number, an age, a greeting, a statement, a word said of one, or a name in
    a line with or beside what speaks of health."""
    classes = lists.classes()
    for one in read:
        # a name that begins a line greets, where something of health follows: who signs stands below
        ill = max((m.start for m in one.marks if m.score is Score.HEALTH), default=0)
        if any(m.score is Score.PERSON or m.kind in _OF_ONE for m in one.marks):
            return True
        if any(m.kind == "greeting" and m.start < ill for m in one.marks):
            return True
        words = set(one.look.flat.split())
        if _OFFICE.search(one.look.text) and not _HIM.search(one.look.text):
            words.discard("him")
        if not _I.search(one.look.text):
            words.discard("i")
        if any(not _SAID_OF_ONE.isdisjoint(classes.get(word, ())) for word in words):
            return True
        ends = [found.start() for found in _END.finditer(one.look.text)]
        ill_in = {bisect.bisect_left(ends, m.start) for m in one.marks if m.score is Score.HEALTH and m.weight >= 1.0}
        near = {line + beside for line in ill_in for beside in (-1, 0, 1)}
        if any(m.kind == "name" and bisect.bisect_left(ends, m.start) in near for m in one.marks):
            return True
    return False


def _text(part: Part) -> str:
    if part.where is Where.NAME:
        return unstuck(_HUMPS.sub(" ", _SEPARATORS.sub(" ", part.text.rpartition(".")[0] or part.text)))
    text = render(part.text) if part.where is Where.HTML else part.text
    more = "" if part.where is Where.HTML else decoded(part.text)
    return unstuck("\n\n".join(filter(None, (text, more, disguise.plain(unrepeated(text))))))


def _read(
    part: Part,
    text: Look,
    known: Vocabulary,
    compiled: Compiled | None,
    topic: frozenset[str] = frozenset(),
    subject: str = "",
) -> _Read:
    """The identifiers by number and the health of one part."""
    hits = list(known.hits(text))
    keys = Keys(hits, text)
    keys.in_name = part.where is Where.NAME
    rows = tables.rows(text)
    tables.tell(text, keys, rows)
    exempt, signed = custom.exempted(text, compiled) if compiled else [], genre.signatures(text)
    read = _Read(part, text, [], [], exempt, sorted((*genre.footers(text), *signed)), signed, keys)
    keys.topic = topic
    marks = [*identifiers.identifiers(text, keys), *tables.tables(text, known, rows)]
    keys.people = sorted(mark.start for mark in marks if mark.kind in _NUMBERS)
    marks += clinical.clinical(text, hits, keys, known)
    marks = verdict.judged(text, keys, hits, marks, known, subject)
    if compiled:
        marks.extend(custom.marks(text, compiled))
    read.marks = _counted(read, _apart(marks), compiled)
    return read


def _apart(marks: Sequence[Mark]) -> Sequence[Mark]:
    """Marks without the diagnoses that are parts of a Medicare number: "7GF1 T24 AH02"."""
    spans = sorted((mark.start, mark.end) for mark in marks if mark.kind == "mbi")
    if not spans:
        return marks
    return [mark for mark in marks if mark.kind != "icd10" or not _within(spans, mark.start)]


def _decided(read: _Read) -> bool:
    """Whether a part is high already: a strong identifier, and a clinical word."""
    strong = any(m.strength is Strength.STRONG and m.score is Score.IDENTIFIER for m in read.marks)
    return strong and any(m.score is Score.HEALTH and m.weight >= weigh.ANY for m in read.marks)


def _people(read: _Read, compiled: Compiled | None) -> None:
    """The names and statements of one part."""
    read.marks.extend(_counted(read, names.names(read.look, read.keys), compiled))
    if read.part.where is Where.NAME:
        read.marks.extend(_counted(read, names.file_name(read.look), compiled))
    said = person.statements(read.look, [mark for mark in read.marks if mark.score is Score.HEALTH])
    read.said = [s for s in said if not _within(read.footers, s.start) and not _within(read.exempt, s.start)]


def _counted(read: _Read, marks: Iterable[Mark], compiled: Compiled | None) -> list[Mark]:
    """Marks without those in exempt text, of kinds the organisation never counts, and weak ones in disclaimers."""
    if compiled:
        marks = (m for m in marks if m.kind not in compiled.kinds and not _within(read.exempt, m.start))
    if compiled and compiled.known is not None and compiled.tokens:
        held, tokens = compiled.known, compiled.tokens
        marks = [m for m in marks if counts(read.look, m, held, tokens)]
    if read.footers:
        return [m for m in marks if _sure(m) or not _within(read.footers, m.start)]
    return list(marks)


def _sure(mark: Mark) -> bool:
    """Strong marks count in a disclaimer too: it would be a good place to hide."""
    return mark.strength is Strength.STRONG


def _within(spans: Sequence[tuple[int, int]], place: int) -> bool:
    """Whether a place stands in one of the spans, which are in order."""
    if not spans:
        return False
    index = bisect.bisect_right(spans, (place, 1 << 60))
    return any(begin <= place < end for begin, end in spans[max(0, index - 3) : index])


def _levels(read: Sequence[_Read], kind: Genre | None) -> tuple[Level, Level, list[Finding]]:
    """The level for a copy to nobody in particular, for one to a person, and what weak evidence reached them."""
    alone, individual = Level.NONE, Level.NONE
    why: list[Finding] = []
    scores = []
    for group in _groups(read):
        total = _stream(group, kind)
        scores.append(total)
        blocks = [] if weigh.settled(total) else list(evidence.stretches(_sources(group)))
        likely = [_likeliest(blocks, kind, total, person) for person in (False, True)]
        firm = weigh.settled(total) or any(":" in mark.kind for one in group for mark in one.marks)
        alone = max(alone, _answer(total, likely[0], firm, individual=False))
        individual = max(individual, _answer(total, likely[1], firm, individual=True))
        if block := likely[1] or likely[0]:
            why.append(_reason(group, block))
    if len(scores) > 1:
        total = weigh.across(scores)
        alone = max(alone, weigh.level(total, False))
        individual = max(individual, weigh.level(total, True))
    return alone, individual, why


def _groups(read: Sequence[_Read]) -> list[list[_Read]]:
    """Parts that belong together."""
    groups: dict[int, list[_Read]] = {}
    for one in read:
        groups.setdefault(one.part.group, []).append(one)
    return list(groups.values())


def _sources(group: Sequence[_Read]) -> list[evidence.Source]:
    heads = (Where.SUBJECT, Where.NAME)
    return [
        evidence.Source(one.look.without(one.signed), one.marks, one.said, one.part.where in heads) for one in group
    ]


def _likeliest(
    blocks: Sequence[evidence.Block], kind: Genre | None, total: weigh.Scores, individual: bool
) -> evidence.Block | None:
    """The first stretch that speaks of one person's health more likely than not."""
    agreed = kind is None and weigh.level(total, individual) >= Level.PHI_LIKELY
    return next((block for block in blocks if evidence.likely(block, kind, individual, agreed)), None)


def _reason(group: Sequence[_Read], block: evidence.Block) -> Finding:
    """Weak evidence as a finding: what it is made of, in words of our own."""
    part = next((one.part for one in group if one.part.where not in (Where.SUBJECT, Where.NAME)), group[0].part)
    near = ", ".join(reasons.reasons(block))
    return Finding(Score.PERSON, "note-of-care", Strength.WEAK, part.where, part.number, part.group, near)


def _answer(total: weigh.Scores, likely: evidence.Block | None, firm: bool, individual: bool) -> Level:
    """The level by the rules, as far as the weight of all evidence agrees; likely where it alone is enough.

    `firm`: a strong identifier beside health, or an organisation's own word, which weighing cannot take away.
    """
    reached = weigh.level(total, individual)
    if likely:
        return max(reached, Level.PHI_LIKELY)
    return reached if firm else weigh.without(total)


def _stream(group: Sequence[_Read], kind: Genre | None) -> weigh.Scores:
    return weigh.scores((weigh.Text(one.marks, one.said, len(one.look.text)) for one in group), kind)


def _findings(read: Sequence[_Read]) -> Iterator[Finding]:
    """Marks of one kind, place and reason are one finding; the HTML of a body repeats nothing its text has said."""
    told: set[tuple[str, str, str, int]] = set()
    for one in sorted(read, key=lambda r: r.part.where is Where.HTML):
        counts: dict[tuple[Score, str, Strength, str, str], list[int]] = {}
        for mark in one.marks:
            if mark.kind not in _SILENT:
                counts.setdefault((mark.score, mark.kind, mark.strength, mark.near, mark.term), []).append(mark.start)
        firm = {statement.to for statement in one.said if statement.firm}
        for statement in one.said:
            kind = "statement-to" if statement.to else "statement-of"
            strength = Strength.STRONG if statement.to in firm else Strength.WEAK
            counts.setdefault((Score.PERSON, kind, strength, "", ""), []).append(statement.start)
        for (score, kind, strength, near, term), places in counts.items():
            mine = (kind, near, term, one.part.group)
            if one.part.where is Where.HTML and mine in told:
                continue
            if one.part.where is not Where.SUBJECT:
                told.add(mine)
            line = one.look.text.count("\n", 0, min(places)) + 1
            where, number, group = one.part.where, one.part.number, one.part.group
            yield Finding(score, kind, strength, where, number, group, near, term, len(places), line)
