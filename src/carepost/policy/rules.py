"""What an organisation's rules come to for one recipient: settings inherited, of rules the strictest of each kind."""

from collections.abc import Iterable
from typing import Final

import msgspec

from carepost.policy.holding import DEFAULT_HOURS, KEEP, RELEASE
from carepost.policy.index import Compiled, index, key, matching, opts_out
from carepost.policy.types import Assurance, Direction, Facts, Method, Rule, TlsPolicy

__all__ = ["Effect", "effect", "index"]

#: effects kept of one organisation's rules
_KEPT_EFFECTS: Final = 4_096
_STRICTNESS: Final = {TlsPolicy.OPPORTUNISTIC: 0, TlsPolicy.FORCED: 1, TlsPolicy.EXCLUSIVE: 2}
#: most that one hold may ask for
MOST_APPROVALS: Final = 5


class Effect(msgspec.Struct):
    """What all matching rules come to. Rule ids name who said so."""

    #: the strictest floor any matching rule raises to
    raised: Assurance = Assurance.NONE
    raised_by: str = ""
    #: the strictest of the attested floors below VERIFIED; None: no rule lowers
    lowered: Assurance | None = None
    lowered_by: str = ""
    tls_policy: TlsPolicy = TlsPolicy.OPPORTUNISTIC
    tls_by: str = ""
    #: None: any method; else those all rules allow, in the order of the first such rule
    methods: tuple[Method, ...] | None = None
    methods_by: str = ""
    by_mail: str = ""
    refused_by: str = ""
    held_by: str = ""
    #: a rule that refuses may match: nobody knows yet
    unsure_by: str = ""
    approvals: int = 0
    approve_by: str = ""
    reason_by: str = ""
    #: as `reason_by`, of a rule that may match
    reason_unsure_by: str = ""
    warned_by: tuple[str, ...] = ()
    untracked_by: str = ""
    #: made at the door only
    redirect: str = ""
    redirect_by: str = ""
    #: (address, rule)
    copies: tuple[tuple[str, str], ...] = ()
    tags: tuple[str, ...] = ()
    #: those of `tags` that a rule gives because of the content: once it was looked at, and not before
    content_tags: tuple[str, ...] = ()
    #: the organisation's own words, by rule id
    words: dict[str, str] = {}
    #: how long held mail waits, and what then; 0 and "": no rule says
    held_hours: int = 0
    held_then: str = ""
    #: of the rules that hold it, or may refuse it, the strictest in what comes after the wait; and whether it holds
    waits_by: str = ""
    waits_surely: bool = False


_NOTHING: Final = Effect()


def effect(facts: Facts) -> Effect:
    """What the matching rules come to together, whatever their order. Not to be changed: it is remembered."""
    if not facts.rules:
        return _NOTHING
    known = index(facts.rules)
    asked = key(known, facts)
    found = known.effects.get(asked)
    if not isinstance(found, Effect):
        certain, maybe = matching(known, asked)
        if asked.direction == Direction.INBOUND:
            certain = [_of_outside(one) for one in certain]
        found = _together(_inherited(certain), maybe)
        if len(known.effects) >= _KEPT_EFFECTS:
            known.effects.clear()
        known.effects[asked] = found
    return found


def _of_outside(one: Compiled) -> Compiled:
    """A header that lowers is the word of the organisation's own people: whoever writes from outside has no such
    permission, and a proof of their domain is none of who they are. Unattested it still restrains what others lower."""
    if not opts_out(one.rule):
        return one
    return one._replace(rule=msgspec.structs.replace(one.rule, attestation="", portal_by_mail=False))


# settings


def _inherited(certain: list[Compiled]) -> list[Compiled]:
    """Of each chain the nearest setting of a field counts; what it overrides is blanked. Rules stay as they are."""
    settings = [c for c in certain if c.chain]
    if not settings:
        return certain
    kept = [c for c in certain if not c.chain]
    for side in ("recipient", "sender"):
        taken: set[str] = set()
        for one in sorted((c for c in settings if c.chain == side), key=lambda c: (-c.near, c.order)):
            says = {"floor": one.rule.floor is not None, "tls_policy": one.rule.tls_policy, "methods": one.rule.methods}
            blank = {name: _BLANK[name] for name, said in says.items() if said and name in taken}
            kept.append(one._replace(rule=msgspec.structs.replace(one.rule, **blank)) if blank else one)
            taken.update(name for name, said in says.items() if said)
    kept.sort(key=lambda c: c.order)
    return kept


_BLANK: Final[dict[str, object]] = {"floor": None, "tls_policy": None, "methods": ()}


# all together


def _together(certain: list[Compiled], maybe: list[Compiled]) -> Effect:
    found = Effect()
    _floors(found, certain, maybe)
    sure = [c.rule for c in certain if not c.plain]
    perhaps = [c.rule for c in maybe if not c.plain]
    if not sure and not perhaps:
        return found
    for rule in (*sure, *perhaps):
        if rule.tls_policy is not None and _STRICTNESS[rule.tls_policy] > _STRICTNESS[found.tls_policy]:
            found.tls_policy, found.tls_by = rule.tls_policy, rule.id
        if rule.methods:
            before = found.methods
            found.methods = rule.methods if before is None else tuple(m for m in before if m in rule.methods)
            found.methods_by = found.methods_by or rule.id
        if rule.strip_tracking:
            found.untracked_by = found.untracked_by or rule.id
    found.warned_by = tuple(dict.fromkeys(r.id for r in (*sure, *perhaps) if r.warn))
    found.words = {r.id: r.words for r in (*sure, *perhaps) if r.words}
    _stops(found, sure, perhaps)
    _waits(found, sure, perhaps)
    _made_at_the_door(found, sure)
    by_content = [tag for rule in sure if rule.levels or rule.attachments for tag in rule.tags]
    found.content_tags = tuple(dict.fromkeys(by_content))
    return found


def _floors(found: Effect, certain: Iterable[Compiled], maybe: Iterable[Compiled]) -> None:
    """A floor below VERIFIED without an attestation lowers nothing; it can still raise what another rule lowered.

    A rule that only may match raises, and restrains what others lower; alone it lowers nothing."""
    for one in certain:
        rule = one.rule
        if rule.portal_by_mail:
            found.by_mail = found.by_mail or rule.id
        floor = rule.floor
        if floor is None or (floor <= found.raised and floor >= Assurance.VERIFIED):
            continue
        if floor < Assurance.VERIFIED and rule.attestation:
            if found.lowered is None or floor > found.lowered:
                found.lowered, found.lowered_by = floor, rule.id
        elif floor > found.raised:
            found.raised, found.raised_by = floor, rule.id
    for one in maybe:
        if one.rule.floor is not None and one.rule.floor > found.raised:
            found.raised, found.raised_by = one.rule.floor, one.rule.id


def _stops(found: Effect, certain: Iterable[Rule], maybe: Iterable[Rule]) -> None:
    """A rule that may match holds where it would refuse: a person looks at what could not be read."""
    for rule in certain:
        if rule.action == "refuse":
            found.refused_by = found.refused_by or rule.id
        if rule.ask_reason:
            found.reason_by = found.reason_by or rule.id
    for rule in maybe:
        if rule.action == "refuse":
            found.unsure_by = found.unsure_by or rule.id
        if rule.ask_reason:
            found.reason_unsure_by = found.reason_unsure_by or rule.id
    for rule in (*certain, *maybe):
        if rule.action == "approve":
            asked = min(max(rule.approvals, 1), MOST_APPROVALS)
            if asked > found.approvals:
                found.approvals, found.approve_by = asked, rule.id
        elif _holds(rule):
            found.held_by = found.held_by or rule.id


def _waits(found: Effect, certain: Iterable[Rule], maybe: Iterable[Rule]) -> None:
    """Each rule that holds says it for itself; where one does not, what rules say that hold nothing is its time. Of all
    that hold the strictest counts: the clock lets go only what each of them would let go."""
    holding = [r for r in certain if _holds(r)]
    holding += [r for r in maybe if _holds(r) or r.action == "refuse" or r.ask_reason]
    others = [
        (r.held_hours, r.held_then) for r in (*certain, *maybe) if not _holds(r) and (r.held_hours or r.held_then)
    ]
    general = min(others, key=_strictness, default=(0, ""))
    times = [((r.held_hours, r.held_then) if r.held_hours or r.held_then else general, r) for r in holding]
    found.held_hours, found.held_then = min((time for time, _ in times), key=_strictness, default=general)
    # an approval that was given is over, whatever time its rule names
    rest = [one for one in times if one[1].action != "approve"]
    if rest:
        last = min(rest, key=lambda one: _strictness(one[0]))[1]
        found.waits_by, found.waits_surely = last.id, _holds(last)


def _holds(rule: Rule) -> bool:
    """ "hold", "approve", and any word this version does not know."""
    return rule.action not in ("", "refuse")


def _strictness(time: tuple[int, str]) -> tuple[bool, bool, int]:
    """Back to its sender comes before waiting on, and that before leaving unseen; then the shortest."""
    hours, then = time
    return then == RELEASE, then == KEEP, hours or DEFAULT_HOURS


def _made_at_the_door(found: Effect, certain: Iterable[Rule]) -> None:
    copies: dict[str, str] = {}
    tags: dict[str, None] = {}
    for rule in certain:
        if rule.redirect and not found.redirect:
            found.redirect, found.redirect_by = rule.redirect, rule.id
        for address in rule.copies:
            copies.setdefault(address, rule.id)
        tags.update(dict.fromkeys(rule.tags))
    found.copies, found.tags = tuple(copies.items()), tuple(tags)
