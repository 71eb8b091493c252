"""What rules copy or redirect never leaves with less than the message it was made for would (the property), whatever
else rules say of the address it goes to."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from carepost.ground import ids
from carepost.intake.facts import About, gather
from carepost.intake.routing import about_for, marked, routed
from carepost.policy import rules
from carepost.policy.content import NOTHING_IN_IT
from carepost.policy.decide import decide, required
from carepost.policy.explain import words
from carepost.policy.types import Assurance, Category, DataClass, Deliver, Kind, Rule, Seen, Ternary
from carepost.queue.types import DeliveryRecord
from carepost.rfc.envelope import Recipient
from carepost.wire.types import AccessProof
from tests.support.clinics import snapshot

JANE, JOHN, DESK, STORE = "jane@patient.test", "john@patient.test", "desk@maple.test", "store@cheap.test"
ADDRESSES = (JANE, JOHN, DESK, STORE)


def some(*values: Any) -> Any:
    return st.sampled_from(values)


rule = st.builds(
    Rule,
    id=st.text("abcdefgh", min_size=1, max_size=3), position=st.integers(0, 3),
    recipient=some("", "", *ADDRESSES), recipient_domain=some("", "", "patient.test", "cheap.test"),
    floor=some(None, None, *Assurance), attestation=some("", "no PHI"), setting=some(False, False, True),
    redirect=some("", "", "", DESK, STORE), copies=some((), (), (STORE,), (DESK, STORE)),
)  # fmt: skip
policies = st.lists(rule, min_size=1, max_size=8, unique_by=lambda r: r.id).map(tuple)


def about(asked: Assurance | None) -> About:
    return About(
        sender="owl@maple.test", kind=Kind.MESSAGE, category=Category.TRANSACTIONAL, data_class=DataClass.ORDINARY,
        purpose="", origin="api", asked_floor=asked, asked_methods=(), access=AccessProof(),
    )  # fmt: skip


@given(policies, some(None, *Assurance), st.lists(some(*ADDRESSES), min_size=1, max_size=3, unique=True))
@settings(max_examples=400, deadline=None)
def test_nothing_a_rule_makes_is_weaker_than_what_it_was_made_for(
    policy: tuple[Rule, ...], asked: Assurance | None, to: list[str]
) -> None:
    clinic = snapshot(ids.new(), "Maple", ("maple.test",), rules=policy)
    known = about(asked)

    def least(address: str) -> Assurance:
        facts = gather(clinic, Seen(), known, address, Ternary.NO, content=NOTHING_IN_IT)
        return required(facts, rules.effect(facts))[0]

    def made_for(address: str) -> list[str]:
        effects = {one: rules.effect(gather(clinic, Seen(), known, one, Ternary.NO)) for one in to}
        return [one for one, effect in effects.items() if address in (effect.redirect, *(a for a, _ in effect.copies))]

    for one in routed(clinic, known, [Recipient(address) for address in to]):
        if one.via is None:
            continue
        address = one.recipient.address
        floor = max(least(original) for original in made_for(address))
        facts = gather(clinic, Seen(), about_for(known, one.via), address, Ternary.NO, content=NOTHING_IN_IT)
        decision = decide(facts)
        assert not isinstance(decision, Deliver) or decision.plan.floor >= floor
        # what the attempt decides by
        record = marked(DeliveryRecord(one.recipient, "", None, asked_floor=asked), one.via)
        assert record.asked_floor is not None and record.asked_floor >= floor


def test_an_attested_exception_of_the_address_does_not_open_a_copy() -> None:
    policy = (
        Rule("strict", recipient_domain="patient.test", floor=Assurance.AUTHENTICATED, copies=(STORE,)),
        Rule("cheap", recipient=STORE, floor=Assurance.NONE, attestation="no PHI goes there"),
    )
    clinic = snapshot(ids.new(), "Maple", ("maple.test",), rules=policy)
    straight, copy = routed(clinic, about(None), [Recipient(JANE)])
    assert straight.via is None and copy.via is not None
    assert (copy.recipient.address, copy.via.floor) == (STORE, Assurance.AUTHENTICATED)
    decision = decide(gather(clinic, Seen(), about_for(about(None), copy.via), STORE, Ternary.NO))
    assert isinstance(decision, Deliver) and decision.plan.floor is Assurance.AUTHENTICATED
    # it is not said that the message asked for it: what asked for it is the recipient it was written to
    assert decision.plan.floor_rule == "original-recipient"
    asked = decide(gather(clinic, Seen(), about(Assurance.AUTHENTICATED), STORE, Ternary.NO))
    assert isinstance(asked, Deliver) and asked.plan.floor_rule == "asked-by-message"
    told = words(decision, gather(clinic, Seen(), about_for(about(None), copy.via), STORE, Ternary.NO))
    assert "(by the recipient it was written to)" in told and "the message itself" not in told
