"""An organisation's rules in the form the decision reads: made once per epoch, so that 500 of them cost microseconds.

Whether a rule matches is answered yes, no, or cannot be known (`questions`).
"""

from operator import attrgetter
from typing import Final, NamedTuple

import msgspec

from carepost.policy.content import Need
from carepost.policy.questions import Marks, Questions, lowers
from carepost.policy.types import Assurance, Facts, Rule

#: organisations whose index is kept
_KEPT: Final = 512
#: matches kept of the rules that name nobody, by what else they ask
_KEPT_GENERAL: Final = 256
_NAMES: Final = ("recipient", "sender", "recipient_domain", "sender_domain")


class Compiled(NamedTuple):
    """A rule and what must hold for it; names in lower case, "" matches all."""

    rule: Rule
    order: int
    sender: str
    sender_domain: str
    recipient: str
    recipient_domain: str
    #: (category, data class, direction)
    kind: tuple[str, str, str]
    #: bits that must be set
    bits: int
    #: of a setting: "sender" | "recipient" and how near; else ""
    chain: str
    near: int
    #: says nothing but a floor
    plain: bool


class Key(NamedTuple):
    """All that an effect depends on. Names are "" unless some rule names them: few keys, however many recipients."""

    sender: str
    sender_domain: str
    recipient: str
    recipient_domain: str
    category: str
    data_class: str
    direction: str
    yes: int
    unknown: int


class Index(msgspec.Struct):
    rules: tuple[Rule, ...]
    recipient: dict[str, list[Compiled]]
    sender: dict[str, list[Compiled]]
    recipient_domain: dict[str, list[Compiled]]
    sender_domain: dict[str, list[Compiled]]
    general: list[Compiled]
    #: all values rules name, lower case, by field
    named: dict[str, frozenset[str]]
    questions: Questions
    #: whether any rule asks for the direction; redirects, copies or tags; asks the sender for a reason
    directed: bool
    routed: bool
    reasoned: bool
    #: (field, text or "", letter by letter) of the triggers that are taken out
    triggers: tuple[tuple[str, str, bool], ...]
    #: what is remembered of this index
    effects: dict[Key, object]
    generals: dict[tuple[str, str, str], list[Compiled]]
    #: what of a content could change a decision, by what else the decision looks at (`needs`)
    needed: dict[object, frozenset[Need]]


_indexes: dict[int, Index] = {}


def index(rules: tuple[Rule, ...]) -> Index:
    """The index of `rules`. It is kept with the tuple it was made from, so an id is never mistaken for another's."""
    found = _indexes.get(id(rules))
    if found is not None and found.rules is rules:
        return found
    built = _build(rules)
    if len(_indexes) >= _KEPT:
        _indexes.clear()
    _indexes[id(rules)] = built
    return built


def _build(rules: tuple[Rule, ...]) -> Index:
    named = {name: frozenset(getattr(r, name).lower() for r in rules) for name in _NAMES}
    made = Index(
        rules, {}, {}, {}, {}, [], named, Questions(), any(r.direction or opts_out(r) for r in rules),
        any(r.redirect or r.copies or r.tags for r in rules), any(r.ask_reason for r in rules),
        tuple(dict.fromkeys((r.header.lower(), r.contains, lowers(r)) for r in rules if r.remove)), {}, {}, {},
    )  # fmt: skip
    for order, rule in enumerate(sorted(rules, key=lambda r: (r.position, r.id, r.sender_domain))):
        compiled = _compile(rule, order, made.questions)
        for name in _NAMES:
            value = getattr(compiled, name)
            if value:
                getattr(made, name).setdefault(value, []).append(compiled)
                break
        else:
            made.general.append(compiled)
    return made


def _compile(rule: Rule, order: int, questions: Questions) -> Compiled:
    chain, near = scope(rule)
    floor_only = Rule(
        id=rule.id, position=rule.position, sender_domain=rule.sender_domain, sender=rule.sender,
        recipient_domain=rule.recipient_domain, recipient=rule.recipient, category=rule.category,
        data_class=rule.data_class, floor=rule.floor, attestation=rule.attestation, unit=rule.unit,
        direction=rule.direction, setting=rule.setting, header=rule.header, contains=rule.contains,
        size_over=rule.size_over, hours=rule.hours, levels=rule.levels, attachments=rule.attachments,
    )  # fmt: skip
    return Compiled(
        rule, order, rule.sender.lower(), rule.sender_domain.lower(), rule.recipient.lower(),
        rule.recipient_domain.lower(), (rule.category, rule.data_class, rule.direction), questions.bits(rule),
        chain, near, rule == floor_only,
    )  # fmt: skip


def opts_out(rule: Rule) -> bool:
    """Whether a header of the message is what makes it weaker."""
    return bool(rule.header) and lowers(rule)


def scope(rule: Rule) -> tuple[str, int]:
    """("sender" | "recipient", how near) of a setting; ("", 0) for everything else, which never is overridden."""
    if not rule.setting or rule.category or rule.data_class or rule.direction:
        return "", 0
    if rule.header or rule.size_over or rule.hours or rule.levels or rule.attachments:
        return "", 0
    sender = 4 if rule.sender else 2 if rule.unit else 3 if rule.sender_domain else 0
    recipient = 2 if rule.recipient else 1 if rule.recipient_domain else 0
    if sender and recipient:
        return "", 0
    return ("recipient", recipient) if recipient else ("sender", sender or 1)


def key(known: Index, facts: Facts, marks: Marks | None = None) -> Key:
    sender, recipient = facts.sender.lower(), facts.recipient.lower()
    sender_domain, recipient_domain = facts.sender_domain.lower(), facts.recipient_domain.lower()
    named = known.named
    found = known.questions.marks(facts) if marks is None else marks
    return Key(
        sender if sender in named["sender"] else "",
        sender_domain if sender_domain in named["sender_domain"] else "",
        recipient if recipient in named["recipient"] else "",
        recipient_domain if recipient_domain in named["recipient_domain"] else "",
        facts.category,
        facts.data_class,
        facts.direction if known.directed else "",
        found.yes,
        found.unknown,
    )


def matching(known: Index, asked: Key) -> tuple[list[Compiled], list[Compiled]]:
    """The rules that match, and those that cannot be known not to; each by position."""
    candidates = [
        *known.sender.get(asked.sender, ()),
        *known.sender_domain.get(asked.sender_domain, ()),
        *known.recipient.get(asked.recipient, ()),
        *known.recipient_domain.get(asked.recipient_domain, ()),
    ]
    kind = (asked.category, asked.data_class, asked.direction)
    general = _general(known, kind)
    named = [c for c in candidates if _names(c, asked, kind)]
    found = sorted([*named, *general], key=_ORDER) if named else general
    not_yes = ~asked.yes
    certain = [c for c in found if not c.bits & not_yes]
    maybe: list[Compiled] = []
    if asked.unknown:
        no = not_yes & ~asked.unknown
        maybe = [c for c in found if c.bits & not_yes and not c.bits & no and not _skips(c, asked, known)]
    return certain, maybe


_ORDER: Final = attrgetter("order")


def _skips(one: Compiled, asked: Key, known: Index) -> bool:
    """An attested rule that fails open, and whose unknown answers are all about the content."""
    if not one.rule.skip_unknown or not one.rule.attestation:
        return False
    return not one.bits & asked.unknown & ~known.questions.content


def _general(known: Index, kind: tuple[str, str, str]) -> list[Compiled]:
    found = known.generals.get(kind)
    if found is None:
        found = _strongest([c for c in known.general if _kind(c.kind, kind)])
        if len(known.generals) >= _KEPT_GENERAL:
            known.generals.clear()
        known.generals[kind] = found
    return found


def _strongest(found: list[Compiled]) -> list[Compiled]:
    """Without the rules that only raise (or only lower) the floor for everything, where another raises it further or
    lowers it less: they could never be the ones that count."""
    best: dict[bool, Compiled] = {}
    kept = []
    for one in found:
        floor = one.rule.floor
        if one.bits or one.chain or not one.plain or floor is None:
            kept.append(one)
            continue
        lowers = floor < Assurance.VERIFIED and bool(one.rule.attestation)
        other = best.get(lowers)
        if other is None or other.rule.floor is None or floor > other.rule.floor:
            best[lowers] = one
    return sorted([*kept, *best.values()], key=_ORDER)


def _kind(wanted: tuple[str, str, str], kind: tuple[str, str, str]) -> bool:
    """What a rule leaves empty matches all."""
    return all(not one or one == other for one, other in zip(wanted, kind, strict=True))


def _names(one: Compiled, asked: Key, kind: tuple[str, str, str]) -> bool:
    return (
        (not one.recipient or one.recipient == asked.recipient)
        and (not one.sender or one.sender == asked.sender)
        and (not one.recipient_domain or one.recipient_domain == asked.recipient_domain)
        and (not one.sender_domain or one.sender_domain == asked.sender_domain)
        and _kind(one.kind, kind)
    )
