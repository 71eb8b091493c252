"""An organisation's rules in the form the decision reads: made once per epoch, so that 500 of them cost microseconds.

Whether a rule matches is answered yes, no, or cannot be known: what rules ask of header, size, hour and content becomes
one bit each, of which a message has some set and some unknown.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from carepost.policy import hours
from carepost.policy.content import NOTHING_IN_IT, ContentFacts, Level, holds
from carepost.policy.ternary import Ternary
from carepost.policy.types import Facts, Kind, Rule

#: organisations whose index is kept
_KEPT: Final = 512
#: matches kept of the rules that name nobody, by what else they ask
_KEPT_GENERAL: Final = 256
_NAMES: Final = ("recipient", "sender", "recipient_domain", "sender_domain")

#: ("header", name, text) | ("size", octets) | ("hours", text) | ("levels", …) | ("attachments", …)
Asked = tuple[object, ...]


class Compiled(NamedTuple):
    """A rule and what must hold for it; names in lower case, "" matches all."""

    rule: Rule
    order: int
    sender: str
    sender_domain: str
    recipient: str
    recipient_domain: str
    category: str
    data_class: str
    direction: str
    #: bits that must be set
    bits: int


class Marks(NamedTuple):
    """Which of the index's questions this message answers with yes, and which cannot be answered."""

    yes: int = 0
    unknown: int = 0


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
    #: question -> its bit
    asked: dict[Asked, int]
    #: bits of questions about the content
    content: int
    #: header fields rules look at, lower case
    headers: frozenset[str]
    #: whether any rule asks for the size, the hour, the direction; redirects, copies or tags; takes a trigger out
    sized: bool
    timed: bool
    directed: bool
    routed: bool
    triggered: bool
    #: whether a rule asks the sender for a reason
    reasoned: bool
    #: what is remembered of this index
    effects: dict[Key, object]
    generals: dict[tuple[str, str, str], list[Compiled]]


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


def questions(rule: Rule) -> list[Asked]:
    """What must be known of the message before this rule is known to match."""
    asked: list[Asked] = []
    if rule.header:
        asked.append(("header", rule.header.lower(), rule.contains.lower()))
    if rule.size_over:
        asked.append(("size", rule.size_over))
    if rule.hours:
        asked.append(("hours", rule.hours))
    if rule.levels:
        asked.append(("levels", frozenset(rule.levels)))
    if rule.attachments:
        asked.append(("attachments", frozenset(rule.attachments)))
    return asked


def _build(rules: tuple[Rule, ...]) -> Index:
    named = {name: frozenset(getattr(r, name).lower() for r in rules) for name in _NAMES}
    asked: dict[Asked, int] = {}
    made = Index(
        rules, {}, {}, {}, {}, [], named, asked, 0, frozenset(r.header.lower() for r in rules if r.header),
        any(r.size_over for r in rules), any(r.hours for r in rules), any(r.direction for r in rules),
        any(r.redirect or r.copies or r.tags for r in rules), any(r.remove for r in rules),
        any(r.ask_reason for r in rules), {}, {},
    )  # fmt: skip
    for order, rule in enumerate(sorted(rules, key=lambda r: (r.position, r.id, r.sender_domain))):
        compiled = _compile(rule, order, asked)
        for name in _NAMES:
            value = getattr(compiled, name)
            if value:
                getattr(made, name).setdefault(value, []).append(compiled)
                break
        else:
            made.general.append(compiled)
    made.content = sum(bit for question, bit in asked.items() if question[0] in ("levels", "attachments"))
    return made


def _compile(rule: Rule, order: int, asked: dict[Asked, int]) -> Compiled:
    bits = 0
    for question in questions(rule):
        bits |= asked.setdefault(question, 1 << len(asked))
    return Compiled(
        rule, order, rule.sender.lower(), rule.sender_domain.lower(), rule.recipient.lower(),
        rule.recipient_domain.lower(), rule.category, rule.data_class, rule.direction, bits,
    )  # fmt: skip


def marks(known: Index, facts: Facts) -> Marks:
    """The answers of these facts to all questions of the index."""
    if not known.asked:
        return _NO_MARKS
    headers = None if facts.headers is None else {name: value.lower() for name, value in facts.headers}
    content = facts.content if facts.kind is Kind.MESSAGE else NOTHING_IN_IT
    yes = unknown = 0
    for question, bit in known.asked.items():
        answer = _answer(question, facts, headers, content)
        if answer is Ternary.YES:
            yes |= bit
        elif answer is Ternary.UNKNOWN:
            unknown |= bit
    return Marks(yes, unknown)


_NO_MARKS: Final = Marks()


def _answer(question: Asked, facts: Facts, headers: dict[str, str] | None, content: ContentFacts) -> Ternary:
    match question:
        case ("header", str(name), str(text)):
            value = None if headers is None else headers.get(name)
            if value is None:
                return Ternary.UNKNOWN
            return Ternary.YES if value and text in value else Ternary.NO
        case ("size", int(octets)):
            if facts.size is None:
                return Ternary.UNKNOWN
            return Ternary.YES if facts.size > octets else Ternary.NO
        case ("hours", str(text)):
            return _in_hours(text, facts.at)
        case ("levels", frozenset() as levels):
            if content.level is Level.UNKNOWN:
                return Ternary.UNKNOWN
            return Ternary.YES if content.level in levels else Ternary.NO
        case ("attachments", frozenset() as attachments):
            return _any(holds(one, content) for one in attachments)
    return Ternary.UNKNOWN


def _in_hours(text: str, at: int) -> Ternary:
    if not at:
        return Ternary.UNKNOWN
    try:
        return Ternary.YES if hours.parse(text).hold(at) else Ternary.NO
    except (ValueError, OverflowError):
        # hours written by another version, or a moment no calendar has
        return Ternary.UNKNOWN


def _any(answers: Iterable[Ternary]) -> Ternary:
    found = Ternary.NO
    for answer in answers:
        if answer is Ternary.YES:
            return answer
        if answer is Ternary.UNKNOWN:
            found = answer
    return found


def key(known: Index, facts: Facts) -> Key:
    sender, recipient = facts.sender.lower(), facts.recipient.lower()
    sender_domain, recipient_domain = facts.sender_domain.lower(), facts.recipient_domain.lower()
    named = known.named
    found = marks(known, facts)
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
    found = [c for c in candidates if _names(c, asked)]
    found += _general(known, asked)
    not_no = asked.yes | asked.unknown
    certain = [c for c in found if not c.bits & ~asked.yes]
    maybe: list[Compiled] = []
    if asked.unknown:
        maybe = [c for c in found if c.bits & ~asked.yes and not c.bits & ~not_no]
        maybe = [c for c in maybe if not _skips(c, asked, known.content)]
    certain.sort(key=_order)
    maybe.sort(key=_order)
    return certain, maybe


def _skips(one: Compiled, asked: Key, content: int) -> bool:
    """An attested rule that fails open, and whose unknown answers are all about the content."""
    if not one.rule.skip_unknown or not one.rule.attestation:
        return False
    return not one.bits & asked.unknown & ~content


def _general(known: Index, asked: Key) -> list[Compiled]:
    kind = (asked.category, asked.data_class, asked.direction)
    found = known.generals.get(kind)
    if found is None:
        found = [c for c in known.general if _kind(c, asked)]
        if len(known.generals) >= _KEPT_GENERAL:
            known.generals.clear()
        known.generals[kind] = found
    return found


def _kind(one: Compiled, asked: Key) -> bool:
    return (
        (not one.category or one.category == asked.category)
        and (not one.data_class or one.data_class == asked.data_class)
        and (not one.direction or one.direction == asked.direction)
    )


def _names(one: Compiled, asked: Key) -> bool:
    """What a rule leaves empty matches all."""
    return (
        (not one.recipient or one.recipient == asked.recipient)
        and (not one.sender or one.sender == asked.sender)
        and (not one.recipient_domain or one.recipient_domain == asked.recipient_domain)
        and (not one.sender_domain or one.sender_domain == asked.sender_domain)
        and _kind(one, asked)
    )


def _order(one: Compiled) -> int:
    return one.order
