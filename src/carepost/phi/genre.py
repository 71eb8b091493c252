"""Texts that speak of health and of nobody: blank forms, newsletters, privacy notices, job adverts, letters from a vet.

And the paragraphs at the end of ordinary mail that say "may contain protected health information": what they say weighs
nothing. A genre takes soft statements away, never an identifier.
"""

import itertools
import re
from collections.abc import Sequence

from carepost.phi import lists
from carepost.phi.fold import Look
from carepost.phi.types import Genre

#: how who writes signs for a clinic: a word of farewell, a name, a line or more of a place and its office, a telephone
_NAMES = r"[A-Z][\w'.&-]*(?:,? (?:[A-Z][\w'.&-]*|&|and|of|the|for|-|\|)){0,7}"
_SIGNED = re.compile(
    r"\n[ \t]*(?:(?:[Kk]ind|[Bb]est|[Ww]arm|[Mm]any)? ?(?:[Rr]egards|[Ww]ishes|[Tt]hanks)|[Tt]hank you|[Bb]est|"
    r"[Ss]incerely|[Cc]heers|[Tt]ake care|[Rr]espectfully|[Cc]ordially|[Ss]aludos|[Gg]racias)[,.!]?[ \t]*\n+"
    rf"[A-Z][\w'.-]+(?: [A-Z][\w'.-]*){{1,3}}(?:, [A-Z][\w., -]{{1,16}})?[ \t]*\n+(?:{_NAMES}[ \t]*\n+){{1,3}}"
    r"(?:[A-Za-z]{1,9}[.:]? ?)?\+?1?[ .-]?\(?\d{3}\)?[ .-]?\d{3}[ .-]\d{4}(?![\w-])"
)
_LINES = re.compile(r"[^\n_]_{3,}|_{3,}[^\n_]")
_BLANK = re.compile(
    # each begins with a sign of its own: dense text is passed over quickly
    r"\[ ?\]|\((?<=\s\() ?\)|[☐□❏]"
    # places of a letter that a machine fills in
    r"|\[[a-z][a-z /]{3,28}\]|\{\{? ?[a-z][a-z _.]{2,28}\}|<<[a-z][a-z _]{2,28}>>"
)
#: how much of a long text is looked at, in characters
_BEGIN, _END = 8000, 4000
#: so many places to fill in make a form
_BLANKS = 3


def footers(look: Look) -> list[tuple[int, int]]:
    """The paragraphs that are disclaimers, as spans."""
    spans: list[tuple[int, int]] = []
    for found in lists.expressions("genres")["footer"].finditer(look.low):
        if spans and found.start() < spans[-1][1]:
            continue
        begin = max(
            look.low.rfind("\n", 0, found.start()), look.low.rfind(". ", max(0, found.start() - 300), found.start())
        )
        end = look.low.find("\n", found.end())
        spans.append((begin + 1, len(look.low) if end < 0 else end))
    return spans


def signatures(look: Look) -> list[tuple[int, int]]:
    """Who signs for an office, as spans: "Referral Coordinator, Cedar Point Dialysis" is no care of the reader's."""
    return [found.span() for found in _SIGNED.finditer(look.text)]


def inside(spans: Sequence[tuple[int, int]], start: int) -> bool:
    return any(begin <= start < end for begin, end in spans)


def genre(looks: Sequence[Look]) -> Genre | None:
    """What the whole message is, when it is one of the kinds that speak to nobody in particular."""
    low = "\n".join(_ends(look.low) for look in looks)
    signs = lists.expressions("genres")
    if _several(signs["veterinary"], low, 2):
        return Genre.VETERINARY
    lines = len(list(itertools.islice(_LINES.finditer(low), _BLANKS))) if "___" in low else 0
    if lines >= _BLANKS or _several(_BLANK, low, _BLANKS - lines, different=False):
        return Genre.FORM
    if _several(signs["advert"], low, 3):
        return Genre.ADVERT
    if signs["notice"].search(low):
        return Genre.NOTICE
    sure = {found[0] for found in signs["newsletter sure"].finditer(low)}
    if signs["newsletter certain"].search(low) or len(sure) >= 2 or (sure and signs["newsletter"].search(low)):
        return Genre.NEWSLETTER
    return None


def bulletin(looks: Sequence[Look]) -> bool:
    """Whether a text is written as what goes to all who code, bill, order, refer or come. It takes two signs, one of
    them sure; whether anybody is told of all the same is not looked at here."""
    low = "\n".join(_ends(look.low) for look in looks)
    signs = lists.expressions("genres")
    sure = {found[0] for found in signs["bulletin sure"].finditer(low)}
    return len(sure) >= 2 or (bool(sure) and signs["bulletin"].search(low) is not None)


def _ends(low: str) -> str:
    """Where a text says what it is: its beginning and its end."""
    return low if len(low) <= _BEGIN + _END else f"{low[:_BEGIN]}\n{low[-_END:]}"


def _several(signs: re.Pattern[str], low: str, wanted: int, different: bool = True) -> bool:
    seen: set[str] = set()
    for count, found in enumerate(signs.finditer(low), 1):
        seen.add(found[0])
        if (len(seen) if different else count) >= wanted:
            return True
    return False
