"""Properties of the decision that hold for all facts, not only for those of the table."""

import itertools
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepost.policy.again import after, decide_again, stricter
from carepost.policy.decide import decide, is_look
from carepost.policy.explain import expected, words
from carepost.policy.types import (
    Access,
    Assurance,
    Decision,
    Deliver,
    Facts,
    Hold,
    Kind,
    Method,
    MtaSts,
    Plan,
    Refuse,
    Rule,
    Seen,
    Ternary,
    TlsPolicy,
)

FLOORS = list(Assurance)
#: what a destination can really give over TLS; None: it does not answer
WORLDS = [None, Assurance.NONE, Assurance.ENCRYPTED, Assurance.VERIFIED, Assurance.AUTHENTICATED]


def some(values: Any) -> Any:
    return st.sampled_from(list(values))


def mostly(usual: Any, values: Any, times: int = 4) -> Any:
    """`usual` far more often than the rest: most facts of most messages are ordinary."""
    return some([*[usual] * times, *values])


methods = st.lists(some(Method), max_size=3, unique=True).map(tuple)
matching = {"recipient_domain": some(["", "x.test", "other.test"]), "sender": some(["", "ann@clinic.test"])}
rule = st.builds(
    Rule,
    id=st.text("abcdefgh", min_size=1, max_size=3),
    position=st.integers(0, 3),
    category=some(["", "transactional", "marketing"]),
    floor=some([None, None, *FLOORS]),
    tls_policy=some([None, None, None, *TlsPolicy]),
    methods=st.one_of(st.just(()), st.just(()), methods),
    portal_by_mail=st.booleans(),
    action=mostly("", ["hold", "refuse", "unheard-of"], 30),
    attestation=some(["", "recorded"]),
    **matching,
)
seen = st.builds(
    Seen,
    tls=some([None, *FLOORS[:5]]),
    starttls=some(Ternary),
    mta_sts=some(MtaSts),
    dane=some(Ternary),
    weakened=st.booleans(),
)
facts = st.builds(
    Facts,
    org=st.just("demo"),
    policy_version=st.just("7"),
    sender=st.just("ann@clinic.test"),
    sender_domain=st.just("clinic.test"),
    recipient=st.just("pat@x.test"),
    recipient_domain=st.just("x.test"),
    kind=mostly(Kind.MESSAGE, Kind),
    org_floor=mostly(Assurance.VERIFIED, FLOORS),
    rules=st.lists(rule, max_size=4, unique_by=lambda r: r.id).map(tuple),
    asked_floor=mostly(None, FLOORS, 6),
    asked_methods=st.one_of(st.just(()), st.just(()), methods),
    access=some(Access),
    pinned_route=st.booleans(),
    seen=seen,
    smime_key=some(Ternary),
    openpgp_key=some(Ternary),
    suppressed=mostly(Ternary.NO, Ternary, 12),
    exhausted=st.one_of(st.just(()), st.just(()), methods),
    last_achieved=some([None, *FLOORS[:5]]),
    bound_to=mostly(None, Method, 12),
    available=mostly(tuple(Method), [(Method.TLS, Method.PORTAL), (Method.TLS,), (Method.PORTAL,), ()]),
)
rich = settings(max_examples=300, deadline=None)


def replace(f: Facts, **changes: Any) -> Facts:
    return msgspec.structs.replace(f, **changes)


def by_mail(plan: Plan, index: int) -> bool:
    step = plan.steps[index]
    return step.method is Method.PORTAL and step.floor < Assurance.MESSAGE


def attested(f: Facts) -> bool:
    return any(r.attestation and r.floor is not None and r.floor < Assurance.VERIFIED for r in f.rules)


@given(facts)
@rich
def test_every_facts_has_a_well_formed_answer(f: Facts) -> None:
    decision = decide(f)
    assert decision == decide(f)
    assert words(decision, f)
    if not isinstance(decision, Deliver):
        assert decision.reason and decision.words and decision.rule and decision.policy_version == "7"
        return
    plan = decision.plan
    assert plan.steps and plan.reason and plan.words and plan.rule == plan.steps[0].rule and plan.floor_rule
    assert plan.policy_version == "7"
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(plan), type=Plan) == plan
    for step in plan.steps:
        assert step.method in f.available
        assert step.method not in f.exhausted or f.kind is Kind.NOTICE
    expected(plan, f)


@given(facts)
@rich
def test_no_step_counts_below_what_is_required(f: Facts) -> None:
    """Only an attested rule lowers below VERIFIED; only `portal-by-mail` lets MAILBOX meet VERIFIED (DESIGN 3)."""
    decision = decide(replace(f, kind=Kind.MESSAGE))
    if not isinstance(decision, Deliver):
        return
    plan = decision.plan
    assert plan.floor >= Assurance.VERIFIED or attested(f)
    assert f.asked_floor is None or plan.floor >= f.asked_floor
    assert f.org_floor <= Assurance.VERIFIED or plan.floor >= f.org_floor
    for index, step in enumerate(plan.steps):
        if by_mail(plan, index):
            assert plan.floor <= Assurance.MAILBOX or (plan.floor <= Assurance.VERIFIED and plan.by_mail)
            assert f.access is Access.NONE
        else:
            assert step.floor >= plan.floor
        if plan.exclusive:
            assert step.method is Method.TLS and step.floor >= Assurance.VERIFIED


@given(facts)
@rich
def test_a_mailed_code_never_opens_the_portal_before_the_wire_was_measured(f: Facts) -> None:
    """An unknown fact never weakens (law 3)."""
    decision = decide(f)
    if not isinstance(decision, Deliver):
        return
    plan = decision.plan
    known = [v for v in (f.last_achieved, None if f.seen.weakened else f.seen.tls) if v is not None]
    for index in range(len(plan.steps)):
        if not by_mail(plan, index) or plan.floor is Assurance.NONE:
            continue
        assert all(v >= Assurance.ENCRYPTED for v in known)
        assert known or any(s.method is Method.TLS for s in plan.steps[:index])


@given(facts)
@rich
def test_what_may_not_be_written_to_is_never_delivered(f: Facts) -> None:
    assert isinstance(decide(replace(f, suppressed=Ternary.YES)), Refuse)
    assert not isinstance(decide(replace(f, suppressed=Ternary.UNKNOWN)), Deliver)


@given(facts, some(Method))
@rich
def test_an_uncertain_attempt_stays_with_its_method(f: Facts, bound: Method) -> None:
    """Law 6."""
    f = replace(f, bound_to=bound, kind=Kind.MESSAGE)
    decision = decide(f)
    if isinstance(decision, Deliver):
        assert {s.method for s in decision.plan.steps} == {f.bound_to}
        assert not any(is_look(s) for s in decision.plan.steps)


@given(facts)
@rich
def test_a_notice_never_goes_in_clear_where_tls_was_once_seen(f: Facts) -> None:
    decision = decide(replace(f, kind=Kind.NOTICE, seen=msgspec.structs.replace(f.seen, starttls=Ternary.YES)))
    if isinstance(decision, Deliver):
        (step,) = decision.plan.steps
        assert (step.method, step.floor, step.rule) == (Method.TLS, Assurance.ENCRYPTED, "notice-carries-no-phi")


@given(facts, st.randoms())
@rich
def test_the_order_of_the_rules_changes_nothing(f: Facts, random: Any) -> None:
    shuffled = list(f.rules)
    random.shuffle(shuffled)
    assert decide(f) == decide(replace(f, rules=tuple(shuffled)))


def carry_out(f: Facts, world: Assurance | None, look: bool = True) -> Assurance | None:
    """Runs deliveries as the engine does: decide, try the first step against `world`, decide again with what was seen.

    The assurance delivered with, None where it ends held or refused."""
    stored: Plan | None = None
    for _ in range(12):
        decision: Decision = decide_again(stored, f)
        if not isinstance(decision, Deliver):
            return None
        stored = stored or decision.plan
        step = decision.plan.steps[0]
        if step.method is not Method.TLS:
            assert step.floor <= Assurance.MESSAGE
            return step.floor
        if world is not None and world >= step.floor:
            return world
        if f.kind is Kind.NOTICE:
            return None
        f = after(f, Method.TLS, world)
    raise AssertionError("a delivery that never ends")


def known(f: Facts, world: Assurance | None) -> Facts:
    """`f` for someone who has seen what `world` gives."""
    starttls = Ternary.UNKNOWN if world is None else Ternary.YES if world >= Assurance.ENCRYPTED else Ternary.NO
    return replace(f, seen=msgspec.structs.replace(f.seen, tls=world, starttls=starttls))


@given(facts, some(WORLDS))
@rich
def test_what_is_delivered_met_the_floor_whatever_the_world(f: Facts, world: Assurance | None) -> None:
    f = replace(f, exhausted=(), last_achieved=None, kind=Kind.MESSAGE)
    got = carry_out(f, world)
    if got is None:
        return
    decision = decide(f)
    assert isinstance(decision, Deliver)
    floor = decision.plan.floor
    if got is Assurance.MAILBOX and floor > Assurance.MAILBOX:
        assert floor is Assurance.VERIFIED and decision.plan.by_mail
        seen_before = None if f.seen.weakened else f.seen.tls
        assert max(world or 0, seen_before or 0) >= Assurance.ENCRYPTED
    else:
        assert got >= floor


@given(facts, some(WORLDS))
@rich
def test_knowing_less_never_delivers_with_less(f: Facts, world: Assurance | None) -> None:
    """Law 3: the same delivery, once knowing the recipient's side and once not."""
    f = replace(f, exhausted=(), last_achieved=None)
    f = known(f, world)
    blank = Seen(weakened=f.seen.weakened)
    informed = carry_out(f, world)
    ignorant = carry_out(replace(f, seen=blank), world)
    if f.kind is Kind.NOTICE:
        return
    if informed is None:
        assert ignorant is None
    elif ignorant is not None:
        assert ignorant >= informed
    for key in ("smime_key", "openpgp_key"):
        without = decide(replace(f, **{key: Ternary.NO}))
        assert decide(replace(f, **{key: Ternary.UNKNOWN})) == without


raising = st.builds(Rule, id=st.just("zz"), floor=some(FLOORS))


@given(facts, raising, some(WORLDS))
@rich
def test_one_more_voice_never_lowers(f: Facts, extra: Rule, world: Assurance | None) -> None:
    """A rule without attestation, the organisation's floor and the message can raise, never lower."""
    f = replace(f, exhausted=(), last_achieved=None, kind=Kind.MESSAGE)
    before = decide(f)
    for changed in (
        replace(f, rules=(*f.rules, extra)),
        replace(f, org_floor=max(f.org_floor, extra.floor or Assurance.NONE)),
        replace(f, asked_floor=max(f.asked_floor or Assurance.NONE, extra.floor or Assurance.NONE)),
    ):
        now = decide(changed)
        if isinstance(before, Deliver) and isinstance(now, Deliver):
            assert now.plan.floor >= before.plan.floor
        elif not isinstance(before, Deliver):
            assert not isinstance(now, Deliver)


@given(facts, facts)
@rich
def test_the_stricter_plan_is_as_strict_as_both(one: Facts, two: Facts) -> None:
    a, b = decide(one), decide(two)
    if not isinstance(a, Deliver) or not isinstance(b, Deliver):
        return
    plan = stricter(a.plan, b.plan)
    assert plan.floor == max(a.plan.floor, b.plan.floor)
    assert plan.exclusive == (a.plan.exclusive or b.plan.exclusive)
    assert {s.method for s in plan.steps} <= {s.method for s in b.plan.steps}
    tls = [s.floor for s in a.plan.steps if s.method is Method.TLS]
    for index, step in enumerate(plan.steps):
        if step.method is Method.TLS:
            assert step.floor >= max([*tls, plan.floor])
        elif by_mail(plan, index):
            assert plan.floor <= Assurance.VERIFIED
            assert plan.floor <= Assurance.MAILBOX or (a.plan.by_mail or a.plan.floor <= Assurance.MAILBOX)
        if plan.exclusive:
            assert step.method is Method.TLS
    assert stricter(a.plan, a.plan) is a.plan
    if plan.steps:
        assert plan.rule == plan.steps[0].rule


@pytest.mark.fast
def test_a_rule_turned_on_after_acceptance_does_not_open_the_portal() -> None:
    f = Facts("demo", "7", "ann@clinic.test", "clinic.test", "pat@x.test", "x.test")
    stored = decide(f)
    assert isinstance(stored, Deliver)
    later = after(replace(f, rules=(Rule("portal-by-mail", portal_by_mail=True),)), Method.TLS, Assurance.ENCRYPTED)
    assert isinstance(decide(later), Deliver)
    assert isinstance(decide_again(stored.plan, later), Hold)


@pytest.mark.fast
def test_rules_match_whatever_the_case_and_only_whom_they_name() -> None:
    f = Facts("demo", "7", "Ann@Clinic.test", "clinic.test", "Pat@X.test", "x.test")
    fields = {
        "sender": "ann@clinic.TEST",
        "sender_domain": "Clinic.test",
        "recipient": "pat@x.test",
        "recipient_domain": "X.test",
    }
    for count in range(5):
        for names in itertools.combinations(fields, count):
            named: dict[str, Any] = {n: fields[n] for n in names}
            hit = Rule("r", floor=Assurance.MESSAGE, **named)
            decision = decide(replace(f, rules=(hit,), access=Access.CODE))
            assert isinstance(decision, Deliver) and decision.plan.floor is Assurance.MESSAGE
            for wrong in names:
                miss = msgspec.structs.replace(hit, **{wrong: "else@where.test"})
                decision = decide(replace(f, rules=(miss,), access=Access.CODE))
                assert isinstance(decision, Deliver) and decision.plan.floor is Assurance.VERIFIED


@pytest.mark.fast
def test_rules_are_not_mistaken_for_those_of_another_organisation() -> None:
    """The index is kept by identity: thousands of organisations come and go."""
    f = Facts("demo", "7", "ann@clinic.test", "clinic.test", "pat@x.test", "x.test")
    for number in range(2_000):
        refuse = number % 2 == 0
        decision = decide(replace(f, rules=(Rule(f"r{number}", action="refuse" if refuse else ""),)))
        assert isinstance(decision, Refuse) is refuse


@pytest.mark.parametrize("spread", [False, True], ids=["all-match", "by-domain"])
def test_five_hundred_rules_cost_next_to_nothing(spread: bool) -> None:
    """p99 within 0.2 ms (reference/performance.md); the bound here is wide because tests share the machine."""
    rules = tuple(
        Rule(f"r{n}", recipient_domain=f"d{n}.test" if spread else "", floor=Assurance.VERIFIED) for n in range(500)
    )
    base = Facts("demo", "7", "ann@clinic.test", "clinic.test", "pat@x.test", "x.test", rules=rules)
    many = [replace(base, recipient=f"p{n}@d{n % 600}.test", recipient_domain=f"d{n % 600}.test") for n in range(3_000)]
    spent = []
    for f in many:
        start = time.perf_counter()
        decide(f)
        spent.append(time.perf_counter() - start)
    assert sorted(spent)[len(spent) * 98 // 100] < 0.000_5


def test_a_code_is_asked_for_in_the_name_of_the_rule_that_asks_for_more() -> None:
    by_mail = Rule("portal-by-mail", portal_by_mail=True)
    f = Facts(
        org="o", policy_version="1", sender="a@clinic.test", sender_domain="clinic.test", recipient="b@there.test",
        recipient_domain="there.test", rules=(by_mail, Rule("strict", floor=Assurance.MESSAGE)),
    )  # fmt: skip
    held = decide(f)
    assert isinstance(held, Hold)
    assert (held.reason, held.rule) == ("needs-access-code", "strict")
    asked = decide(replace(f, rules=(by_mail,), asked_floor=Assurance.MESSAGE))
    assert isinstance(asked, Hold) and asked.rule == "asked-by-message"
