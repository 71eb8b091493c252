"""What hits say together: those on one copy, and those of the same client on others. Time is linear in their number."""

import bisect
import collections
from collections.abc import Sequence
from typing import Final

from carepost.tracking.evidence import CLOUDS, cloud_desk
from carepost.tracking.reasons import PLAIN
from carepost.tracking.types import Around, Later, Seen, Trail

_SECOND: Final = 1_000_000
#: of the same client: what no person does is held against it so long before and after
_NEIGHBOURHOOD: Final = 15 * 60 * _SECOND
_MOMENT: Final = 3 * _SECOND
_SHADOW: Final = 30 * _SECOND
#: hits compared with on each side
_FEW: Final = 20
#: copies
_MANY: Final = 6
#: links followed within this of each other make a chain
_CHAIN: Final = 12 * _SECOND
_MINUTE: Final = 60 * _SECOND
#: of a round: a gateway's first look is over by then
_ROUND: Final = 5 * _MINUTE

Client = tuple[int, int]
Shape = tuple[object, ...]


def client(seen: Seen) -> Client:
    return seen.place, seen.agent


def shape(seen: Seen) -> Shape:
    """How its headers look, as a program makes them: the same of all requests it makes for one purpose."""
    return seen.client, seen.platform, seen.language, seen.accept, seen.coding, seen.fetch, seen.hints, seen.upgrade


def target(seen: Seen) -> tuple[str, int]:
    return seen.role, seen.link


def distinct(times: Sequence[int], targets: Sequence[tuple[str, int]], half: int) -> list[int]:
    """For each, how many different targets were followed within `half` before and after."""
    counts: collections.Counter[tuple[str, int]] = collections.Counter()
    found, first, last = [], 0, 0
    for at in times:
        while last < len(times) and times[last] <= at + half:
            counts[targets[last]] += 1
            last += 1
        while times[first] < at - half:
            counts[targets[first]] -= 1
            if not counts[targets[first]]:
                del counts[targets[first]]
            first += 1
        found.append(len(counts))
    return found


def from_page(seen: Seen) -> bool:
    """Links of a page can be opened behind it, one upon the other; from a program each takes its person away."""
    return seen.origin == "cross" and seen.fetch in ("user", "navigation")


def bursts(clicks: Sequence[Seen]) -> list[list[str]]:
    """Of the clicks of one copy, in the order of time."""
    times, targets = [seen.since for seen in clicks], [target(seen) for seen in clicks]
    quarter, second = (distinct(times, targets, half) for half in (_SECOND // 4, _SECOND))
    found = []
    for n, seen in enumerate(clicks):
        codes = []
        page = "-page" if from_page(seen) else ""
        if quarter[n] >= 3:
            codes.append("sweep" + page)
        elif second[n] >= 4:
            codes.append("burst" + page)
        elif quarter[n] == 2:
            codes.append("pair" + page)
        found.append(codes)
    return found


#: gap below which a link after another is so much of a haste (people come back to the message first)
_HASTE: Final = (
    (_SECOND * 2 // 5, 3.0),
    (_SECOND * 4 // 5, 2.2),
    (_SECOND * 3 // 2, 1.0),
    (_MOMENT, 0.3),
    (2 * _MOMENT, 0.12),
    (4 * _MOMENT, 0.06),
)
#: the same from a page, where links open behind it
_HASTE_PAGE: Final = ((_SECOND // 8, 0.8), (_SECOND // 4, 0.4), (_SECOND // 2, 0.1))

_PACES: Final = ((4.5, "no-pause"), (3.0, "haste"), (1.8, "quick-pace"), (0.9, "pace"))


def _haste(before: Seen, after: Seen) -> float:
    """How much two hits on different links speak against a person, as the weights of `reasons` do."""
    gap = after.since - before.since
    page = before.origin == "cross" and after.origin == "cross"
    found = next((part for limit, part in (_HASTE_PAGE if page else _HASTE) if gap < limit), 0.0)
    if page:
        return found
    # nobody changes the browser or the network between two links
    return found + (1.0 if gap < _MOMENT and client(before) != client(after) else 0.0)


def paces(clicks: Sequence[Seen]) -> list[list[str]]:
    """Chains of links, each followed soon after the other, and how hasty each client in them was."""
    found: list[list[str]] = []
    first = 0
    for n in range(1, len(clicks) + 1):
        if n == len(clicks) or clicks[n].since - clicks[n - 1].since > _CHAIN:
            found += _chain(clicks[first:n])
            first = n
    return found


def _chain(clicks: Sequence[Seen]) -> list[list[str]]:
    own: dict[Client, float] = collections.defaultdict(float)
    steps = [0.0] * (len(clicks) + 1)
    for n in range(1, len(clicks)):
        if target(clicks[n]) != target(clicks[n - 1]):
            steps[n] = _haste(clicks[n - 1], clicks[n])
            for who in {client(clicks[n - 1]), client(clicks[n])}:
                own[who] += steps[n]
    # one person may click while a machine is at work; three clients at once are one machine
    many, whole = len({client(seen) for seen in clicks}) >= 3, sum(steps)
    # and is none of a farm's in data centres, when he sits in none
    farm = 4 * sum(seen.network in CLOUDS for seen in clicks) >= 3 * len(clicks)
    found = []
    for n, seen in enumerate(clicks):
        alike = not farm or seen.network in CLOUDS
        hasty = many and alike and max(steps[n], steps[n + 1]) >= 1.5
        much = max(own[client(seen)], whole if hasty else 0.0)
        codes = [code for least, code in _PACES if much >= least][:1]
        # a program takes its person away at each link: a rented desktop's does too
        found.append(codes + (["hasty-cloud"] if codes and cloud_desk(seen) and seen.origin != "cross" else []))
    return found


def way_out(clicks: Sequence[Seen]) -> list[list[str]]:
    """The clients that followed the way out of the list together with two links or more."""
    followed: dict[Client, set[tuple[str, int]]] = collections.defaultdict(set)
    for seen in clicks:
        followed[client(seen)].add(target(seen))
    out = {
        who
        for who, targets in followed.items()
        if len(targets) >= 3 and any(role == "unsubscribe" for role, _ in targets)
    }
    return [["way-out"] if client(seen) in out else [] for seen in clicks]


def _near(times: Sequence[int], at: int, within: int) -> bool:
    n = bisect.bisect_left(times, at - within)
    return n < len(times) and times[n] <= at + within


def spread(hits: Sequence[Seen], codes: Sequence[Sequence[str]]) -> list[list[str]]:
    """What is plain of one hit is held against others of the same client, in the order of time."""
    plain: dict[tuple[Client, Shape], list[int]] = collections.defaultdict(list)
    named: dict[tuple[int, Shape], list[int]] = collections.defaultdict(list)
    places: dict[Client, list[int]] = collections.defaultdict(list)
    rooms: dict[int, list[int]] = collections.defaultdict(list)
    decoys: list[int] = []
    for seen, said in zip(hits, codes, strict=True):
        if PLAIN.isdisjoint(said):
            continue
        if seen.role == "decoy":
            decoys.append(seen.since)
        plain[client(seen), shape(seen)].append(seen.since)
        named[seen.agent, shape(seen)].append(seen.since)
        places[client(seen)].append(seen.since)
        if seen.network in CLOUDS:
            rooms[seen.place].append(seen.since)
    found = []
    for seen, said in zip(hits, codes, strict=True):
        more = []
        if PLAIN.isdisjoint(said) and seen.agent >= 0:
            same = _near(places.get(client(seen), ()), seen.since, _NEIGHBOURHOOD)
            if _near(plain.get((client(seen), shape(seen)), ()), seen.since, _NEIGHBOURHOOD) or (
                # a program asks otherwise for a picture than for a page
                same and seen.kind == "open"
            ):
                more.append("neighbour")
            elif same or _near(named.get((seen.agent, shape(seen)), ()), seen.since, _NEIGHBOURHOOD):
                more.append("kin")
            elif seen.network in CLOUDS and _near(rooms.get(seen.place, ()), seen.since, 3 * _MINUTE):
                more.append("room")
        if seen.role != "decoy" and _near(decoys, seen.since, _MOMENT):
            more.append("beside-decoy")
        found.append(more)
    return found


def shadows(clicks: Sequence[Seen], scores: Sequence[float]) -> list[list[str]]:
    """Two clients at one link at one moment: the worse browser looks at what the better one followed."""
    by_link: dict[tuple[str, int], list[int]] = collections.defaultdict(list)
    for n, seen in enumerate(clicks):
        by_link[target(seen)].append(n)
    found: list[list[str]] = [[] for _ in clicks]
    for members in by_link.values():
        for k, n in enumerate(members):
            seen = clicks[n]
            for m in members[max(0, k - _FEW) : k + _FEW]:
                other, better = clicks[m], scores[n] - scores[m]
                gap = seen.since - other.since
                if other.agent == seen.agent or better < 1.0 or scores[m] >= 0 or not -2 * _MOMENT <= gap <= _SHADOW:
                    continue
                if other.place != seen.place:
                    found[n].append("shadow-cloud" if seen.network in CLOUDS else "shadow")
                    break
                if better >= 2.0 and gap <= 2 * _MOMENT:
                    found[n].append("guard")
                    break
    return found


def known(trail: Trail, hits: Sequence[Seen]) -> list[list[str]]:
    """What a client did on other copies. Only what was plain there counts; people seen there count against it."""
    plain: dict[tuple[Client, Shape], set[str]] = collections.defaultdict(set)
    human: dict[tuple[Client, Shape], set[str]] = collections.defaultdict(set)
    early: dict[tuple[Client, str], set[str]] = collections.defaultdict(set)
    around: Sequence[Around] = trail.around[-500:]
    for one in around:
        who = client(one.seen), shape(one.seen)
        if one.verdict == "automated" and one.reason in PLAIN:
            plain[who].add(one.copy)
        elif one.reason == "session":
            human[who].add(one.copy)
        if one.seen.since <= _ROUND and one.seen.network in CLOUDS:
            early[client(one.seen), one.seen.kind].add(one.copy)
    found = []
    for seen in hits:
        codes = []
        who = client(seen), shape(seen)
        sure = len(plain.get(who, ())) - len(human.get(who, ()))
        if sure > 0 and seen.agent >= 0:
            codes.append("known" if sure > 1 else "suspected")
            if seen.since <= _ROUND:
                codes.append("known-early")
        if seen.network in CLOUDS and seen.since <= _ROUND and len(early.get((client(seen), seen.kind), ())) >= 2:
            many = len(early[client(seen), seen.kind]) >= _MANY
            codes.append("pictures" if seen.kind == "open" else "round-many" if many else "round")
        found.append(codes)
    return found


def after(clicks: Sequence[Seen], later: Sequence[Later]) -> list[list[str]]:
    """What only a person does, given to the click that led to it."""
    found: list[list[str]] = [[] for _ in clicks]
    times = [seen.since for seen in clicks]
    for one in later:
        if one.what == "reply":  # says that the message was read, not how
            continue
        upto = bisect.bisect_right(times, one.since)
        named = one.place >= 0 or one.agent >= 0
        for n in range(upto - 1, max(-1, upto - 1 - _FEW), -1):
            seen = clicks[n]
            if one.since - seen.since > 2 * _NEIGHBOURHOOD:
                break
            if named and (seen.agent, seen.place) != (one.agent, one.place):
                continue
            if seen.role == "decoy":
                continue
            found[n].append("session" if named else "session-after")
            break
    return found
