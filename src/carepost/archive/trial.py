"""A changed policy, tried on the newest messages of the history: whose protection would be another. Nothing is changed.

The history is read through its gate, so that each page of it is an event first. What it no longer knows (header fields
but the subject, contents) is tried both as the strictest it may have been and as nothing at all: else one rule in force
that asks for it would hide what any other changes. The recipient's side is taken as it was measured then.
"""

import uuid
from typing import Final

import msgspec

from carepost.archive import acts, lists
from carepost.intake.preview import foresee
from carepost.policy import rules as policy_rules
from carepost.policy.content import NOTHING_IN_IT
from carepost.policy.needs import needs
from carepost.policy.types import (
    Access,
    Assurance,
    Category,
    Decision,
    Deliver,
    Direction,
    Facts,
    Hold,
    Method,
    Rule,
    Seen,
    Ternary,
    label,
)
from carepost.tenancy import scope
from carepost.tenancy.models import SenderDomain
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor, DeliveryView, MessageView

#: messages tried at most
MOST: Final = 1_000
#: differences shown; all are counted
SHOWN: Final = 100
#: what Carepost itself wrote has no rules to try
_OWN: Final = frozenset({"notice", "bounce", "report"})
#: as `intake.facts` says whose mail is inbound
_FROM_OUTSIDE: Final = frozenset({"mx", "inbound", "reply", "portal"})


class Outcome(msgspec.Struct, frozen=True):
    #: deliver | hold | refuse
    end: str
    #: method and assurance that would count, "" where nothing would be sent
    method: str
    assurance: str
    rule: str
    #: where else it would go, and what else the sender would be told
    instead: str = ""
    copies: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()
    words: str = ""


class Difference(msgspec.Struct, frozen=True):
    message: str
    at: int
    sender: str
    recipient: str
    before: Outcome
    after: Outcome
    #: stronger | weaker | other
    way: str
    #: what the history does not keep could still change it
    depends: bool = False


class Trial(msgspec.Struct, frozen=True):
    messages: int
    copies: int
    stronger: int
    weaker: int
    other: int
    #: the first `SHOWN`, weaker ones first
    differences: tuple[Difference, ...] = ()
    #: of all differences, those that come only if the content or a header field asks for it, or asks for nothing
    depends: int = 0

    @property
    def changed(self) -> int:
        return self.stronger + self.weaker + self.other


def trial(
    org: bytes, actor: Actor, now: tuple[Rule, ...], then: tuple[Rule, ...], *, floor: Assurance, last: int = 200
) -> Trial:
    """`now`, `then`: rules as the engine has them (`tenancy.policies.expanded`). Raises NotFound (forbidden)."""
    acts.allowed(org, actor, Permission.POLICY)
    messages = _newest(org, actor, max(1, min(last, MOST)))
    found: list[Difference] = []
    copies = 0
    ours = _ours(org)
    for message in messages:
        for delivery in message.deliveries:
            copies += 1
            facts = _facts(message, delivery, floor, ours)
            one = _compared(message, delivery, facts, now, then)
            if one is not None:
                found.append(one)
    counts = {way: sum(d.way == way for d in found) for way in ("stronger", "weaker", "other")}
    found.sort(key=lambda d: (_FIRST[d.way], -d.at))
    return Trial(
        len(messages), copies, **counts, differences=tuple(found[:SHOWN]), depends=sum(d.depends for d in found)
    )


_FIRST: Final = {"weaker": 0, "other": 1, "stronger": 2}


def _newest(org: bytes, actor: Actor, last: int) -> list[MessageView]:
    found: list[MessageView] = []
    cursor = ""
    while len(found) < last:
        page = lists.listing(org, actor, after=cursor, limit=min(lists.MOST, last - len(found)))
        found.extend(m for m in page.messages if m.origin not in _OWN)
        cursor = page.cursor
        if not cursor:
            break
    return found


def _ours(org: bytes) -> frozenset[str]:
    key = uuid.UUID(bytes=org)
    with scope.organisation(key):
        return frozenset(SenderDomain.objects.filter(org_id=key, removed_at=0).values_list("domain", flat=True))


def _compared(
    message: MessageView, delivery: DeliveryView, facts: Facts, now: tuple[Rule, ...], then: tuple[Rule, ...]
) -> Difference | None:
    pairs: list[tuple[Outcome, Assurance, Outcome, Assurance]] = []
    for one in _may_have_been(facts, delivery.rule, (*now, *then)):
        old, new = msgspec.structs.replace(one, rules=now), msgspec.structs.replace(one, rules=then)
        pairs.append((*_outcome(old), *_outcome(new)))
    differ = [(_way(*pair), pair) for pair in pairs if _comes_to(pair[0]) != _comes_to(pair[2]) or pair[1] != pair[3]]
    if not differ:
        return None
    way, (before, _, after, _) = min(differ, key=lambda found: _FIRST[found[0]])
    alike = {(_comes_to(before), floor, _comes_to(after), then_) for before, floor, after, then_ in pairs}
    facts_now, facts_then = msgspec.structs.replace(facts, rules=now), msgspec.structs.replace(facts, rules=then)
    depends = len(alike) > 1 or bool(needs(then, facts_then) or needs(now, facts_now))
    return Difference(message.id, message.at, message.sender, delivery.recipient, before, after, way, depends)


def _may_have_been(facts: Facts, rule: str, rules: tuple[Rule, ...]) -> list[Facts]:
    """What is not kept, in all that it comes to. `rule`: by which it went then, so that what this asks was there, and a
    text taken out of the subject is known."""
    subject = dict(facts.headers or ()).get("subject", "")
    fields = {one.header.lower(): "" for one in rules if one.header} | {"subject": subject}
    for one in rules:
        name = one.header.lower()
        if name and one.id == rule and one.contains.lower() not in (fields[name].lower() or "\0"):
            fields[name] = f"{fields[name]} {one.contains or 'x'}".strip()
    known = msgspec.structs.replace(facts, headers=tuple(fields.items()))
    found = [known] if len(fields) == 1 and fields["subject"] == subject else [known, facts]
    return [made for one in found for made in (one, msgspec.structs.replace(one, content=NOTHING_IN_IT))]


def _facts(message: MessageView, delivery: DeliveryView, floor: Assurance, ours: frozenset[str]) -> Facts:
    domain = delivery.recipient.rpartition("@")[2]
    inside = Direction.INTERNAL if domain.lower() in ours else Direction.OUTBOUND
    method = delivery.method
    reached = Assurance.__members__.get(delivery.assurance)
    return Facts(
        org=message.org,
        policy_version="",
        sender=message.sender,
        sender_domain=message.sender.rpartition("@")[2],
        recipient=delivery.recipient,
        recipient_domain=domain,
        category=Category(message.category) if message.category in tuple(Category) else Category.TRANSACTIONAL,
        origin=message.origin,
        direction=Direction.INBOUND if message.origin in _FROM_OUTSIDE else inside,
        org_floor=floor,
        access=Access.CODE if delivery.assurance == "PORTAL" else Access.NONE,
        seen=Seen(tls=reached) if method == Method.TLS and reached is not None else Seen(),
        smime_key=Ternary.YES if method == Method.SMIME else Ternary.NO,
        openpgp_key=Ternary.YES if method == Method.OPENPGP else Ternary.NO,
        available=tuple(Method),
        size=message.size,
        headers=(("subject", message.subject),),
        at=message.at,
    )


def _outcome(facts: Facts) -> tuple[Outcome, Assurance]:
    decision, words = foresee(facts)
    effect = policy_rules.effect(facts)
    copies = tuple(address for address, _ in effect.copies)
    made = Outcome("refuse", "", "", "", effect.redirect, copies, effect.warned_by, words)
    if isinstance(decision, Deliver):
        step = decision.plan.steps[0]
        method, assurance = step.method.value, label(step.floor, step.method)
        return (
            msgspec.structs.replace(made, end="deliver", method=method, assurance=assurance, rule=decision.plan.rule),
            decision.plan.floor,
        )
    return msgspec.structs.replace(made, end=_end(decision), rule=decision.rule), Assurance.MESSAGE


def _end(decision: Decision) -> str:
    return "hold" if isinstance(decision, Hold) else "refuse"


def _comes_to(one: Outcome) -> tuple[object, ...]:
    return one.end, one.method, one.assurance, one.instead, one.copies, one.warned


def _way(before: Outcome, before_floor: Assurance, after: Outcome, after_floor: Assurance) -> str:
    """Stopped is stronger than sent, and what must be reached counts before how."""
    sent = {"deliver": 0, "hold": 1, "refuse": 1}
    if sent[before.end] != sent[after.end]:
        return "stronger" if sent[after.end] > sent[before.end] else "weaker"
    if before_floor != after_floor:
        return "stronger" if after_floor > before_floor else "weaker"
    one, other = _RANK.get(before.assurance, 0), _RANK.get(after.assurance, 0)
    if one != other:
        return "stronger" if other > one else "weaker"
    return "other"


_RANK: Final = {**{a.name: int(a) for a in Assurance}, "PORTAL": int(Assurance.MESSAGE)}
