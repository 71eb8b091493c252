"""Verdicts on the hits of one copy, from stored features alone: the same answer whenever asked, for the past too."""

import math
from collections.abc import Sequence
from typing import Final

from carepost.tracking import company, crowd, evidence, order
from carepost.tracking.reasons import PLAIN, REASONS
from carepost.tracking.types import RULES, Change, Hit, Ruling, Seen, Trail, Verdict

#: hits of one copy that are judged by all the others; what is beyond is judged by itself
MOST: Final = 2_000
#: log odds of a machine before anything is known of a hit
_PRIOR: Final = {"click": -1.5, "open": -1.0}
#: from here on a machine; up to here a person; between, nobody can say
_AUTOMATED: Final = 1.6
_HUMAN: Final = -1.0
#: from here on a hit speaks for others of its client
_SURE: Final = 3.0
_SECOND: Final = 1_000_000
_PROXIES: Final = frozenset({"gmail-proxy", "yahoo-proxy", "outlook-proxy"})
_HASTY: Final = frozenset(
    {"sweep", "sweep-page", "burst", "burst-page", "pair", "pair-page", "pace", "quick-pace", "haste", "no-pause"}
)
_PROMPT: Final = frozenset({"early", "early-minutes", "round", "round-many"})
_BESIDE: Final = frozenset({"neighbour", "kin", "room", "second-look", "room-again", "kin-again"})
_MANY: Final = frozenset({"strangers", "rotating", "stranger", "masks", "feed", "another"})
_BARE: Final = ("no-language", "no-fetch", "no-hints", "accept", "no-coding", "no-gesture")
_MOST_BARE: Final = 3.2
#: guards take headers away, but ask for what the browser asked for
_ASKED_OTHERWISE: Final = 0.8
_SHOWS: Final = frozenset({"mailer", "office", "app", "textual"})


def _odds(kind: str, codes: Sequence[str]) -> float:
    weights = {code: REASONS[code].weight for code in codes if REASONS[code].applies in ("both", kind)}
    # one cause explains all headers that are missing (a guard takes them away): together they count so much at most
    most = _MOST_BARE + (_ASKED_OTHERWISE if "accept" in weights else 0)
    bare = sum(weights.pop(code) for code in _BARE if code in weights)
    return _PRIOR[kind] + min(bare, most) + sum(weights.values())


def _confidence(odds: float) -> float:
    return round(min(0.99, max(0.5, 1 / (1 + math.exp(-abs(odds))))), 2)


def _verdict(hit: Hit, ruling: Ruling, reason: str, confidence: float, codes: Sequence[str]) -> Verdict:
    seen = hit.seen
    return Verdict(hit.id, seen.kind, seen.role, seen.link, ruling, reason, confidence, tuple(codes), RULES)


def _settled(hit: Hit, codes: Sequence[str]) -> Verdict | None:
    """Pictures whose fetcher says by its kind what it means."""
    seen = hit.seen
    if seen.kind != "open" or seen.method != "GET" or seen.ahead:
        return None
    if seen.client == "mpp" and seen.network != "gateway":
        return _verdict(hit, Ruling.UNDETERMINED, "mpp", 0.98 if seen.network == "relay" else 0.8, codes)
    if seen.client in _PROXIES:
        if seen.since < _SECOND and not seen.provisional:
            return _verdict(hit, Ruling.UNDETERMINED, "picture-soon", 0.6, codes)
        return _verdict(hit, Ruling.HUMAN, "picture-proxy", 0.85, codes)
    return None


def _weigh(hit: Hit, codes: Sequence[str]) -> Verdict:
    seen = hit.seen
    ordered = sorted(dict.fromkeys(codes), key=lambda code: -abs(REASONS[code].weight))
    settled = _settled(hit, ordered)
    if settled is not None:
        return settled
    # measures of the same haste, of promptness, of one machine at work on the copy: the strongest speaks
    for alike in (_HASTY, _PROMPT, _BESIDE, _MANY):
        said = [code for code in ordered if code in alike]
        ordered = [code for code in ordered if code not in said[1:]]
    odds = _odds(seen.kind, ordered)
    if odds >= _AUTOMATED:
        reason = next(code for code in sorted(ordered, key=lambda code: -REASONS[code].weight))
        return _verdict(hit, Ruling.AUTOMATED, reason, _confidence(odds), ordered)
    if odds <= _HUMAN:
        reason = "session" if "session" in ordered else "ordinary"
        if seen.kind == "open" and seen.client in _SHOWS:
            reason = "mailer"
        return _verdict(hit, Ruling.HUMAN, reason, _confidence(odds), ordered)
    against = [code for code in ordered if REASONS[code].weight > 0]
    return _verdict(hit, Ruling.UNDETERMINED, against[0] if against else "nothing", _confidence(odds), ordered)


def _sure(seen: Sequence[Seen], codes: Sequence[Sequence[str]]) -> list[bool]:
    """What is a machine by all that is known of it so far. A browser that fetches ahead is a person's own."""
    return [
        not PLAIN.isdisjoint(said) or (one.kind == "click" and not one.ahead and _odds("click", said) >= _SURE)
        for one, said in zip(seen, codes, strict=True)
    ]


def _together(trail: Trail, seen: Sequence[Seen]) -> list[list[str]]:
    """Codes of each hit, all hits in the order of time."""
    codes = [evidence.of(one) for one in seen]
    clicks = [n for n, one in enumerate(seen) if one.kind == "click"]
    clicked = [seen[n] for n in clicks]
    parts = (
        company.bursts(clicked),
        company.paces(clicked),
        company.way_out(clicked),
        order.gaits(clicked),
        company.after(clicked, trail.later),
    )
    for part in parts:
        for n, more in zip(clicks, part, strict=True):
            codes[n] += more
    # what a machine did says nothing of who else was there: the rest is looked at by itself
    sure = _sure(seen, codes)
    machines = [sure[n] for n in clicks]
    rest = [n for n in clicks if not sure[n]]
    for n, more in zip(clicks, crowd.everything(clicked, machines, trail.links), strict=True):
        codes[n] += more
    for n, more in zip(rest, crowd.strangers([seen[n] for n in rest]), strict=True):
        codes[n] += more
    for n, more in zip(clicks, crowd.gathered(clicked, machines), strict=True):
        codes[n] += more
    scores, sure = [_odds("click", codes[n]) for n in clicks], _sure(seen, codes)
    machines = [sure[n] for n in clicks]
    for part in (company.shadows(clicked, scores), crowd.same_client(clicked, machines)):
        for n, more in zip(clicks, part, strict=True):
            codes[n] += more
    for part in (
        order.second_looks(seen, codes),
        company.spread(seen, codes),
        company.known(trail, seen),
        crowd.returns(seen, sure),
        crowd.shown(seen),
    ):
        codes = [said + more for said, more in zip(codes, part, strict=True)]
    return codes


def judge(trail: Trail) -> tuple[Verdict, ...]:
    """One verdict a hit, in the order of `trail.hits`. Total; takes time as n log n of the hits."""
    turns = sorted(range(len(trail.hits)), key=lambda n: (trail.hits[n].seen.since, n))
    joint, alone = turns[:MOST], turns[MOST:]
    verdicts: dict[int, Verdict] = {}
    for n, codes in zip(joint, _together(trail, [trail.hits[n].seen for n in joint]), strict=True):
        verdicts[n] = _weigh(trail.hits[n], codes)
    for n in alone:
        verdicts[n] = _weigh(trail.hits[n], evidence.of(trail.hits[n].seen))
    return tuple(verdicts[n] for n in range(len(trail.hits)))


def changes(before: Sequence[Verdict], after: Sequence[Verdict]) -> tuple[Change, ...]:
    """What later evidence turned, by id: each of these goes on record. Hits not judged before are no change."""
    known = {verdict.id: verdict.verdict for verdict in before}
    return tuple(
        Change(verdict.id, known[verdict.id], verdict.verdict, verdict.reason)
        for verdict in after
        if verdict.id in known and known[verdict.id] is not verdict.verdict
    )
