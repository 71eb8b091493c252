"""Could what a message contains change the answer for this recipient? Asked before anything is read of it.

Pure, and exact for the facts given: it tries what content there can be. Facts that move later (another attempt, another
posture) are asked about again.
"""

import itertools
from collections.abc import Iterator
from operator import attrgetter
from typing import Final

import msgspec

from carepost.policy.content import FOUND, Attachment, ContentFacts, Level, Malware, Need, says
from carepost.policy.decide import decide
from carepost.policy.index import Index, Key, index, key, matching
from carepost.policy.questions import of as questions
from carepost.policy.rules import effect
from carepost.policy.ternary import Ternary
from carepost.policy.types import Deliver, Facts, Hold, Kind, Rule

_NOTHING: Final[frozenset[Need]] = frozenset()
_YES_NO: Final = (Ternary.YES, Ternary.NO)
#: answers remembered of one organisation's rules
_KEPT: Final = 1_024
#: what the index's key stands for, and what no decision looks at
_IN_KEY: Final = frozenset({
    "org", "policy_version", "sender", "sender_domain", "recipient", "recipient_domain", "rules", "headers", "size",
    "at",
})  # fmt: skip
#: all else a decision may look at, as one value
_REST: Final = attrgetter(*[name for name in Facts.__struct_fields__ if name not in _IN_KEY])


def needs(rules: tuple[Rule, ...], facts: Facts) -> frozenset[Need]:
    """What of the content must be looked at before `decide` can answer for good; empty: nothing could change it."""
    if not rules or facts.kind is not Kind.MESSAGE:
        return _NOTHING
    known = index(rules)
    if not known.questions.content:
        return _NOTHING
    if facts.rules is not rules:
        facts = msgspec.structs.replace(facts, rules=rules)
    asked = key(known, facts)
    same = (asked, _REST(facts))
    found = known.needed.get(same)
    if found is None:
        if len(known.needed) >= _KEPT:
            known.needed.clear()
        found = known.needed[same] = _needs(known, facts, asked)
    return found


def _needs(known: Index, facts: Facts, asked: Key) -> frozenset[Need]:
    # as if nothing were known of the content: what was found out so far is among what is tried
    certain, maybe = matching(
        known, asked._replace(yes=asked.yes & ~known.questions.content, unknown=asked.unknown | known.questions.content)
    )
    wanted = {question for c in (*certain, *maybe) for question in questions(c.rule) if question[0] in _KINDS}
    # attested rules that fail open are not among `maybe` while unknown; ask for theirs too
    wanted |= {q for c in _failing_open(known.rules) for q in questions(c) if q[0] in _KINDS}
    if not wanted:
        return _NOTHING
    texts = _texts(facts.content, wanted)
    attached = _attachments(facts.content, wanted)
    outcomes = {
        (text, there): _outcome(facts, msgspec.structs.replace(there, level=text[0], bulk=text[1]))
        for text in texts
        for there in attached
    }
    found: set[Need] = set()
    if any(len({outcomes[text, there] for text in texts}) > 1 for there in attached):
        found.add(Need.LEVEL)
    if any(len({outcomes[text, there] for there in attached}) > 1 for text in texts):
        found.add(Need.ATTACHMENTS)
    return frozenset(found)


_KINDS: Final = ("levels", "attachments")


def _failing_open(rules: tuple[Rule, ...]) -> Iterator[Rule]:
    return (r for r in rules if r.skip_unknown)


def _texts(content: ContentFacts, wanted: set[tuple[object, ...]]) -> list[tuple[Level, Ternary]]:
    """What the text may come to, level and bulk: one of each group that no rule tells apart."""
    if content.level is not Level.UNKNOWN:
        return [(content.level, content.bulk)]
    sets = [q[1] for q in wanted if q[0] == "levels" and isinstance(q[1], frozenset)]
    told = {
        tuple(says(one, msgspec.structs.replace(content, level=level, bulk=bulk)) for one in sets): (level, bulk)
        for level in FOUND
        for bulk in _YES_NO
    }
    return [(Level.UNKNOWN, content.bulk), *told.values()]


def _attachments(content: ContentFacts, wanted: set[tuple[object, ...]]) -> list[ContentFacts]:
    """All that may be attached, as far as rules ask; `content` itself first."""
    asked: set[object] = set()
    for question in wanted:
        if question[0] == "attachments" and isinstance(question[1], frozenset):
            asked |= question[1]
    if not asked or content.attached is Ternary.NO:
        return [content]
    open_ = {
        "attached": content.attached is Ternary.UNKNOWN,
        "macro": Attachment.MACRO in asked and content.macro is Ternary.UNKNOWN,
        "encrypted": Attachment.ENCRYPTED in asked and content.encrypted is Ternary.UNKNOWN,
        "mismatch": Attachment.MISMATCH in asked and content.mismatch is Ternary.UNKNOWN,
    }
    scanned = bool(asked & {Attachment.INFECTED, Attachment.UNSCANNED}) and content.malware is Malware.UNKNOWN
    names = [name for name, is_open in open_.items() if is_open]
    axes: list[tuple[object, ...]] = [_YES_NO for _ in names]
    malware: tuple[Malware, ...] = tuple(Malware) if scanned else (content.malware,)
    made = [content]
    for values in itertools.product(*axes, malware):
        changes = dict(zip((*names, "malware"), values, strict=True))
        made.append(msgspec.structs.replace(content, **changes))
    return list(dict.fromkeys(made))


def _outcome(facts: Facts, content: ContentFacts) -> tuple[object, ...]:
    """What a decision comes to, without who said so, and what the message is tagged with."""
    facts = msgspec.structs.replace(facts, content=content)
    decision, tags = decide(facts), effect(facts).content_tags
    if isinstance(decision, Deliver):
        plan = decision.plan
        steps = tuple((s.method, s.floor) for s in plan.steps)
        return tags, steps, plan.floor, plan.exclusive, plan.by_mail, plan.warnings, plan.untracked
    if isinstance(decision, Hold):
        return tags, "hold", decision.cause, decision.approvals, decision.then
    return tags, "refuse"
