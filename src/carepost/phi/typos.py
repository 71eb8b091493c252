"""Words of health with one slip of a typist, mended: "presciption", "diabtes".

A word that is no common word and no known term is compared with the words of our own lists by what both are without
one letter: a letter left out, doubled, changed or swapped with its neighbour (the index of deletions of SymSpell,
bounded to one). The mended text is read beside the text itself. Each word costs as many look-ups as it has letters.
"""

import functools
import re
from itertools import islice

from carepost.phi import lists
from carepost.phi.fold import fold

#: letters of a word that is worth mending; shorter ones are other words too often
SHORTEST, LONGEST = 6, 18
#: strange words of one text that are looked up
MOST = 300
#: a text so short is read again as a whole
_SHORT = 2_000
_WORD = re.compile(r"[^\W\d_]{6,}")
#: the same of plain text, at half the time
_PLAIN_WORD = re.compile(r"[A-Za-z]{6,}")
_CLASSES = frozenset(("illness", "care", "carer"))
#: words of a visit that people misspell and that say something
_MORE = (
    "appointment", "appointments", "results", "prescription", "procedure", "reschedule", "insurance", "treatment",
    "treatments", "evaluation", "symptoms", "recovery", "examination",
)  # fmt: skip


@functools.cache
def _index() -> dict[str, str]:
    """What each word of our lists is without one letter, and the word."""
    words = [word for word, names in lists.classes().items() if not _CLASSES.isdisjoint(names)]
    found: dict[str, str] = {}
    for word in (*_MORE, *lists.read("health")["misspelt"], *words):
        if word.isalpha() and SHORTEST <= len(word) <= LONGEST and word not in lists.rare():
            for less in _without_one(word):
                found.setdefault(less, word)
    return found


def _without_one(word: str) -> set[str]:
    return {word, *(word[:place] + word[place + 1 :] for place in range(1, len(word)))}


def mended(text: str) -> str:
    """The text, or of a long one its paragraphs, with slips in words of health mended; "" where there are none."""
    common, classes = lists.valued("meaning"), lists.classes()
    found = (_PLAIN_WORD if text.isascii() else _WORD).findall(text)
    strange = {}
    # a set less a dictionary looks up the set's words
    for word in set(found).difference(common):
        if SHORTEST <= len(word) <= LONGEST:
            plain = (word if word.isascii() else fold(word)).lower()
            if plain not in common and plain not in classes:
                strange[word] = plain
    if len(strange) > MOST:
        # the first of the text, and not of a set, whose order is another one in each process
        strange = {word: strange[word] for word in islice(filter(strange.__contains__, dict.fromkeys(found)), MOST)}
    slips = {word: right for word, plain in strange.items() if (right := _mended(plain))}
    if not slips:
        return ""
    spans = [text] if len(text) <= _SHORT else [p for p in text.split("\n\n") if any(word in p for word in slips)]
    return "\n\n".join(_WORD.sub(lambda found: slips.get(found[0], found[0]), span) for span in spans)


def _mended(word: str) -> str:
    index = _index()
    return next((index[less] for less in (word, *sorted(_without_one(word))) if less in index), "")
