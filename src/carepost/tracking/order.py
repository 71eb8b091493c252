"""In what order and at what pace the links of one copy were followed, and who came after whom."""

import collections
import itertools
from collections.abc import Sequence
from typing import Final

from carepost.tracking.company import client, target
from carepost.tracking.evidence import BROWSERS, CLOUDS, cloud_desk
from carepost.tracking.reasons import PLAIN
from carepost.tracking.types import Seen

_SECOND: Final = 1_000_000
#: at least so many gaps, and the longest of a steady pace by the shortest: people wait unevenly for pages and read
#: them; fewer gaps are alike by chance, and of more the shortest and the longest lie further apart
_EVEN: Final = ((8, 1.9), (5, 1.6), (3, 1.25))
#: a pace slower than this is nobody's work in one go
_SLOWEST: Final = 60 * _SECOND
#: between two links: pages are looked at by people for so long and longer, by few machines
_LOOKED: Final = 10 * _SECOND
#: on the whole, from one link to the next, of three or more
_SWIFT: Final = 6 * _SECOND
_SOME: Final = 3
#: nobody presses two links faster
_FASTEST: Final = _SECOND * 2 // 5
_SITTING: Final = 600 * _SECOND
#: the longest gap by the shortest, of a person
_UNEVEN: Final = 4
#: of pace, from a program
_HASTY: Final = frozenset({"pace", "quick-pace", "haste", "pair"})
#: a look again comes within so long of the first
_AGAIN: Final = 2 * 3600 * _SECOND
#: people come when gateways have been: these look first within minutes
_LATE: Final = 600 * _SECOND
_EARLY: Final = 300 * _SECOND


def _steady(times: Sequence[int], desk: bool) -> bool:
    gaps = [after - before for before, after in itertools.pairwise(times)]
    even = next((ratio for least, ratio in _EVEN[0 if desk else 2 :] if len(gaps) >= least), 0.0)
    return even > 0 and max(gaps) <= _SLOWEST and max(gaps) < even * max(1, min(gaps))


def _leisurely(run: Sequence[Seen]) -> bool:
    """There was time to look at pages: on the whole, or now and then. Machines work in seconds, at nearly one pace."""
    pairs = [(a, b) for a, b in itertools.pairwise(run) if target(a) != target(b)]
    # hours later is no reading, but coming again: gateways do too
    gaps = [b.since - a.since for a, b in pairs if b.since - a.since <= _SITTING]
    if not gaps or any(seen.role != "link" for seen in run):
        return False
    return sum(gaps) >= _LOOKED * len(gaps) or _uneven(run)


def _uneven(run: Sequence[Seen]) -> bool:
    gaps = [b.since - a.since for a, b in itertools.pairwise(run) if target(a) != target(b)]
    gaps = [gap for gap in gaps if gap <= _SITTING]
    return bool(gaps) and max(gaps) >= max(2 * _LOOKED, _UNEVEN * min(gaps))


def _desk(run: Sequence[Seen]) -> bool:
    """In a data centre, and no page that stays while links open behind it."""
    return all(cloud_desk(seen) and seen.origin != "cross" for seen in run)


def _tabs(run: Sequence[Seen]) -> bool:
    """A whole browser outside data centres, which came when gateways are long done, and never as fast as none can."""
    one = run[0]
    return (
        one.client in BROWSERS
        and one.fetch in ("user", "navigation")
        and one.network not in CLOUDS
        and len(run) >= 2
        and one.since >= _LATE
        and all(b.since - a.since >= _FASTEST for a, b in itertools.pairwise(run))
    )


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
        if len(distinct) == len(targets) and _steady([seen.since for seen in run], _desk(run)):
            codes.append("steady")
        elif run[0].client in BROWSERS and _leisurely(run):
            soon = run[0].since < _EARLY and _desk(run) and not _uneven(run)
            codes.append("leisure-early" if soon else "leisure")
        if len(distinct) >= _SOME and run[-1].since - run[0].since < _SWIFT * (len(run) - 1) and _desk(run):
            codes.append("swift-cloud")
        if _tabs(run):
            codes.append("one-browser")
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
