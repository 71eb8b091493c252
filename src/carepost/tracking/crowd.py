"""How many clients were at one copy, and what they have to do with each other: one person has one or two, a farm many.

A place is a tag of the address's network, an agent a tag of the name: what is counted here is never who it was."""

import bisect
import collections
import itertools
from collections.abc import Sequence
from typing import Final

from carepost.tracking.company import client, distinct, from_page, shape, target
from carepost.tracking.evidence import BROWSERS, CLOUDS, TELEPHONES
from carepost.tracking.types import Seen

_SECOND: Final = 1_000_000
_MINUTE: Final = 60 * _SECOND
#: links followed one after the other, as far as one who reads goes on
_RUN: Final = 90 * _SECOND
_SOME: Final = 3
_MANY_LINKS: Final = 5
#: a person who changes the device needs so long at least
_CHANGE: Final = 20 * _SECOND
_MOMENT: Final = 5 * _SECOND
#: apart in time: another visit
_VISIT: Final = 5 * _MINUTE
#: compared with
_FEW: Final = 20
_WIDE: Final = 250
#: a picture that shows a message is fetched so long before a link in it is followed, at most
_READING: Final = 15 * _MINUTE
#: networks whose way out changes from request to request for people too
_MOVING: Final = frozenset({"relay", "webproxy", "private", "unknown"})
_SHOWN_BY: Final = frozenset({"gmail-proxy", "yahoo-proxy", "outlook-proxy"})


def _away(seen: Seen) -> bool:
    """Where machines are rented, and where they hide: a desktop there."""
    return (seen.network in CLOUDS or seen.network == "vpn") and seen.platform not in TELEPHONES


def everything(clicks: Sequence[Seen], plain: Sequence[bool], links: int) -> list[list[str]]:
    """Every link of the message, within minutes. Who comes later than a machine is not asked for the machine's."""
    found: list[list[str]] = [[] for _ in clicks]
    if links < _SOME:
        return found
    times, targets = [seen.since for seen in clicks], [target(seen) for seen in clicks]
    whole = distinct(times, targets, 2 * _MINUTE)
    for n, seen in enumerate(clicks):
        if whole[n] < links:
            continue
        if not plain[n]:
            own = {
                targets[m]
                for m in range(max(0, n - _WIDE), min(len(clicks), n + _WIDE))
                if abs(times[m] - seen.since) <= 2 * _MINUTE and (not plain[m] or _same(clicks[m], seen))
            }
            if len(own) < links:
                continue
        found[n].append("all-page" if from_page(seen) else "all-many" if links >= _MANY_LINKS else "all-links")
    return found


def _same(machine: Seen, seen: Seen) -> bool:
    """Near enough to be of one sweep."""
    near = abs(machine.since - seen.since) <= _CHANGE
    return near and (machine.network in CLOUDS) <= (seen.network in CLOUDS)


def strangers(clicks: Sequence[Seen]) -> list[list[str]]:
    """Links followed one after the other by clients that have neither name nor network in common."""
    found: list[list[str]] = [[] for _ in clicks]
    first = 0
    for n in range(1, len(clicks) + 1):
        if n < len(clicks) and clicks[n].since - clicks[n - 1].since <= _RUN:
            continue
        _run(clicks, range(first, n), found)
        first = n
    return found


def _run(clicks: Sequence[Seen], members: range, found: list[list[str]]) -> None:
    fixed = [n for n in members if clicks[n].network not in _MOVING and clicks[n].place >= 0]
    # one browser for each place at most: who stays is not one of the strangers
    stays = collections.Counter(client(clicks[n]) for n in fixed)
    passing = [n for n in fixed if stays[client(clicks[n])] <= max(1, len(fixed) // _SOME)]
    targets = {target(clicks[n]) for n in passing}
    places, agents = {clicks[n].place for n in passing}, {clicks[n].agent for n in passing}
    if len(targets) >= _SOME and max(len(places), len(agents)) >= _SOME:
        for n in passing:
            found[n].append("strangers" if len(agents) >= _SOME else "rotating")
        return
    for before, after in itertools.pairwise(fixed):
        a, b = clicks[before], clicks[after]
        if target(a) != target(b) and a.agent != b.agent and b.since - a.since <= _CHANGE:
            for n in (before, after):
                if "stranger" not in found[n]:
                    found[n].append("stranger")


def gathered(clicks: Sequence[Seen], plain: Sequence[bool]) -> list[list[str]]:
    """In data centres: several names from one place, and visits, apart in time, that have nothing in common."""
    names: dict[int, set[int]] = collections.defaultdict(set)
    visits: list[Seen] = []
    last = 0
    for seen, machine in zip(clicks, plain, strict=True):
        if not _away(seen) or seen.place < 0:
            continue
        if seen.network in CLOUDS and not machine:
            names[seen.place].add(seen.agent)
        if not visits or seen.since - last > _VISIT:
            visits.append(seen)
        last = seen.since
    many = min(len({one.place for one in visits}), len({one.agent for one in visits}))
    found = []
    for seen in clicks:
        codes = []
        if _away(seen):
            if len(names.get(seen.place, ())) >= 2:
                codes.append("masks")
            if many >= 2:
                codes.append("feed" if many >= _SOME else "another")
        found.append(codes)
    return found


def same_client(clicks: Sequence[Seen], sure: Sequence[bool]) -> list[list[str]]:
    """What the same client of a data centre is at one time on a copy, it is at another: a machine stays one."""
    machines = {(client(seen), shape(seen)) for seen, machine in zip(clicks, sure, strict=True) if machine}
    return [
        ["same-client"] if _away(seen) and not machine and (client(seen), shape(seen)) in machines else []
        for seen, machine in zip(clicks, sure, strict=True)
    ]


def returns(hits: Sequence[Seen], sure: Sequence[bool]) -> list[list[str]]:
    """Hours or days after a machine was at this copy: the same place, or the same name, in a data centre again.
    `sure`: what was a machine by all that was known of it alone."""
    places: dict[int, list[int]] = collections.defaultdict(list)
    kin: set[tuple[int, object]] = set()
    altered: dict[int, list[Seen]] = collections.defaultdict(list)
    for seen, machine in zip(hits, sure, strict=True):
        if seen.altered:
            altered[seen.agent].append(seen)
        if machine:
            if seen.network in CLOUDS:
                places[seen.place].append(seen.since)
            kin.add((seen.agent, shape(seen)))
    found = []
    for seen, machine in zip(hits, sure, strict=True):
        more = []
        if seen.kind == "click" and not machine and seen.agent >= 0:
            if seen.network in CLOUDS and places.get(seen.place):
                more.append("room-again")
            elif _away(seen) and (seen.agent, shape(seen)) in kin:
                more.append("kin-again")
            if not seen.altered and any(
                one.place != seen.place and abs(one.since - seen.since) <= _MOMENT
                for one in altered.get(seen.agent, ())[:_FEW]
            ):
                more.append("beside-altered")
        found.append(more)
    return found


def shown(hits: Sequence[Seen]) -> list[list[str]]:
    """Links followed while a mailbox or a mail program showed the message: somebody had it before them."""
    proxies = [seen.since for seen in hits if seen.kind == "open" and seen.client in _SHOWN_BY and seen.since > _SECOND]
    own: dict[int, list[int]] = collections.defaultdict(list)
    for seen in hits:
        if (
            seen.kind == "open"
            and seen.network not in CLOUDS
            and (seen.client in ("mailer", "office") or (seen.client in BROWSERS and seen.fetch == "image"))
        ):
            own[seen.place].append(seen.since)
    found = []
    for seen in hits:
        before = seen.kind == "click" and (
            _lately(proxies, seen.since)
            or (seen.network not in CLOUDS and _lately(own.get(seen.place, ()), seen.since))
        )
        found.append(["shown"] if before else [])
    return found


def _lately(times: Sequence[int], at: int) -> bool:
    n = bisect.bisect_right(times, at)
    return n > 0 and at - times[n - 1] <= _READING
