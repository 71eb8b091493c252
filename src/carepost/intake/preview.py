"""What a recipient would get, with what is known of their side already: the same decisions as the real ones.

A delivery begins with the plan's first step and moves on when the wire does not reach its floor. Where posture knows
what the wire reaches, the preview takes the steps the delivery would take."""

from collections.abc import Callable

from carepost.policy import again, explain
from carepost.policy.decide import decide, is_look
from carepost.policy.types import Decision, Deliver, Facts, Method

#: more steps than any plan has
_STEPS = 8


def likely(
    facts: Facts, judge: Callable[[Facts], Decision] = decide, *, first: Decision | None = None
) -> tuple[Decision, Facts]:
    """The decision that is likely to be carried out, and the facts it was made of. What the door answers, a preview
    and the page of what is held say is made here. `judge`: decides anew after each step that was not reached; `first`:
    what it says of these facts, where that is known already."""
    decision = first if first is not None else judge(facts)
    # a pinned next hop is dialled instead of the hosts that the domain names
    wire = facts.seen.pinned if facts.pinned_route else facts.seen.tls
    for _ in range(_STEPS):
        if not isinstance(decision, Deliver) or wire is None:
            break
        step = decision.plan.steps[0]
        if step.method is not Method.TLS or (wire >= step.floor and not is_look(step)):
            break
        facts = again.after(facts, Method.TLS, wire)
        decision = judge(facts)
    return decision, facts


def foresee(facts: Facts) -> tuple[Decision, str]:
    """The decision that is likely to be carried out, and its words."""
    decision, words, _ = foreseen(facts)
    return decision, words


def foreseen(facts: Facts) -> tuple[Decision, str, Facts]:
    """As `foresee`, and the facts that decision was made of."""
    decision, facts = likely(facts)
    return decision, explain.words(decision, facts), facts
