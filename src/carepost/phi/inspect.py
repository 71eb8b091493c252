"""The door: parts of a message in, what they say out. Pure and linear in the text; no value it finds leaves it."""

import bisect
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from carepost.phi import clinical, custom, genre, identifiers, names, person, tables, vocabulary, weigh
from carepost.phi.custom import Compiled
from carepost.phi.fold import Look, look
from carepost.phi.marks import Keys, Mark
from carepost.phi.person import Statement
from carepost.phi.render import decoded, render
from carepost.phi.types import Custom, Finding, Findings, Genre, Level, Part, Score, Strength, Where
from carepost.phi.vocabulary import Vocabulary

#: marks that support a level and say nothing to a reader of the reasons
_SILENT = frozenset(("plain", "date", "age"))


class _Read(NamedTuple):
    """One part, read."""

    part: Part
    look: Look
    marks: list[Mark]
    said: list[Statement]


def inspect(
    parts: Sequence[Part], own: Custom | None = None, words: Vocabulary | None = None, unread: Sequence[str] = ()
) -> Findings:
    """What a message says: `parts` are its subject, bodies, names and texts of attachments, form fields.

    `own` are the organisation's words, patterns and exemptions; `words` the vocabulary (loaded once where not given);
    `unread` says why something could not be read, and is passed on. ConfigError without the extra `phi`, or for a
    `own` that `custom.check` refuses; nothing else is raised.
    """
    known = words or vocabulary.load()
    compiled = custom.compile_custom(own) if own else None
    looks = [(part, look(_text(part))) for part in parts]
    kind = genre.genre([text for part, text in looks if part.group == 0])
    read = [_read(part, text, known, compiled) for part, text in looks]
    alone, individual = _levels(read, kind)
    subject = _stream([one for one in read if one.part.where is Where.SUBJECT], None)
    count = len(
        {m.value for r in read for m in r.marks if m.score is Score.IDENTIFIER and m.strength is Strength.STRONG}
    )
    return Findings(
        found=tuple(_findings(read)),
        level=alone,
        level_individual=individual,
        subject=weigh.level(subject, individual=True),
        identifiers=count,
        bulk=count >= weigh.BULK,
        genre=kind,
        unread=tuple(unread),
    )


def _text(part: Part) -> str:
    if part.where is Where.HTML:
        return render(part.text)
    if part.where is Where.NAME:
        return part.text.replace("_", " ").replace("-", " - ").rpartition(".")[0] or part.text
    more = decoded(part.text)
    return f"{part.text}\n\n{more}" if more else part.text


def _read(part: Part, text: Look, known: Vocabulary, compiled: Compiled | None) -> _Read:
    hits = list(known.hits(text))
    keys = Keys(hits, text)
    marks = [
        *identifiers.identifiers(text, keys),
        *names.names(text, keys),
        *tables.tables(text, known),
        *clinical.clinical(text, hits, keys, known),
    ]
    exempt: list[tuple[int, int]] = []
    if compiled:
        marks = [mark for mark in marks if mark.kind not in compiled.kinds]
        marks.extend(custom.marks(text, compiled))
        exempt = custom.exempted(text, compiled)
    footers = genre.footers(text)
    outside = [m for m in marks if not _within(exempt, m.start) and (_sure(m) or not _within(footers, m.start))]
    health = [mark for mark in outside if mark.score is Score.HEALTH]
    said = [
        s for s in person.statements(text, health) if not _within(footers, s.start) and not _within(exempt, s.start)
    ]
    return _Read(part, text, outside, said)


def _sure(mark: Mark) -> bool:
    """Strong marks count in a disclaimer too: it would be a good place to hide."""
    return mark.strength is Strength.STRONG


def _within(spans: Sequence[tuple[int, int]], place: int) -> bool:
    """Whether a place stands in one of the spans, which are in order."""
    index = bisect.bisect_right(spans, (place, 1 << 60))
    return any(begin <= place < end for begin, end in spans[max(0, index - 3) : index])


def _levels(read: Sequence[_Read], kind: Genre | None) -> tuple[Level, Level]:
    """The level for a copy to nobody in particular, and for one to a person."""
    groups: dict[int, list[_Read]] = {}
    for one in read:
        groups.setdefault(one.part.group, []).append(one)
    scores = [_stream(group, kind) for group in groups.values()]
    if len(scores) > 1:
        scores.append(weigh.across(scores))
    return (
        max((weigh.level(total, False) for total in scores), default=Level.NONE),
        max((weigh.level(total, True) for total in scores), default=Level.NONE),
    )


def _stream(group: Sequence[_Read], kind: Genre | None) -> weigh.Scores:
    """The scores of texts that belong together, read one after the other as a person reads them."""
    marks: list[Mark] = []
    said: list[Statement] = []
    offset = 0
    for one in group:
        marks.extend(mark._replace(start=mark.start + offset, end=mark.end + offset) for mark in one.marks)
        said.extend(s._replace(start=s.start + offset, end=s.end + offset) for s in one.said)
        offset += len(one.look.text) + 1
    return weigh.scores(marks, said, kind)


def _findings(read: Sequence[_Read]) -> Iterator[Finding]:
    """Marks of one kind, place and reason are one finding; the HTML of a body repeats nothing its text has said."""
    told: set[tuple[str, str, str, int]] = set()
    for one in sorted(read, key=lambda r: r.part.where is Where.HTML):
        counts: dict[tuple[Score, str, Strength, str, str], list[int]] = {}
        for mark in one.marks:
            if mark.kind not in _SILENT:
                counts.setdefault((mark.score, mark.kind, mark.strength, mark.near, mark.term), []).append(mark.start)
        for statement in one.said:
            kind = "statement-to" if statement.to else "statement-of"
            strength = Strength.STRONG if statement.firm else Strength.WEAK
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
