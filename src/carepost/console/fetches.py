"""Opens and clicks of a delivery as lines of its timeline: who it probably was, why, and whether it counts."""

from collections.abc import Sequence
from typing import Final

import msgspec

from carepost.console.timeline import Entry, Line
from carepost.engagement.types import Fetched

#: lines of one delivery; what is beyond is one line more
MOST: Final = 20
_WHO: Final = {"human": "by a person", "automated": "by a machine", "undetermined": "nobody can say by whom"}
_TONES: Final = {"human": "good", "automated": "plain", "undetermined": "plain"}


def beside(line: Line, fetched: Sequence[Fetched]) -> Line:
    if not fetched:
        return line
    entries = [*line.entries, *map(_entry, fetched[:MOST])]
    if len(fetched) > MOST:
        last = fetched[-1]
        entries.append(Entry(last.at, f"Opened or clicked {len(fetched) - MOST} times more", "plain"))
    return msgspec.structs.replace(line, entries=tuple(sorted(entries, key=lambda e: e.at)))


def _entry(one: Fetched) -> Entry:
    what = _what(one)
    if not one.verdict:
        return Entry(one.at, f"{what}; not judged yet", "plain", ("That takes a minute.",))
    sure = "" if one.verdict == "undetermined" else ("probably " if one.confidence < 95 else "")
    texts = [f"Because {one.because}. {one.confidence} in 100 sure."]
    if one.role != "decoy":
        texts.append("It counts." if one.counted else "It does not count.")
    if one.count > 1:
        texts.append(f"{one.count} times alike.")
    heading = f"{what}, {_WHO[one.verdict]}" if not sure else f"{what}, {sure}{_WHO[one.verdict]}"
    return Entry(one.at, heading, _TONES[one.verdict], tuple(texts))


def _what(one: Fetched) -> str:
    if one.role == "decoy":
        return "The hidden link was followed"
    return "Opened" if one.kind == "open" else f"Link {one.link} followed"
