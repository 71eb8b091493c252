"""How a delivery that waits for a person would leave, if it were released now: as the rules decide, and by each method
alone. The same decisions as the real ones; decided again at the attempt. Nothing is written."""

from functools import partial

import msgspec

from carepost.intake.judge import MAY_CHANGE
from carepost.intake.preview import likely
from carepost.policy import again, explain
from carepost.policy.decide import is_look
from carepost.policy.index import index
from carepost.policy.needs import needs
from carepost.policy.rules import MOST_APPROVALS
from carepost.policy.types import Assurance, Deliver, Facts, Hold, Method, Plan, label
from carepost.wire.types import WayView


def ways(facts: Facts, plan: Plan | None) -> tuple[WayView, ...]:
    """`facts` of the delivery as it stands, `plan` the one it was accepted with. First what the rules decide;
    another is allowed where it protects at least as much: less can never be asked for."""
    freed = msgspec.structs.replace(facts, released=True, approved=MOST_APPROVALS)
    decided = _way("", freed, plan)
    least = decided.minimum if decided.minimum is not None else Assurance.NONE
    found = [decided]
    for method in Method:
        if method not in facts.available or (facts.asked_methods and method not in facts.asked_methods):
            continue
        way = _way(method.value, msgspec.structs.replace(freed, asked_methods=(method,)), plan)
        enough = way.minimum is not None and way.minimum >= least
        found.append(msgspec.structs.replace(way, allowed=enough))
    return tuple(found)


def _way(method: str, facts: Facts, plan: Plan | None) -> WayView:
    # held to the plan the message was accepted with
    decision, end = likely(facts, partial(again.decide_again, plan))
    words = explain.words(decision, end)
    if index(facts.rules).questions.content and needs(facts.rules, facts):
        words += f" {MAY_CHANGE}"
    if not isinstance(decision, Deliver):
        word = "hold" if isinstance(decision, Hold) else "refuse"
        return WayView(method, word, "", "", words, decision.rule, allowed=not method)
    step = decision.plan.steps[0]
    if is_look(step):
        # nothing is known of the other side yet: what the look is for comes next
        step = next((s for s in decision.plan.steps if not is_look(s)), step)
    return WayView(
        method, "deliver", step.method.value, label(step.floor, step.method), words, step.rule, allowed=True,
        minimum=step.floor,
    )  # fmt: skip
