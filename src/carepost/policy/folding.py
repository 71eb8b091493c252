"""How a text that rules look for is compared: what two people would read as the same counts as the same.

A trigger that misses sends mail by weaker rules than its writer asked for, and nobody sees it. Programs put soft
hyphens, joiners and full-width letters into what people type: folded away wherever a match makes things stricter.
Pure: no clock, no table.
"""

import functools
import re
import unicodedata
from typing import Final

#: shown as nothing, though not of category Cf (Unicode's Default_Ignorable_Code_Point): grapheme joiner, fillers,
#: inherent vowels, variation selectors
_SHOWN_AS_NOTHING: Final = frozenset(
    [0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10),
     *range(0xE0100, 0xE01F0)]
)  # fmt: skip
#: rounds of taking a text out; what is left of nested ones has no words of its own
_ROUNDS: Final = 8


def fold(text: str) -> str:
    """`text` in one case and width, without what is shown as nothing, runs of white space as one blank."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.lower()
    return _folded(text)[0]


def wanted(text: str) -> str:
    """What a rule looks for, folded; as written in lower case where nothing of it is shown."""
    return fold(text) or text.lower()


def without(text: str, unwanted: str, *, exact: bool = False) -> str:
    """`text` with a blank in place of each `unwanted`, however it is written; itself where it is not there.

    `exact`: only as written, upper or lower case alike."""
    if exact:
        return re.sub(re.escape(unwanted), " ", text, flags=re.IGNORECASE)
    looked = wanted(unwanted)
    for _ in range(_ROUNDS):
        if looked not in fold(text):
            return text
        text = _cut(text, looked)
    return "" if looked in fold(text) else text


def _cut(text: str, looked: str) -> str:
    folded, places = _folded(text)
    kept: list[str] = []
    end = at = 0
    while (at := folded.find(looked, at)) >= 0:
        kept.append(text[end : places[at]])
        at += len(looked)
        # up to the next character that is shown, and never a part of a written one
        end = max(places[at], places[at - 1] + 1) if at < len(places) else len(text)
    return " ".join([*kept, text[end:]])


def _folded(text: str) -> tuple[str, list[int]]:
    """The folded text, and for each of its characters the place in `text` it comes from."""
    folded: list[str] = []
    places: list[int] = []
    for place, written in enumerate(text):
        for one in _letters(written):
            if one == " " and folded and folded[-1] == " ":
                continue
            folded.append(one)
            places.append(place)
    return "".join(folded), places


@functools.lru_cache(4096)
def _letters(written: str) -> str:
    if written.isspace():
        return " "
    if unicodedata.category(written) in ("Cc", "Cf") or ord(written) in _SHOWN_AS_NOTHING:
        return ""
    # one character at a time, so that each knows its place: decomposed, as composing looks at neighbours
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", written).casefold())
