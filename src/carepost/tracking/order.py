"""In what order and at what pace the links of one copy were followed, and who came after whom."""

import collections
import itertools
from collections.abc import Sequence
from typing import Final

from carepost.tracking.company import client, target
from carepost.tracking.evidence import BROWSERS, cloud_desk
from carepost.tracking.reasons import PLAIN
from carepost.tracking.types import Seen

_SECOND: Final = 1_000_000
#: gaps that are compared: fewer are alike by chance
_GAPS: Final = 3
#: the longest gap of a steady pace, by the shortest: people wait unevenly for pages and read them
_EVEN: Final = 1.25
#: a pace slower than this is nobody's work in one go
_SLOWEST: Final = 60 * _SECOND
#: between two links: pages are looked at by people for so long and longer, by few machines
_LOOKED: Final = 10 * _SECOND
#: on the whole, from one link to the next, of three or more
_SWIFT: Final = 6 * _SECOND
_SOME: Final = 3
_SITTING: Final = 600 * _SECOND
#: the longest gap by the shortest, of a person
_UNEVEN: Final = 4
#: of pace, from a program
_HASTY: Final = frozenset({"pace", "quick-pace", "haste", "pair"})
#: a look again comes within so long of the first
_AGAIN: Final = 2 * 3600 * _SECOND


def _steady(times: Sequence[int]) -> bool:
    gaps = [after - before for before, after in itertools.pairwise(times)]
    return len(gaps) >= _GAPS and max(gaps) <= _SLOWEST and max(gaps) < _EVEN * max(1, min(gaps))


def _leisurely(run: Sequence[Seen]) -> bool:
    """There was time to look at pages: on the whole, or now and then. Machines work in seconds, at nearly one pace."""
    pairs = [(a, b) for a, b in itertools.pairwise(run) if target(a) != target(b)]
    # hours later is no reading, but coming again: gateways do too
    gaps = [b.since - a.since for a, b in pairs if b.since - a.since <= _SITTING]
    if not gaps or any(seen.role != "link" for seen in run):
        return False
    return sum(gaps) >= _LOOKED * len(gaps) or max(gaps) >= max(2 * _LOOKED, _UNEVEN * min(gaps))


def _desk(run: Sequence[Seen]) -> bool:
    """In a data centre, and no page that stays while links open behind it."""
    return all(cloud_desk(seen) and seen.origin != "cross" for seen in run)


def gaits(clicks: Sequence[Seen]) -> list[list[str]]:
    """Of each client on a copy: one pace from link to link, none twice."""
    runs: dict[tuple[int, int], list[Seen]] = collections.defaultdict(list)
    for seen in clicks:
        runs[client(seen)].append(seen)
    found: dict[tuple[int, int], list[str]] = {}
    for who, run in runs.items():
        codes = []
        targets = [target(seen) for seen in run if seen.role == "link"]
        distinct = list(dict.fromkeys(targets))
        # who presses one thing twice is at no machine's pace
        if len(distinct) == len(targets) and _steady([seen.since for seen in run]):
            codes.append("steady")
        elif run[0].client in BROWSERS and _leisurely(run):
            codes.append("leisure")
        if len(distinct) >= _SOME and run[-1].since - run[0].since < _SWIFT * (len(run) - 1) and _desk(run):
            codes.append("swift-cloud")
        found[who] = codes
    return [found[client(seen)] for seen in clicks]


def second_looks(hits: Sequence[Seen], codes: Sequence[Sequence[str]]) -> list[list[str]]:
    """Who is in a data centre, or hasty, on a copy another machine had looked at: gateways look in stages."""
    looked = None
    found: list[list[str]] = []
    for seen, said in zip(hits, codes, strict=True):
        alike = cloud_desk(seen) or not _HASTY.isdisjoint(said)
        again = seen.kind == "click" and alike and looked is not None and seen.since - looked <= _AGAIN
        found.append(["second-look"] if again and PLAIN.isdisjoint(said) else [])
        if not PLAIN.isdisjoint(said):
            looked = seen.since if looked is None else looked
    return found
