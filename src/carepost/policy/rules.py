"""An organisation's rules, indexed once, so that 500 of them cost a decision microseconds."""

import msgspec

from carepost.policy.types import Assurance, Facts, Method, Rule, TlsPolicy

#: organisations whose index is kept
_KEPT = 512
#: effects kept of one organisation's rules
_KEPT_EFFECTS = 4_096

_STRICTNESS = {TlsPolicy.OPPORTUNISTIC: 0, TlsPolicy.FORCED: 1, TlsPolicy.EXCLUSIVE: 2}


class Effect(msgspec.Struct, frozen=True):
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


#: sender, sender domain, recipient, recipient domain (each "" unless some rule names it), category, data class
_Key = tuple[str, str, str, str, str, str]


class Index(msgspec.Struct):
    """Rules by the narrowest thing they name, and their effects already worked out."""

    rules: tuple[Rule, ...]
    recipient: dict[str, list[Rule]]
    sender: dict[str, list[Rule]]
    recipient_domain: dict[str, list[Rule]]
    sender_domain: dict[str, list[Rule]]
    general: list[Rule]
    #: all values rules name, lower case, by field
    named: dict[str, frozenset[str]]
    #: an effect depends on nothing of the facts but what rules name: few keys, however many recipients
    effects: dict[_Key, Effect]


_NAMES = ("recipient", "sender", "recipient_domain", "sender_domain")
_indexes: dict[int, Index] = {}


def _build(rules: tuple[Rule, ...]) -> Index:
    named = {name: frozenset(getattr(r, name).lower() for r in rules) for name in _NAMES}
    index = Index(rules, {}, {}, {}, {}, [], named, {})
    for rule in sorted(rules, key=lambda r: (r.position, r.id)):
        for name in _NAMES:
            value = getattr(rule, name)
            if value:
                getattr(index, name).setdefault(value.lower(), []).append(rule)
                break
        else:
            index.general.append(rule)
    return index


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


def _key(known: Index, facts: Facts) -> _Key:
    sender, recipient = facts.sender.lower(), facts.recipient.lower()
    sender_domain, recipient_domain = facts.sender_domain.lower(), facts.recipient_domain.lower()
    named = known.named
    return (
        sender if sender in named["sender"] else "",
        sender_domain if sender_domain in named["sender_domain"] else "",
        recipient if recipient in named["recipient"] else "",
        recipient_domain if recipient_domain in named["recipient_domain"] else "",
        facts.category,
        facts.data_class,
    )


def _matches(rule: Rule, key: _Key) -> bool:
    """What a rule leaves empty matches all."""
    sender, sender_domain, recipient, recipient_domain, category, data_class = key
    return (
        (not rule.recipient or rule.recipient.lower() == recipient)
        and (not rule.sender or rule.sender.lower() == sender)
        and (not rule.recipient_domain or rule.recipient_domain.lower() == recipient_domain)
        and (not rule.sender_domain or rule.sender_domain.lower() == sender_domain)
        and (not rule.category or rule.category == category)
        and (not rule.data_class or rule.data_class == data_class)
    )


def _matching(known: Index, key: _Key) -> list[Rule]:
    """The rules that match, by position."""
    candidates = [
        *known.sender.get(key[0], ()),
        *known.sender_domain.get(key[1], ()),
        *known.recipient.get(key[2], ()),
        *known.recipient_domain.get(key[3], ()),
        *known.general,
    ]
    return sorted((r for r in candidates if _matches(r, key)), key=lambda r: (r.position, r.id))


def effect(facts: Facts) -> Effect:
    """What the matching rules come to together: the strictest of each kind wins, whatever the order."""
    if not facts.rules:
        return _NOTHING
    known = index(facts.rules)
    key = _key(known, facts)
    found = known.effects.get(key)
    if found is None:
        found = _together(_matching(known, key))
        if len(known.effects) >= _KEPT_EFFECTS:
            known.effects.clear()
        known.effects[key] = found
    return found


def _together(found: list[Rule]) -> Effect:
    """A floor below VERIFIED without an attestation lowers nothing; it can still raise what another rule lowered."""
    raised, raised_by = Assurance.NONE, ""
    lowered: Assurance | None = None
    lowered_by = by_mail = refused_by = held_by = tls_by = methods_by = ""
    tls_policy = TlsPolicy.OPPORTUNISTIC
    methods: tuple[Method, ...] | None = None
    for rule in found:
        if rule.floor is not None:
            if rule.floor < Assurance.VERIFIED and rule.attestation:
                if lowered is None or rule.floor > lowered:
                    lowered, lowered_by = rule.floor, rule.id
            elif rule.floor > raised:
                raised, raised_by = rule.floor, rule.id
        if rule.tls_policy is not None and _STRICTNESS[rule.tls_policy] > _STRICTNESS[tls_policy]:
            tls_policy, tls_by = rule.tls_policy, rule.id
        if rule.methods:
            methods = rule.methods if methods is None else tuple(m for m in methods if m in rule.methods)
            methods_by = methods_by or rule.id
        if rule.portal_by_mail:
            by_mail = by_mail or rule.id
        if rule.action == "refuse":
            refused_by = refused_by or rule.id
        elif rule.action:
            # "hold", and any word this version does not know
            held_by = held_by or rule.id
    return Effect(
        raised, raised_by, lowered, lowered_by, tls_policy, tls_by, methods, methods_by, by_mail, refused_by, held_by
    )  # fmt: skip


_NOTHING = Effect()
