"""Rules found by what they name, and answers remembered, are the same as every rule looked at for every recipient."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from carepost.policy import hours, index, rules
from carepost.policy.content import NOTHING_IN_IT, Attachment, ContentFacts, Level, Malware, holds
from carepost.policy.index import Compiled, Questions
from carepost.policy.needs import needs
from carepost.policy.ternary import Ternary
from carepost.policy.types import Assurance, Category, DataClass, Direction, Facts, Kind, Method, Rule, TlsPolicy

YES, NO, UNKNOWN = Ternary
NAMES = ("ann@clinic.test", "Bob@Clinic.test", "eve@other.test")
DOMAINS = ("clinic.test", "Other.test")


def some(*values: Any) -> Any:
    return st.sampled_from(values)


def seldom(usual: Any, values: Any, times: int = 3) -> Any:
    return st.sampled_from([*[usual] * (times * len(list(values))), *values])


levels = st.lists(st.sampled_from(Level), min_size=1, max_size=2, unique=True).map(tuple)
attached = st.lists(st.sampled_from(Attachment), min_size=1, max_size=2, unique=True).map(tuple)
rule = st.builds(
    Rule,
    id=st.text("abcdefgh", min_size=1, max_size=3),
    position=st.integers(0, 3),
    sender=seldom("", NAMES), sender_domain=seldom("", DOMAINS, 2), recipient=seldom("", NAMES),
    recipient_domain=seldom("", DOMAINS, 2), category=seldom("", list(Category)[:2]), data_class=seldom("", DataClass),
    direction=seldom("", Direction), unit=seldom("", ["Heart"], 6),
    header=seldom("", ["subject", "X-Secure"]), contains=some("", "[secure]", "A"), size_over=seldom(0, [10, 1000]),
    hours=seldom("", ["mon-fri 08:00-18:00 UTC", "not sat 22:00-06:00 Europe/Berlin", "nonsense"]),
    levels=st.one_of(st.just(()), st.just(()), levels), attachments=st.one_of(st.just(()), st.just(()), attached),
    skip_unknown=seldom(False, [True], 6), attestation=some("", "recorded"), setting=seldom(False, [True], 4),
    floor=st.sampled_from([None, None, *Assurance]), tls_policy=seldom(None, TlsPolicy),
    methods=st.one_of(st.just(()), st.lists(st.sampled_from(Method), max_size=3, unique=True).map(tuple)),
    portal_by_mail=st.booleans(), action=seldom("", ["hold", "refuse", "approve"]), approvals=st.integers(-1, 7),
    warn=seldom(False, [True]), ask_reason=seldom(False, [True], 9), strip_tracking=seldom(False, [True], 6),
    words=some("", "Call first."), held_hours=some(0, 0, 2, 9), held_then=some("", "", "keep", "release"),
    redirect=seldom("", ["desk@clinic.test"], 9), tags=some((), (), ("a",)),
)  # fmt: skip
policies = st.lists(rule, min_size=1, max_size=14, unique_by=lambda r: r.id).map(tuple)
ternary = some(*Ternary)
content = st.builds(
    ContentFacts, level=some(*Level), attached=ternary, macro=ternary, encrypted=ternary, mismatch=ternary,
    malware=some(*Malware), bulk=ternary,
)  # fmt: skip
headers = st.dictionaries(some("subject", "x-secure"), some("", "[SECURE] a", "[se\u00adcure] b", "plain"), max_size=2)
facts = st.builds(
    Facts,
    org=st.just("o"), policy_version=st.just("1"),
    sender=some(*NAMES), sender_domain=some(*DOMAINS), recipient=some(*NAMES), recipient_domain=some(*DOMAINS),
    kind=seldom(Kind.MESSAGE, Kind), category=some(*Category), data_class=some(*DataClass), direction=some(*Direction),
    size=some(None, 5, 500, 5000), headers=st.one_of(st.none(), headers.map(lambda d: tuple(d.items()))),
    at=some(0, 1_700_000_000_000_000, 1_700_200_000_000_000), content=content, reasoned=st.booleans(),
    approved=st.integers(0, 2), released=st.booleans(),
)  # fmt: skip


def answers(one: Rule, f: Facts) -> list[Ternary]:
    """What each condition of a rule comes to."""
    found: list[Ternary] = []

    def say(asked: object, known: bool, met: bool) -> None:
        if asked:
            found.append(UNKNOWN if not known else YES if met else NO)

    for name in ("sender", "sender_domain", "recipient", "recipient_domain"):
        asked = getattr(one, name).lower()
        say(asked, True, asked == getattr(f, name).lower())
    for name in ("category", "data_class", "direction"):
        say(getattr(one, name), True, getattr(one, name) == getattr(f, name))
    value = dict(f.headers or ()).get(one.header.lower())
    lowering = one.portal_by_mail or (
        bool(one.attestation) and one.floor is not None and one.floor < Assurance.VERIFIED
    )
    read = (value or "").lower()
    say(
        one.header,
        value is not None,
        bool(value) and one.contains.lower() in (read if lowering else read.replace("\u00ad", "")),
    )
    say(one.size_over, f.size is not None, (f.size or 0) > one.size_over)
    if one.hours:
        try:
            say(True, bool(f.at), bool(f.at) and hours.parse(one.hours).hold(f.at))
        except ValueError:
            found.append(UNKNOWN)
    inside = f.content if f.kind is Kind.MESSAGE else NOTHING_IN_IT
    if one.levels:
        of_level = UNKNOWN if inside.level is Level.UNKNOWN else YES if inside.level in one.levels else NO
        each = {of_level, *([inside.bulk] if Level.BULK in one.levels else [])}
        found.append(YES if YES in each else UNKNOWN if UNKNOWN in each else NO)
    if one.attachments:
        each = {holds(a, inside) for a in one.attachments}
        found.append(YES if YES in each else UNKNOWN if UNKNOWN in each else NO)
    return found


def one_by_one(policy: tuple[Rule, ...], f: Facts) -> rules.Effect:
    certain: list[Compiled] = []
    maybe: list[Compiled] = []
    for order, one in enumerate(sorted(policy, key=lambda r: (r.position, r.id, r.sender_domain))):
        found = answers(one, f)
        lowering = one.portal_by_mail or (one.floor is not None and one.floor < Assurance.VERIFIED)
        if one.header and lowering and f.direction is Direction.INBOUND:
            one = msgspec.structs.replace(one, attestation="", portal_by_mail=False)
        compiled = index._compile(one, order, Questions())
        if UNKNOWN not in found and NO not in found:
            certain.append(compiled)
        elif NO not in found:
            asked = len([name for name in ("levels", "attachments") if getattr(one, name)])
            elsewhere = UNKNOWN in found[: len(found) - asked]
            if not (one.skip_unknown and one.attestation and not elsewhere):
                maybe.append(compiled)
    return rules._together(rules._inherited(certain), maybe)


@given(policies, st.lists(facts, min_size=1, max_size=6))
@settings(max_examples=300, deadline=None)
def test_rules_by_their_names_come_to_what_all_of_them_one_by_one_come_to(
    policy: tuple[Rule, ...], asked: list[Facts]
) -> None:
    for f in (*asked, *asked[::-1]):
        assert rules.effect(msgspec.structs.replace(f, rules=policy)) == one_by_one(policy, f)


@given(policies, st.lists(facts, min_size=1, max_size=6))
@settings(max_examples=100, deadline=None)
def test_what_must_be_looked_at_is_remembered_as_it_would_be_found(
    policy: tuple[Rule, ...], asked: list[Facts]
) -> None:
    remembered = [needs(policy, f) for f in (*asked, *asked)]
    fresh = []
    for f in (*asked, *asked):
        index._indexes.clear()
        fresh.append(needs(policy, f))
    assert remembered == fresh
