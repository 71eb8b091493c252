"""What is not known never weakens (law 3): content, header, size, hour; `needs` asks exactly when it could matter."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepost.policy.content import FOUND, Attachment, ContentFacts, Level, Malware, Need, holds
from carepost.policy.decide import decide
from carepost.policy.explain import words
from carepost.policy.needs import needs
from carepost.policy.rules import effect
from carepost.policy.ternary import Ternary
from carepost.policy.types import (
    Access,
    Assurance,
    Decision,
    Deliver,
    Direction,
    Facts,
    Hold,
    Kind,
    Method,
    Refuse,
    Rule,
    Seen,
    TlsPolicy,
)

FLOORS = list(Assurance)
rich = settings(max_examples=300, deadline=None)


def some(values: Any) -> Any:
    return st.sampled_from(list(values))


def mostly(usual: Any, values: Any, times: int = 4) -> Any:
    return some([*[usual] * times, *values])


levels = some(FOUND)
malware = some(v for v in Malware if v is not Malware.UNKNOWN)
yes_no = some([Ternary.YES, Ternary.NO])
known_content = st.builds(
    ContentFacts,
    level=levels,
    attached=yes_no,
    macro=yes_no,
    encrypted=yes_no,
    mismatch=yes_no,
    malware=malware,
    bulk=yes_no,
)
methods = st.lists(some(Method), max_size=3, unique=True).map(tuple)
rule = st.builds(
    Rule,
    id=st.text("abcdefgh", min_size=1, max_size=3),
    position=st.integers(0, 3),
    floor=some([None, None, *FLOORS]),
    tls_policy=mostly(None, TlsPolicy, 6),
    methods=st.one_of(st.just(()), st.just(()), st.just(()), methods),
    portal_by_mail=st.booleans(),
    action=mostly("", ["hold", "refuse", "approve", "unheard-of"], 12),
    attestation=some(["", "recorded"]),
    sender_domain=some(["", "clinic.test", "other.test"]),
    setting=mostly(False, [True]),
    unit=mostly("", ["Heart"]),
    direction=mostly("", Direction, 6),
    header=mostly("", ["subject", "X-Secure"]),
    contains=some(["", "[secure]", "a"]),
    size_over=mostly(0, [10, 1000]),
    hours=mostly("", ["mon-fri 08:00-18:00 UTC", "not sat,sun 22:00-06:00 Europe/Berlin", "nonsense"]),
    levels=st.one_of(st.just(()), st.lists(some(Level), max_size=2, unique=True).map(tuple)),
    attachments=st.one_of(st.just(()), st.lists(some(Attachment), max_size=2, unique=True).map(tuple)),
    skip_unknown=mostly(False, [True], 9),
    approvals=st.integers(-1, 7),
    warn=mostly(False, [True], 6),
    ask_reason=mostly(False, [True], 9),
    strip_tracking=mostly(False, [True], 6),
    words=some(["", "Call first."]),
)
rules = st.lists(rule, max_size=4, unique_by=lambda r: r.id).map(tuple)
facts = st.builds(
    Facts,
    org=st.just("demo"),
    policy_version=st.just("7"),
    sender=st.just("ann@clinic.test"),
    sender_domain=st.just("clinic.test"),
    recipient=st.just("pat@x.test"),
    recipient_domain=st.just("x.test"),
    kind=mostly(Kind.MESSAGE, Kind),
    rules=rules,
    asked_floor=mostly(None, FLOORS, 6),
    access=some(Access),
    seen=st.builds(Seen, tls=some([None, *FLOORS[:5]]), weakened=st.booleans()),
    smime_key=some(Ternary),
    exhausted=st.one_of(st.just(()), st.just(()), methods),
    last_achieved=some([None, *FLOORS[:5]]),
    available=mostly(tuple(Method), [(Method.TLS, Method.PORTAL), (Method.TLS,), ()]),
    direction=some(Direction),
    size=some([None, 0, 10, 11, 5000]),
    headers=some([None, (), (("subject", "[Secure] a"), ("x-secure", "")), (("subject", "b"), ("x-secure", "yes"))]),
    at=some([0, -1, 1, 1_700_000_000_000_000, 1 << 62, 1 << 80]),
    content=st.one_of(st.just(ContentFacts()), known_content),
    reasoned=st.booleans(),
    approved=st.integers(0, 3),
    released=st.booleans(),
    waited=st.booleans(),
    changed_keys=mostly((), [(Method.SMIME,), (Method.OPENPGP,)]),
)


def replace(f: Facts, **changes: Any) -> Facts:
    return msgspec.structs.replace(f, **changes)


def not_weaker(unknown: Decision, known: Decision) -> None:
    if isinstance(unknown, Deliver):
        assert isinstance(known, Deliver)
        assert unknown.plan.floor >= known.plan.floor
        assert not unknown.plan.by_mail or known.plan.by_mail
        assert unknown.plan.exclusive or not known.plan.exclusive


def comparable(f: Facts) -> Facts:
    """An attested rule that fails open is meant to be weaker; a changed key stops what other rules may exclude;
    a release is the word of a person who looked."""
    kept = tuple(msgspec.structs.replace(r, skip_unknown=False) for r in f.rules)
    return replace(f, rules=kept, changed_keys=(), released=False, waited=False)


@given(facts)
@rich
def test_every_facts_has_an_answer_in_words(f: Facts) -> None:
    decision = decide(f)
    assert decision == decide(f)
    assert words(decision, f)
    if isinstance(decision, Hold):
        assert (decision.cause == "approval") is (decision.approvals > 0) is (decision.reason == "approval-needed")
        assert decision.approvals <= 5


@given(facts, known_content)
@rich
def test_unknown_content_is_never_weaker_than_any_content(f: Facts, content: ContentFacts) -> None:
    f = comparable(f)
    not_weaker(decide(replace(f, content=ContentFacts())), decide(replace(f, content=content)))


@given(facts)
@rich
def test_an_unknown_header_size_or_hour_is_never_weaker(f: Facts) -> None:
    f = comparable(f)
    known = decide(f)
    for blank in ({"headers": None}, {"size": None}, {"at": 0}, {"headers": None, "size": None, "at": 0}):
        not_weaker(decide(replace(f, **blank)), known)


@given(facts, rule)
@rich
def test_one_more_floor_never_lowers_whatever_it_asks(f: Facts, extra: Rule) -> None:
    """Rules raise; what lowers is attested, what is a setting overrides."""
    f = comparable(f)
    extra = Rule(
        id="zz", floor=extra.floor, direction=extra.direction, header=extra.header, contains=extra.contains,
        size_over=extra.size_over, hours=extra.hours, levels=extra.levels, attachments=extra.attachments,
    )  # fmt: skip
    before, now = decide(f), decide(replace(f, rules=(*f.rules, extra)))
    if f.kind is Kind.MESSAGE:
        not_weaker(now, before)


@given(facts)
@rich
def test_no_header_of_mail_from_outside_makes_it_weaker(f: Facts) -> None:
    f = replace(comparable(f), direction=Direction.INBOUND)
    f = replace(f, headers=f.headers or (("subject", "[secure] a"), ("x-secure", "yes")))
    not_weaker(decide(f), decide(replace(f, headers=(("subject", ""), ("x-secure", "")))))


@given(facts)
@rich
def test_an_approval_rule_is_never_met_by_a_release(f: Facts) -> None:
    f = replace(f, kind=Kind.MESSAGE, approved=0, rules=(*f.rules, Rule("four-eyes", action="approve")))
    assert not isinstance(decide(f), Deliver)
    assert not isinstance(decide(replace(f, released=True)), Deliver)


def same(one: Decision, other: Decision) -> bool:
    if isinstance(one, Deliver) and isinstance(other, Deliver):
        a, b = one.plan, other.plan
        steps = [(s.method, s.floor) for s in a.steps] == [(s.method, s.floor) for s in b.steps]
        return steps and (a.floor, a.exclusive, a.warnings, a.untracked) == (
            b.floor,
            b.exclusive,
            b.warnings,
            b.untracked,
        )
    if isinstance(one, Hold) and isinstance(other, Hold):
        return one.approvals == other.approvals
    return isinstance(one, Refuse) and isinstance(other, Refuse)


@given(facts, known_content)
@rich
def test_where_nothing_is_needed_no_content_changes_the_answer(f: Facts, content: ContentFacts) -> None:
    f = replace(f, content=ContentFacts())
    asked = needs(f.rules, f)
    if not asked:
        assert same(decide(f), decide(replace(f, content=content)))
    if Need.ATTACHMENTS not in asked and asked:
        assert same(
            decide(replace(f, content=ContentFacts(content.level, bulk=content.bulk))),
            decide(replace(f, content=content)),
        )
    assert needs(f.rules, replace(f, content=content)) == frozenset()


TAGGED = Rule("classify", levels=(Level.PHI_HIGH, Level.PHI_LIKELY), tags=("phi", "review"))
PHI = Rule("phi", levels=(Level.PHI_HIGH, Level.PHI_LIKELY), floor=Assurance.MESSAGE)
BULK = Rule("bulk", levels=(Level.BULK,), action="approve")
MACRO = Rule("macro", attachments=(Attachment.MACRO,), action="hold")
BASE = Facts("demo", "7", "ann@clinic.test", "clinic.test", "pat@x.test", "x.test", access=Access.CODE)


@pytest.mark.fast
@pytest.mark.parametrize(
    ("rules_", "changes", "expected"),
    [
        ((), {}, set()),
        ((PHI,), {}, {Need.LEVEL}),
        ((MACRO,), {}, {Need.ATTACHMENTS}),
        ((PHI, MACRO), {}, {Need.LEVEL, Need.ATTACHMENTS}),
        ((BULK,), {}, {Need.LEVEL}),
        ((BULK,), {"content": ContentFacts(Level.NONE, bulk=Ternary.NO)}, set()),
        # already as strict as the content could make it
        ((PHI,), {"asked_floor": Assurance.MESSAGE}, set()),
        # for somebody else
        ((msgspec.structs.replace(PHI, recipient_domain="else.test"),), {}, set()),
        # held or refused whatever it contains
        ((PHI, Rule("stop", action="refuse")), {}, set()),
        ((PHI,), {"suppressed": Ternary.YES}, set()),
        # made of constants
        ((PHI,), {"kind": Kind.NOTICE}, set()),
        # known already
        ((PHI,), {"content": ContentFacts(Level.NONE)}, set()),
        ((PHI, MACRO), {"content": ContentFacts(Level.NONE)}, {Need.ATTACHMENTS}),
        ((MACRO,), {"content": ContentFacts(attached=Ternary.NO)}, set()),
        # raises to what is the default anyway
        ((msgspec.structs.replace(PHI, floor=Assurance.VERIFIED),), {}, set()),
        # a tag is an answer too, whatever the decision is
        ((TAGGED,), {}, {Need.LEVEL}),
        ((TAGGED, Rule("stop", action="refuse")), {}, {Need.LEVEL}),
        ((TAGGED,), {"content": ContentFacts(Level.NONE)}, set()),
        ((msgspec.structs.replace(TAGGED, levels=()),), {}, set()),
        # the header says no before anybody looks
        ((msgspec.structs.replace(PHI, header="x-lab"),), {"headers": (("x-lab", ""),)}, set()),
        ((msgspec.structs.replace(PHI, header="x-lab"),), {"headers": (("x-lab", "1"),)}, {Need.LEVEL}),
    ],
)
def test_content_is_asked_for_only_where_it_could_change_the_answer(
    rules_: tuple[Rule, ...], changes: dict[str, Any], expected: set[Need]
) -> None:
    assert needs(rules_, replace(BASE, rules=rules_, **changes)) == expected


@pytest.mark.fast
def test_a_tag_for_the_content_is_given_once_it_is_known_and_not_before() -> None:
    for content, tags in (
        (ContentFacts(), ()), (ContentFacts(Level.PHI_LIKELY), ("phi", "review")), (ContentFacts(Level.NONE), ()),
    ):  # fmt: skip
        found = effect(replace(BASE, rules=(TAGGED, Rule("door", tags=("door",))), content=content))
        assert found.content_tags == tags
        assert set(found.tags) == {"door", *tags}


@pytest.mark.fast
def test_a_scanner_that_is_not_there_never_says_clean() -> None:
    for state in (Malware.UNAVAILABLE, Malware.OFF):
        content = ContentFacts(attached=Ternary.YES, malware=state)
        assert holds(Attachment.INFECTED, content) is Ternary.UNKNOWN
        assert holds(Attachment.UNSCANNED, content) is Ternary.YES
